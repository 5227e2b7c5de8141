"""Changes that are reported: names are believed for long, and yet after a read
of .hashedfs/sync the view is that of a fresh mount, kernel caches included."""

import contextlib
import itertools
import json
import os
import platform
import random
import select
import shutil
import signal
import threading
import time

import mount as mounting
import oracle
import pytest
from person import eventually

LONG_MS = "60000"
# A change shows within a second; the rest is for a busy machine.
SOON = 1.75


# --- what a fresh mount shows -------------------------------------------------


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


# --- one change, seen by who believes the names -----------------------------------

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


def append(src):
    with open(src / "d/e/f/g/deep.txt", "ab") as file:
        file.write(b"er")


def replace(src):
    (src / "new").write_bytes(b"new")
    (src / "new").rename(src / "d/b.txt")


def create(src):
    (src / "d/e/f/new.txt").write_bytes(b"new")


def delete(src):
    (src / "d/e/c.txt").unlink()


def rename(src):
    (src / "a.txt").rename(src / "d/z.txt")


def rename_directory(src):
    (src / "d").rename(src / "D")


def exchange_directories(src):
    (src / "d/e/f").rename(src / "away")
    (src / "d").rename(src / "img/d")
    (src / "away").rename(src / "d")


def replace_directory(src):
    shutil.rmtree(src / "d")
    (src / "d/e/f/g").mkdir(parents=True)
    (src / "d/e/f/g/deep.txt").write_bytes(b"other")


def delete_directory(src):
    shutil.rmtree(src / "d/e")


def directory_becomes_file(src):
    shutil.rmtree(src / "img")
    (src / "img").write_bytes(b"file")


def target_changes(src):
    (src / "img/x.png").write_bytes(b"X")


def target_goes(src):
    shutil.rmtree(src / "img")


def missing_target_comes(src):
    (src / "no").mkdir()
    (src / "no/y.png").write_bytes(b"y")


def target_moves_in(src):
    (src / "away").mkdir()
    (src / "away/y.png").write_bytes(b"y")
    (src / "away").rename(src / "no")


def hollow_directory_fills(src):
    (src / "hollow/d/e/x.txt").write_bytes(b"x")


def full_directory_empties(src):
    (src / "full/d/e/x.txt").unlink()


def earlier_source_has_it(src):
    (src.parent / "first/d/e").mkdir(parents=True)
    (src.parent / "first/d/e/c.txt").write_bytes(b"first")


def earlier_source_has_the_target(src):
    (src.parent / "first/img").mkdir()
    (src.parent / "first/img/x.png").write_bytes(b"first")


def earlier_source_hides(src):
    (src.parent / "first/d").write_bytes(b"a file")


def chmod(src):
    (src / "d/b.txt").chmod(0o600)


CHANGES = [
    edit, append, replace, create, delete, rename, rename_directory,
    exchange_directories, replace_directory, delete_directory,
    directory_becomes_file, target_changes, target_goes, missing_target_comes,
    target_moves_in, earlier_source_has_it, earlier_source_has_the_target,
    earlier_source_hides, chmod,
]  # fmt: skip


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


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_change_is_seen(two, change):
    change(two.src)
    assert eventually(lambda: not two.wrong(), SOON), two.wrong()


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_a_change_is_seen_after_sync(two, change):
    change(two.src)
    two.synced()


TARGETS = [
    target_changes, target_goes, missing_target_comes, target_moves_in,
    earlier_source_has_the_target, hollow_directory_fills, full_directory_empties,
]  # fmt: skip


@pytest.mark.parametrize("change", TARGETS, ids=lambda f: f.__name__)
def test_targets_that_nobody_looked_at(make, mount, anyone, fresh, change):
    """A text is looked up, and nothing else: its name hangs on directories that
    nobody asked for."""
    sources = f"{make({}, 'first', owner=anyone)}:{make(TREE, owner=anyone)}"
    old = style(fresh(sources))
    with mount(sources, person=anyone) as m:
        assert believed(m, [old])
        assert lends(m)
        with holding(m, [old]):
            change(make({}))
            assert eventually(lambda: gone(m, old), SOON)
        new = style(fresh(sources))
        assert new != old and m.stat(new)


def style(names):
    [name] = [name for name in names if name.startswith("css/style.")]
    return name


def gone(m, name):
    try:
        m.stat(name)
    except FileNotFoundError:
        return True
    return False


