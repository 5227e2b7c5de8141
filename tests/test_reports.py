"""Changes that are reported: names are believed for long, and yet after a read
of .hashedfs/sync the view is that of a fresh mount, kernel caches included."""

import contextlib
import os
import shutil
import threading
import time

import oracle
import pytest
from looking import SOON, TREE, edit, fresh, gone, holding, lends, looking, missing_target_comes, replace_directory, two
from person import eventually

__all__ = ["fresh", "two"]  # fixtures


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


def delete_directory(src):
    shutil.rmtree(src / "d/e")


def directory_becomes_file(src):
    shutil.rmtree(src / "img")
    (src / "img").write_bytes(b"file")


def target_changes(src):
    (src / "img/x.png").write_bytes(b"X")


def target_goes(src):
    shutil.rmtree(src / "img")


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


# --- names are believed -----------------------------------------------------


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
