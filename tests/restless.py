"""A tree that never holds still."""

import mmap
import os
import struct
import time

from person import eventually

FILES = [f"f{i}.txt" for i in range(50)]
# Each look reads it, too, as it was touched just now, and so takes a while.
SIZE = 40_000_000
# Shorter than two looks.
PAUSE = 0.02


class Writer:
    """Changes one file after the other, and knows its longest pause: a machine
    may stop it for longer than a look takes."""

    def __init__(self, top, person):
        self._memory = mmap.mmap(-1, 16)
        self._process = person.start(self._write, str(top))

    def _write(self, top):
        fds = [os.open(os.path.join(top, name), os.O_WRONLY) for name in FILES]
        last, longest, count = time.monotonic(), 0.0, 0
        while True:
            os.pwrite(fds[count % len(fds)], os.urandom(8), 0)
            now = time.monotonic()
            longest = max(longest, now - last)
            last, count = now, count + 1
            struct.pack_into("dQ", self._memory, 0, longest, count)

    def begun(self):
        return struct.unpack_from("dQ", self._memory)[1] > 0

    def paused(self):
        return struct.unpack_from("dQ", self._memory)[0] > PAUSE

    def kill(self):
        self._process.kill()


def met_no_peace(make, person, run):
    """What run(source) returns over a tree that is changed all the time; it is
    run again if there was a pause in which it may have held still."""
    src = make({name: b"." * 8 for name in FILES}, owner=person)
    with open(src / "large.bin", "wb") as file:
        file.truncate(SIZE)
    for _ in range(20):
        writer = Writer(src, person)
        try:
            assert eventually(writer.begun)
            os.utime(src / "large.bin")
            done = run(src)
            if done.returncode or not writer.paused():
                break
        finally:
            writer.kill()
    return done
