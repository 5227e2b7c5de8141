"""A mount of hashedfs for the length of a `with` block."""

import contextlib
import os
import signal
import subprocess
import time

from person import MARK, eventually


class Mount:
    """What is mounted: a path, and who mounted it."""

    def __init__(self, path, person):
        self.path = str(path)
        self.person = person
        self.run = person.run
        self.call = person.call

    def __fspath__(self):
        return self.path

    def __str__(self):
        return self.path

    def __truediv__(self, name):
        return os.path.join(self.path, name)

    def control(self, name):
        """The text of .hashedfs/NAME."""
        return self.call(_read, self / f".hashedfs/{name}").decode(
            "utf-8", "surrogateescape"
        )

    def status(self):
        lines = self.control("status").splitlines()
        return dict(line.split(": ", 1) for line in lines)

    def map(self):
        """path -> row of .hashedfs/map, complete or an error."""
        lines = self.control("map").split("\n")
        assert lines.pop() == ""
        end = lines.pop().split("\t")
        assert end[0] == "#end" and int(end[1]) == len(lines)
        fields = "path name kind name_digest content_digest size problem".split()
        rows = [dict(zip(fields, line.split("\t"), strict=True)) for line in lines]
        return {row["path"]: row for row in rows}

    def files(self):
        """Every presented file: relative path -> bytes."""
        return self.call(read_tree, self.path)

    def names(self):
        """Every presented file's relative path."""
        return self.call(list_tree, self.path)

    def listing(self, directory=""):
        return sorted(self.call(os.listdir, self / directory))

    def read(self, name):
        return self.call(_read, self / name)

    def stat(self, name=""):
        return self.call(os.lstat, self / name if name else self.path)

    def worker(self):
        """The pid of the process that answers."""
        return max(self._by_name("hashedfs"))

    def guard(self):
        return min(self._by_name("hashedfs-guard"))

    def _by_name(self, name):
        found = [pid for pid in processes(self.path) if comm(pid) == name]
        assert found, f"no {name} for {self.path}"
        return found


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def list_tree(top):
    found = []
    for directory, _, files in os.walk(top, onerror=_raise):
        rel = os.path.relpath(directory, top)
        found += [name if rel == "." else f"{rel}/{name}" for name in files]
    return sorted(found)


def read_tree(top):
    return {name: _read(os.path.join(top, name)) for name in list_tree(top)}


def _raise(error):
    raise error


# --- what the kernel says ---------------------------------------------------


def mounts():
    """Mountpoint -> file system type, of everything mounted."""
    found = {}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            fields, _, rest = line.partition(" - ")
            point = fields.split()[4]
            for octal, char in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
                point = point.replace("\\" + octal, char)
            found[point] = rest.split()[0]
    return found


def mounted(path):
    return os.path.normpath(str(path)) in mounts()


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            return f.read().rstrip("\n")
    except OSError:
        return ""


def state(pid):
    """The state letter of a process, "" if there is none; a zombie is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            letter = f.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
    return "" if letter in "ZX" else letter


def stop(pid):
    """Stops a process; when it returns none of its threads runs."""

    def stopped():
        threads = os.listdir(f"/proc/{pid}/task")
        return all(state(f"{pid}/task/{thread}") == "T" for thread in threads)

    os.kill(pid, signal.SIGSTOP)
    assert eventually(stopped, 10, 0.001)


def proc(pid, file):
    try:
        with open(f"/proc/{pid}/{file}", "rb") as f:
            return f.read()
    except OSError:
        return b""


def _pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def processes(path):
    """Living processes of hashedfs that serve the mountpoint `path`: it is
    in their command line, or they were started by mount() below for it."""
    found = []
    for pid in _pids():
        if not comm(pid).startswith("hashedfs") or not state(pid):
            continue
        if any(os.fsencode(str(path)) in proc(pid, f) for f in ("cmdline", "environ")):
            found.append(pid)
    return found


def stuck(seconds=3):
    """Processes of these tests that stay in uninterruptible sleep that long."""
    suspects = None
    deadline = time.monotonic() + seconds
    while suspects or suspects is None:
        asleep = {pid for pid in _pids() if state(pid) == "D" and _ours(pid)}
        suspects = asleep if suspects is None else suspects & asleep
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return {pid: comm(pid) for pid in suspects}


def where(pid):
    """What each thread of a process waits for, for messages of failure."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [
        f"{state(thread)} {proc(pid, f'task/{thread}/wchan').decode()}"
        for thread in threads
    ]


def _ours(pid):
    """Marked by the environment, or a child of a child of this process."""
    if MARK.encode() in proc(pid, "environ"):
        return True
    while pid > 1:
        if pid == os.getpid():
            return True
        fields = proc(pid, "stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if fields else 0
    return False


# --- mounting ---------------------------------------------------------------


def unmount(path, person):
    """Unmounts politely; waits for clients that are on their way out."""

    def try_once():
        if not mounted(path):
            return True
        command = ["umount"] if person.uid == 0 else ["fusermount3", "-u"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            person.run(*command, str(path), check=False, timeout=10)
        return not mounted(path)

    return bool(eventually(try_once, 10, pause=0.1))


def drops():
    """How often somebody, another test perhaps, has emptied the kernel's caches."""
    lines = (line.split() for line in open("/proc/vmstat"))
    return [count for name, count in lines if name.startswith("drop_")]


def apart(*flags):
    """What runs a command in a mount namespace of its own. Mounts of tests that
    run at the same time would live on there when those have unmounted them."""
    script = 'umount --all --lazy --types fuse.hashedfs 2>/dev/null; exec "$@"'
    unshare = ["unshare", "--mount", "--propagation", "private", *flags]
    return [*unshare, "sh", "-c", script, "sh"]


def clear(path, person):
    """Leaves nothing of a mount behind, whatever state it is in."""
    left = []
    if not unmount(path, person):
        left.append(f"{path} could not be unmounted")
        command = ["umount", "-l"] if person.uid == 0 else ["fusermount3", "-uz"]
        person.run(*command, str(path), check=False)
    if not eventually(lambda: not processes(path), 15):
        rest = {pid: [comm(pid), *where(pid)] for pid in processes(path)}
        left.append(f"processes that did not end after unmounting: {rest}")
        for pid in rest:
            os.kill(pid, signal.SIGKILL)
    return left


@contextlib.contextmanager
def mount(
    program,
    sources,
    path,
    person,
    options="",
    extra=(),
    env=None,
    cwd=None,
    spelt=None,
    told=False,
):
    """Starts `program` and yields a Mount. At the end it is unmounted, and
    both processes must end by themselves. `spelt` is how the command line
    calls the mountpoint, if not by its path; `told`: something may be said."""
    argv = [str(program)]
    if options:
        argv += ["-o", options]
    argv += [*extra]
    if sources:
        argv.append(str(sources))
    env = {f"{MARK}_MOUNT": str(path), **(env or {})}
    try:
        done = person.run(*argv, str(spelt or path), env=env, cwd=cwd)
        assert done.stdout == "" and (told or done.stderr == "")
        assert mounted(path), "hashedfs returned 0 before the mount stood"
        yield Mount(path, person)
    except BaseException:
        clear(path, person)
        raise
    left = clear(path, person)
    assert not left, "; ".join(left)
