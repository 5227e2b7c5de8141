"""Programs, mountpoints and peers."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import time

from measure import run, timed

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build"
HASHEDFS = BUILD / "hashedfs"
MANIFEST = BUILD / "hashedfs-manifest"
EXPORT = BUILD / "hashedfs-export"
# Nothing is remembered from one run to the next, unless that is measured.
COLD = "cache=none"
MEMORY = pathlib.Path("/dev/shm")


def snapshot(tree, options=COLD, *args):
    return timed(
        *(MANIFEST, "snapshot", "-q", "--source", "-o", options, *args), tree
    )


def is_there(program):
    return shutil.which(program) is not None


class Mounts:
    """Fresh mounts on one mountpoint."""

    def __init__(self, top):
        self.point = top / "mnt"
        self.point.mkdir()

    @contextlib.contextmanager
    def hashedfs(self, tree, options=COLD):
        """Yields the mountpoint and how long mounting took."""
        with self._mounted(HASHEDFS, "-o", options, tree) as seconds:
            yield self.point, seconds

    @contextlib.contextmanager
    def bindfs(self, tree):
        with self._mounted("bindfs", tree) as seconds:
            yield self.point, seconds

    @contextlib.contextmanager
    def _mounted(self, *program):
        seconds = timed(*program, self.point)
        try:
            yield seconds
        finally:
            run("fusermount3", "-u", self.point)
            # The next one measures nothing of the ending of this one.
            while os.path.ismount(self.point):
                time.sleep(0.01)
            time.sleep(0.2)

    def worker(self):
        """The process that serves the mount: the one with the most threads."""
        found = subprocess.run(
            ["pgrep", "-f", str(self.point)], capture_output=True, text=True
        )
        return max(map(int, found.stdout.split()), key=_threads)


def _threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


@contextlib.contextmanager
def emptied(path):
    """A directory that is not there, before and after."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
