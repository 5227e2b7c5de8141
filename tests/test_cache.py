"""What was hashed is remembered from one start to the next; whatever is wrong
with the cache, names and manifests are the same without it."""

import contextlib
import os
import pathlib
import random
import signal
import sqlite3
import time

import mount as mounting
import oracle
import pytest
from conftest import give, not_run
from mount import mounted

TREE = "bootstrap"


@pytest.fixture
def snapshot(bed):
    """snapshot(person, sources, options): the manifest's bytes, and what was
    said, which is one line for each of `words`."""
    program = bed.bin / "hashedfs-manifest"

    def run(person, sources, options="", words=()):
        argv = [program, "snapshot", "-q", "--source", sources]
        if options:
            argv += ["-o", options]
        done = person.run(*map(str, argv), text=False)
        lines = done.stderr.decode().splitlines()
        assert len(lines) == len(words), lines
        for line, word in zip(lines, words, strict=True):
            assert line.startswith("hashedfs-manifest: ") and word in line
        return done.stdout

    return run


@pytest.fixture
def own(work):
    """own(person) is an empty directory of theirs, closed to others."""

    def build(person, name="own"):
        directory = work / name
        directory.mkdir(mode=0o700)
        give(directory, person)
        return directory

    return build


def quiet(*paths):
    """Waits until the files were left alone long enough to be remembered."""
    files = [path for top in paths for path in pathlib.Path(top).rglob("*")]
    last = max(path.lstat().st_ctime for path in files)
    time.sleep(max(0, last + 2.1 - time.time()))


def hashed(m):
    status = m.status()
    return int(status["files_hashed"]), int(status["bytes_hashed"])


# --- a warm start ---------------------------------------------------------------


@pytest.fixture
def counted(inputs, place, as_user, fuse):
    """A real tree behind bindfs, and how many bytes that has read of it."""
    under, over = inputs(TREE), place(as_user, "over")
    quiet(under)
    as_user.run("bindfs", "--no-allow-other", str(under), str(over))
    [pid] = [
        pid
        for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
        if mounting.comm(pid) == "bindfs"
        and os.fsencode(str(over)) in mounting.proc(pid, "cmdline")
    ]

    def bytes_read():
        lines = mounting.proc(pid, "io").decode().splitlines()
        return int(dict(line.split(": ") for line in lines)["rchar"])

    yield over, bytes_read
    assert mounting.unmount(over, as_user), "bindfs could not be unmounted"


def test_a_second_mount_reads_no_file(counted, mount, as_user):
    src, bytes_read = counted
    start = bytes_read()
    with mount(src, person=as_user) as m:
        names, rows = m.names(), m.map()
        files, size = hashed(m)
        assert files >= len(names) > 50
        assert m.status()["cache"].endswith("/hashedfs")
    # A request is less than 200 bytes; this counts them, too.
    assert bytes_read() - start > size > 2_000_000
    start = bytes_read()
    with mount(src, person=as_user) as m:
        assert m.names() == names
        assert m.map() == rows
        assert hashed(m) == (0, 0)
        assert int(m.status()["cache_rows_read"]) > 0
        assert bytes_read() - start < 400_000
        # Bytes are never remembered.
        name = max(rows.values(), key=lambda row: int(row["size"]))["name"]
        assert len(m.read(name)) == int(m.stat(name).st_size) > 100_000
        assert hashed(m)[0] == 1


def test_tools_and_mounts_share_the_cache(inputs, mount, manifest, snapshot, as_user):
    src = inputs(TREE)
    quiet(src)
    cold = snapshot(as_user, src)
    assert snapshot(as_user, src) == cold
    assert snapshot(as_user, src, "cache=none") == cold
    with mount(src, person=as_user) as m:
        names = m.names()
        assert manifest(as_user, "snapshot", "-q", m).stdout == cold
        assert hashed(m) == (0, 0)
    # Another profile has other texts, and the same digests of all the rest.
    other = snapshot(as_user, src, "refs=none")
    assert other != cold
    assert snapshot(as_user, src, "refs=none") == other
    with mount(src, person=as_user) as m:
        assert m.names() == names
        assert hashed(m) == (0, 0)


