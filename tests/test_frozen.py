"""A frozen mount shows one state of its sources: those bytes, or ESTALE."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import socket
import time

import mount as mounting
import oracle
import pytest
from mount import drops, mounted, processes
from person import eventually
from restless import met_no_peace

ESTALE = errno.ESTALE
TREE = {
    "css/app.css": b'a{background:url("../img/x.png")}',
    "css/plain.css": b"p{}",
    "img/x.png": b"x" * 100,
    "img/big.png": b"b" * 3_000_000,
    "d/one.txt": b"one",
    "d/two.txt": b"two",
    "robots.txt": b"keep me",
}
OPTIONS = "frozen,keep=robots.txt"


@pytest.fixture
def frozen(make, mount, as_user):
    src = make(TREE, owner=as_user)
    with mount(src, OPTIONS, as_user) as m:
        m.src = src
        m.rows = m.map()
        yield m


def state(top):
    """Everything that can be told without opening a file."""
    found = {}
    for directory, folders, files in os.walk(top):
        for name in [".", *folders, *files]:
            full = os.path.join(directory, name)
            st = os.lstat(full)
            found[os.path.relpath(full, top)] = (
                st.st_mode,
                st.st_size,
                st.st_ino,
                st.st_mtime_ns,
                st.st_uid,
                st.st_blocks,
            )
    return found


def read(path):
    """The bytes, or the errno of opening."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError as error:
        return error.errno
    with os.fdopen(fd, "rb") as file:
        return file.read()


def drop_caches():
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def outcomes(m):
    """path in the sources -> what reading its name gives."""
    names = {path: row["name"] for path, row in m.rows.items()}
    return {path: m.call(read, m / name) for path, name in names.items()}


# --- one state -------------------------------------------------------------------


def test_the_names_are_those_of_a_live_mount(frozen, mount, manifest, as_user):
    names, rows, bytes_ = frozen.names(), frozen.rows, frozen.files()
    shown = manifest(as_user, "snapshot", frozen).stdout
    with mount(frozen.src, "keep=robots.txt", as_user) as live:
        assert live.names() == names
        assert live.files() == bytes_
        assert manifest(as_user, "snapshot", live).stdout == shown
    assert rows["robots.txt"]["content_digest"] == oracle.md5(b"keep me", 32)
    assert frozen.status()["state"] == "frozen"


def test_without_its_source_everything_is_still_told(frozen, manifest, as_user):
    """Names, attributes, map and problems ask nothing of the sources."""
    before = frozen.call(state, frozen.path)
    rows, problems = frozen.map(), frozen.control("problems")
    written = manifest(as_user, "snapshot", frozen).stdout
    for entry in frozen.src.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    drop_caches()
    assert frozen.call(state, frozen.path) == before
    assert frozen.call(os.statvfs, frozen.path).f_bsize > 0
    assert (frozen.map(), frozen.control("problems")) == (rows, problems)
    assert manifest(as_user, "snapshot", frozen).stdout == written
    assert set(outcomes(frozen).values()) == {ESTALE}
    with pytest.raises(FileNotFoundError):
        frozen.stat("d/three.txt")


def test_what_is_new_is_not_shown(frozen):
    before = frozen.names()
    (frozen.src / "d/new.txt").write_bytes(b"new")
    (frozen.src / "e").mkdir()
    drop_caches()
    assert frozen.names() == before
    with pytest.raises(FileNotFoundError):
        frozen.read(oracle.hashed("d/new.txt", b"new"))


# --- changes ---------------------------------------------------------------------


def edit(path):
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def in_place(path):
    """The same size and times: only the bytes tell."""
    st = path.stat()
    with open(path, "r+b") as file:
        file.write(b"#")
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def truncate(path):
    os.truncate(path, 1)


def append(path):
    with open(path, "ab") as file:
        file.write(b"more")


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def replace_by_fifo(path):
    path.unlink()
    os.mkfifo(path)


def replace_by_socket(path):
    path.unlink()
    with socket.socket(socket.AF_UNIX) as s, contextlib.chdir(path.parent):
        s.bind(path.name)


def replace_by_link(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


def replace_by_loop(path):
    path.unlink()
    path.symlink_to(path.name)


def replace_by_rename(path):
    new = path.with_name("new~")
    new.write_bytes(b"another")
    new.replace(path)


def rename(path):
    path.rename(path.with_name("elsewhere.txt"))


def rename_directory(path):
    path.parent.rename(path.parent.with_name(f"{path.parent.name}-moved"))


def file_for_directory(path):
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"a file")


CHANGES = (
    edit,
    in_place,
    truncate,
    append,
    pathlib.Path.unlink,
    replace_by_directory,
    replace_by_fifo,
    replace_by_socket,
    replace_by_link,
    replace_by_loop,
    replace_by_rename,
    rename,
    rename_directory,
    file_for_directory,
)
# A rewritten text, a pinned file, one that is read in blocks, a kept one.
VICTIMS = ("css/app.css", "d/one.txt", "img/big.png", "robots.txt")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_stale_and_nothing_else(frozen, change):
    before = frozen.call(state, frozen.path)
    whole = outcomes(frozen)
    assert whole["d/one.txt"] == b"one"
    for victim in VICTIMS:
        if "/" in victim or change not in (rename_directory, file_for_directory):
            change(frozen.src / victim)
    drop_caches()
    assert frozen.call(state, frozen.path) == before
    found = outcomes(frozen)
    for path, data in found.items():
        still = (frozen.src / path).is_file() and not (frozen.src / path).is_symlink()
        if still and (frozen.src / path).read_bytes() == TREE[path]:
            assert data == whole[path], path
        else:
            assert data == ESTALE, path
    assert ESTALE in found.values()
    # And so it stays.
    assert outcomes(frozen) == found


