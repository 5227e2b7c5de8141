"""A cell of the matrix: one client over one mount with one fault.

The client is held while it opens one file, or lists one directory, of a source
that waits on command (faults/source.py); then the fault strikes, there and at
files that come later; then the client goes on. What is left at the destination
makes one word.
"""

import contextlib
import os
import re
import time

import mount as mounting
import oracle
from conftest import give
from faults import clients, matrix
from person import MARK, ROOT, eventually

NAMED = re.compile(r"\.([0-9a-f]{12})(\.[^./]*)?$")


def path_of(name):
    """The path of what stands under a hashed name, or plain."""
    return NAMED.sub(lambda m: m[2] or "", name)


class Cell:
    def __init__(self, bed, fault, client, source, place):
        self.fault = fault
        self.client = client
        self.person = client.person
        self.source = source
        self.place = place
        self.waits_for = fault.operation, fault.place
        self.view = place / "view"
        self.bin = bed.bin / "clock" if fault.stepping else bed.bin
        self.clock = place / "clock"
        self.clock.write_bytes(bytes(32))
        self.cache = place / "cache"
        self.env = {
            "HASHEDFS_TEST_CLOCK": str(self.clock),
            "XDG_CACHE_HOME": str(self.cache),
        }
        self.outside = place / "outside"
        self.outside.write_bytes(b"a file outside of the source\n")
        for directory in (self.view, self.cache):
            directory.mkdir(mode=0o700)
            give(directory, self.person)

    @contextlib.contextmanager
    def prepared(self):
        """Before anything is mounted, and after all."""
        small = ("tmpfs", str(self.cache))
        with contextlib.ExitStack() as stack:
            if self.fault.small_cache:
                options = f"size=256k,mode=700,uid={self.person.uid}"
                ROOT.run("mount", "-t", "tmpfs", "-o", options, *small)
                stack.callback(ROOT.run, "umount", small[1])
            self.prepare()
            yield

    def prepare(self):
        self.files = self.expect()
        names = {path_of(name): name for name in self.files}
        sent = (*matrix.VICTIMS, matrix.TARGET, matrix.LARGE)
        self.sent = {names[path] for path in sent if path in names}
        self.client.prepare(self.files, self.sent)
        if self.fault.cached:
            manifest = str(self.bin / "hashedfs-manifest")
            self.person.run(
                manifest, "snapshot", "-q", "--source", str(self.source), env=self.env
            )
        if self.fault.first:
            self.fault.strike(self)

    def expect(self):
        """The view's files, name -> bytes, found out without a mount."""
        files = oracle.walk(self.source.under)
        names = oracle.mapping(self.source.under)
        target = os.path.basename(names[matrix.TARGET]).encode()
        text = files[matrix.TEXT].replace(b"pic.png", target)
        files[matrix.TEXT] = text
        names[matrix.TEXT] = oracle.hashed(matrix.TEXT, text)
        return {names[path]: files[path] for path in files}

    @contextlib.contextmanager
    def held(self, mount):
        """From now on, whoever comes to the place of the fault waits."""
        self.mount = mount
        if self.fault.first:
            yield
            return
        with self.look():
            self.descriptors = min(self.next_descriptor() for _ in range(5))
            if self.waits_for[0] == "list":
                # It must be listed anew; who does not list looks up anew.
                os.utime(self.source.under / self.fault.place)
                time.sleep(1)
            start = (matrix.LATE,) if self.fault.late else ()
            self.source.hang(*self.waits_for, *start)
            yield

    @contextlib.contextmanager
    def look(self):
        """Reads the view, so that the worker knows all names, and holds large
        files open, so that it keeps what it knows of their bytes; the kernel
        is left without a page of them."""
        with self.person.popen(
            *("python3", "-c", LOOK, str(self.view)), stdout=-1, stdin=-1
        ) as looker:
            try:
                files = {}
                while (line := looker.stdout.readline()) != b"\n":
                    name, _, size = os.fsdecode(line[:-1]).rpartition(" ")
                    files[name] = looker.stdout.read(int(size))
                assert files == self.files
                yield
            finally:
                looker.kill()

    def next_descriptor(self):
        """The number of the one that the worker would open next."""
        time.sleep(0.01)
        used = set(map(int, os.listdir(f"/proc/{self.mount.worker()}/fd")))
        return min(set(range(len(used) + 1)) - used)

    def strike(self):
        """The client has come: the fault, and then it goes on."""
        if self.fault.first:
            return
        self.source.wait_for(*self.waits_for)
        self.fault.strike(self)
        if not self.fault.ruled:
            self.source.release()

    # What became of it.

    def is_gone(self, path):
        """Whether the source has no such file any more."""
        full = self.source.under / path
        return not full.is_file() and not full.is_symlink()

    def is_right(self, name, data):
        """Whether these are the bytes of that name, or of the source's file
        of that name, or such as a mirror may leave alone."""
        if self.client.mirrors and name in self.sent and data == clients.TO_BE_SENT:
            return True
        match = NAMED.search(name)
        if match and name != clients.EXTRANEOUS:
            return oracle.md5(data) == match[1]
        path = self.source.under / name
        return not path.exists() or data == path.read_bytes()

    def look_at_destination(self):
        self.found = found = self.client.found(self.files)
        self.wrong = {n for n, data in found.items() if not self.is_right(n, data)}
        paths = {path_of(name) for name in self.files}
        whole = {
            path_of(name)
            for name, data in found.items()
            if name not in self.wrong and data != clients.TO_BE_SENT
        }
        self.missing = {path for path in paths - whole if not self.is_gone(path)}
        self.lost = self.missing - {path_of(name) for name in found}

    def check(self, good, what):
        assert good, (
            f"{self.fault}: {type(self.client).__name__}, exit {self.code}, "
            f"{self.client.said()[-500:]!r}: {what}"
        )

    def check_success(self):
        self.check(not self.missing, f"without {self.missing}")
        self.check(not self.wrong, f"wrong bytes in {self.wrong}")
        self.check(clients.EXTRANEOUS not in self.found, "it deletes nothing")


