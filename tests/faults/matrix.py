"""The faults, and when they strike: the rows of the table."""

import contextlib
import dataclasses
import errno
import os
import signal
import time

import mount as mounting
from conftest import give
from faults import table
from person import eventually

BIG = 3 << 19  # 1.5 MiB: more than is pinned in memory while it is open
LATE = 1 << 20  # where reading it is held

HELD, VICTIM, TEXT = "m/held.txt", "m/victim.txt", "m/page.css"
LARGE, TARGET, FOLDER = "m/large.bin", "m/pic.png", "v"
VICTIMS = (HELD, VICTIM, TEXT)


def _filler(path, size):
    return (path.encode() + b" line\n") * (size // (len(path) + 6) + 1)


def tree(large):
    files = {
        "a/first.txt": _filler("first", 3000),
        "a/other.js": b"console.log(1);\n",
        HELD: _filler("held", 5000),
        TEXT: b'a { background: url("pic.png") }\n' + _filler("/**/", 200),
        TARGET: _filler("pic", 9000),
        VICTIM: _filler("victim", 200_000),
        "m/z.txt": b"z\n",
        f"{FOLDER}/one.txt": b"one\n",
        f"{FOLDER}/two.txt": b"two\n",
        "z/end.txt": b"end\n",
    }
    if large:
        files[LARGE] = os.urandom(64) * (BIG // 64)
    return files


MOMENTS = ("happens meanwhile", "was there before")


@dataclasses.dataclass(frozen=True)
class Fault:
    """strike(cell) is the fault. It hits `victims` while the client waits for
    `operation` on `place`, or, with `first`, before anything is mounted."""

    name: str
    strike: object
    victims: tuple = VICTIMS
    operation: str = "open"
    place: str = HELD
    first: bool = False
    late: bool = False  # in the middle of a file above 1 MiB
    unprivileged: bool = False  # does not stop root
    stepping: bool = False  # needs a clock that can be stepped
    cached: bool = False  # needs a cache that knows the tree
    small_cache: bool = False  # on a disk of its own, which only root can give

    @property
    def hides(self):
        """Whether the view never has the names of the victims."""
        return self.first and self.name == "now a FIFO"

    def __str__(self):
        return table.key(MOMENTS[self.first], self.name)

    @property
    def ruled(self):
        """Whether it stands in the rules of the source."""
        return self.name.startswith("EIO")


def before(fault):
    """The same fault, there before the mount is."""
    return dataclasses.replace(fault, first=True)


# --- what can happen to a source ------------------------------------------------


def each_file(change):
    def strike(cell):
        for path in cell.fault.victims:
            change(cell, os.path.join(cell.source.under, path))

    return strike


def edit(_cell, path):
    with open(path, "r+b") as file:
        data = file.read().replace(b"line", b"LINE")
        file.seek(0)
        file.write(data)
    assert b"LINE" in data


def edit_end(_cell, path):
    with open(path, "r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"x" * 1000)


def delete(_cell, path):
    os.unlink(path)


def replace_by_directory(cell, path):
    os.unlink(path)
    os.mkdir(path)
    with open(os.path.join(path, "new.txt"), "wb") as file:
        file.write(b"new\n")
    give(path, cell.person)


def replace_by_fifo(cell, path):
    os.unlink(path)
    os.mkfifo(path)
    os.chown(path, cell.person.uid, cell.person.gid)


def replace_by_link(cell, path):
    os.unlink(path)
    os.symlink(cell.outside, path)


def take_away(_cell, path):
    os.chmod(path, 0)


def truncate(_cell, path):
    os.truncate(path, os.path.getsize(path) // 2)


def fail(operation):
    def strike(cell):
        cell.source.fail(operation, *cell.fault.victims)

    return strike


def fail_listing(cell):
    """A directory is read again if it was touched."""
    os.utime(cell.source.under / FOLDER)
    cell.source.fail("list", FOLDER)


def fail_late(cell):
    cell.source.say(("read", errno.EIO, LARGE, LATE))


# --- what can happen to us --------------------------------------------------------


def nothing(cell):
    """A source that hangs and comes back: nobody gives up."""
    time.sleep(0.3)
    assert cell.process.poll() is None, "the client did not wait"


def kill(*whom):
    def strike(cell):
        # Stopped first: where one dies the other one ends by itself.
        pids = [getattr(cell.mount, who)() for who in whom]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            # The end of the first one may have been that of the next.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not mounting.processes(cell.mount), 10)

    return strike


def run_out_of_descriptors(cell):
    pid = cell.mount.worker()
    cell.person.run("prlimit", "--pid", str(pid), f"--nofile={cell.descriptors}:")


def database(cell):
    return cell.cache / "hashedfs/hashedfs.db"


def damage_cache(cell):
    data = bytearray(database(cell).read_bytes())
    assert len(data) > 8192, "there is nothing to damage"
    for i in range(200, len(data), 97):
        data[i] ^= 0xFF
    with open(database(cell), "r+b") as file:
        file.write(data)


def fill_cache_disk(cell):
    with contextlib.suppress(OSError), open(cell.cache / "full", "wb", 0) as file:
        while True:
            file.write(bytes(512))


def step(seconds):
    def strike(cell):
        assert os.fsencode(cell.clock) in mounting.proc(cell.mount.worker(), "maps")
        with open(cell.clock, "r+b") as file:
            file.write(b"%d" % seconds)
        each_file(edit)(cell)

    return strike


WHILE = (
    Fault("source hangs, comes back", nothing, victims=()),
    Fault("edited", each_file(edit)),
    Fault("its reference edited", each_file(edit), victims=(TARGET,)),
    Fault("deleted", each_file(delete)),
    Fault("now a directory", each_file(replace_by_directory)),
    Fault("now a FIFO", each_file(replace_by_fifo)),
    Fault("now a link outside", each_file(replace_by_link)),
    Fault("chmod 000", each_file(take_away), unprivileged=True),
    Fault("truncated", each_file(truncate)),
    Fault("EIO at open", fail("open")),
    Fault("EIO at read", fail("read")),
    Fault("EIO at stat", fail("stat")),
    Fault("EIO at readdir", fail_listing, (FOLDER,), "list", FOLDER),
    Fault("edited, above 1 MiB", each_file(edit_end), (LARGE,), "read", LARGE, late=True),
    Fault("EIO at read, above 1 MiB", fail_late, (LARGE,), "read", LARGE, late=True),
    Fault("out of descriptors", run_out_of_descriptors, victims=()),
    Fault("clock forward, edited", step(3600), stepping=True),
    Fault("clock back, edited", step(-3600), stepping=True),
    Fault("cache damaged", damage_cache, (), cached=True),
    Fault("cache disk full", fill_cache_disk, (), cached=True, small_cache=True),
    Fault("worker killed", kill("worker"), victims=()),
    Fault("guard killed", kill("guard"), victims=()),
    Fault("both killed", kill("guard", "worker"), victims=()),
)
BEFORE = tuple(
    before(fault)
    for fault in WHILE
    if not fault.late
    and fault.name.startswith(("now a FIFO", "now a link", "chmod", "EIO", "cache"))
)


# Where all is there and yet something cannot be had.
UNREADABLE = tuple(fault for fault in BEFORE if not fault.cached and not fault.hides)
TABLES = {
    moment: [fault.name for fault in faults]
    for moment, faults in zip(MOMENTS, (WHILE, BEFORE), strict=True)
}
