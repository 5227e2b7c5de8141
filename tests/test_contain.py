"""What a worker can still do once it serves, and what one client can cost."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import time

import mount as mounting
import pytest
from conftest import BIN_DIR, not_run
from person import eventually
from test_faults import clients, hung, kill, resident  # noqa: F401

DAC_READ_SEARCH = 1 << 2
# A try of tests/escape/probe.c -> the interface of Landlock that forbids it.
FORBIDDEN = {
    "read": 1,
    "list": 1,
    "write": 1,
    "make": 1,
    "write-source": 1,
    "directory": 1,
    "link": 1,
    "remove": 1,
    "cut": 3,
    "run": 1,
    "connect": 4,
    "bind": 4,
    "guard": 6,
    "abstract": 6,
}


def fields(pid):
    lines = mounting.proc(pid, "status").decode().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_privileges(make, mount, as_user):
    with mount(make({"a": b"1"}), person=as_user) as m:
        now = fields(m.worker())
        want = DAC_READ_SEARCH if as_user.uid == 0 else 0
        for name in ("CapEff", "CapPrm"):
            assert int(now[name], 16) == want
        for name in ("CapInh", "CapAmb"):
            assert int(now[name], 16) == 0
        if as_user.uid == 0:
            assert int(now["CapBnd"], 16) == 0
        assert now["NoNewPrivs"] == "1"
        limits = mounting.proc(m.worker(), "limits").decode()
        core = next(line for line in limits.splitlines() if "core file" in line)
        assert core.split()[4:6] == ["0", "0"]


@contextlib.contextmanager
def listening(name):
    """An abstract socket of that name, and a TCP port: its number."""
    with socket.socket(socket.AF_UNIX) as local, socket.socket() as tcp:
        local.bind(b"\0" + os.fsencode(name))
        tcp.bind(("127.0.0.1", 0))
        local.listen()
        tcp.listen()
        yield str(tcp.getsockname()[1])


def test_landlock_is_in_force(make, compiled, bed, fuse, place, as_user):
    """Tries everything from inside the worker, in the moment in which it is
    confined."""
    if str(BIN_DIR) != "build":
        not_run("nothing can be preloaded into a sanitizer's build")
    src = make({"a": b"1"}, owner=as_user)
    own = make({"file": b"2"}, "own", owner=as_user)
    path = place(as_user)
    with listening(own) as port:
        program = as_user.popen(
            str(bed.bin / "hashedfs"), "-f", str(src), str(path),
            stderr=subprocess.PIPE,
            env={
                "LD_PRELOAD": str(compiled("probe.so")),
                "PROBE": str(own),
                "PROBE_PORT": port,
                "PROBE_SOURCE": str(src / "a"),
            },
        )  # fmt: skip
        try:
            m = mounting.Mount(path, as_user)
            abi = eventually(lambda: m.status()["landlock"], 10)
        finally:
            assert mounting.clear(path, as_user) == []
            _, told = program.communicate(timeout=10)
    if not abi.startswith("ABI "):
        not_run(f"Landlock: {abi}")
    tries = dict(line.split(": ") for line in told.decode().splitlines())
    for name in ("proc", "source", "itself"):
        assert tries.pop(name) == "0", name
    assert tries.pop("dumpable") == ("0" if as_user.uid == 0 else "1")
    assert set(tries) == set(FORBIDDEN)
    for name, since in FORBIDDEN.items():
        if int(abi.split()[1]) >= since:
            assert int(tries[name]) in (errno.EACCES, errno.EPERM), name
    assert os.listdir(own) == ["file"]


# --- what one client can cost ---------------------------------------------------


@pytest.fixture
def few_descriptors(bed, work):
    """hashedfs in a place where there are 100 descriptors, raised to 200."""
    script = work / "few"
    script.write_text(
        f'#!/bin/sh\nexec prlimit --nofile=100:200 {bed.bin / "hashedfs"} "$@"\n'
    )
    script.chmod(0o755)
    return script


def open_all(names):
    """Opens until it fails: how many there were, and the errno. Looking is
    still possible then, and so is opening in exchange for closing."""
    fds = []
    try:
        for name in names:
            fds.append(os.open(name, os.O_RDONLY))
        return len(fds), 0
    except OSError as error:
        for name in names:
            os.stat(name)
        os.close(fds.pop())
        # The kernel tells the worker of it a moment later.
        fds.append(eventually(lambda: os.open(names[0], os.O_RDONLY)))
        return len(fds), error.errno
    finally:
        for fd in fds:
            os.close(fd)


def test_handles_have_a_bound(few_descriptors, make, mount, as_user):
    """Large files and plain ones hold a descriptor each, others none."""
    src = make(
        {f"big{i}": bytes(1_100_000) + b"%d" % i for i in range(60)}
        | {f"plain{i}": b"%d" % i for i in range(80)}
        | {f"small/{i}": b"%d" % i for i in range(300)}
    )
    with mount(src, "keep=plain*", as_user, program=few_descriptors) as m:
        limits = mounting.proc(m.worker(), "limits").decode()
        files = next(line for line in limits.splitlines() if "open files" in line)
        assert files.split()[3:5] == ["200", "200"]
        names = [m / name for name in m.listing() if name != "small"]
        small = [m / f"small/{name}" for name in m.listing("small")]
        for opened in (names, names):
            assert m.call(open_all, opened) == (100, errno.ENFILE)
            assert m.call(open_all, small + [m.path] * 300) == (600, 0)
            # All of it comes back.
            assert eventually(lambda: m.status()["handles"] == "1")


def hold_open(names, starts):
    """Whether, with all files open at once, each begins as it should."""
    files = [open(name, "rb", buffering=0) for name in names]
    time.sleep(1)
    return [file.read(3) for file in files] == starts


def fill_memory(names, starts):
    """How many files can be open at once, whether each begins as it should, and
    why there are no more of them."""
    files = []
    error = 0
    for name in names:
        try:
            files.append(open(name, "rb", buffering=0))
        except OSError as failure:
            error = failure.errno
            break
    good = all(file.read(3) == start for file, start in zip(files, starts, strict=False))
    return len(files), good, error


@pytest.mark.skipif(str(BIN_DIR) != "build", reason="sanitizers map what they like")
def test_pinned_memory_has_a_bound(bed, make, mount, anyone, work):
    """A file that could not be held in memory is not opened: it might fail later."""
    rest = os.urandom((1 << 20) - 3)
    starts = [b"%03d" % i for i in range(280)]
    src = make({f"{start.decode()}.bin": start + rest for start in starts})
    limited = work / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -v {2 << 20}\nexec {bed.bin}/hashedfs "$@"\n')
    limited.chmod(0o755)
    with mount(src, person=anyone, program=limited) as m:
        names = [m / name for name in m.listing()]
        n, good, error = m.call(fill_memory, names, starts)
        assert 250 < n <= 256 and good and error == errno.ENOMEM, (n, good, error)
        assert eventually(lambda: m.status()["bytes_pinned"] == "0")
        assert resident(m.worker()) < 330 << 20
        # All of it comes back.
        assert m.call(fill_memory, names[:200], starts) == (200, True, 0)


def test_readers_of_one_text_share_it(make, mount, anyone):
    style = b"a{}.a{background:url(x.png)}/*" + b"*" * (2 << 20) + b"/"
    src = make({"big.css": style, "x.png": b"x"})
    with mount(src, person=anyone) as m:
        [name] = [n for n in m.listing() if n.endswith(".css")]
        size = m.stat(name).st_size
        assert size > len(style)  # it was rewritten
        holder = m.person.start(hold_open, [m / name] * 40, [b"a{}"] * 40)
        try:
            assert eventually(lambda: int(m.status()["handles"]) > 40, 60)
            assert eventually(lambda: int(m.status()["bytes_rewritten"]) == size)
        finally:
            assert holder.result() is True


def test_surveys_have_a_bound(hung, mount, as_user):  # noqa: F811
    """Whoever looks at the whole tree waits for a source that hangs; a crowd
    of them is refused, and `status` still answers."""
    with mount(f"hung={hung.path}", person=as_user) as m:

        def ask(_):
            name = m / ".hashedfs/map"
            return m.person.popen("cat", name, stderr=subprocess.PIPE)

        def refused(running):
            return [client for client in running if client.poll() is not None]

        def is_heard():
            with clients(1, ask) as [client]:
                time.sleep(0.3)
                kill(client) if not refused([client]) else client.wait()
                return client.returncode < 0

        with hung.stopped(), clients(12, ask) as running:
            assert eventually(lambda: len(refused(running)) == 4)
            for client in refused(running):
                told = client.stderr.read()
                assert b"Resource temporarily unavailable" in told
            assert m.status()["landlock"]
            for client in running:
                kill(client)
                client.stderr.close()
        assert eventually(is_heard)


def stat_beside_signals(path):
    signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        os.stat(path)
    except FileNotFoundError:
        return "nothing there"


def has_handler(pid):
    return int(fields(pid)["SigCgt"], 16) & 1 << (signal.SIGUSR1 - 1)


def test_a_confined_worker_sees_who_is_being_killed(hung, mount, as_user):  # noqa: F811
    """And so does not take every signal for one that kills."""
    with mount(f"hung={hung.path}", person=as_user) as m:
        with hung.stopped():
            client = m.person.start(stat_beside_signals, m / "hung/nothing")
            assert eventually(lambda: has_handler(client.pid))
            for _ in range(10):
                time.sleep(0.1)
                os.kill(client.pid, signal.SIGUSR1)
        assert client.result() == "nothing there"
