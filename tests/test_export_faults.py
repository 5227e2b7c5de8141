"""hashedfs-export beside others, on full disks, and killed: what has a name is whole."""

import collections
import fcntl
import json
import mmap
import os
import random
import re
import shutil
import signal
import subprocess
import time

import mount as mounting
import oracle
import pytest
from conftest import BIN_DIR, give, not_run
from exporter import (
    DRAFT,
    TREE,
    Exporter,
    all_fit,
    all_fit_of,
    change_after_the_names,
    drafts,
    export,
    export_once,
    file_system,
    look,
    small,
    src,
    traced,
)
from mount import read_tree
from person import ROOT, eventually
from restless import met_no_peace

__all__ = ["export", "export_once", "src"]  # fixtures


# --- two at once --------------------------------------------------------------------------


def test_a_second_one_is_refused(src, export):
    export.dir.mkdir()
    give(export.dir, export.person)
    fd = os.open(export.dir, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert "another hashedfs-export" in export.fails(3, src, export.dir)
    assert os.listdir(export.dir) == []
    os.close(fd)
    export(src, export.dir)


def test_many_at_once(inputs, export):
    tree = inputs("django-admin")
    started = [export.start(tree, export.dir) for _ in range(4)]
    codes = [(p.communicate(timeout=60), p.returncode)[1] for p in started]
    assert 0 in codes and set(codes) <= {0, 3}
    once = export.top / "once"
    export(tree, once)
    assert look(export.dir) == look(once) and read_tree(export.dir) == read_tree(once)


# --- sources that cannot be had -------------------------------------------------------


def test_what_cannot_be_read(src, export, manifest, as_user):
    written = export.top / "staticfiles.json"
    (src / "dead.txt").symlink_to("nowhere")
    args = ("--manifest", written, src, export.dir)
    done = export(*args, check=False)
    assert done.returncode == 4 and "dead.txt: " in done.stderr
    assert "nothing was written" in done.stderr
    assert not export.dir.exists() and not written.exists()
    done = export("--partial", *args)
    assert "dead.txt is left out" in done.stderr
    assert len(mounting.list_tree(export.dir)) == len(TREE)
    assert "dead.txt" not in json.loads(written.read_bytes())["paths"]


def test_a_tree_that_never_holds_still(make, export_once):
    export = export_once
    done = met_no_peace(
        make, export.person, lambda src: export(src, export.dir, check=False)
    )
    assert done.returncode == 4, done.stderr
    assert not export.dir.exists() or not drafts(export.dir)


@pytest.fixture(params=["copied", pytest.param("cloned", marks=pytest.mark.root)])
def battlefield(request, work):
    """Where sources and export lie; large files are copied there, or cloned."""
    if request.param == "copied":
        yield work
        return
    with file_system("xfs", work) as point:
        yield point


SIZES = [10, 5_000, 200_000, 1_500_000]
VICTIMS = {f"f{i}.bin": SIZES[i % 4] for i in range(40)}


def annoy(src, seed):
    """Changes a file now and then, by ways that leave little trace: there are
    moments in which all can be named, and few in which all can be written."""
    rng = random.Random(seed)
    while True:
        time.sleep(rng.uniform(0, 0.1))
        path = os.path.join(src, rng.choice(list(VICTIMS)))
        st = os.stat(path)
        where, data = rng.randrange(st.st_size), rng.randbytes(1)
        with open(path, "r+b") as file:
            if rng.random() < 0.5:
                os.pwrite(file.fileno(), data, where)
            else:
                with mmap.mmap(file.fileno(), 0) as mapped:
                    mapped[where : where + 1] = data
        if rng.random() < 0.5:
            os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def test_writers_meanwhile(bed, battlefield, anyone):
    """Whatever is done to the sources meanwhile, no wrong byte gets a name."""
    export = Exporter(bed, battlefield, anyone)
    src = battlefield / "victims"
    src.mkdir()
    for name, size in VICTIMS.items():
        (src / name).write_bytes(os.urandom(size))
    give(src, anyone)
    writers = [anyone.start(annoy, str(src), seed) for seed in range(2)]
    told = collections.Counter()
    deadline = time.monotonic() + 60
    try:
        while told["changed"] < 4 and time.monotonic() < deadline:
            shutil.rmtree(export.dir, ignore_errors=True)
            done = export("-o", "cache=none", src, export.dir, check=False)
            assert done.returncode in (0, 4), done.stderr
            told["changed"] += "changed while it was exported" in done.stderr
            if export.dir.exists():
                all_fit(export.dir)
    finally:
        for writer in writers:
            writer.kill()
    assert told["changed"]
    # At peace it is done, over what the others left.
    export(src, export.dir)
    assert all_fit(export.dir) >= len(VICTIMS)


def test_a_change_after_the_names(make, export_once, as_root):
    """Frozen: a file that is not what was named ends it, and is not written."""
    export, changed = export_once, b"changed"
    src = make({f"f{i:03}.txt": b"%d" % i for i in range(300)})
    told = change_after_the_names(
        export, src, lambda: (src / "f200.txt").write_bytes(changed)
    )
    assert "f200.txt changed" in told
    assert all_fit(export.dir) <= 299
    export(src, export.dir)
    assert all_fit(export.dir) == 300


# --- killed, and full --------------------------------------------------------------------


@pytest.mark.parametrize("replacing", [False, True])
def test_killed_at_any_moment(inputs, export, replacing):
    """kill -9, and then again: the same as in one go."""
    tree = inputs("djangorestframework")
    once = export.top / "once"
    started = time.monotonic()
    export("-o", "cache=none", tree, once)
    seconds = time.monotonic() - started
    want, files = look(once), read_tree(once)
    rng = random.Random(5)
    early = 0
    for _ in range(20):
        shutil.rmtree(export.dir, ignore_errors=True)
        if replacing:
            shutil.copytree(once, export.dir)
            for name in files:
                (export.dir / name).write_bytes(b"wrong")
            give(export.dir, export.person)
        running = export.start("-o", "cache=none", tree, export.dir)
        time.sleep(rng.uniform(0.1, 1.0) * seconds)
        running.kill()
        running.communicate()
        early += running.returncode != 0 and export.dir.exists()
        if export.dir.exists() and not replacing:
            for name, data in read_tree(export.dir).items():
                assert DRAFT in name or data == files[name], name
        export("-o", "cache=none", tree, export.dir)
        assert look(export.dir) == want and read_tree(export.dir) == files
        if early == 5:
            break
    assert early > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(inputs, export, number):
    tree = inputs("three")
    running = export.start("-o", "cache=none", tree, export.dir)
    assert eventually(export.dir.exists, 60)
    running.send_signal(number)
    running.communicate(timeout=20)
    assert running.returncode in (-number, 0)
    assert drafts(export.dir) == []


def test_drafts_that_were_left(src, export, as_user):
    (export.dir / "css").mkdir(parents=True)
    left = export.dir / f"css/{DRAFT}0123456789abcdef"
    held = export.dir / f"css/{DRAFT}0123456789abcdee"
    other = export.dir / f"css/{DRAFT}notes"
    for path in (left, held, other):
        path.write_bytes(b"half")
    give(export.dir, as_user)
    with open(held, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        export(src, export.dir)
        assert (left.exists(), held.exists(), other.exists()) == (False, True, True)
    export(src, export.dir)
    assert (held.exists(), other.exists()) == (False, True)


def test_a_full_disk(src, export, as_user, as_root):
    written = export.top / "staticfiles.json"
    size = ("-t", "tmpfs", "-o", "size=1m,mode=777", "none")
    with small(export.top, *size) as point:
        told = export.fails(3, "--manifest", written, src, point / "out")
        assert "No space left" in told and "make room there" in told
        assert not written.exists()
        whole = {name for name, data in read_tree(point / "out").items()}
        assert all_fit_of(point / "out", TREE) == len(whole)
        ROOT.run("mount", "-o", "remount,size=8m", str(point))
        export("--manifest", written, src, point / "out")
        assert len(mounting.list_tree(point / "out")) == len(TREE)
    assert written.exists()


# --- file systems --------------------------------------------------------------------------


@pytest.fixture(params=["xfs", "btrfs"])
def cloning(request, as_root, work):
    with file_system(request.param, work) as point:
        yield point


def test_clones(make, cloning, bed, mount):
    """Large files share their blocks with their sources."""
    src = cloning / "src"
    shutil.copytree(make(TREE), src)
    export = Exporter(bed, cloning, ROOT)
    done = export("-v", src, export.dir)
    assert ", 1 cloned," in done.stderr
    os.sync()
    name = oracle.hashed("img/large.bin", TREE["img/large.bin"])
    shared = ROOT.run("filefrag", "-v", str(export.dir / name)).stdout
    assert "shared" in shared
    with mount(src, "frozen") as m:
        assert look(export.dir) == m.call(look, m.path)
        assert read_tree(export.dir) == m.files()


def test_clones_are_verified(cloning, bed):
    """What was cloned may be what nobody hashed."""
    src = cloning / "src"
    src.mkdir()
    (src / "large.bin").write_bytes(b"large" * 300_000)

    def change():
        with open(src / "large.bin", "r+b") as file:
            file.write(b"LARGE")

    export = Exporter(bed, cloning, ROOT)
    assert "large.bin changed" in change_after_the_names(export, src, change)
    assert read_tree(export.dir) == {}


def test_on_the_disk_before_the_manifest(src, export, as_root):
    env = traced()
    log = export.top / "strace"
    trace = ["strace", "-f", "-o", str(log), "-e", "trace=linkat,fchmod,syncfs,renameat"]
    written = export.top / "staticfiles.json"
    args = ["-o", "cache=none", "--manifest", str(written), str(src), str(export.dir)]
    ROOT.run(*trace, export.program, *args, env=env)
    calls = re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.M)
    last = calls.index("syncfs")
    assert calls[:last].count("linkat") == len(TREE)
    # Directories are open to others by then.
    n_dirs = len(list(os.walk(export.dir)))
    assert calls[:last].count("fchmod") == len(TREE) + n_dirs
    assert calls[last:] == ["syncfs", "renameat"]


@pytest.fixture
def without_tmpfile(bed, work):
    """An environment in which no file system has files without names."""
    if BIN_DIR.name.startswith("san-"):
        not_run("a sanitizer's library has to be the first one")
    library = work / "no-tmpfile.so"
    code = r"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    int openat64(int dir, const char *path, int flags, ...)
    {
        int (*next)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat64");
        unsigned mode = 0;
        va_list args;
        if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; }
        va_start(args, flags);
        if (flags & O_CREAT)
            mode = va_arg(args, unsigned);
        va_end(args);
        return next(dir, path, flags, mode);
    }
    """
    flags = ["-shared", "-fPIC", "-Wall", "-Werror", "-x", "c", "-", "-o", str(library)]
    subprocess.run(["cc", *flags], input=code, text=True, check=True)
    return {"LD_PRELOAD": str(library)}


def test_without_files_that_have_no_name(src, export, without_tmpfile):
    plain = export.top / "plain"
    export(src, plain)
    export(src, export.dir, env=without_tmpfile)
    assert look(export.dir) == look(plain) and read_tree(export.dir) == read_tree(plain)


def test_killed_without_them(inputs, export_once, without_tmpfile):
    """Then a draft has a name, which the next run knows."""
    export = export_once
    tree = inputs("three")
    export(tree, export.dir)
    want, files = look(export.dir), read_tree(export.dir)
    left = 0
    for _ in range(20):
        shutil.rmtree(export.dir)
        running = export.start(
            "-o", "cache=none", tree, export.dir, env=without_tmpfile
        )
        eventually(lambda: drafts(export.dir) or running.poll() is not None, 60, 0.001)
        running.kill()
        running.communicate()
        left += len(drafts(export.dir)) > 0
        if left == 3:
            break
    assert left > 0
    export(tree, export.dir)
    assert drafts(export.dir) == []
    assert look(export.dir) == want and read_tree(export.dir) == files
