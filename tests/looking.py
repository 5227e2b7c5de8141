"""What a mount shows beside what a fresh one shows, in front of a kernel that
remembers."""

import contextlib
import json
import os
import select
import shutil
import signal

import mount as mounting
import oracle
import pytest

LONG_MS = "60000"
# A change shows within a second; the rest is for a busy machine.
SOON = 1.75


# --- what a fresh mount shows -----------------------------------------------


@pytest.fixture
def fresh(manifest, anyone):
    """fresh(sources): the names that a new process finds."""

    def ask(sources, *options):
        done = manifest(anyone, "snapshot", *options, "--source", sources)
        return set(json.loads(done.stdout)["paths"].values())

    return ask


def look(top, names, gone):
    """What is wrong with the view, in the order in which the kernel's memory
    would mislead: old names, new names, listings."""
    wrong = []
    for name in gone:
        with contextlib.suppress(FileNotFoundError):
            os.lstat(os.path.join(top, name))
            wrong.append(f"still there: {name}")
    for name in names:
        try:
            with open(os.path.join(top, name), "rb") as file:
                data = file.read()
            if oracle.md5(data) not in name:
                wrong.append(f"other bytes: {name}")
        except OSError as error:
            wrong.append(f"not there: {name}: {error}")
    listed = set(mounting.list_tree(top))
    wrong += [f"not listed: {name}" for name in names - listed]
    wrong += [f"listed: {name}" for name in listed - names]
    return wrong


def hold(top, names, ready):
    """Keeps the names in the kernel's memory, which may forget them else."""
    fds = [os.open(os.path.join(top, name), os.O_PATH) for name in names]
    os.write(ready, b"%d" % len(fds))
    signal.pause()


@contextlib.contextmanager
def holding(m, names):
    reader, writer = os.pipe()
    client = m.person.start(hold, m.path, names, writer)
    try:
        os.close(writer)
        assert select.select([reader], [], [], 10)[0], "nobody holds the names"
        assert os.read(reader, 10) == b"%d" % len(names)
        yield
    finally:
        os.close(reader)
        client.kill()


class Looker:
    """Compares a mount with a fresh one; remembers what was there the last two
    times, and makes the kernel remember the last."""

    def __init__(self, m, fresh, stack):
        self.m = m
        self.fresh = fresh
        self.seen = [set(), set()]
        self.stack = stack

    def wrong(self):
        names = self.fresh()
        gone = set.union(*self.seen) - names
        wrong = self.m.call(look, self.m.path, names, gone)
        if not wrong:
            self.seen = [self.seen[1], names]
        return wrong

    def hold(self):
        self.stack.close()
        with contextlib.suppress(AssertionError):
            self.stack.enter_context(holding(self.m, self.seen[1]))

    def synced(self):
        self.m.control("sync")
        wrong = self.wrong()
        assert not wrong, wrong[:10]
        self.hold()


@contextlib.contextmanager
def looking(m, fresh, *args):
    """A Looker that has seen the mount and keeps it in the kernel's memory."""
    with contextlib.ExitStack() as stack:
        looker = Looker(m, lambda: fresh(*args), stack)
        wrong = looker.wrong()
        assert not wrong, wrong
        looker.hold()
        yield looker


def lends(m):
    return m.status()["names_believed_ms"] == LONG_MS


# --- clients that wait to be told -------------------------------------------


@contextlib.contextmanager
def told(m, function, path):
    """A client that has begun; .go() lets it go on. At the end .answer is what
    it found."""
    go, ready = os.pipe(), os.pipe()
    client = m.person.start(function, path, go[0], ready[1])
    client.go = lambda: os.write(go[1], b".")
    try:
        assert select.select([ready[0]], [], [], 10)[0], "it does not begin"
        yield client
    except BaseException:
        client.kill()
        raise
    else:
        client.answer = client.result(20)
    finally:
        for fd in go + ready:
            os.close(fd)


# --- one change, seen by who believes the names -----------------------------


TREE = {
    "a.txt": b"a",
    "d/b.txt": b"b",
    "d/e/c.txt": b"c",
    "d/e/f/g/deep.txt": b"deep",
    "css/style.css": b"a { background: url(../img/x.png) } b { background: url(../no/y.png) }"
    b"c { src: url(../hollow) } d { src: url(../full) }",
    "css/all.css": b'@import "style.css";',
    "img/x.png": b"x",
    "hollow/d/e": None,
    "full/d/e/x.txt": b"x",
}


def edit(src):
    (src / "d/e/c.txt").write_bytes(b"C")


def replace_directory(src):
    shutil.rmtree(src / "d")
    (src / "d/e/f/g").mkdir(parents=True)
    (src / "d/e/f/g/deep.txt").write_bytes(b"other")


def missing_target_comes(src):
    (src / "no").mkdir()
    (src / "no/y.png").write_bytes(b"y")


def gone(m, name):
    try:
        m.stat(name)
    except FileNotFoundError:
        return True
    return False


@pytest.fixture
def two(make, mount, anyone, fresh):
    """Two sources, of which the first is empty, and a mount whose names were
    all looked at and are believed."""
    first = make({}, "first", owner=anyone)
    src = make(TREE, owner=anyone)
    sources = f"{first}:{src}"
    with mount(sources, person=anyone) as m, looking(m, fresh, sources) as looker:
        assert lends(m)
        looker.src = src
        yield looker
