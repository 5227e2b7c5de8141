"""What happens when something dies or hangs: nobody waits for ever, nothing
stays mounted."""

import contextlib
import errno
import os
import signal
import subprocess
import time

import mount as mounting
import oracle
import pytest
from mount import mounted, processes, stuck
from person import eventually

GIB = 1 << 30


# --- a source that hangs --------------------------------------------------------


class Hung:
    """A directory behind a real bindfs, which can be stopped."""

    def __init__(self, path):
        self.path = path
        [self.pid] = [
            pid
            for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if mounting.comm(pid) == "bindfs"
            and os.fsencode(str(path)) in mounting.proc(pid, "cmdline")
        ]

    @contextlib.contextmanager
    def stopped(self):
        """It does not answer inside the block."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self.resume()

    def resume(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def bytes_read(self):
        for line in mounting.proc(self.pid, "io").decode().splitlines():
            if line.startswith("rchar:"):
                return int(line.split()[1])
        return 0


@pytest.fixture
def hung(make, place, as_user, fuse):
    """64 files that take long to read, behind bindfs."""
    under = make({}, "under")
    for i in range(64):
        with open(under / f"big{i}.bin", "wb") as file:
            file.truncate(2 * GIB)
            file.write(b"%d" % i)
    over = place(as_user, "over")
    as_user.run("bindfs", "--no-allow-other", str(under), str(over))
    hung = Hung(over)
    yield hung
    hung.resume()
    assert mounting.unmount(over, as_user), "bindfs could not be unmounted"


def kill(client):
    """SIGKILL must be enough, and at once."""
    client.kill()
    try:
        client.wait(3)
    except subprocess.TimeoutExpired:
        pytest.fail(f"a client survives SIGKILL in state {mounting.state(client.pid)}")


@contextlib.contextmanager
def clients(count, start):
    """Clients that are killed at the end, whatever happens."""
    running = [start(i) for i in range(count)]
    try:
        yield running
    finally:
        for client in running:
            client.kill()


@contextlib.contextmanager
def hashing_clients(m, hung, count):
    """Clients that wait for the hashes of files that are being read."""

    def ask(i):
        name = m / f"hung/big{i}.0123456789ab.bin"
        return m.person.popen("cat", name, stderr=subprocess.DEVNULL)

    start = hung.bytes_read()
    with clients(count, ask) as waiters:
        assert eventually(lambda: hung.bytes_read() > start + 10_000_000, 20)
        yield waiters


@pytest.mark.parametrize("count", [1, 64])
def test_waiting_for_a_hash_on_a_hung_source(hung, make, mount, as_user, count):
    fine = make({f"f{i}.txt": b"%d" % i for i in range(20)}, "fine")
    with mount(f"hung={hung.path}:fine={fine}", person=as_user) as m:
        with hashing_clients(m, hung, count) as waiters, hung.stopped():
            time.sleep(0.5)
            assert all(client.poll() is None for client in waiters)
            # The rest of the mount answers.
            assert len(as_user.run("ls", m / "fine", timeout=10).stdout.split()) == 20
            for name, data in (("f0.txt", b"0"), ("f7.txt", b"7")):
                shown = m / oracle.hashed(f"fine/{name}", data)
                assert as_user.run("cat", shown, timeout=10).stdout == data.decode()
            for client in waiters:
                kill(client)
            as_user.run("ls", m / "fine", timeout=10)
        # Nothing was lost: with the source back, so is the directory.
        under = hung.path.parent / "under"
        for i in range(1, 64):
            (under / f"big{i}.bin").unlink()
        os.truncate(under / "big0.bin", 1)
        want = [oracle.hashed("big0.bin", b"0")]
        assert eventually(lambda: m.listing("hung") == want, 60, pause=0.5)


def test_clients_of_a_source_that_hung_before_they_came(hung, make, mount, as_user):
    fine = make({"f.txt": b"f"}, "fine")
    with mount(f"hung={hung.path}:fine={fine}", person=as_user) as m:
        with hung.stopped():
            with clients(64, lambda i: m.person.popen("ls", m / "hung")) as waiters:
                time.sleep(0.5)
                shown = as_user.run("ls", m / "fine", timeout=10).stdout
                assert shown.split() == [oracle.hashed("f.txt", b"f")]
                for client in waiters:
                    kill(client)


def test_ending_with_a_hung_source(hung, mount, as_user, place):
    path = place(as_user)
    with mount(f"hung={hung.path}", person=as_user, path=path) as m:
        with hashing_clients(m, hung, 1) as waiters, hung.stopped():
            time.sleep(0.5)
            kill(waiters[0])
            os.kill(m.guard(), signal.SIGTERM)
            assert eventually(lambda: not mounted(path), 10)
            assert eventually(lambda: not processes(path), 10)


# --- processes that die ---------------------------------------------------------


@pytest.fixture
def busy_tree(make):
    return make({f"d{i % 40}/f{i}.bin": os.urandom(20_000) for i in range(2000)})


# Where nothing is mounted any more, find has nothing to complain about.
READ_ON = "while [ -d {0}/d0 ]; do find {0} -type f -exec cat {{}} + >/dev/null || exit 1; done"


def load(m, count=8):
    """Clients that read the whole mount until it is gone."""
    return clients(
        count,
        lambda i: m.person.popen(
            "sh", "-c", READ_ON.format(m), stderr=subprocess.DEVNULL
        ),
    )


def test_kill_9_of_the_worker_under_load(busy_tree, mount, as_user, place):
    path = place(as_user)
    with mount(busy_tree, person=as_user, path=path) as m:
        with load(m) as readers:
            time.sleep(1)
            assert all(reader.poll() is None for reader in readers)
            os.kill(m.worker(), signal.SIGKILL)
            assert eventually(lambda: not mounted(path), 10), "still mounted"
            assert eventually(lambda: not processes(path), 10), "guard is left"
            for reader in readers:
                reader.wait(20)
        assert not stuck(1)
        assert os.listdir(path) == []


def test_kill_9_of_the_guard_under_load(busy_tree, mount, as_user, place):
    path = place(as_user)
    with mount(busy_tree, person=as_user, path=path) as m:
        with load(m) as readers:
            time.sleep(1)
            os.kill(m.guard(), signal.SIGKILL)
            assert eventually(lambda: not processes(path), 10), "worker is left"
            for reader in readers:
                reader.wait(20)
        assert not stuck(1)
        if mounted(path):
            with pytest.raises(OSError) as caught:
                as_user.call(os.listdir, path)
            assert caught.value.errno == errno.ENOTCONN
        # The next one recognises what is left, clears it and works.
        with mount(busy_tree, person=as_user, path=path) as again:
            assert len(again.listing()) == 40
        assert not mounted(path)


@pytest.mark.parametrize(
    ("whom", "number"),
    [
        ("guard", signal.SIGTERM),
        ("guard", signal.SIGINT),
        ("worker", signal.SIGTERM),
        ("worker", signal.SIGSEGV),
    ],
)
def test_signals_end_both_and_leave_nothing(make, mount, as_user, place, number, whom):
    path = place(as_user)
    with mount(make({"a": b"1"}), person=as_user, path=path) as m:
        m.names()
        os.kill(getattr(m, whom)(), number)
        assert eventually(lambda: not mounted(path), 10)
        assert eventually(lambda: not processes(path), 10)


def test_unmounting_ends_both(make, mount, as_user, place):
    path = place(as_user)
    with mount(make({"a": b"1"}), person=as_user, path=path):
        assert mounting.unmount(path, as_user)
        assert eventually(lambda: not processes(path), 10)


def test_foreground(make, bed, fuse, as_user, place):
    path = place(as_user)
    src = make({"a": b"1"})
    program = as_user.popen(
        str(bed.bin / "hashedfs"), "-f", str(src), str(path), stderr=subprocess.PIPE
    )
    try:
        assert eventually(lambda: mounted(path), 10)
        names = eventually(lambda: as_user.call(os.listdir, path), 10)
        assert names == [oracle.hashed("a", b"1")]
        assert program.poll() is None
        assert mounting.comm(program.pid) == "hashedfs-guard"
        program.send_signal(signal.SIGINT)
        assert program.wait(10) == 0
        assert not mounted(path) and not processes(path)
        assert program.stderr.read() == b""
    finally:
        program.stderr.close()
        program.kill()
        program.wait(10)
        mounting.clear(path, as_user)


def test_the_worker_of_a_foreground_mount_dies(make, bed, fuse, as_user, place):
    path = place(as_user)
    src = make({"a": b"1"})
    program = as_user.popen(
        str(bed.bin / "hashedfs"), "-f", str(src), str(path), stderr=subprocess.PIPE
    )
    try:
        assert eventually(lambda: mounted(path), 10)
        m = mounting.Mount(path, as_user)
        eventually(m.listing)
        os.kill(m.worker(), signal.SIGKILL)
        assert program.wait(10) == 3
        assert not mounted(path)
        assert program.stderr.read().startswith(b"hashedfs: ")
    finally:
        program.stderr.close()
        program.kill()
        program.wait(10)
        mounting.clear(path, as_user)


# --- what comes back ------------------------------------------------------------


def drop_caches():
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


def resident(pid):
    """Resident memory of a process in bytes, without shared file pages."""
    for line in mounting.proc(pid, "status").decode().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def test_memory_and_descriptors_come_back(busy_tree, mount, as_root):
    with mount(busy_tree, person=as_root) as m:
        worker = m.worker()

        def descriptors():
            return len(os.listdir(f"/proc/{worker}/fd"))

        def settled():
            drop_caches()
            status = m.status()
            # The root, .hashedfs and the file of it that tells this.
            return int(status["inodes"]) <= 4 and int(status["handles"]) <= 1

        # More than once where somebody else empties the kernel's caches, too.
        def known():
            as_root.run("ls", "-lR", str(m))
            return int(m.status()["inodes"]) > 1000

        assert eventually(settled, 20, pause=0.5)
        handles_at_start = descriptors()
        memory = []
        for _ in range(4):
            with load(m, 4):
                time.sleep(2)
            assert eventually(known, 20)
            assert eventually(settled, 20, pause=0.5), m.status()
            assert eventually(lambda: descriptors() <= handles_at_start, 5)
            memory.append(resident(worker))
        # What was learnt in the first round stays; nothing is added by more.
        assert memory[-1] <= memory[0] + (8 << 20), memory


def test_what_the_kernel_forgets_is_given_back_to_the_system(make, mount, as_root):
    """A large tree costs memory only as long as the kernel knows it."""
    n = 40_000
    names = (f"d{i // 100:03}/file{i:07}.txt" for i in range(n))
    with mount(make({name: b"x" for name in names}), person=as_root) as m:

        def inodes():
            return int(m.status()["inodes"])

        def known():
            as_root.run("find", str(m), "-printf", "%s")
            time.sleep(2)  # Meanwhile what the walk itself needed is given back.
            memory = resident(m.worker())
            # Another test may have emptied the kernel's caches.
            return inodes() > n and memory

        def forgotten():
            drop_caches()
            return inodes() <= 4

        before = eventually(known, 60)
        assert before
        assert eventually(forgotten, 20, pause=0.5)
        # Of each of them a node, and its places in two tables.
        assert eventually(lambda: resident(m.worker()) < before - n * 80, 10)
