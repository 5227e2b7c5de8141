"""A live mount follows its source, within the second that names are believed."""

import os
import stat

import oracle
import pytest
from person import eventually

# Names are believed for one second; the rest is for a busy machine.
SOON = 1.0 + 0.75


@pytest.fixture
def live(make, mount, as_user):
    """A mount whose names were all looked at just now."""
    src = make({"a.txt": b"one", "d/b.txt": b"two"}, owner=as_user)
    with mount(src, person=as_user) as m:
        assert len(m.files()) == 2
        m.run("ls", "-lR", str(m))
        m.src = src
        yield m


def name(path, data):
    return oracle.hashed(path, data)


def soon(check):
    assert eventually(check, SOON), "not seen within a second"


def test_edit(live):
    (live.src / "a.txt").write_bytes(b"three")
    soon(lambda: live.files().keys() == {name("a.txt", b"three"), name("d/b.txt", b"two")})
    assert live.read(name("a.txt", b"three")) == b"three"
    soon(lambda: _gone(live, name("a.txt", b"one")))


def test_edit_of_the_same_length(live):
    (live.src / "a.txt").write_bytes(b"ONE")
    soon(lambda: name("a.txt", b"ONE") in live.names())
    assert live.read(name("a.txt", b"ONE")) == b"ONE"


def test_edit_seen_by_lookup_alone(live):
    (live.src / "d/b.txt").write_bytes(b"changed")
    soon(lambda: live.read(name("d/b.txt", b"changed")) == b"changed")


def test_replace_by_rename(live):
    new = live.src.parent / "new"
    new.write_bytes(b"new")
    new.replace(live.src / "a.txt")
    os.chmod(live.src / "a.txt", 0o644)
    soon(lambda: name("a.txt", b"new") in live.names())


def test_create(live):
    (live.src / "d/new.css").write_bytes(b"n{}")
    soon(lambda: name("d/new.css", b"n{}") in live.names())
    (live.src / "e").mkdir()
    (live.src / "e/f").write_bytes(b"f")
    soon(lambda: name("e/f", b"f") in live.names())


def test_delete(live):
    (live.src / "a.txt").unlink()
    soon(lambda: live.names() == [name("d/b.txt", b"two")])
    soon(lambda: _gone(live, name("a.txt", b"one")))


def test_delete_of_a_directory(live):
    (live.src / "d/b.txt").unlink()
    (live.src / "d").rmdir()
    soon(lambda: live.listing() == [name("a.txt", b"one")])


def test_rename(live):
    (live.src / "a.txt").rename(live.src / "z.txt")
    soon(lambda: live.names() == [name("d/b.txt", b"two"), name("z.txt", b"one")])
    (live.src / "d").rename(live.src / "y")
    soon(lambda: live.names() == [name("y/b.txt", b"two"), name("z.txt", b"one")])


def test_replace_by_a_directory_and_back(live):
    (live.src / "a.txt").unlink()
    (live.src / "a.txt").mkdir()
    (live.src / "a.txt/x").write_bytes(b"x")
    soon(lambda: name("a.txt/x", b"x") in live.names())
    assert name("a.txt", b"one") not in live.listing()
    (live.src / "a.txt/x").unlink()
    (live.src / "a.txt").rmdir()
    (live.src / "a.txt").write_bytes(b"one")
    soon(lambda: name("a.txt", b"one") in live.listing())
    assert "a.txt" not in live.listing()


def test_chmod(live):
    a = name("a.txt", b"one")
    (live.src / "a.txt").chmod(0o600)
    soon(lambda: stat.S_IMODE(live.stat(a).st_mode) == 0o600)
    assert live.read(a) == b"one"


def test_chmod_takes_the_file_from_others(make, mount, as_root, bed):
    src = make({"a.txt": b"one"})
    a = name("a.txt", b"one")
    with mount(src, "allow_other", person=as_root) as m:
        cat = ("cat", m / a)
        assert bed.user.run(*cat).stdout == "one"
        (src / "a.txt").chmod(0o600)
        soon(lambda: bed.user.run(*cat, check=False).returncode != 0)
        assert m.listing() == [a]


def test_chmod_takes_the_file_from_the_mount_itself(make, mount, bed):
    src = make({"a.txt": b"one"}, owner=bed.user)
    a = name("a.txt", b"one")
    with mount(src, person=bed.user) as m:
        assert m.read(a) == b"one"
        (src / "a.txt").chmod(0)

        def refused():
            with pytest.raises(PermissionError):
                m.read(a)
            return True

        soon(refused)
        # It keeps the name it had, and a reader is told why.
        assert m.listing() == [a]
        assert "a.txt" in m.control("problems")
        (src / "a.txt").chmod(0o644)
        soon(lambda: m.read(a) == b"one")


def test_chown(make, mount, as_root, bed):
    src = make({"a.txt": b"one"})
    a = name("a.txt", b"one")
    with mount(src, person=as_root) as m:
        assert m.stat(a).st_uid == 0
        os.chown(src / "a.txt", bed.user.uid, bed.user.gid)
        soon(lambda: m.stat(a).st_uid == bed.user.uid)
        assert m.stat(a).st_gid == bed.user.gid


def test_an_open_file_keeps_its_bytes(live):
    def scenario(path, source):
        with open(path, "rb") as file:
            with open(source, "r+b") as other:
                other.write(b"XYZ")
            return file.read()

    a = name("a.txt", b"one")
    assert live.call(scenario, live / a, live.src / "a.txt") == b"one"


def test_changed_bytes_are_never_served_under_the_old_name(live):
    """Whatever moment the change comes at: the old name gives the old bytes,
    or an error, and no other bytes."""

    def attempt(path, source, i):
        with open(source, "wb") as file:
            file.write(b"%03d" % i)
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return b"one"

    a = name("a.txt", b"one")
    for i in range(50):
        (live.src / "a.txt").write_bytes(b"one")
        eventually(lambda: live.stat(a), SOON)
        assert live.call(attempt, live / a, live.src / "a.txt", i) == b"one"


def test_sync_waits_until_changes_are_seen(live):
    first = int(live.control("sync"))
    (live.src / "a.txt").write_bytes(b"synced")
    assert int(live.control("sync")) >= first
    assert name("a.txt", b"synced") in live.names()
    with pytest.raises(FileNotFoundError):
        live.stat(name("a.txt", b"one"))


def _gone(m, path):
    try:
        m.stat(path)
    except FileNotFoundError:
        return True
    return False


def test_a_lost_source_fails_and_is_never_empty(live):
    live.src.rename(live.src.with_name("away"))

    def fails():
        with pytest.raises(OSError):
            live.names()
        return True

    # The root was opened at mount and moved with its descriptor: either it is
    # still shown whole, or it fails.
    try:
        assert len(live.names()) == 2
    except OSError:
        pass
    for path in ("a.txt", "d/b.txt"):
        (live.src.with_name("away") / path).unlink()
    (live.src.with_name("away") / "d").rmdir()
    live.src.with_name("away").rmdir()
    soon(fails)