def test_circles_and_chains_are_remembered(make, mount, anyone):
    src = make(
        {
            "a.css": b"@import 'b.css';",
            "b.css": b"@import 'a.css'; p { background: url(img/x.png) }",
            "c.css": b"@import 'a.css';",
            "self.css": b"@import 'self.css';",
            "latin.css": b"p { content: '\xe4' }",
            "plain.css": b"p {}",
            # The second reference comes out when the first one is rewritten.
            "late.css": b"url(img/x.png#/*)\n/*# sourceMappingURL=plain.css*/",
            "img/x.png": b"x",
        }
    )
    quiet(src)
    with mount(src, person=anyone) as m:
        files, rows = m.files(), m.map()
    with mount(src, person=anyone) as m:
        assert m.map() == rows
        assert hashed(m) == (0, 0)
        assert m.files() == files
        # What a text refers to changes while nobody looks at the text.
    (src / "img/x.png").write_bytes(b"y")
    with mount(src, person=anyone) as m:
        now = m.map()
        same = {path for path in rows if now[path] == rows[path]}
        assert same == {"self.css", "latin.css", "plain.css"}
        assert oracle.hashed("img/x.png", b"y") in m.names()


# --- what changed meanwhile --------------------------------------------------------


def set_back(path, data):
    """Other bytes of the same length, in place, and the old times."""
    before = path.stat()
    assert len(data) == before.st_size
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_edits_while_nothing_is_mounted(make, mount, snapshot, anyone):
    src = make(
        {f"d/f{i}.txt": b"%03d" % i for i in range(20)}
        | {"app.css": b"p { background: url(d/f1.txt) }", "gone/x.txt": b"x"}
    )
    quiet(src)
    with mount(src, person=anyone) as m:
        assert len(m.names()) == 22
    set_back(src / "d/f0.txt", b"new")
    set_back(src / "d/f1.txt", b"odd")
    (src / "d/f2.txt").write_bytes(b"longer")
    os.replace(src / "d/f3.txt", src / "d/f4.txt")
    (src / "gone/x.txt").unlink()
    (src / "gone").rmdir()
    (src / "new.txt").write_bytes(b"new")
    want = snapshot(anyone, src, "cache=none")
    assert snapshot(anyone, src) == want
    with mount(src, person=anyone) as m:
        names = set(m.names())
        for name in ("d/f0.txt", "d/f1.txt", "d/f4.txt", "new.txt"):
            assert oracle.hashed(name, (src / name).read_bytes()) in names
        assert len(names) == 21
        # Of the others nothing was read.
        assert hashed(m)[0] <= 6


def test_a_name_outlives_the_mount(make, mount, bed):
    """A file that cannot be read keeps its last name, whoever gave it."""
    user = bed.user
    src = make({"a.txt": b"a", "b.css": b"p{}"}, owner=user)
    quiet(src)
    with mount(src, person=user) as m:
        names = m.names()
    for name in ("a.txt", "b.css"):
        (src / name).chmod(0)
    with mount(src, person=user) as m:
        # chmod moves the ctime, so that it is not the state that is known.
        assert m.names() == names
        for name in names:
            with pytest.raises(PermissionError):
                m.read(name)


# --- all at once ----------------------------------------------------------------------


def test_several_at_once(inputs, mount, bed, snapshot, anyone):
    src = inputs(TREE)
    quiet(src)
    want = snapshot(anyone, src, "cache=none")
    argv = [bed.bin / "hashedfs-manifest", "snapshot", "-q", "--source", src]
    with mount(src, person=anyone) as a, mount(src, person=anyone) as b:
        tools = [anyone.popen(*map(str, argv), stdout=-1, stderr=-1) for _ in range(4)]
        lists = [anyone.start(mounting.list_tree, m.path) for m in (a, b)]
        for tool in tools:
            assert tool.communicate(timeout=60) == (want, b"")
            assert tool.returncode == 0
        assert lists[0].result() == lists[1].result()
    with mount(src, person=anyone) as m:
        m.names()
        assert hashed(m) == (0, 0)


