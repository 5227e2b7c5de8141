"""Changes that are reported, when there are many, or while somebody lists."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import time

import mount as mounting
import oracle
from looking import fresh, gone, lends, looking, replace_directory, told, two
from person import eventually

__all__ = ["fresh", "two"]  # fixtures


# --- many changes -----------------------------------------------------------


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


# --- listings that are overtaken by a change --------------------------------


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
