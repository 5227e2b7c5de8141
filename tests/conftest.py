"""What every test has at hand: programs, people, places, mounts, real trees."""

import contextlib
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest

import mount as mounting
from person import CACHES, ROOT, eventually, unprivileged

TOP = pathlib.Path(__file__).resolve().parent.parent
BIN_DIR = pathlib.Path(os.environ.get("HASHEDFS_BIN_DIR", "build"))
STRICT = os.environ.get("HASHEDFS_STRICT") == "1"
INPUTS = TOP / "build/inputs"
TREES = (
    "django-admin",
    "djangorestframework",
    "bootstrap",
    "fontawesome-free",
    "monaco-editor",
    "three",
)


def pytest_configure():
    """Programs inherit what is ignored, and whoever started this may ignore
    some signals: nohup, or a shell in the background."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


# --- halves -------------------------------------------------------------------

# Whoever may sudo runs what needs root apart from the rest: `make test-mount`.
HALF = os.environ.get("HASHEDFS_HALF", "")


def _needs_root(item):
    """Also where a test chooses its person itself."""
    chosen = item.callspec.params if hasattr(item, "callspec") else {}
    return (
        chosen.get("as_user") == "root"
        or "as_root" in item.fixturenames
        or item.get_closest_marker("root") is not None
    )


def pytest_collection_modifyitems(config, items):
    if not HALF:
        return
    others = [item for item in items if _needs_root(item) != (HALF == "root")]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if _needs_root(item) == (HALF == "root")]


# --- what could not run -----------------------------------------------------

def not_run(reason, anywhere=False):
    """Ends a test that cannot run here. It is counted; with STRICT=1 it is a
    failure, unless it could not run anywhere."""
    if STRICT and not anywhere:
        pytest.fail(f"not run: {reason}", pytrace=False)
    pytest.skip(f"not run: {reason}")


def pytest_terminal_summary(terminalreporter):
    told = {}
    for report in sum(terminalreporter.stats.values(), []):
        reason = getattr(report, "longreprtext", "").partition("not run: ")[2]
        if reason:
            told.setdefault(reason.rstrip(chr(39) + ")"), []).append(report.nodeid)
    if not told:
        return
    terminalreporter.section("not run")
    for reason, tests in told.items():
        more = f", and {len(tests) - 1} more" if len(tests) > 1 else ""
        terminalreporter.line(f"{reason}: {tests[0]}{more}")
    how = "failures with STRICT=1" if not STRICT else "failures (STRICT=1)"
    terminalreporter.line(f"{sum(map(len, told.values()))} could not run; {how}")


# --- programs and people ----------------------------------------------------


class Bed:
    """The place of one test run: readable by everybody, away from the
    checkout, which may lie where other users cannot look."""

    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.bin = self.top / "bin"
        self.san = self.top / "san"
        home = self.top / "home"
        self.caches = self.top / "caches"
        for directory in (self.bin, self.san, self.caches, home):
            directory.mkdir()
        for directory in (self.san, self.caches):
            directory.chmod(0o1777)
        self.user = unprivileged(str(home))
        if os.geteuid() == 0:
            os.chown(home, self.user.uid, self.user.gid)

    def install(self, directory, into=None):
        """Copies the programs of a build; the directory they are in."""
        into = into or self.bin
        into.mkdir(exist_ok=True)
        programs = "", "-manifest", "-run", "-export"
        programs = *(f"hashedfs{name}" for name in programs), "snapshots", "faultfs"
        for name in programs:
            built = TOP / directory / name
            if built.exists():
                shutil.copy(built, into / name)
        return into

    def sanitizer_reports(self):
        return [(p.name, p.read_text(errors="replace")) for p in self.san.iterdir()]


def _sanitizer_options(bed):
    log = f"log_path={bed.san}/report"
    supp = bed.top / "tsan.supp"
    shutil.copy(TOP / "tests/tsan.supp", supp)
    os.environ["ASAN_OPTIONS"] = f"{log}:detect_leaks=1:abort_on_error=0"
    os.environ["UBSAN_OPTIONS"] = f"{log}:print_stacktrace=1:halt_on_error=0"
    os.environ["TSAN_OPTIONS"] = (
        f"{log}:suppressions={supp}:halt_on_error=0:exitcode=0:"
        "die_after_fork=0:second_deadlock_stack=1"
    )


def _open_fuse():
    """/dev/fuse is for everybody wherever udev runs; here it may not."""
    try:
        mode = os.stat("/dev/fuse").st_mode
        if os.geteuid() == 0 and stat.S_IMODE(mode) != 0o666:
            os.chmod("/dev/fuse", 0o666)
        # Every installed system has it; a bare debootstrap root has not.
        if os.geteuid() == 0 and not os.path.lexists("/etc/mtab"):
            with contextlib.suppress(FileExistsError):
                os.symlink("../proc/self/mounts", "/etc/mtab")
        os.close(os.open("/dev/fuse", os.O_RDWR))
        return None
    except OSError as error:
        return f"no /dev/fuse: {error.strerror}"


@pytest.fixture(scope="session")
def bed():
    with tempfile.TemporaryDirectory(
        prefix="hashedfs-tests-", dir="/var/tmp", ignore_cleanup_errors=True
    ) as top:
        os.chmod(top, 0o755)
        bed = Bed(top)
        _sanitizer_options(bed)
        os.environ[CACHES] = str(bed.caches)
        bed.install(BIN_DIR)
        # The same with a clock that can be stepped (tests/faults).
        bed.install(BIN_DIR / "clock", bed.bin / "clock")
        assert (bed.bin / "hashedfs").exists(), f"{BIN_DIR}/hashedfs is not built"
        yield bed
        left = [point for point in mounting.mounts() if point.startswith(top)]
        for point in left:
            ROOT.run("umount", "-l", point, check=False)
        # The last one may just be unmounted.
        eventually(lambda: not mounting.processes(top), 15)
        running = {pid: mounting.comm(pid) for pid in mounting.processes(top)}
        stuck = mounting.stuck()
        assert not left, f"still mounted at the end: {left}"
        assert not running, f"still running at the end: {running}"
        assert not stuck, f"in uninterruptible sleep at the end: {stuck}"


@pytest.fixture(autouse=True)
def sanitizers_quiet(request):
    """A report of a sanitizer fails the test that it came up in."""
    if "bed" not in request.fixturenames:
        yield
        return
    bed = request.getfixturevalue("bed")
    before = {name for name, _ in bed.sanitizer_reports()}
    yield
    new = [text for name, text in bed.sanitizer_reports() if name not in before]
    assert not new, "\n".join(new)[:20000]


@pytest.fixture(scope="session")
def fuse():
    """For every test that mounts."""
    missing = _open_fuse()
    if missing:
        not_run(missing)


@pytest.fixture(autouse=True)
def caches_empty(request):
    """What one test had hashed is not known to the next one."""
    yield
    if "bed" in request.fixturenames:
        for cache in request.getfixturevalue("bed").caches.iterdir():
            shutil.rmtree(cache)


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        not_run("needs root")
    return ROOT


@pytest.fixture(params=["root", "user"])
def as_user(request, bed):
    """The person who mounts: each test runs as root and as somebody else."""
    if request.param == "root":
        if os.geteuid() != 0:
            not_run("needs root")
        return ROOT
    return bed.user


@pytest.fixture
def anyone(bed):
    """One person, for what is long and does not depend on who."""
    return ROOT if os.geteuid() == 0 else bed.user


# --- places and mounts ------------------------------------------------------


@pytest.fixture
def work(bed, request):
    """An empty directory for one test, open to everybody who may look."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=bed.top, prefix="t-"))
    directory.chmod(0o755)
    yield directory
    for point in mounting.mounts():
        if point.startswith(f"{directory}/"):
            ROOT.run("umount", "-l", point, check=False)
    subprocess.run(["rm", "-rf", directory], check=False)  # rmtree recurses