def test_what_is_made_anew_is_watched_anew(two):
    """A directory that takes another's place is another one."""
    for i in range(5):
        shutil.rmtree(two.src / "d")
        (two.src / "d/e").mkdir(parents=True)
        (two.src / "d/e/c.txt").write_bytes(b"%d" % i)
        two.synced()
        (two.src / "d/e/c.txt").write_bytes(b"again %d" % i)
        two.synced()
    assert eventually(lambda: lends(two.m))
    two.synced()
    (two.src / "d/e/c.txt").write_bytes(b"last")
    two.synced()


def test_attributes_after_sync(two):
    """What is kept of directories and plain files is not believed either."""
    top, d = two.m.stat(), two.m.stat("d")
    two.src.chmod(0o700)
    (two.src / "d").chmod(0o700)
    two.m.control("sync")
    assert two.m.stat("d").st_mode != d.st_mode
    assert two.m.stat().st_mode != top.st_mode


# --- names are believed --------------------------------------------------------------


@contextlib.contextmanager
def changing(path):
    """Changes go on inside the block."""

    def change():
        while not end.wait(0.05):
            path.write_bytes(b"%d" % time.monotonic_ns())

    end = threading.Event()
    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def believed(m, names):
    """Nobody asks for the names again after a while."""
    with holding(m, names):
        for name in names:
            m.stat(name)
        before = m.status()["lookups"]
        time.sleep(1.2)
        for name in names:
            m.stat(name)
        return m.status()["lookups"] == before


def test_names_are_believed_for_long(make, mount, as_user, fresh):
    src = make(TREE, owner=as_user)
    with mount(src, person=as_user) as m:
        names = m.names()
        # d, d/e, d/e/f, d/e/f/g, css, img, the top, and no "no"
        assert m.status()["watching"] == "13 directories"
        assert lends(m)
        assert believed(m, names)
        before = m.status()
        # One change, and all are asked for again.
        (src / "a.txt").write_bytes(b"changed")
        m.control("sync")
        m.stat("d/e/f/g/" + oracle.hashed("deep.txt", b"deep"))
        assert int(m.status()["lookups"]) >= int(before["lookups"]) + 5
        with changing(src / "a.txt"):
            assert eventually(lambda: not lends(m))
            m.stat("d")
            before = m.status()
            time.sleep(1.2)
            m.stat("d")
            assert int(m.status()["lookups"]) > int(before["lookups"])
        assert eventually(lambda: lends(m))


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_what_is_not_reported_is_believed_for_a_short_time(
    make, mount, anyone, fresh, kind
):
    """A write through another name of the file."""
    src = make({".pool/x": b"one", "b.txt": b"b"}, owner=anyone)
    if kind == "hard":
        os.link(src / ".pool/x", src / "x.txt")
        os.link(src / ".pool/x", src / ".pool/y")
    else:
        os.symlink(".pool/x", src / "x.txt")
    with mount(src, person=anyone) as m, looking(m, fresh, src) as looker:
        (src / ".pool/x").write_bytes(b"two")
        looker.synced()
        assert not looker.wrong()
        (src / ".pool/x").write_bytes(b"three")
        assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
        # What is sure is believed for long all the same.
        assert eventually(lambda: believed(m, [oracle.hashed("b.txt", b"b")]))


def test_text_that_refers_to_what_is_not_reported(make, mount, anyone, fresh):
    src = make(
        {".pool/x": b"one", "a.css": b"a{background:url(x.png)}"}, owner=anyone
    )
    os.symlink(".pool/x", src / "x.png")
    with mount(src, person=anyone) as m, looking(m, fresh, src) as looker:
        (src / ".pool/x").write_bytes(b"two")
        assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
        (src / ".pool/x").write_bytes(b"three")
        looker.synced()


# --- many changes ------------------------------------------------------------------


def git(top, *args):
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *args]
    mounting.subprocess.run(command, cwd=top, check=True, capture_output=True)


def test_git_checkout(make, mount, anyone, fresh):
    src = make({f"{d}/{i}.txt": b"%d" % i for d in "abc" for i in range(20)})
    git(src, "init", "-q", "-b", "one")
    git(src, "add", ".")
    git(src, "commit", "-qm", "one")
    git(src, "checkout", "-qb", "two")
    shutil.rmtree(src / "a")
    (src / "b").rename(src / "bb")
    make({"c/5.txt": b"other", "d/e/new.css": b"a{background:url(../../c/5.txt)}"})
    (src / "c/6.txt").unlink()
    git(src, "add", "-A")
    git(src, "commit", "-qm", "two")
    with mount(src, person=anyone) as m, looking(m, fresh, src) as looker:
        for branch in ("one", "two", "one", "two", "one"):
            git(src, "checkout", "-q", branch)
            looker.synced()


