"""Directories are named, and files read, before somebody opens them: where that
hangs nobody else does, and what is read in the end is right."""

import subprocess
import time

import oracle
import pytest
from faults.source import HANG, faulty
from mount import drops, mounted, processes, stuck
from person import eventually

FILES = {f"{d}/f{i}.bin": b"%s %d" % (d.encode(), i) for d in "abc" for i in range(9)}


@pytest.fixture
def source(bed, fuse, make, place, as_user):
    under = make(dict(FILES), "under", owner=as_user)
    time.sleep(2.1)  # what was changed a moment ago is read again
    with faulty(bed, as_user, under, place(as_user)) as source:
        yield source


def shown(m, path):
    return m / oracle.hashed(path, FILES[path])


def read(m, path):
    done = m.person.run("cat", shown(m, path), timeout=10)
    assert done.stdout.encode() == FILES[path]


def killed(client):
    client.kill()
    client.wait(5)
    return client.returncode < 0


def start_ahead(m, source):
    """Somebody goes through the tree, and "b" is looked at before they are there."""
    source.say(*(("read", HANG, f"b/f{i}.bin") for i in range(9)))
    m.person.run("ls", m.path, m / "a")
    source.wait_for("read", "b/f0.bin")


def test_a_directory_ahead_hangs(source, mount, as_user):
    with mount(source, person=as_user) as m:
        start_ahead(m, source)
        # The rest of the mount answers.
        assert len(m.person.run("ls", m / "c", timeout=10).stdout.split()) == 9
        read(m, "a/f1.bin")
        client = m.person.popen("ls", m / "b", stdout=subprocess.DEVNULL)
        time.sleep(0.3)
        assert client.poll() is None
        assert killed(client)
        source.release()
        listed = m.person.run("ls", m / "b", timeout=10).stdout.split()
        want = [oracle.hashed(n, d) for n, d in FILES.items() if n[0] == "b"]
        assert sorted(f"b/{name}" for name in listed) == sorted(want)


def test_a_mount_ends_while_a_directory_ahead_hangs(source, mount, as_user):
    with mount(source, person=as_user) as m:
        start_ahead(m, source)
    assert not mounted(m.path)
    assert eventually(lambda: not processes(m.path), 10)
    assert not stuck()
    source.release()


def test_a_file_ahead_hangs(source, mount, as_user):
    with mount(source, person=as_user) as m:
        m.person.run("ls", m / "a")
        source.hang("read", "a/f2.bin")

        def comes_to_it():
            # Who empties the kernel's caches meanwhile begins it anew.
            m.person.run("ls", m / "a")
            read(m, "a/f0.bin")
            read(m, "a/f1.bin")
            return eventually(lambda: source.was_asked("read", "a/f2.bin"), 5)

        # Nobody has opened that one.
        assert eventually(comes_to_it, 30)
        read(m, "a/f3.bin")
        read(m, "c/f0.bin")
        client = m.person.popen("cat", shown(m, "a/f2.bin"), stdout=subprocess.DEVNULL)
        time.sleep(0.3)
        assert client.poll() is None
        assert killed(client)
        source.release()
        for path in FILES:
            read(m, path)


def test_what_was_read_ahead_is_what_is_there(source, mount, as_user):
    """A file that changes after it was read ahead is not shown as it was."""
    with mount(source, person=as_user) as m:
        hashed = int(m.status()["files_hashed"])
        before = drops()
        m.person.run("ls", m / "a")
        read(m, "a/f0.bin")
        read(m, "a/f1.bin")
        # All for their names, those two, and at least the next one. How many
        # more hangs on who comes first, the pool or the reader.
        want = hashed + 9 + 3
        # Who empties the kernel's caches meanwhile begins it anew.
        assert eventually(
            lambda: int(m.status()["files_hashed"]) >= want or drops() != before
        )
        (source.under / "a/f2.bin").write_bytes(b"changed")
        client = m.person.run("cat", shown(m, "a/f2.bin"), check=False, timeout=10)
        assert client.returncode == 1 and client.stdout == ""
        name = m / oracle.hashed("a/f2.bin", b"changed")
        assert eventually(lambda: m.person.run("cat", name, check=False).stdout == "changed")
