"""A source that fails on command: a directory behind tests/faults/faultfs.c."""

import contextlib
import errno
import os
import subprocess

import mount as mounting
from conftest import give
from person import MARK, eventually

HANG = 0


class Source:
    """What hashedfs is given: a path; and what stands behind it."""

    def __init__(self, path, under, rules, hits):
        self.path = path
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

    def was_asked(self, operation, path):
        """Whether a request met a rule for this."""
        with open(self._hits, encoding="utf-8") as file:
            return f"{operation} /{path}\n" in file

    def wait_for(self, operation, path, seconds=20):
        assert eventually(lambda: self.was_asked(operation, path), seconds, 0.005), (
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
    source = Source(path, under, rules, hits)
    try:
        assert eventually(lambda: mounting.mounted(path), 10, 0.005)
        yield source
    finally:
        # First the server: whoever still waits for it then waits no more.
        server.kill()
        server.wait(10)
        mounting.unmount(path, person)
