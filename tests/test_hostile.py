"""Hostile writers: whatever they do, what is read under a hashed name fits it.

tests/hostile changes files in every way there is while readers believe names
alone. There must be no wrong byte and no short answer, no error after a file of
up to 1 MiB was opened, and no file left out of a listing. A minute in all; an
hour with HASHEDFS_LONG=1 (make test-long). That the harness can tell is seen on
a build that trusts stat, and on one that pushes what it reads a second time.
"""

import collections
import contextlib
import os
import shutil
import subprocess
import time

import pytest
from conftest import BIN_DIR, TOP, not_run
from person import ROOT

LONG = os.environ.get("HASHEDFS_LONG") == "1"
WRITERS = 2
READERS = 2
IMAGE_BYTES = 400 << 20
# Seconds, and the same in the long run.
SECONDS = {
    "ext4": (12, 900),
    "tmpfs": (12, 900),
    "overlay": (12, 900),
    "xfs": (6, 300),
    "btrfs": (6, 300),
    "user": (6, 300),
}
# The inode tells the digest where the name does not.
OPTIONS = "xattr,prehashed=*-own.bin"
# Nothing takes that long, be the machine ever so busy.
PATIENCE = 120
COLUMNS = "opens good MB held refused late wrong short failed missing".split()
READS = "read pread mmap direct sendfile splice".split()
WRITES = "inplace mmap setback truncate same huge rename link punch grow copy".split()


@pytest.fixture(scope="module")
def table(request):
    """table(name, counts) adds a row; all are printed at the end."""
    rows = []
    yield lambda name, counts: rows.append((name, _figures(counts)))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "".join(f"{word:>10}" for word in ["hostile", *COLUMNS]))
        for name, row in rows:
            print(f"{name:>10}" + "".join(f"{row[word]:>10}" for word in COLUMNS))


def _figures(counts):
    figures = {word: counts[word] for word in COLUMNS}
    figures["MB"] = counts["bytes"] // 1_000_000
    figures["held"] = _sum(counts, "held.")
    figures["refused"] = _sum(counts, "open.")
    return figures


def _sum(counts, prefix):
    return sum(n for what, n in counts.items() if what.startswith(prefix))


# --- places -------------------------------------------------------------------


@contextlib.contextmanager
def mounted(kind, what, point, *options):
    point.mkdir()
    ROOT.run("mount", "-t", kind, *options, str(what), str(point))
    try:
        yield point
    finally:
        # Writers and the mount are gone; writing back may take its time.
        ROOT.run("umount", str(point))


def image(kind, work):
    made = work / f"{kind}.img"
    with open(made, "wb") as file:
        file.truncate(IMAGE_BYTES)
    ROOT.run(f"mkfs.{kind}", "-q", str(made))
    return mounted(kind, made, work / kind, "-o", "loop")


@contextlib.contextmanager
def overlay(work, fill):
    """Files that lie below until somebody writes to them."""
    with image("ext4", work) as below:
        parts = {name: below / name for name in ("lower", "upper", "work")}
        for part in parts.values():
            part.mkdir()
        fill(parts["lower"])
        options = ",".join(f"{name}dir={part}" for name, part in parts.items())
        with mounted("overlay", "none", work / "overlay", "-o", options) as top:
            yield top


@contextlib.contextmanager
def place_of(kind, work, fill):
    """A directory with the files of the harness on a file system of that kind."""
    if kind == "overlay":
        with overlay(work, fill) as top:
            yield top
        return
    if kind == "tmpfs":
        made = mounted("tmpfs", "none", work / "tmpfs", "-o", f"size={IMAGE_BYTES}")
    else:
        made = image(kind, work)
    with made as top:
        fill(top / "src")
        yield top / "src"


def known_to_kernel(kind):
    """Can the kernel mount it? It may have to load it first."""
    if shutil.which("modprobe"):
        ROOT.run("modprobe", "-q", kind, check=False)
    with open("/proc/filesystems", encoding="ascii") as file:
        return kind in file.read().split()


# --- the run ------------------------------------------------------------------