# A line with the name and the size of a file, its bytes; at last an empty line.
LOOK = """
import os, sys
top = sys.argv[1]
out = sys.stdout.buffer
large = []
for directory, _, names in os.walk(top):
    for name in names:
        path = os.path.join(directory, name)
        file = open(path, "rb")
        data = file.read()
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if len(data) > 1 << 20:
            large.append(file)
        out.write(os.fsencode(f"{os.path.relpath(path, top)} {len(data)}\\n") + data)
out.write(b"\\n")
out.flush()
sys.stdin.read()
"""


# --- a live mount ---------------------------------------------------------------


def live(cell):
    """One word of the table, or an AssertionError if a promise is broken that
    holds for any client."""
    start = mounting.mount(
        *(cell.bin / "hashedfs", cell.source, cell.view, cell.person),
        env=cell.env,
        told=cell.fault.cached,
    )
    with (
        cell.prepared(),
        start as mount,
        cell.held(mount),
        cell.client.started(cell.view) as process,
    ):
        try:
            cell.process = process
            cell.strike()
            cell.code = process.wait(60)
        finally:
            process.kill()
            process.wait(10)
    cell.look_at_destination()
    if cell.code == 0:
        cell.check_success()
        return "all"
    if cell.wrong:
        cell.check(cell.fault.late, f"wrong bytes in {cell.wrong}")
        return "part"
    return "loses" if cell.client.mirrors and cell.lost else "fails"


# --- hashedfs-run ---------------------------------------------------------------

# The command waits until the test has looked at the view.
WAIT = """
touch "$1/started"
while ! [ -e "$1/go" ]; do sleep 0.02; done
exec >"$1/stdout" 2>"$1/stderr"
shift
exec "$@"
"""


class Running(mounting.Mount):
    """The mount of hashedfs-run."""

    def worker(self):
        return max(self._by_name("hashedfs-worker"))

    def guard(self):
        return min(self._by_name("hashedfs-guard"))


def run(cell):
    """The same, where the client is the command of hashedfs-run."""
    if cell.fault.operation == "list":
        # A frozen mount lists nothing anew.
        cell.waits_for = "open", matrix.HELD
    with cell.prepared(), cell.client.ready(cell.view):
        process = cell.person.popen(
            *(str(cell.bin / "hashedfs-run"), "-q", "--at", str(cell.view)),
            *(str(cell.source), "--", "sh", "-c", WAIT, "sh", str(cell.place)),
            *cell.client.argv(cell.view),
            env={**cell.client.env(), **cell.env, f"{MARK}_MOUNT": str(cell.view)},
            stderr=-1,
            encoding="utf-8",
        )
        cell.process = process
        started = cell.place / "started"
        try:
            eventually(lambda: started.exists() or process.poll() is not None, 20)
            if process.poll() is None:
                with cell.held(Running(cell.view, cell.person)):
                    (cell.place / "go").touch()
                    cell.strike()
                    cell.code = process.wait(60)
            cell.code = process.wait(60)
            cell.told = process.stderr.read()
        finally:
            process.kill()
            process.wait(10)
            process.stderr.close()
            mounting.clear(cell.view, cell.person)
    return _judge_run(cell, started.exists())


def _judge_run(cell, started):
    """Nothing was deleted, and the client was not told of any error."""
    if not started:
        cell.check(cell.code == 125 and cell.told, "no word of why it did not start")
        return "none"
    cell.look_at_destination()
    cell.check(not cell.client.said(), "the client saw an error")
    if cell.code == 0:
        cell.check_success()
        return "all"
    cell.check(cell.code == 125 and cell.told, "no word of why it was stopped")
    if cell.client.mirrors:
        cell.check(not cell.lost, f"{cell.lost} deleted")
    cell.check(cell.fault.late or not cell.wrong, f"wrong bytes in {cell.wrong}")
    return "part" if cell.wrong else "stops"