def hammer(top, seed):
    """A client that lists and asks for names without end, open listings too."""
    rng = random.Random(seed)
    seen = [""]
    while True:
        with contextlib.suppress(OSError):
            directory = rng.choice(seen[-200:])
            with os.scandir(os.path.join(top, directory)) as entries:
                for entry in entries:
                    seen.append(os.path.relpath(entry.path, top))
                    if rng.random() < 0.3:
                        entry.stat()
                    if rng.random() < 0.02:
                        time.sleep(0.01)
        with contextlib.suppress(OSError):
            os.lstat(os.path.join(top, rng.choice(seen)))
        time.sleep(0.001)
        del seen[1:-400]


class Editor:
    """Random changes of a tree that stays small, so that what goes comes again.
    Some files have a second name in `pool`."""

    def __init__(self, tops, pool, rng):
        self.tops = tops
        self.pool = pool
        self.rng = rng
        self.n = 0

    def path(self):
        rng = self.rng
        depth = rng.choice((0, 1, 1, 2, 2, 3))
        parts = [rng.choice("pqr") for _ in range(depth)]
        name = f"{rng.choice('abcdef')}.{rng.choice(('txt', 'css', 'png'))}"
        return os.path.join(rng.choice(self.tops), *parts, name)

    def data(self, path):
        self.n += 1
        if not path.endswith(".css"):
            return b"%d" % self.n
        # Only to what is no style sheet, so that there is no circle.
        targets = [
            self.rng.choice(("", "../", "p/", "../q/", "r/p/", "no/"))
            + f"{self.rng.choice('abcdef')}.{self.rng.choice(('png', 'txt'))}"
            for _ in range(3)
        ]
        return b"/* %d */" % self.n + b"".join(
            b"a{background:url(%s)}" % t.encode() for t in targets
        )

    def write(self):
        path = self.path()
        with open(path, self.rng.choice(("wb", "wb", "ab"))) as file:
            file.write(self.data(path))

    def overwrite(self):
        with open(self.path(), "r+b") as file:
            file.write(b"x")

    def replace(self):
        path = self.path()
        with open(f"{path}~", "wb") as file:
            file.write(self.data(path))
        os.replace(f"{path}~", path)

    def delete(self):
        os.unlink(self.path())

    def rename(self):
        os.rename(self.path(), self.path())

    def make_directory(self):
        os.makedirs(os.path.dirname(self.path()), exist_ok=True)

    def directory(self):
        directory = os.path.dirname(self.path())
        return self.directory() if directory in self.tops else directory

    def move_directory(self):
        os.rename(self.directory(), self.directory())

    def delete_directory(self):
        shutil.rmtree(self.directory())

    def link(self):
        os.link(f"{self.pool}/{self.rng.randrange(4)}", self.path())

    def symlink(self):
        os.symlink(f"{self.pool}/{self.rng.randrange(4)}", self.path())

    def change_pool(self):
        self.n += 1
        with open(f"{self.pool}/{self.rng.randrange(4)}", "wb") as file:
            file.write(b"pool %d" % self.n)

    def chmod(self):
        os.chmod(self.path(), self.rng.choice((0o644, 0o600, 0o444)))

    def step(self):
        kinds = (self.write,) * 8 + (
            self.overwrite, self.replace, self.replace, self.delete, self.delete,
            self.rename, self.make_directory, self.make_directory,
            self.move_directory, self.delete_directory, self.link, self.symlink,
            self.change_pool, self.chmod,
        )  # fmt: skip
        try:
            self.rng.choice(kinds)()
        except OSError:
            return False
        return True


