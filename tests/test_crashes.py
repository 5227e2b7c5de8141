"""Processes that are killed while an operation is under way: whoever waits gets
an error, nothing stays mounted, nobody is stuck."""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import mount as mounting
import oracle
import pytest
from conftest import give
from faults.cell import Running
from faults.source import faulty
from mount import mounted, processes, stuck
from person import MARK, ROOT, eventually

GONE = errno.ENOTCONN
SMALL, BIG = b"small\n", b"big\n" * (1 << 19)
SMALL_NAME = oracle.hashed("f.txt", SMALL)
BIG_NAME = oracle.hashed("big.bin", BIG)

# A client gets ready, says who it is, and does the one thing when it is told to.
# It prints the number of the error that it gets.
CLIENT = """
import os, sys
view = sys.argv[1]
d = view + "/d"
{ready}
print(os.getpid(), flush=True)
sys.stdin.readline()
try:
    {act}
except OSError as error:
    print(error.errno)
"""

# What the client does to be ready, what it does then, and what of the source
# hangs meanwhile.
OPERATIONS = {
    "lookup": ("", "os.stat(d + '/unknown')", ("stat", "d")),
    "getattr": ("import time; time.sleep(1)", "os.stat(view)", ("stat", "")),
    "opendir": (
        "fd = os.open(d, os.O_PATH)",
        "os.open(f'/proc/self/fd/{fd}', os.O_RDONLY | os.O_DIRECTORY)",
        ("stat", "d"),
    ),
    "readdirplus": (
        "fd = os.open(d, os.O_RDONLY | os.O_DIRECTORY)",
        "os.listdir(fd)",
        ("stat", "d/sub"),
    ),
    "open": (
        f"os.stat(d + '/{SMALL_NAME}')",
        f"os.open(d + '/{SMALL_NAME}', os.O_RDONLY)",
        ("open", "d/f.txt"),
    ),
    "read": (
        f"fd = os.open(d + '/{BIG_NAME}', os.O_RDONLY)",
        "os.pread(fd, 4096, 1 << 20)",
        ("read", "d/big.bin"),
    ),
    "map": ("", "open(view + '/.hashedfs/map').read()", ("stat", "d")),
    "problems": ("", "open(view + '/.hashedfs/problems').read()", ("stat", "d")),
}
# These never ask the source: the worker is stopped before they come.
UNASKED = {
    "statfs": ("os.stat(view)", "os.statvfs(view)"),
    "status": ("", "open(view + '/.hashedfs/status').read()"),
    "sync": ("", "open(view + '/.hashedfs/sync').read()"),
    "release": (
        f"fd = os.open(d + '/{SMALL_NAME}', os.O_RDONLY)",
        "os.close(fd); os.stat(d + '/unknown')",
    ),
    "releasedir": (
        "fd = os.open(d, os.O_RDONLY | os.O_DIRECTORY)",
        "os.close(fd); os.stat(d + '/unknown')",
    ),
}


@pytest.fixture(scope="module")
def under(bed):
    """person -> a tree that nobody changes, left alone for so long that its
    names are remembered."""
    with tempfile.TemporaryDirectory(dir=bed.top, prefix="crashes-") as top:
        os.chmod(top, 0o755)
        trees = {}
        for person in {ROOT, bed.user} if os.geteuid() == 0 else {bed.user}:
            tree = trees[person] = pathlib.Path(top) / person.name
            (tree / "d/sub").mkdir(parents=True)
            (tree / "d/f.txt").write_bytes(SMALL)
            (tree / "d/big.bin").write_bytes(BIG)
            (tree / "d/sub/x.txt").write_bytes(b"x")
            (tree / "d/tail.txt").write_bytes(b"last")
            give(tree, person)
        time.sleep(2.1)
        yield trees


@pytest.fixture
def source(bed, fuse, under, place, as_user):
    with faulty(bed, as_user, under[as_user], place(as_user)) as source:
        yield source


# Where a process sleeps that reads from a pipe, in older and newer kernels.
WORD = b"pipe_read", b"anon_pipe_read"