@pytest.fixture
def make(work):
    """make({"css/a.css": b"..."}, "src") writes a tree and returns its path.
    Parents come into being; a value of None makes a directory."""

    def build(files, name="src", owner=None):
        top = work / name
        top.mkdir(exist_ok=True)
        for path, data in files.items():
            full = os.path.join(os.fsencode(top), os.fsencode(path))
            if data is None:
                _make_directories(full)
                continue
            _make_directories(os.path.dirname(full))
            with open(full, "wb") as file:
                file.write(data)
        if owner is not None:
            give(top, owner)
        return top

    return build


def _make_directories(path):
    """os.makedirs, which recurses, for a depth beyond Python's limit."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        os.mkdir(directory)


def give(top, person):
    """Hands a whole tree over to a person."""
    if os.geteuid() != 0:
        return
    os.chown(top, person.uid, person.gid)
    for directory, folders, files in os.walk(os.fsencode(top)):
        for name in folders + files:
            full = os.path.join(directory, name)
            os.chown(full, person.uid, person.gid, follow_symlinks=False)


@pytest.fixture
def place(work):
    """place(person) makes an empty directory of theirs to mount on."""
    count = 0

    def build(person, name=None):
        nonlocal count
        count += 1
        directory = work / (name or f"mnt{count}")
        directory.mkdir()
        if os.geteuid() == 0:
            os.chown(directory, person.uid, person.gid)
        return directory

    return build


@pytest.fixture
def mount(bed, fuse, place):
    """mount(sources, options, person): see tests/mount.py."""

    def start(sources, options="", person=ROOT, path=None, **kwargs):
        program = kwargs.pop("program", bed.bin / "hashedfs")
        path = path or place(person)
        return mounting.mount(program, sources, path, person, options, **kwargs)

    return start


@pytest.fixture
def manifest(bed):
    """manifest(person, *args) runs hashedfs-manifest; its CompletedProcess."""

    def run(person, *args, check=True, **kwargs):
        kwargs.setdefault("text", False)
        program = str(bed.bin / "hashedfs-manifest")
        return person.run(program, *map(str, args), check=check, **kwargs)

    return run


@pytest.fixture(params=["mount", "source"])
def ask(request, manifest, anyone):
    """ask(verb, tree, options, *args) asks a mount of the tree, or the tree: the
    exit code, stdout, stderr."""

    def run(verb, tree, options="", *args):
        if request.param == "source":
            view = ["-o", options] if options else []
            return answer(verb, *args, "--source", *view, tree)
        mount = request.getfixturevalue("mount")
        with mount(tree, options, person=anyone) as m:
            return answer(verb, *args, m.path)

    def answer(*args):
        done = manifest(anyone, *args, check=False)
        out = done.stdout.decode("utf-8", "surrogateescape")
        return done.returncode, out, done.stderr.decode()

    return run


@pytest.fixture(scope="session")
def compiled(bed):
    """compiled(name): a program, or name.so a library, of tests/escape."""

    def build(name):
        out = bed.top / name
        source = TOP / f"tests/escape/{name.removesuffix('.so')}.c"
        shared = ["-shared", "-fPIC"] if name.endswith(".so") else []
        if not out.exists():
            flags = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
            subprocess.run(["cc", *flags, *shared, "-o", out, source], check=True)
        return out

    return build


# --- real trees -------------------------------------------------------------


@pytest.fixture(scope="session")
def inputs(bed):
    """inputs(name): a real tree, copied to where everybody can read it."""

    def find(name):
        copy = bed.top / "inputs" / name
        if not copy.exists():
            if not (INPUTS / name).is_dir():
                not_run(f"build/inputs/{name} could not be fetched")
            copy.parent.mkdir(exist_ok=True)
            shutil.copytree(INPUTS / name, copy, symlinks=True)
        return copy

    return find


@pytest.fixture(params=TREES)
def real_tree(request, inputs):
    return inputs(request.param)
