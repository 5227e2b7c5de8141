"""Directories that somebody holds open or stands in. The kernel believes what it
knows of them for long, and yet shows a change within a second."""

import os
import signal
import stat
import time

import mount as mounting
import pytest
from looking import SOON, lends, told
from person import eventually

TREE = {"a.txt": b"a", "d/b.txt": b"b", "d/e/c.txt": b"c"}


@pytest.fixture
def quiet(make, mount, anyone):
    """A mount that has been looked at, and whose names are believed for long."""

    def start(options=""):
        src = make(TREE, owner=anyone)
        src.chmod(0o755)
        (src / "d").chmod(0o755)
        return mount(src, options, person=anyone), src

    return start


def looked_at(m):
    """All that there is, once more after the time in which nothing is believed
    for long."""
    assert eventually(lambda: lends(m))
    time.sleep(1)
    m.run("ls", "-lR", str(m))


def facts(st):
    return stat.S_IMODE(st.st_mode), st.st_mtime_ns


def hold(path, go, ready):
    """Stands in a directory and has it open, by itself and as no more than a
    name; tells what is seen at first, and when all have seen a change."""
    os.chdir(path)
    fds = [os.open(path, os.O_DIRECTORY | flag) for flag in (os.O_RDONLY, os.O_PATH)]

    def seen():
        return {facts(st) for st in (os.stat("."), *map(os.fstat, fds))}

    [old] = seen()
    os.write(ready, b".")
    os.read(go, 1)
    eventually(lambda: len(seen()) == 1 and seen() != {old}, SOON)
    return old, seen()


def chmod(path):
    path.chmod(0o700)


def touch_within(path):
    """A directory is as new as the newest of its files."""
    for file in path.glob("*.txt"):
        os.utime(file, (1, 1))


@pytest.mark.parametrize(
    "options, change, want",
    [
        ("", chmod, (0o700, 946684800 * 10**9)),
        ("mtime=source,refs=none", touch_within, (0o755, 10**9)),
    ],
    ids=["mode", "time"],
)
@pytest.mark.parametrize("directory", ["d", ""], ids=["below", "top"])
def test_a_change_shows(quiet, options, change, want, directory):
    starting, src = quiet(options)
    with starting as m:
        looked_at(m)
        with told(m, hold, m / directory) as client:
            change(src / directory)
            client.go()
        old, seen = client.answer
        assert old != want
        assert seen == {want}


def test_a_change_shows_after_sync(quiet):
    starting, src = quiet()

    def scenario(path, source):
        fd = os.open(path / "d", os.O_PATH)
        modes = [os.fstat(fd).st_mode]
        os.chmod(source / "d", 0o700)
        (path / ".hashedfs/sync").read_bytes()
        return modes + [os.fstat(fd).st_mode]

    with starting as m:
        looked_at(m)
        assert m.call(scenario, type(src)(m), src) == [0o40755, 0o40700]


def test_they_are_believed_for_long(quiet):
    """Who looks again after a second is not answered by the mount."""
    starting, _ = quiet()
    with starting as m:
        looked_at(m)
        time.sleep(1.2)
        worker = m.worker()
        mounting.stop(worker)
        try:
            client = m.person.start(lambda d: [os.lstat(d) for _ in "12"], m / "d/e")
            assert client.result(5)
        finally:
            os.kill(worker, signal.SIGCONT)


def test_names_that_ran_out_come_with_the_listing(make, mount, anyone):
    """Who lists a directory again is told of all that is in it at once, and does
    not ask for one after the other. Nothing reports changes of what has another
    name, so the kernel believes it for a short time only."""
    src = make({f".pool/{i}": b"%d" % i for i in range(50)}, owner=anyone)
    for i in range(50):
        os.link(src / f".pool/{i}", src / f"{i}.txt")
    with mount(src, person=anyone) as m:
        m.run("ls", "-l", str(m))
        lookups = int(m.status()["lookups"])
        time.sleep(1.2)
        m.run("ls", "-l", str(m))
        assert int(m.status()["lookups"]) < lookups + 5