class Client:
    """One that waits for the answer to one request. `run` starts it."""

    def __init__(self, m, ready, act, run=()):
        self._process = m.person.popen(
            *run,
            *("python3", "-c", CLIENT.format(ready=ready, act=act), m.path),
            env={f"{MARK}_MOUNT": m.path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
        )
        self.pid = int(self._process.stdout.readline())

    def act(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def waits(self):
        """Whether it sleeps in the kernel, and not for our word to begin."""
        where = mounting.proc(self.pid, "wchan")
        return self._process.poll() is None and where not in (b"", b"0", *WORD)

    def error(self):
        """The error that it got, 0 if none."""
        assert self._process.wait(20) == 0
        return int(self._process.stdout.read() or 0)

    def ended(self):
        """Its exit status, and what it printed."""
        return self._process.wait(20), self._process.stdout.read()

    def end(self):
        self._process.kill()
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()


@contextlib.contextmanager
def clients(m, count, ready, act):
    with contextlib.ExitStack() as stack:
        started = [Client(m, ready, act) for _ in range(count)]
        for client in started:
            stack.callback(client.end)
        yield started


@contextlib.contextmanager
def hanging(m, source, operation):
    """Three clients that wait for an answer that does not come."""
    ready, act, hangs = OPERATIONS[operation]
    with clients(m, 3, ready, act) as waiting:
        source.hang(*hangs)
        for client in waiting:
            client.act()
        source.wait_for(*hangs)
        assert eventually(lambda: all(client.waits() for client in waiting), 20)
        yield waiting


def check_the_end(m, waiting):
    """After a death: errors for all who waited, and nothing is left."""
    for client in waiting:
        assert client.error() != 0
    assert eventually(lambda: not processes(m), 10)


def check_again(mount, source, path, person):
    """The next one works there, whatever was left."""
    with mount(source, path=path, person=person) as m:
        assert m.read(f"d/{BIG_NAME}") == BIG
    assert not mounted(path)


@pytest.mark.parametrize("whom", ["worker", "guard"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_kill_9_during(source, mount, place, as_user, operation, whom):
    path = place(as_user)
    with mount(source, path=path, person=as_user) as m:
        with hanging(m, source, operation) as waiting:
            os.kill(getattr(m, whom)(), signal.SIGKILL)
            check_the_end(m, waiting)
        source.release()
        if whom == "worker":
            assert not mounted(path)
        check_again(mount, source, path, as_user)


@pytest.mark.parametrize("operation", ["read", "readdirplus"])
def test_kill_9_of_clients_during(source, mount, as_user, operation):
    """What they had open is closed while somebody is still at work on it: that
    this does no harm is for a sanitizer to see."""
    with mount(source, person=as_user) as m:
        worker = m.worker()
        with hanging(m, source, operation):
            pass
        time.sleep(0.5)
        source.release()
        assert m.read(f"d/{BIG_NAME}") == BIG and len(m.listing("d")) == 4
        assert m.worker() == worker


def error_of(person, function, *args):
    """The error that it ends with, 0 if none."""
    try:
        person.call(function, *args)
    except OSError as error:
        return error.errno
    return 0


@pytest.mark.parametrize("operation", UNASKED)
def test_kill_9_before_an_answer(source, mount, place, as_user, operation):
    ready, act = UNASKED[operation]
    path = place(as_user)
    with mount(source, path=path, person=as_user) as m:
        with clients(m, 3, ready, act) as waiting:
            worker = m.worker()
            mounting.stop(worker)
            for client in waiting:
                client.act()
            assert eventually(lambda: all(client.waits() for client in waiting), 20)
            os.kill(worker, signal.SIGKILL)
            check_the_end(m, waiting)
        assert not mounted(path)
        check_again(mount, source, path, as_user)


def test_what_is_left_when_both_are_killed(source, mount, place, as_user):
    path = place(as_user)
    with mount(source, path=path, person=as_user) as m:
        pids = m.guard(), m.worker()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                os.kill(pid, number)
        assert eventually(lambda: not processes(path), 10)
        assert mounted(path)
        # At first it may still be on its way out (ECONNABORTED).
        assert eventually(lambda: error_of(as_user, os.listdir, path) == GONE, 10)
        assert error_of(as_user, os.statvfs, path) == GONE
        assert error_of(as_user, open, path / "d") == GONE
        check_again(mount, source, path, as_user)


# --- under hashedfs-run ----------------------------------------------------------

# What of them reaches the worker of a frozen mount.
FROZEN = {
    **{name: OPERATIONS[name][:2] for name in OPERATIONS if name != "problems"},
    # Once only, as attributes are believed for ever.
    "getattr": ("", "os.stat(view)"),
    **UNASKED,
}


@pytest.mark.parametrize("whom", ["worker", "guard"])
@pytest.mark.parametrize("operation", FROZEN)
def test_kill_9_under_run(bed, source, place, as_user, operation, whom):
    """The command is ended before it sees an error."""
    path = place(as_user)
    run = (str(bed.bin / "hashedfs-run"), "-q", "--at", str(path), str(source), "--")
    m = Running(path, as_user)
    client = Client(m, *FROZEN[operation], run)
    try:
        mounting.stop(m.worker())
        client.act()
        assert eventually(client.waits, 20), f"it ended with {client.ended()}"
        os.kill(getattr(m, whom)(), signal.SIGKILL)
        assert client.ended() == (125, "")
        assert not mounted(path) and not processes(path)
    finally:
        client.end()
        mounting.clear(path, as_user)


# --- workers that hang beyond SIGKILL ----------------------------------------------

# A signal that does not kill comes first: of another one nobody is told.
ALARM = "import signal; signal.signal(signal.SIGALRM, lambda *_: None)"


def alarm(client):
    """It waits in the kernel, and has got a signal there."""
    assert eventually(client.waits, 20)
    os.kill(client.pid, signal.SIGALRM)


def test_who_waits_for_a_hung_worker(bed, source, mount, place, as_user):
    """Source and worker are stuck, and the worker is killed: clients get an error,
    but under hashedfs-run, where they are killed, also if its guard was."""
    whom = "worker", "guard"
    paths = [place(as_user) for _ in whom]
    program = str(bed.bin / "hashedfs-run")
    act = OPERATIONS["read"][1]
    ready = f"{OPERATIONS['read'][0]}; {ALARM}"
    with contextlib.ExitStack() as stack:
        m = stack.enter_context(mount(source, person=as_user))
        waiting = stack.enter_context(clients(m, 3, ready, act))
        running = [Running(path, as_user) for path in paths]
        for run, path in zip(running, paths, strict=True):
            argv = (program, "-q", "--at", str(path), str(source), "--")
            waiting.append(Client(run, ready, act, argv))
            stack.callback(waiting[-1].end)
        source.hang("read", "d/big.bin")
        for client in waiting:
            client.act()
        source.wait_for("read", "d/big.bin", 3)
        stack.enter_context(source.dead())
        victims = m.worker(), running[0].worker(), running[1].guard()
        for client in waiting:
            alarm(client)
        time.sleep(0.2)
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        for client in waiting[:3]:
            assert client.error() == GONE
        for client in waiting[3:]:
            assert client.ended() == (125, "")
        assert not stuck()
        for run in (m, *running):
            assert eventually(lambda: not mounted(run.path) and not processes(run.path), 10)
