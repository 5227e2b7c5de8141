"""Runs of hashedfs-run by a person, and how to look at what they leave."""

import contextlib
import os
import signal
import subprocess
import sys

import mount as mounting
import oracle
import pytest
from person import eventually

OURS = 125
TREE = {
    "css/app.css": b'a{background:url("../img/x.png")}',
    "img/x.png": b"x" * 1000,
    "d/one.txt": b"one",
    "d/two.txt": b"two",
    "big.bin": b"b" * 8_000_000,
}
NAMES = {
    "img/x.png": oracle.hashed("img/x.png", TREE["img/x.png"]),
    "d/one.txt": oracle.hashed("d/one.txt", b"one"),
    "d/two.txt": oracle.hashed("d/two.txt", b"two"),
    "big.bin": oracle.hashed("big.bin", TREE["big.bin"]),
}
# A client that looks at everything again and again, and writes down each
# errno that it meets, and each round.
CLIENT = r"""
import os, sys
top, log = sys.argv[1:3]
missing = os.path.join(top, "nonesuch")
def note(error):
    with open(log + ".errors", "a") as file:
        file.write(f"{error}\n")
while True:
    for directory, folders, files in os.walk(top, onerror=note):
        for name in files:
            try:
                with open(os.path.join(directory, name), "rb") as file:
                    while file.read(1 << 16):
                        pass
            except OSError as error:
                note(error)
    try:
        os.stat(missing)
    except FileNotFoundError:
        pass
    with open(log + ".rounds", "a") as file:
        file.write(".")
"""


class Desk:
    """Runs hashedfs-run for a person, and knows where all of it goes."""

    def __init__(self, bed, work, person):
        self.program = str(bed.bin / "hashedfs-run")
        self.person = person
        self.tmp = work / "tmp"
        self.tmp.mkdir()
        self.tmp.chmod(0o777)
        self.log = self.tmp / "log"
        self.env = {"TMPDIR": str(self.tmp), "HASHEDFS_TESTS_RUN": str(self.tmp)}

    def __call__(self, *args, check=False, **kwargs):
        env = {**self.env, **kwargs.pop("env", {})}
        argv = [self.program, *map(str, args)]
        return self.person.run(*argv, check=check, env=env, **kwargs)

    def start(self, *args, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        argv = [self.program, *map(str, args)]
        env = {**self.env, **kwargs.pop("env", {})}
        return self.person.popen(*argv, env=env, text=True, **kwargs)

    def client(self):
        return [sys.executable, "-c", CLIENT, "{}", str(self.log)]

    def rounds(self):
        return len(self.read("rounds"))

    def errors(self):
        return self.read("errors")

    def read(self, what):
        try:
            return (self.tmp / f"log.{what}").read_text()
        except FileNotFoundError:
            return ""

    def processes(self):
        """Everything that was started from here and lives."""
        mark = os.fsencode(f"HASHEDFS_TESTS_RUN={self.tmp}")
        return {
            pid: mounting.comm(pid)
            for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if mark in mounting.proc(pid, "environ") and mounting.state(pid)
        }

    def pid(self, name):
        """The process of that name; a child of its own may have it, too, for a
        moment."""
        return eventually(
            lambda: min([p for p, c in self.processes().items() if c == name], default=0)
        )

    def nothing_left(self):
        assert eventually(lambda: not self.processes(), 10), self.processes()
        assert not [m for m in mounting.mounts() if m.startswith(str(self.tmp))]
        assert not [p.name for p in self.tmp.glob("hashedfs-run.*")]
        return True


@contextlib.contextmanager
def cleared(desk):
    """The desk, which has to be empty in the end, and is."""
    yield desk
    try:
        desk.nothing_left()
    finally:
        for pid in desk.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def desk(bed, work, as_user, fuse):
    with cleared(Desk(bed, work, as_user)) as desk:
        yield desk


@pytest.fixture
def src(make, as_user):
    return make(TREE, owner=as_user)


def sh(text):
    return ["sh", "-c", text]
