"""Verified bytes are pushed into the kernel's page cache when a file is opened:
readers' reads do not come to us, and nobody gets stuck over it."""

import contextlib
import itertools
import mmap
import os
import random
import signal
import socket

import mount as mounting
import oracle
import pytest
from mount import mounted, processes, stuck
from person import ROOT, eventually

KIB = 1 << 10
SMALL = {f"d{i}/f{i}.bin": os.urandom(i * 61 * KIB // 3) for i in range(50)}
SIZES = {"full.bin": 1024 * KIB, "empty.bin": 0, "one.bin": 1, "page.bin": 4 * KIB}
SMALL |= {name: os.urandom(size) for name, size in SIZES.items()}
LARGE = {"large.bin": os.urandom(1024 * KIB + 1)}
PLAIN = {"kept.txt": b"kept"}
FILES = SMALL | LARGE | PLAIN


@contextlib.contextmanager
def talkative(program, source, path, person, log):
    """A mount that prints every request into `log`; yields a function that
    tells how many there were of a kind."""

    def count(kind):
        return log.read_bytes().count(b"opcode: %s " % kind.encode())

    with open(log, "wb") as file:
        command = (str(program), "-d", "-o", "keep=*.txt", str(source), str(path))
        process = person.popen(*command, stderr=file)
    try:
        assert eventually(lambda: mounted(path), 20)
        yield count
    finally:
        mounting.clear(path, person)
        assert process.wait(20) == 0


def by_read(path):
    with open(path, "rb", buffering=0) as file:
        return b"".join(iter(lambda: file.read(50_000), b""))


def by_read_once_dropped(path):
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file.read()


def by_mmap(path):
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            return bytes(mapped)


def by_sendfile(path):
    near, far = socket.socketpair()
    with open(path, "rb") as file, near, far:
        parts = []
        while os.sendfile(near.fileno(), file.fileno(), None, 4 * KIB):
            parts.append(far.recv(4 * KIB))
        return b"".join(parts)


def read_all(top, files, read):
    """What of these could not be read right."""
    return [n for n, d in files.items() if read(os.path.join(top, n)) != d]


@pytest.mark.parametrize("read", [by_read, by_mmap, by_sendfile])
def test_reads_of_small_files_do_not_come(bed, fuse, make, work, place, as_user, read):
    source, path = make(FILES, owner=as_user), place(as_user)
    small, large = (
        {oracle.hashed(name, data): data for name, data in files.items()}
        for files in (SMALL, LARGE)
    )
    program = bed.bin / "hashedfs"
    with talkative(program, source, path, as_user, work / "log") as count:
        # A few, as somebody may have dropped pages just then.
        assert as_user.call(read_all, path, small, read) == []
        assert count("OPEN") == len(small)
        assert count("READ") < len(small) / 4
        # What is not held in memory, or may change, is never pushed.
        for files in (large, PLAIN, PLAIN):
            before = count("READ")
            assert as_user.call(read_all, path, files, read) == []
            assert count("READ") > before
        # What the kernel drops it asks for again.
        before = count("READ")
        assert as_user.call(read_all, path, small, by_read_once_dropped) == []
        assert count("READ") > before + len(small) / 2


# --- nobody is stuck --------------------------------------------------------------


def read_on(top, names, seed):
    """Opens, reads and drops pages, all readers the same files at a time, until
    the mount is gone. What was wrong."""
    rng = random.Random(seed)
    with contextlib.suppress(OSError):
        for name in itertools.cycle(names):
            path = os.path.join(top, name)
            with open(path, "rb", buffering=0) as file:
                if rng.randrange(2):
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                data = file.read()
                if oracle.md5(data) not in name.split("."):
                    return f"{name} holds {oracle.md5(data)}"
    return None


def forget_on(top):
    """Makes the kernel forget, so that files are opened for the first time again."""
    while os.path.ismount(top):
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3")


@pytest.mark.parametrize("threads", ["many", "one"])
def test_nobody_is_stuck(make, mount, place, as_user, threads):
    """Openers of the same files, some of whom are killed, and then the worker."""
    rng = random.Random(threads)
    source = make({f"{i}.bin": os.urandom(200 * KIB) for i in range(200)}, owner=as_user)
    path = place(as_user)
    extra = ["-s"] if threads == "one" else []
    with mount(source, path=path, person=as_user, extra=extra) as m:
        names = m.names()

        def start(seed):
            return as_user.start(read_on, m.path, names, seed)

        readers = [start(i) for i in range(12)]
        if as_user is ROOT:
            forgetful = as_user.start(forget_on, m.path)
        for i in range(60):
            readers.pop(rng.randrange(len(readers))).kill()
            readers.append(start(100 + i))
        os.kill(m.worker(), signal.SIGKILL)
        assert [reader.result(20) for reader in readers] == [None] * 12
        if as_user is ROOT:
            forgetful.kill()
        assert eventually(lambda: not processes(m.path), 10)
        assert not stuck(1)
    assert not mounted(path)
