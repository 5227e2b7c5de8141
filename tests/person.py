"""Who runs a program: root, or somebody without privileges."""

import dataclasses
import os
import pickle
import select
import signal
import subprocess
import sys
import time

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Options of the sanitizers, and the places where tools look for their homes,
# are handed on; nothing else of the environment is.
HANDED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")

# A word in the environment of everything that the tests start.
MARK = "HASHEDFS_TESTS_CHILD"

# The directory of the caches of a test run: nobody's own one is touched.
CACHES = "HASHEDFS_TESTS_CACHES"


@dataclasses.dataclass(frozen=True)
class Person:
    name: str
    uid: int
    gid: int
    home: str

    def __str__(self):
        return self.name

    @property
    def identity(self):
        """Arguments for Popen that turn the child into this person."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def environment(self, **more):
        env = {
            "PATH": SYSTEM_PATH,
            "HOME": self.home,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            MARK: "1",
        }
        env.update((k, os.environ[k]) for k in HANDED_ON if k in os.environ)
        if CACHES in os.environ:
            env["XDG_CACHE_HOME"] = os.path.join(os.environ[CACHES], self.name)
        env.update(more)
        return env

    def popen(self, *argv, env=None, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(
            argv, env=self.environment(**(env or {})), **self.identity, **kwargs
        )

    def run(self, *argv, check=True, timeout=120, env=None, text=True, **kwargs):
        """Runs a command to its end. What it printed is in .stdout, .stderr."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        if text:
            kwargs.update(encoding="utf-8", errors="surrogateescape")
        done = subprocess.run(
            argv,
            env=self.environment(**(env or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            **self.identity,
            **kwargs,
        )
        if check:
            assert done.returncode == 0, (
                f"{argv} ended with {done.returncode}: {done.stderr!r}"
            )
        return done

    def call(self, function, *args, timeout=120):
        """function(*args) in a child process of this person; its result.

        Whatever touches a mount goes through here or through run(): a mount
        of an unprivileged user is closed to root, and a client that hangs
        must not be the test itself.
        """
        return self.start(function, *args).result(timeout)

    def start(self, function, *args):
        """The same, but only begins; ends with .result() or .kill()."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                signal.setitimer(signal.ITIMER_REAL, 0)
                self._become()
                try:
                    answer = (True, function(*args))
                except BaseException as error:
                    answer = (False, error)
                with os.fdopen(writer, "wb") as out:
                    pickle.dump(answer, out)
            finally:
                os._exit(0)
        os.close(writer)
        return Started(child, reader, function.__name__)

    def _become(self):
        os.umask(0o022)
        if os.geteuid() != self.uid:
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)


class Started:
    """A function that runs in a child process."""

    def __init__(self, pid, reader, name):
        self.pid = pid
        self._reader = reader
        self._name = name

    def result(self, timeout=120):
        try:
            answer = _read_all(self._reader, time.monotonic() + timeout)
        finally:
            self.kill()
        assert answer is not None, f"{self._name} did not end in {timeout} s"
        assert answer, f"{self._name} died without an answer"
        good, value = pickle.loads(answer)
        if not good:
            raise value
        return value

    def kill(self):
        os.close(self._reader)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _read_all(fd, deadline):
    """All bytes up to the end, or None when the deadline passes first."""
    parts = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        part = os.read(fd, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)


def eventually(check, seconds=10, pause=0.02):
    """Waits until check() is true and returns its value; None if it never
    was. AssertionError and OSError inside count as "not yet"."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = check()
            if value:
                return value
        except (AssertionError, OSError):
            pass
        if time.monotonic() > deadline:
            return None
        time.sleep(pause)


ROOT = Person("root", 0, 0, "/root")


def unprivileged(home):
    """Nobody, when run as root; else whoever runs the tests."""
    if os.geteuid() == 0:
        return Person("user", 65534, 65534, home)
    return Person("user", os.getuid(), os.getgid(), os.environ.get("HOME", home))


# Whoever runs the tests.
WHOEVER = ROOT if os.geteuid() == 0 else unprivileged("/")


if sys.version_info < (3, 10):
    sys.exit("the tests need Python 3.10")
