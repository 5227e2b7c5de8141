"""Exports of a person into a directory of theirs, and how to look at them."""

import contextlib
import os
import re
import shutil
import stat
import subprocess

import mount as mounting
import oracle
import pytest
from conftest import give, not_run
from mount import read_tree
from person import ROOT, eventually

TREE = {
    "css/app.css": b'a{background:url("../img/x.png")}',
    "css/deep/er.css": b'@import "../app.css";',
    "img/x.png": b"x" * 1000,
    "img/large.bin": b"large" * 300_000,
    "js/app-0123.js": b"let app",
    "hello.txt": b"keep me",
    "empty.txt": b"",
    "LICENSE": b"free",
}
DRAFT = ".hashedfs-export."
# Ways to write a manifest.
FORMATS = [
    ["--integrity", "sha256"],
    ["--format", "importmap", "--integrity", "sha512"],
    ["--format", "urls"],
    ["--format", "sri"],
    ["--format", "flat", "--url-prefix", "/u/", "--key-prefix", "k/"],
]


class Exporter:
    """Runs hashedfs-export for a person, into directories of theirs."""

    def __init__(self, bed, work, person):
        self.program = str(bed.bin / "hashedfs-export")
        self.person = person
        self.top = work / "exports"
        self.top.mkdir()
        give(self.top, person)
        self.dir = self.top / "out"
        self.started = []

    def __call__(self, *args, check=True, **kwargs):
        return self.person.run(self.program, *map(str, args), check=check, **kwargs)

    def start(self, *args, **kwargs):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        argv = self.program, *map(str, args)
        self.started.append(self.person.popen(*argv, text=True, **pipes, **kwargs))
        return self.started[-1]

    def stop(self):
        for process in self.started:
            process.kill()
            process.communicate()

    def fails(self, code, *args):
        """It must end with that code, one sentence and no manifest."""
        done = self(*args, check=False)
        assert done.returncode == code, (done.returncode, done.stderr)
        assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
        return done.stderr


@pytest.fixture
def export(bed, work, as_user):
    exporter = Exporter(bed, work, as_user)
    yield exporter
    exporter.stop()


@pytest.fixture
def export_once(bed, work, anyone):
    exporter = Exporter(bed, work, anyone)
    yield exporter
    exporter.stop()


@pytest.fixture
def src(make, as_user):
    return make(TREE, owner=as_user)


def look(top, owners=True):
    """Everything that a copy must have: path -> type, mode, owner, time, size."""
    found = {}
    for directory, folders, files in os.walk(os.fsencode(str(top))):
        for name in [b".", *folders, *files]:
            full = os.path.join(directory, name)
            st = os.lstat(full)
            size = st.st_size if stat.S_ISREG(st.st_mode) else 0
            owner = (st.st_uid, st.st_gid) if owners else None
            path = os.path.relpath(full, os.fsencode(str(top)))
            found[path] = (st.st_mode, owner, st.st_mtime_ns, size)
    return found


def stamps(top):
    """What any change of anything leaves a mark in."""
    found = {}
    for directory, folders, files in os.walk(top):
        for name in [".", *folders, *files]:
            st = os.lstat(os.path.join(directory, name))
            found[os.path.join(directory, name)] = (st.st_ino, st.st_ctime_ns)
    return found


def drafts(top):
    return [name for name in mounting.list_tree(top) if DRAFT in name]


# --- whether it is right ---------------------------------------------------------------


def all_fit(top):
    """The number of files with a hashed name, which is that of their bytes."""
    n = 0
    for name, data in read_tree(top).items():
        found = re.search(r"\.([0-9a-f]{12})(\.[^./]*)?$", name)
        assert found and found[1] == oracle.md5(data), name
        n += 1
    return n


def all_fit_of(top, tree):
    """How many files hold the bytes of their names, whatever those look like."""
    return sum(
        any(oracle.md5(data) in part for part in os.path.basename(name).split("."))
        for name, data in read_tree(top).items()
    )


# --- places and moments -----------------------------------------------------------------


def traced():
    """Leaks cannot be looked for under strace."""
    if not shutil.which("strace"):
        not_run("no strace")
    return {"ASAN_OPTIONS": os.environ["ASAN_OPTIONS"] + ":detect_leaks=0"}


def change_after_the_names(export, src, change):
    """Exports, changes a source when all is named and nothing is written yet,
    and returns what was said."""
    env = traced()
    # The directory is made when all is named.
    delay = ["-e", "trace=mkdir", "-e", "inject=mkdir:delay_exit=1500000"]
    program = [export.program, "-o", "cache=none", str(src), str(export.dir)]
    running = ROOT.popen(
        "strace", "-f", "-o", "/dev/null", *delay, *program,
        env=env, stderr=subprocess.PIPE, text=True,
    )
    assert eventually(export.dir.exists, 60)
    change()
    told = running.communicate(timeout=60)[1]
    assert running.returncode == 4, told
    return told


@contextlib.contextmanager
def small(work, *options):
    """A file system of its own."""
    point = work / "small"
    point.mkdir()
    ROOT.run("mount", *options, str(point))
    try:
        yield point
    finally:
        ROOT.run("umount", str(point))


@contextlib.contextmanager
def file_system(kind, work):
    """One on which files can share blocks."""
    if os.geteuid() != 0 or not shutil.which(f"mkfs.{kind}"):
        not_run(f"needs root and mkfs.{kind}")
    image = work / "image"
    with open(image, "wb") as file:
        file.truncate(400 << 20)
    ROOT.run(f"mkfs.{kind}", "-q", str(image))
    with small(work, "-o", "loop", str(image)) as point:
        yield point