def test_killed_while_it_writes(inputs, bed, snapshot, anyone):
    src = inputs(TREE)
    argv = [bed.bin / "hashedfs-manifest", "snapshot", "-q", "--source", src]
    want = snapshot(anyone, src, "cache=none")
    start = time.monotonic()
    assert snapshot(anyone, src) == want
    took = time.monotonic() - start
    for i in range(12):
        # Another algorithm each time: there is something to write.
        options = f"digest={('sha1', 'sha256', 'sha384')[i % 3]},length={i + 4}"
        child = anyone.popen(*map(str, argv), "-o", options, stdout=-3, stderr=-3)
        time.sleep(random.uniform(0.5, 1) * took)
        child.kill()
        child.wait()
        assert snapshot(anyone, src) == want
    (cache,) = bed.caches.glob("*/hashedfs/hashedfs.db")
    with contextlib.closing(sqlite3.connect(cache)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# --- what can be wrong with it -----------------------------------------------------------


def test_no_cache(inputs, mount, snapshot, bed, as_user):
    src = inputs(TREE)
    snapshot(as_user, src, "cache=none")
    with mount(src, "cache=none", person=as_user) as m:
        m.names()
        assert m.status()["cache"].startswith("none")
    assert not list(bed.caches.rglob("*"))


def test_a_chosen_directory(inputs, mount, snapshot, bed, own, as_user):
    src, top = inputs(TREE), own(as_user)
    quiet(src)
    cache = top / "a,b/c"
    want = snapshot(as_user, src, f"cache={top}/a\\,b/c")
    with mount(src, f"cache={top}/a\\,b/c", person=as_user) as m:
        assert m.status()["cache"] == str(cache)
        m.names()
        assert hashed(m) == (0, 0)
    # Relative to where the command is given.
    program = str(bed.bin / "hashedfs-manifest")
    args = ["snapshot", "-q", "-o", "cache=a\\,b/c", "--source", str(src)]
    assert as_user.run(program, *args, cwd=top, text=False).stdout == want
    assert {path.name for path in cache.iterdir()} >= {"hashedfs.db"}
    assert not list(bed.caches.rglob("*"))


@contextlib.contextmanager
def mounted_with_note(bed, person, src, path, options):
    """Mounts where one line of a note is due: that line."""
    program = str(bed.bin / "hashedfs")
    done = person.run(program, "-o", options, str(src), str(path))
    try:
        assert done.stderr.count("\n") == 1
        assert mounted(path)
        yield mounting.Mount(path, person), done.stderr
    finally:
        assert not mounting.clear(path, person)


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_directory_that_others_may_write(
    inputs, snapshot, bed, fuse, place, own, as_user, mode
):
    src, cache = inputs(TREE), own(as_user)
    cache.chmod(mode)
    want = snapshot(as_user, src, "cache=none")
    assert snapshot(as_user, src, f"cache={cache}", ["others may write"]) == want
    path = place(as_user)
    with mounted_with_note(bed, as_user, src, path, f"cache={cache}") as (m, note):
        assert str(cache) in note
        assert m.status()["cache"] == f"none ({cache} cannot be used: others may write there)"
        assert m.listing()
    assert not list(cache.iterdir())


def test_a_directory_of_somebody_else(inputs, snapshot, own, bed, as_root):
    src = inputs(TREE)
    want = snapshot(as_root, src, "cache=none")
    theirs = own(bed.user, "theirs")
    assert snapshot(as_root, src, f"cache={theirs}", ["somebody else"]) == want
    roots = own(as_root, "roots")
    assert snapshot(bed.user, src, f"cache={roots}", ["somebody else"]) == want
    link = roots / "link"
    link.symlink_to(own(as_root, "real"))
    os.chown(link, bed.user.uid, bed.user.gid, follow_symlinks=False)
    assert snapshot(as_root, src, f"cache={link}", ["somebody else"]) == want
    assert not list(theirs.iterdir()) and not list((roots.parent / "real").iterdir())


def test_no_home(inputs, snapshot, bed):
    src = inputs(TREE)
    want = snapshot(bed.user, src, "cache=none")
    program = str(bed.bin / "hashedfs-manifest")
    argv = ["env", "-u", "HOME", "-u", "XDG_CACHE_HOME", program]
    done = bed.user.run(*argv, "snapshot", "-q", "--source", str(src), text=False)
    assert done.stdout == want
    assert done.stderr.count(b"\n") == 1 and b"home" in done.stderr


def test_root_of_a_user_namespace_has_a_home(make, bed, own):
    home, src = own(bed.user, "home"), make({"a.txt": b"a"})
    inside = ["unshare", "--user", "--map-root-user"]
    if bed.user.run(*inside, "true", check=False).returncode:
        not_run("no user namespaces here")
    argv = [*inside, bed.bin / "hashedfs-manifest", "snapshot", "--source", src]
    env = {"HOME": str(home), "XDG_CACHE_HOME": ""}
    done = bed.user.run(*map(str, argv), env=env)
    assert done.stderr == "" and "a.txt" in done.stdout
    assert bed.user.call(os.listdir, home / ".cache/hashedfs")


def test_a_full_disk(inputs, snapshot, place, as_root):
    src, disk = inputs(TREE), place(as_root)
    want = snapshot(as_root, src, "cache=none")
    as_root.run("mount", "-t", "tmpfs", "-o", "size=32k,mode=700", "none", str(disk))
    try:
        assert snapshot(as_root, src, f"cache={disk}", ["full"]) == want
        assert snapshot(as_root, src, f"cache={disk}", ["full"]) == want
        as_root.run("mount", "-o", "remount,size=8m", str(disk))
        assert snapshot(as_root, src, f"cache={disk}") == want
    finally:
        as_root.run("umount", str(disk))


def test_a_read_only_cache(inputs, snapshot, place, own, as_root):
    src, cache, frozen = inputs(TREE), own(as_root), place(as_root)
    want = snapshot(as_root, src, f"cache={cache}")
    other = snapshot(as_root, src, "cache=none,digest=sha1")
    as_root.run("mount", "--bind", str(cache), str(frozen))
    try:
        as_root.run("mount", "-o", "remount,bind,ro", str(frozen))
        options = f"cache={frozen}"
        assert snapshot(as_root, src, options, ["read-only"]) == want
        # What is not known yet is found out each time.
        options += ",digest=sha1"
        assert snapshot(as_root, src, options, ["read-only"]) == other
    finally:
        as_root.run("umount", str(frozen))


def test_a_directory_that_is_closed(inputs, snapshot, own, bed):
    """The journal cannot be made: what is stored is read, nothing is added."""
    src, cache = inputs(TREE), own(bed.user)
    want = snapshot(bed.user, src, f"cache={cache}")
    (cache / "hashedfs.db-journal").unlink(missing_ok=True)
    cache.chmod(0o500)
    assert snapshot(bed.user, src, f"cache={cache}") == want
    snapshot(bed.user, src, f"cache={cache},digest=sha1", ["cannot be used"])
    cache.chmod(0o700)


def test_a_locked_database(inputs, snapshot, own, as_user):
    src, cache = inputs(TREE), own(as_user)
    want = snapshot(as_user, src, f"cache={cache}")
    with contextlib.closing(sqlite3.connect(cache / "hashedfs.db")) as db:
        db.isolation_level = None
        db.execute("BEGIN IMMEDIATE")
        assert snapshot(as_user, src, f"cache={cache}") == want
        snapshot(as_user, src, f"cache={cache},digest=sha1", ["locked"])
        db.execute("ROLLBACK")
        db.execute("BEGIN EXCLUSIVE")
        assert snapshot(as_user, src, f"cache={cache}", ["locked"]) == want
    assert snapshot(as_user, src, f"cache={cache}") == want


@pytest.mark.parametrize("what", ["text", "newer", "damaged"])
def test_a_database_of_another_kind(inputs, snapshot, own, as_user, what):
    src, cache = inputs(TREE), own(as_user)
    want = snapshot(as_user, src, f"cache={cache}")
    path = cache / "hashedfs.db"
    if what == "text":
        path.write_text("not a database, and somebody's")
    elif what == "newer":
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version=99")
    else:
        with open(path, "r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
    data = path.read_bytes()
    words = {"text": "not a cache", "newer": "newer", "damaged": "damaged"}
    assert snapshot(as_user, src, f"cache={cache}", [words[what]]) == want
    if what == "damaged":
        assert snapshot(as_user, src, f"cache={cache}") == want
    else:
        assert path.read_bytes() == data


def test_a_mount_that_is_unmounted_while_the_database_is_locked(
    inputs, mount, own, anyone
):
    src, cache = inputs(TREE), own(anyone)
    with mount(src, f"cache={cache}", person=anyone) as m:
        worker = m.worker()
        with contextlib.closing(sqlite3.connect(cache / "hashedfs.db")) as db:
            db.isolation_level = None
            db.execute("BEGIN IMMEDIATE")
            m.names()
            os.kill(m.guard(), signal.SIGTERM)
            deadline = time.monotonic() + 20
            while mounting.state(worker):
                assert time.monotonic() < deadline
                time.sleep(0.05)
