"""Many clients at once, on the plain build and on the sanitizers' builds."""

import contextlib
import os
import random
import time

import oracle
import pytest
from conftest import TOP, not_run
from mount import proc
from person import eventually

CLIENTS = 16
SECONDS = 8


@pytest.fixture(params=["plain", "san-address-undefined", "san-thread"])
def program(request, bed):
    """hashedfs of a build. The sanitizers' are made by `make test`."""
    if request.param == "plain":
        return bed.bin / "hashedfs"
    if os.environ.get("HASHEDFS_BIN_DIR", "build") != "build":
        return bed.bin / "hashedfs"
    directory = TOP / "build" / request.param
    if not (directory / "hashedfs").exists():
        not_run(f"build/{request.param} is not built")
    return bed.install(directory, bed.top / request.param) / "hashedfs"


def client(top, seed, seconds):
    """Walks, lists, stats and reads for some seconds. Every byte that comes
    out under a hashed name must fit the name; errors are allowed for what
    changes meanwhile, and counted."""
    rng = random.Random(seed)
    deadline = time.monotonic() + seconds
    good = bad = 0
    while time.monotonic() < deadline:
        for directory, folders, names in os.walk(top):
            rng.shuffle(folders)
            rng.shuffle(names)
            for name in names[:20]:
                path = os.path.join(directory, name)
                try:
                    os.stat(path)
                    with open(path, "rb") as file:
                        data = file.read()
                except OSError:
                    bad += 1
                    continue
                parts = name.split(".")
                if oracle.md5(data) not in parts:
                    return f"{path} holds {oracle.md5(data)}"
                good += 1
            if time.monotonic() > deadline:
                break
    return good, bad


def churn(src):
    """Changes files in all the ways there are, for ever."""
    rng = random.Random(1)
    while True:
        path = src / f"d{rng.randrange(20)}/f{rng.randrange(600)}.bin"
        what = rng.randrange(4)
        with contextlib.suppress(FileNotFoundError):
            if what == 0:
                path.unlink()
            elif what == 1:
                with open(path, "r+b") as file:  # in place
                    file.write(os.urandom(100))
            else:
                path.write_bytes(os.urandom(rng.randrange(5000)))
        if what == 3:
            with open(src / f"big/b{rng.randrange(6)}.bin", "r+b") as file:
                file.seek(rng.randrange(1_500_000 - 8))
                file.write(os.urandom(8))
        time.sleep(0.02)


def test_sixteen_clients_while_the_source_changes(
    program, make, mount, as_user, anyone
):
    src = make(
        {f"d{i % 20}/f{i}.bin": os.urandom(random.Random(i).randint(0, 9000))
         for i in range(600)}
        | {f"big/b{i}.bin": os.urandom(1_500_000) for i in range(6)}
    )  # fmt: skip
    with mount(src, person=as_user, program=program) as m:
        writer = anyone.start(churn, src)
        try:
            results = at_once(m, client)
        finally:
            writer.kill()
        for result in results:
            assert isinstance(result, tuple), result
        good = sum(good for good, _ in results)
        assert good > 100
        # When it is quiet again, everything is there and right.
        time.sleep(1.1)
        want = {oracle.hashed(p, d): d for p, d in oracle.walk(src).items()}
        assert m.files() == want


def test_sixteen_clients_ask_for_one_file(program, make, mount, as_user):
    data = os.urandom(900_000)
    src = make({"one.bin": data})
    with mount(src, person=as_user, program=program) as m:
        results = at_once(m, one_file, oracle.hashed("one.bin", data))
        assert results == [oracle.md5(data)] * CLIENTS
        # The open hashes what it hands out; names come from the first time.
        assert int(m.status()["files_hashed"]) <= 1 + CLIENTS * 5


def test_who_is_asked_nothing_sleeps(make, mount, as_user):
    """Threads stay awake for what may come next, but only for a moment."""
    if "san-thread" in os.environ.get("HASHEDFS_BIN_DIR", ""):
        not_run("the sanitizer has threads that wake by themselves", anywhere=True)
    src = make({f"d{i}/{j}.txt": b"%d %d" % (i, j) for i in range(10) for j in range(100)})
    with mount(src, person=as_user) as m:
        assert len(m.files()) == 1000
        worker = m.worker()

        def sleeps():
            before = switches(worker)
            time.sleep(0.3)
            return switches(worker) == before

        assert eventually(sleeps, 20)


def test_threads_run_anywhere_again(make, mount, as_user):
    """Where one processor is kept from going idle, those that answer a single client
    are each told where to run; but only meanwhile."""
    src = make({f"d{i}/{j}.txt": b"%d %d" % (i, j) for i in range(10) for j in range(100)})
    with mount(src, person=as_user) as m:
        names = sorted(m.names())
        worker = m.worker()

        def anywhere():
            m.status()
            return set(processors(worker)) == set(processors(os.getpid()))

        client = m.person.start(read_again, m.path, names, 2)
        eventually(lambda: not anywhere(), 1)
        # Nor are those kept there that such a one started.
        assert all(at_once(m, one_of, names))
        assert client.result()
        assert eventually(anywhere, 20)


def processors(pid):
    """Where each thread may run."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        for line in proc(pid, f"task/{thread}/status").splitlines():
            if line.startswith(b"Cpus_allowed:"):
                yield line


def read_again(top, names, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                file.read()
    return True


def one_of(top, seed, names):
    with open(os.path.join(top, names[seed]), "rb") as file:
        return bool(file.read())


def switches(pid):
    """How often each thread got a processor, and lost it."""
    found = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        for line in proc(pid, f"task/{thread}/status").splitlines():
            if b"ctxt_switches" in line:
                found[thread, line.split()[0]] = int(line.split()[1])
    # Who is never interrupted has a time on the processor that goes on.
    found["ran"] = proc(pid, "stat").split()[13:15]
    return found


def one_file(top, seed, name):
    for _ in range(5):
        with open(os.path.join(top, name), "rb") as file:
            digest = oracle.md5(file.read())
    return digest


def at_once(m, function, arg=SECONDS):
    """The answers of CLIENTS processes that run at the same time."""
    started = [m.person.start(function, m.path, i, arg) for i in range(CLIENTS)]
    return [one.result() for one in started]