def test_ten_thousand_edits(make, mount, anyone, fresh):
    """In batches of all sizes, beside clients that ask without end."""
    pool = make({f"{i}": b"%d" % i for i in range(4)}, "pool")
    tops = [str(make({}, name)) for name in ("one", "two")]
    rng = random.Random(4)
    editor = Editor(tops, pool, rng)
    sources = ":".join(tops)
    edits = 0
    with (
        mount(sources, "follow", anyone) as m,
        looking(m, fresh, sources, "-o", "follow") as looker,
    ):
        clients = [anyone.start(hammer, m.path, seed) for seed in range(2)]
        try:
            for i in itertools.count():
                for _ in range(rng.choice((1, 3, 100, 200, 500))):
                    edits += editor.step()
                looker.synced()
                if edits >= 10000:
                    break
                if i % 20 == 0:
                    assert eventually(lambda: lends(m))
                    looker.synced()
        finally:
            for client in clients:
                client.kill()
        assert not mounting.stuck(1)


# --- listings that are overtaken by a change ------------------------------------------


def list_in_parts(path, go, ready):
    """Begins to list, says so, and goes on when it is told to."""
    with os.scandir(path) as entries:
        next(entries)
        os.write(ready, b".")
        os.read(go, 1)
        return len(list(entries))