class Harness:
    def __init__(self, program, person):
        self.program = str(program)
        self.person = person

    def fill(self, top):
        top.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            os.chown(top, self.person.uid, self.person.gid)
        self.person.run(self.program, "make", str(top), "0", "1", "all")

    def run(self, source, view, seconds, writes="all"):
        """Writers and readers side by side; what they counted, and what they
        complained of."""
        drop = "drop" if self.person is ROOT else "read"
        seeds = [int.from_bytes(os.urandom(4)) for _ in range(WRITERS + READERS)]
        jobs = [("write", source, writes)] * WRITERS
        jobs += [(drop, view)] + [("read", view)] * (READERS - 1)
        with contextlib.ExitStack() as running:
            started = [
                running.enter_context(self._start(*job, seconds=seconds, seed=seed))
                for job, seed in zip(jobs, seeds, strict=True)
            ]
            return self._collect(started, time.monotonic() + seconds + 60)

    @contextlib.contextmanager
    def _start(self, verb, top, *more, seconds, seed):
        process = self.person.popen(
            self.program,
            verb,
            str(top),
            str(seconds),
            str(seed),
            *more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _collect(self, started, deadline):
        counts = collections.Counter()
        complaints = []
        for process in started:
            out, err = process.communicate(timeout=max(1, deadline - time.monotonic()))
            assert process.returncode == 0, err
            for line in out.splitlines():
                what, number = line.split()
                counts[what] += int(number)
            complaints += err.splitlines()
        return counts, complaints


@pytest.fixture
def harness(bed, fuse):
    """harness(person): the writers and readers of this build."""

    def build(person):
        program = bed.bin / "hostile"
        shutil.copy(TOP / BIN_DIR / "hostile", program)
        return Harness(program, person)

    return build


def seconds_for(kind):
    return SECONDS[kind][LONG]


def idle(counts):
    """What never happened."""
    words = [f"read.{way}" for way in READS] + [f"write.{way}" for way in WRITES]
    words += ["held.mmap", "held.handle"]
    return [word for word in words if not counts[word]]


def judge(counts, complaints):
    told = "\n".join(complaints[:20])
    for what in ("wrong", "short", "failed", "missing"):
        assert counts[what] == 0, f"{counts[what]} {what}\n{told}"
    assert not complaints, told
    assert counts["write.failed"] == 0, dict(counts)
    assert _sum(counts, "listing.") == 0, dict(counts)


def run_on(source, harness, mount, person, kind, table):
    """For the time it has; on a busy machine until everything was tried."""
    counts = collections.Counter()
    complaints = []
    deadline = time.monotonic() + PATIENCE
    with mount(source, OPTIONS, person) as view:
        while not counts or (idle(counts) and time.monotonic() < deadline):
            more = harness.run(source, view, seconds_for(kind))
            counts += more[0]
            complaints += more[1]
    table(kind, counts)
    judge(counts, complaints)
    assert not idle(counts), dict(counts)
    assert counts["drops"] or person is not ROOT


@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["ext4", "tmpfs", "overlay", "xfs", "btrfs"])
def test_no_wrong_byte(kind, harness, mount, work, as_root, table):
    if not known_to_kernel(kind):
        if kind in ("xfs", "btrfs"):
            pytest.skip(f"this kernel does not know {kind}")
        not_run(f"this kernel does not know {kind}")
    made = harness(as_root)
    with place_of(kind, work, made.fill) as source:
        run_on(source, made, mount, as_root, kind, table)


@pytest.mark.timeout(0)
def test_no_wrong_byte_for_a_user(harness, mount, work, bed, table):
    made = harness(bed.user)
    source = work / "src"
    made.fill(source)
    run_on(source, made, mount, bed.user, "user", table)


# Stores into a page that is dirty already move no stamp.
@pytest.mark.parametrize(("build", "writes"), [("trusting", "mmap"), ("rereading", "all")])
def test_a_bad_mount_is_found_out(
    harness, mount, bed, anyone, work, table, build, writes
):
    """Without this nobody knows what the zeros above are worth."""
    bad = bed.install(BIN_DIR / build, bed.top / build)
    made = harness(anyone)
    source = work / "src"
    made.fill(source)
    counts = collections.Counter()
    deadline = time.monotonic() + PATIENCE
    with mount(source, OPTIONS, anyone, program=bad / "hashedfs") as view:
        while not counts["wrong"] and time.monotonic() < deadline:
            more, _ = made.run(source, view, 5, writes)
            counts += more
    table(build, counts)
    assert counts["wrong"] > 0, dict(counts)
