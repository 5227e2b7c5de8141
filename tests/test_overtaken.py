"""Answers that a change overtakes: they were sent before it, and the kernel gets to
them after it was told not to believe what it knows. Here it is held up by the memory
into which it copies names. And who waits for that: `sync`."""

import contextlib
import ctypes
import mmap
import os
import pathlib
import signal
import time

import mount as mounting
import oracle
import pytest
from conftest import not_run
from faults.source import faulty
from looking import SOON, holding, lends, told
from person import eventually

LIBC = ctypes.CDLL(None, use_errno=True)
# A reader that takes longer to get to an answer is given up (fs/fuse/trust.c).
READING = 1.0
TIMES = 5
OLD = oracle.hashed("a.txt", b"old")
OLD_MODE, NEW_MODE = 0o40755, 0o40700


@pytest.fixture
def src(make, anyone):
    tree = {f"{i}/a.txt": b"old" for i in range(TIMES)}
    tree |= {f"{i}/sub/b.txt": b"b" for i in range(TIMES)}
    return make(tree, owner=anyone)


@pytest.fixture
def memory(bed, fuse, make, place, anyone):
    """Files whose pages come when the test says so."""
    under = make({f"{i}": bytes(mmap.PAGESIZE) for i in range(TIMES)}, "memory")
    with faulty(bed, anyone, under, place(anyone)) as source:
        yield source


# --- a reader that is held up -------------------------------------------------


class Reader:
    """Reads a directory into the memory that is a file."""

    def __init__(self, directory, file):
        self.fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        fd = os.open(file, os.O_RDONLY)
        self._page = mmap.mmap(
            fd, mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE
        )

    def more(self):
        to = (ctypes.c_char * mmap.PAGESIZE).from_buffer(self._page)
        return LIBC.getdents64(self.fd, to, mmap.PAGESIZE)


def wrong(directory, sub):
    """What is seen of the state before the change. Nothing but that is looked up:
    who finds that a name is not to be believed drops those below it, too."""
    mode = os.fstat(sub).st_mode
    found = [] if mode == NEW_MODE else [oct(mode)]
    with contextlib.suppress(FileNotFoundError):
        os.stat(OLD, dir_fd=directory)
        found.append(OLD)
    return found


def read(top, i, file, sync):
    """Which mode of a directory it is told of in the end; when it asks for more,
    which shows that it got to the answer; and what stays wrong then."""
    reader = Reader(top / str(i), file)
    assert reader.more() > 0
    sub = os.open("sub", os.O_PATH, dir_fd=reader.fd)
    mode = os.fstat(sub).st_mode
    asked = time.monotonic()
    assert reader.more() == 0
    if sync:
        (top / ".hashedfs/sync").read_bytes()
    else:
        eventually(lambda: not wrong(reader.fd, sub), SOON)
    return mode, asked, wrong(reader.fd, sub)


def change(directory):
    (directory / "a.txt").write_bytes(b"new")
    (directory / "sub").chmod(0o700)


@contextlib.contextmanager
def mounted(mount, src, person):
    """Names are believed for long, and no inode goes: else the kernel believes no
    attributes that are on their way."""
    with mount(src, person=person) as m:
        with holding(m, {".hashedfs", ".hashedfs/status"}):
            yield m


def begin(directory, go, ready):
    """Begins to read a directory, some times, and leaves it at that."""
    streams = [os.scandir(directory) for _ in range(3)]
    assert all(map(next, streams))
    os.write(ready, b".")
    os.read(go, 1)


@contextlib.contextmanager
def overtaken(m, src, memory, i, sync=False, between=contextlib.nullcontext()):
    """Inside the block a reader of directory `i` is held up, after a change that all
    others have been told of. At the end it goes on; .left is what it saw wrong, None
    if all this took so long that it does not count."""
    assert eventually(lambda: lends(m))
    memory.hang("read", str(i))
    args = pathlib.Path(m), i, memory.path / str(i), sync
    client = m.person.start(read, *args)
    memory.wait_for("read", str(i))
    with between:
        client.begun = time.monotonic()
        change(src / str(i))
        try:
            yield client
        finally:
            memory.release()
            mode, asked, left = client.result(20)
    client.left = left if asked < client.begun + READING else None
    assert mode == OLD_MODE or client.left is None, "it was not overtaken"


