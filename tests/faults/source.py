"""A source that fails on command: a directory behind tests/faults/faultfs.c."""

import contextlib
import errno
import os
import signal
import subprocess

import mount as mounting
from conftest import give
from person import MARK, eventually

HANG = 0


class Source:
    """What hashedfs is given: a path; and what stands behind it."""

    def __init__(self, path, under, rules, hits, server):
        self.path = path
        self._server = server
        self.under = under
        self._rules = rules
        self._hits = hits

    def __fspath__(self):
        return str(self.path)

    def __str__(self):
        return str(self.path)

    def say(self, *rules):
        """From now on these rules hold and no other: (operation, answer, path)
        or (operation, answer, path, from)."""
        lines = [
            f"{operation} {answer} {start[0] if start else 0} /{path}\n"
            for operation, answer, path, *start in rules
        ]
        new = f"{self._rules}.new"
        with open(new, "w", encoding="utf-8") as file:
            file.writelines(lines)
        os.chmod(new, 0o644)
        os.replace(new, self._rules)

    def hang(self, operation, path, *start):
        self.say((operation, HANG, path, *start))

    def fail(self, operation, *paths, error=errno.EIO):
        """Reading fails after the first bytes."""
        self.say(*((operation, error, path, 100) for path in paths))

    def release(self):
        self.say()

    @contextlib.contextmanager
    def dead(self):
        """Inside the block whoever was asking is beyond SIGKILL."""
        mounting.stop(self._server.pid)
        try:
            yield
        finally:
            self._server.send_signal(signal.SIGCONT)

    def was_asked(self, operation, path):
        """How many requests met a rule for this."""
        with open(self._hits, encoding="utf-8") as file:
            return list(file).count(f"{operation} /{path}\n")

    def wait_for(self, operation, path, count=1):
        assert eventually(lambda: self.was_asked(operation, path) >= count, 20, 0.005), (
            f"nobody came for {operation} {path}"
        )

    def forget(self):
        """Forgets what was asked so far."""
        os.truncate(self._hits, 0)


@contextlib.contextmanager
def faulty(bed, person, under, top):
    """Shows `under` as a Source in `top`, an empty directory of that person."""
    path, rules, hits = (top / name for name in ("source", "rules", "hits"))
    path.mkdir()
    rules.touch()
    hits.touch()
    for each in (path, hits):
        give(each, person)
    server = person.popen(
        *map(str, (bed.bin / "faultfs", under, rules, hits, path)),
        env={f"{MARK}_MOUNT": str(path)},
        stderr=subprocess.DEVNULL,
    )
    source = Source(path, under, rules, hits, server)
    try:
        assert eventually(lambda: mounting.mounted(path), 10, 0.005)
        yield source
    finally:
        # First the server: whoever still waits for it then waits no more.
        server.kill()
        server.wait(10)
        mounting.unmount(path, person)
