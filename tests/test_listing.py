"""Listings that a mount made and no longer holds, when the kernel asks again."""

import ctypes
import os
import time

import oracle
import pytest
from person import eventually

# Many times as many as are held.
OTHERS = 700
# More than one call of getdents(2) brings: with long names, several times 128 KiB.
MANY = 3000
FILL = "x" * 100


@pytest.fixture
def listed(make, mount, anyone):
    tree = {f"many/{i:04}{FILL}": b"%d" % i for i in range(MANY)}
    tree |= {f"others/{i:03}/file": b"%d" % i for i in range(OTHERS)}
    tree["few/a"] = b"one"
    src = make(tree, owner=anyone)
    time.sleep(2.1)  # what was just changed is not vouched for
    with mount(src, "cache=none", person=anyone) as m:
        m.src = src
        yield m


def let_go(m, directory):
    """Lists a directory, and then so many others that the mount holds it no
    longer. It vouches for it, and the kernel has it; neither is dropped when
    others need memory."""
    os.open(directory, os.O_PATH)
    os.listdir(directory)
    os.listdir(directory)
    for i in range(OTHERS):
        os.listdir(m / f"others/{i:03}")


def lose(fd):
    """Whatever the kernel has cached of an open directory."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def relisted(m, directory, between=lambda: None):
    """What is listed by who opened the directory before something happened."""
    let_go(m, directory)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    lose(fd)
    between()
    try:
        return sorted(os.listdir(fd))
    finally:
        os.close(fd)


@pytest.mark.parametrize("directory", ["few", "many"])
def test_the_same_again(listed, directory):
    source = sorted(os.listdir(listed.src / directory))
    found = listed.call(relisted, listed, listed / directory)
    assert [name.split(".")[0] for name in found] == source


def test_another_one_by_now(listed):
    """And what the kernel then has is not taken for what it was opened as."""
    new = oracle.hashed("a", b"new")
    old = oracle.hashed("a", b"one")
    source = listed.src / "few/a"
    few = listed / "few"

    def change():
        source.write_bytes(b"new")
        with open(listed / ".hashedfs/sync", "rb") as file:
            file.read()

    def scenario():
        found = relisted(listed, few, change)
        source.write_bytes(b"one")
        return found, eventually(lambda: os.listdir(few) == [old], 3)

    assert listed.call(scenario) == ([new], True)


def read_on(m, directory, change):
    """What a reader is given in the middle of whose reading something happens."""
    let_go(m, directory)
    with os.scandir(directory) as entries:
        found = [next(entries).name]
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        lose(fd)
        os.close(fd)
        change()
        return found + [entry.name for entry in entries]


def stems(names):
    return [name.split(".")[0] for name in names]


def remove(numbers):
    return lambda many: [(many / f"{i:04}{FILL}").unlink() for i in numbers]


def add(many):
    for i in range(MANY):
        (many / f"{i:04}{FILL}0").write_bytes(b"new")


def edit(many):
    for i in range(MANY):
        (many / f"{i:04}{FILL}").write_bytes(b"new")


CHANGES = {
    "nothing": lambda many: None,
    "one that was given": remove([0]),
    "many around the place": remove(range(1, 2000)),
    "all that come": remove(range(1, MANY)),
    "names among them": add,
    "bytes": edit,
}


@pytest.mark.parametrize("change", CHANGES)
def test_in_the_middle(listed, change):
    """What stands there the whole time comes once, whatever else happens."""
    many = listed.src / "many"
    whole = set(os.listdir(many))
    found = stems(
        listed.call(read_on, listed, listed / "many", lambda: CHANGES[change](many))
    )
    whole &= set(os.listdir(many))
    assert found == sorted(set(found))
    assert whole <= set(found)


def test_others_read_meanwhile(listed):
    """Nor does it matter who else has opened the directory before."""

    def scenario():
        let_go(listed, listed / "many")
        fds = [os.open(listed / "many", os.O_RDONLY | os.O_DIRECTORY) for _ in "ab"]
        lose(fds[0])
        (listed.src / f"many/0000{FILL}").unlink()
        return [len(os.listdir(fd)) for fd in fds]

    assert listed.call(scenario) == [MANY - 1] * 2


class Stream:
    """A directory stream of the C library."""

    def __init__(self, path):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.opendir.restype = self._libc.readdir.restype = ctypes.c_void_p
        self._libc.telldir.restype = ctypes.c_long
        self._dir = ctypes.c_void_p(self._libc.opendir(os.fsencode(path)))
        self.fd = self._libc.dirfd(self._dir)

    def next(self):
        entry = self._libc.readdir(self._dir)
        # The name stands behind inode, offset, length and type.
        return entry and ctypes.string_at(entry + 19).decode()

    def tell(self):
        return self._libc.telldir(self._dir)

    def seek(self, place):
        self._libc.seekdir(self._dir, ctypes.c_long(place))


def test_seekdir(listed):
    """Back to any place, whether the kernel still has the listing or asks again."""

    def scenario():
        stream = Stream(listed / "many")
        places, names = [stream.tell()], []
        while name := stream.next():
            names.append(name)
            places.append(stream.tell())
        found = []
        for i in (MANY + 2, 2000, 2, 1, 0, 1500):
            lose(stream.fd)
            stream.seek(places[i])
            found.append((i, stream.next()))
        return len(set(places)), [names.index(name) if name else i for i, name in found]

    assert listed.call(scenario) == (MANY + 3, [MANY + 2, 2000, 2, 1, 0, 1500])