def others_are_told(m):
    assert eventually(lambda: not lends(m), pause=0.001)


@pytest.mark.parametrize("sync", [False, True])
def test_a_change_shows(src, mount, memory, anyone, sync):
    with mounted(mount, src, anyone) as m, contextlib.ExitStack() as stack:
        for i in range(TIMES):
            with overtaken(m, src, memory, i, sync) as client:
                others_are_told(m)
                # They come after it.
                others = stack.enter_context(told(m, begin, m.path))
            others.go()
            if client.left is not None:
                break
        assert client.left == []


def test_who_reads_no_further_is_not_waited_for(src, mount, anyone):
    with mounted(mount, src, anyone) as m, told(m, begin, m / "0") as reader:
        change(src / "0")
        assert anyone.start(m.control, "sync").result(20)
        assert oracle.hashed("0/a.txt", b"new") in m.names()
        reader.go()


# --- sync ---------------------------------------------------------------------


def ask(m):
    """What open(2) says beside signals, and how many there were."""
    came = []
    signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
    fd = LIBC.open(os.fsencode(m / ".hashedfs/sync"), os.O_RDONLY)
    error = ctypes.get_errno()
    return os.read(fd, 100).decode().strip() if fd >= 0 else os.strerror(error), len(came)


def test_a_signal_does_not_end_sync(src, mount, memory, anyone):
    with mounted(mount, src, anyone) as m:
        for i in range(TIMES):
            with overtaken(m, src, memory, i) as client:
                others_are_told(m)
                asker = anyone.start(ask, m)
                assert eventually(lambda: waits(asker.pid), pause=0.001)
                for _ in range(10):
                    os.kill(asker.pid, signal.SIGUSR1)
                    time.sleep(0.01)
            answer, signals = asker.result()
            assert answer.isdigit() and signals
            if client.left is not None:
                break
        assert client.left == []


def waits(pid):
    """For an answer of the mount."""
    return mounting.proc(pid, "wchan") == b"request_wait_answer"


@contextlib.contextmanager
def unheard(worker):
    """The thread that hears of changes is stopped: nobody but `sync` tells of them."""
    seize, interrupt, detach, wall = 0x4206, 0x4207, 17, 0x40000000
    [tid] = [
        int(thread)
        for thread in os.listdir(f"/proc/{worker}/task")
        if mounting.proc(worker, f"task/{thread}/syscall").split()[2:3] == [b"0x3"]
        and b"poll" in mounting.proc(worker, f"task/{thread}/wchan")
    ]
    if LIBC.ptrace(seize, tid, None, None) != 0:
        not_run("needs to stop a thread of another process")
    try:
        LIBC.ptrace(interrupt, tid, None, None)
        os.waitpid(tid, wall)
        yield
    finally:
        LIBC.ptrace(detach, tid, None, None)


def test_sync_goes_on_without_who_asked(src, mount, memory, as_root):
    """Who is killed goes at once; and what they asked for is done."""
    with mounted(mount, src, as_root) as m:
        before = int(m.control("sync"))
        for i in range(TIMES):
            quiet = unheard(m.worker())
            with overtaken(m, src, memory, i, between=quiet) as client:
                asker = as_root.start(ask, m)
                others_are_told(m)
                assert eventually(lambda: waits(asker.pid), pause=0.001)
                asker.kill()
                at_once = time.monotonic() < client.begun + READING
            if at_once and client.left is not None:
                break
        assert at_once and client.left == []
        assert int(m.control("sync")) > before
        assert oracle.hashed(f"{i}/a.txt", b"new") in m.names()