def list_when_told(path, go, ready):
    """Opens a directory, says so, and reads it when it is told to."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.write(ready, b".")
    os.read(go, 1)
    return os.listdir(fd)


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


def test_an_old_listing_tells_no_names(make, mount, anyone):
    """It is read to its end, but what it says is not taken for the present."""
    src = make({f"d/{i:04}.txt": b"%d" % i for i in range(1000)}, owner=anyone)
    last = "d/" + oracle.hashed("0999.txt", b"999")
    with mount(src, person=anyone) as m:
        with told(m, list_in_parts, m / "d") as client:
            (src / "d/0999.txt").write_bytes(b"new")
            m.control("sync")
            m.stat("d")  # else the kernel drops what is below at the next look
            client.go()
        assert client.answer == 999
        assert gone(m, last)
        assert m.stat("d/" + oracle.hashed("0999.txt", b"new"))


def test_an_answer_that_is_overtaken(make, mount, place, anyone):
    """It was sent before the change; its reader gets to it after. To hold the
    reader up, a name that it has to wait for hangs on a source that hangs."""
    under, over = make({"x.png": b"x"}, "under"), place(anyone, "over")
    css = b"a{background:url(/static/hung/x.png)}"
    src = make({"d/m.css": css, "d/z.txt": b"old"}, owner=anyone)
    old = "d/" + oracle.hashed("z.txt", b"old")
    anyone.run("bindfs", "--no-allow-other", str(under), str(over))
    [bindfs] = [
        pid
        for pid in mounting._pids()
        if mounting.comm(pid) == "bindfs"
        and os.fsencode(str(over)) in mounting.proc(pid, "cmdline")
    ]
    try:
        with mount(f"{src}:hung={over}", person=anyone) as m:
            [name] = [n for n in m.names() if n.startswith("d/m.")]
            assert lends(m)
            (src / "d/new").write_bytes(b"")  # so that all is asked for again
            m.control("sync")
            assert eventually(lambda: lends(m))
            with told(m, list_when_told, m / "d") as reader:
                os.kill(bindfs, signal.SIGSTOP)
                time.sleep(1.2)  # the kernel knows its names for a second
                blocker = anyone.start(os.lstat, m / name)
                assert eventually(lambda: waits(blocker, b"request_wait"))
                reader.go()
                assert eventually(lambda: waits(reader, b"d_"))
                changes = m.status()["changes"]
                (src / "d/z.txt").write_bytes(b"new")
                sync = anyone.start(mounting._read, m / ".hashedfs/sync")
                assert eventually(lambda: m.status()["changes"] > changes)
                m.stat("d")
                os.kill(bindfs, signal.SIGCONT)
            sync.result(20)
            blocker.result(20)
            assert len(reader.answer) == 3
            assert gone(m, old)
    finally:
        os.kill(bindfs, signal.SIGCONT)
        assert mounting.unmount(over, anyone)


def waits(client, where):
    return where in mounting.proc(client.pid, "wchan")


def test_a_queue_that_overflows(two):
    """More changes than the kernel keeps for a worker that does not run."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        limit = int(file.read())
    worker = two.m.worker()
    os.kill(worker, signal.SIGSTOP)
    try:
        for _ in range(limit // 2 + 10):
            os.utime(two.src / "a.txt")
            os.utime(two.src / "d/b.txt")
        replace_directory(two.src)
        (two.src / "d/e/f/g/deep.txt").write_bytes(b"behind the overflow")
    finally:
        os.kill(worker, signal.SIGCONT)
    two.synced()
    (two.src / "d/e/f/g/deep.txt").write_bytes(b"and then")
    two.synced()


# --- where watching is not possible -----------------------------------------------------


def test_a_source_that_does_not_report(make, mount, place, anyone, fresh):
    under = make(TREE, "under", owner=anyone)
    over = place(anyone, "over")
    anyone.run("bindfs", "--no-allow-other", str(under), str(over))
    try:
        with mount(over, person=anyone) as m, looking(m, fresh, over) as looker:
            assert m.status()["watching"] == (
                "0 directories (not all: a file system does not report all changes)"
            )
            anyone.call(edit, over)
            assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
            anyone.call(replace_directory, over)
            looker.synced()
    finally:
        assert mounting.unmount(over, anyone)


# A program that runs another whose system call NUMBER fails with ERROR, where
# its third argument is THIRD (or whatever it is).
FAILING = """#!{python}
import ctypes, os, struct, sys
def op(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
program = b"".join([
    op(0x20, 0, 0, 0),                       # the number
    op(0x15, 0, 3 if {third} >= 0 else 1, {number}),
    *([op(0x20, 0, 0, 32), op(0x15, 0, 1, {third})] if {third} >= 0 else []),
    op(0x06, 0, 0, 0x00050000 | {error}),    # SECCOMP_RET_ERRNO
    op(0x06, 0, 0, 0x7fff0000),
])
libc = ctypes.CDLL(None, use_errno=True)
buf = ctypes.create_string_buffer(program)
prog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buf))
fprog = ctypes.create_string_buffer(prog)
if libc.prctl(22, 2, fprog, 0, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv("{exec}", ["{exec}", *sys.argv[1:]])
"""
NUMBERS = {
    "x86_64": {"write": 1, "inotify_add_watch": 254, "inotify_init1": 294},
    "aarch64": {"write": 64, "inotify_add_watch": 27, "inotify_init1": 26},
}


@pytest.fixture
def failing(work, bed, as_root):
    """failing("write", errno, third=N): hashedfs, for which that fails."""

    def build(call, error, third=-1):
        script = work / "hashedfs"
        script.write_text(
            FAILING.format(
                python=shutil.which("python3", path="/usr/bin"),
                number=NUMBERS[platform.machine()][call],
                error=error,
                third=third,
                exec=bed.bin / "hashedfs",
            )
        )
        script.chmod(0o755)
        return script

    return build


ENOSPC, EINVAL, EMFILE = 28, 22, 24


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (
            "inotify_add_watch",
            ENOSPC,
            "not all: the limit is reached, see fs.inotify.max_user_watches",
        ),
        ("inotify_init1", EMFILE, "not all: Too many open files"),
    ],
)
def test_no_watches_to_be_had(make, mount, as_root, fresh, failing, call, error, sentence):
    src = make(TREE)
    program = failing(call, error)
    with (
        mount(src, person=as_root, program=program) as m,
        looking(m, fresh, src) as looker,
    ):
        assert m.status()["watching"] == f"0 directories ({sentence})"
        edit(src)
        assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
        replace_directory(src)
        looker.synced()


def test_a_kernel_that_does_not_hear(make, mount, as_root, fresh, failing):
    """Before Linux 6.16: the notification has 16 bytes."""
    src = make(TREE)
    program = failing("write", EINVAL, third=16)
    with (
        mount(src, person=as_root, program=program) as m,
        looking(m, fresh, src) as looker,
    ):
        assert m.status()["names_believed_ms"] == (
            "900 (the kernel cannot be told of changes; Linux 6.16 can)"
        )
        edit(src)
        assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
        for change in (replace_directory, missing_target_comes):
            change(src)
            looker.synced()


# --- SIGHUP ----------------------------------------------------------------------------


@pytest.mark.parametrize("process", ["worker", "guard"])
def test_hangup_forgets(make, mount, as_user, process):
    src = make(TREE, owner=as_user)
    with mount(src, person=as_user) as m:
        files = m.files()
        assert int(m.status()["remembered"]) >= len(TREE)
        os.kill(getattr(m, process)(), signal.SIGHUP)
        assert eventually(lambda: m.status()["remembered"] == "0")
        hashed = int(m.status()["files_hashed"])
        assert m.files() == files
        assert int(m.status()["files_hashed"]) >= hashed + len(TREE)