# Root reads everything.
@pytest.mark.parametrize("as_user", ["user"], indirect=True)
def test_unreadable_is_stale_too(frozen):
    for victim in VICTIMS:
        os.chmod(frozen.src / victim, 0)
    found = outcomes(frozen)
    assert {found[victim] for victim in VICTIMS} == {ESTALE}
    assert found["d/two.txt"] == b"two"
    for victim in VICTIMS:
        os.chmod(frozen.src / victim, 0o644)
    assert isinstance(outcomes(frozen)["d/one.txt"], bytes)


def test_a_text_stands_when_its_target_goes(frozen):
    whole = outcomes(frozen)
    (frozen.src / "img/x.png").unlink()
    drop_caches()
    found = outcomes(frozen)
    assert found.pop("img/x.png") == ESTALE
    assert found == {p: d for p, d in whole.items() if p != "img/x.png"}
    assert b"x." + oracle.md5(TREE["img/x.png"]).encode() in found["css/app.css"]


def test_plain_names_are_what_they_were(make, mount, as_user):
    src = make({"a.css": b"url(b.png)", "b.png": b"b"}, owner=as_user)
    with mount(src, "frozen,show=hashed:kept:plain", as_user) as m:
        assert m.read("a.css") == b"url(b.png)"
        before = m.stat("a.css")
        (src / "a.css").write_bytes(b"other bytes")
        assert m.call(read, m / "a.css") == ESTALE
        assert m.stat("a.css") == before
        assert m.read("b.png") == b"b"


def test_a_root_that_is_lost(frozen):
    whole = frozen.names()
    gone = frozen.src.rename(frozen.src.with_name("gone"))
    os.mkdir(frozen.src)
    drop_caches()
    assert frozen.names() == whole  # the root is what was opened, not a path
    assert frozen.read(oracle.hashed("d/one.txt", b"one")) == b"one"
    shutil.rmtree(gone)
    drop_caches()
    assert frozen.names() == whole
    assert set(outcomes(frozen).values()) <= {ESTALE, errno.EIO}


def test_what_cannot_be_read_stands_and_fails(make, mount, as_user):
    src = make({"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}, owner=as_user)
    (src / "dead.txt").symlink_to("nowhere")
    (src / "b.txt").chmod(0)
    with mount(src, "frozen,keep=c.txt", as_user) as m:
        assert m.call(read, m / "dead.txt") == errno.EIO
        assert m.read(oracle.hashed("a.txt", b"a")) == b"a"
        if as_user.uid:
            assert m.call(read, m / "b.txt") == errno.EACCES
            (src / "b.txt").chmod(0o644)
            assert m.call(read, m / "b.txt") == errno.EACCES


# --- no state --------------------------------------------------------------------


def test_a_tree_that_never_holds_still(make, place, bed, fuse, as_user):
    path = place(as_user)
    program = str(bed.bin / "hashedfs")

    def mount(src):
        args = (program, "-o", "frozen", str(src), str(path))
        done = as_user.run(*args, check=False)
        if done.returncode == 0:
            assert mounting.unmount(path, as_user)
        return done

    done = met_no_peace(make, as_user, mount)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1 and "keep changing" in done.stderr
    assert not mounted(path)
    assert eventually(lambda: not processes(path))


def test_it_answers_only_when_all_is_named(make, mount, as_user):
    """When hashedfs returns, no byte is left to be hashed for a name."""
    src = make({f"d{i}/f.bin": os.urandom(200_000) for i in range(100)}, owner=as_user)
    with mount(src, "frozen", as_user) as m:
        hashed = m.status()["files_hashed"]
        assert len(m.names()) == 100
        assert m.status()["files_hashed"] == hashed
        assert int(hashed) >= 100


def asks_nobody(m, path):
    """Whether a name and its attributes are there while the mount sleeps."""
    worker = m.worker()
    os.kill(worker, signal.SIGSTOP)
    try:
        return m.person.call(os.lstat, path, timeout=10).st_size == 1
    except AssertionError:
        return False
    finally:
        os.kill(worker, signal.SIGCONT)


def test_kernel_keeps_what_it_was_told(make, mount, as_user):
    """A second look at names and attributes makes no request."""
    src = make({f"f{i}.txt": b"%d" % i for i in range(20)}, owner=as_user)
    with mount(src, "frozen", as_user) as m:
        kept = False
        for _ in range(20):
            before = drops()
            m.call(state, m.path)
            time.sleep(1.2)  # longer than a live mount is believed
            kept = asks_nobody(m, m / oracle.hashed("f3.txt", b"3"))
            if kept or drops() == before:
                break
        assert kept
