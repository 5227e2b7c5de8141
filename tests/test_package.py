"""The Debian package: built twice alike, hardened, clean for lintian; and what
it does to a system that has nothing else."""

import contextlib
import os
import re
import shutil
import subprocess

import design
import pytest
from conftest import TOP, not_run
from mount import apart
from person import ROOT, SYSTEM_PATH

NEEDED = "dpkg-buildpackage", "dh", "lintian", "readelf"
# What makes a build differ from the next one: where, when, who, and where in
# the world. The clock moves on by itself, so the stamps of the sources do too.
SURROUNDINGS = (
    {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
    {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "HOME": "/nonexistent"},
)


@pytest.mark.timeout(900)
def test_the_package(as_root, bed, work, request):
    """One test, so that the package is built by one process of those that
    test side by side."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        not_run(f"no {missing[0]}")
    with minimal_system(work) as minimal:
        builds = two_builds(work)
        two_builds_are_equal(builds)
        lintian_finds_nothing(builds)
        unpacked = work / "unpacked"
        subprocess.run(["dpkg-deb", "-x", _deb(builds[0]), unpacked], check=True)
        programs_are_hardened(unpacked)
        the_package_holds(unpacked)
        request.getfixturevalue("fuse")
        a_system_is_left_as_it_was(minimal(), _deb(builds[0]))


def two_builds(work):
    """Directories with what two builds made, of sources as a clone has them."""
    places = [work / "package", work / "elsewhere/and/deeper/package"]
    umask = os.umask(0o022)
    try:
        for place, surroundings in zip(places, SURROUNDINGS, strict=True):
            _build(place, surroundings)
            os.umask(0o077)
    finally:
        os.umask(umask)
    return places


def _build(place, surroundings):
    source = place / "source"
    skipped = shutil.ignore_patterns("build", ".git", "__pycache__", ".pytest_cache")
    shutil.copytree(TOP, source, ignore=skipped, copy_function=shutil.copy)
    env = {
        "PATH": SYSTEM_PATH,
        "HOME": str(place),
        # The unit tests ran before, and on more than this build of them.
        "DEB_BUILD_OPTIONS": f"nocheck parallel={os.cpu_count()}",
        **surroundings,
    }
    with open(place / "log", "wb") as log:
        done = subprocess.run(
            ["dpkg-buildpackage", "--build=full", "-us", "-uc"],
            cwd=source,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=280,
        )
    text = (place / "log").read_text(errors="replace")
    assert done.returncode == 0, text[-3000:]
    assert not re.search(r"\.[ch]:\d+:\d+: warning: ", text), text


def _deb(place):
    [deb] = place.glob("hashedfs_*.deb")
    return deb


def two_builds_are_equal(builds):
    first, second = ({p.name: p for p in place.glob("*.deb")} for place in builds)
    assert len(first) == 2 and first.keys() == second.keys()
    for name in first:
        assert first[name].read_bytes() == second[name].read_bytes(), name


def lintian_finds_nothing(builds):
    [changes] = builds[0].glob("*.changes")
    argv = ["lintian", "-EvIL", "+pedantic", "--show-overrides", str(changes)]
    if os.geteuid() == 0:
        argv.append("--allow-root")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=200)
    found = [line for line in done.stdout.splitlines() if re.match(r"[EWIPX]: ", line)]
    assert (done.returncode, found) == (0, []), done.stderr
    # It did look: the one exception is there.
    assert "non-standard-dir-perm 0700" in done.stdout


def programs_are_hardened(unpacked):
    for program in sorted((unpacked / "usr/bin").iterdir()):
        text = subprocess.run(
            ["readelf", "-hdlW", "--dyn-syms", program],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert "DYN (Position-Independent Executable file)" in text, program
        assert "GNU_RELRO" in text and "BIND_NOW" in text, program
        assert "__stack_chk_fail" in text, program
        assert re.search(r"__\w+_chk@", text), program
        [stack] = re.findall(r"GNU_STACK .*", text)
        assert "RWE" not in stack, program


def the_package_holds(unpacked):
    cache = unpacked / "var/cache/hashedfs"
    assert cache.stat().st_mode & 0o7777 == 0o700
    programs = {path.name for path in (unpacked / "usr/bin").iterdir()}
    assert programs == set(design.PROGRAMS)
    for program in programs:
        assert (unpacked / f"usr/share/man/man1/{program}.1.gz").exists(), program
    version = (TOP / "debian/changelog").read_text().split()[1].strip("()")
    shown = subprocess.run(
        [unpacked / "usr/bin/hashedfs", "--version"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert shown.startswith(f"hashedfs {version.replace('~', '-')}\n")
    changes = (TOP / "CHANGELOG.md").read_text()
    assert changes.partition("## ")[2].split()[0] == version.replace("~", "-")


def test_copyright_is_that_of_the_project():
    def words(text):
        return re.sub(r"^ \.$", "", text, flags=re.M).split()

    licence = (TOP / "LICENSE").read_text().replace("Copyright (c)", "Copyright:")
    told = words((TOP / "debian/copyright").read_text())
    _, years, text = licence.split("\n\n", 2)
    for part in years, text:
        assert " ".join(words(part)) in " ".join(told)


# --- a system with nothing else ---------------------------------------------------

# In a private mount namespace; $1 is the root, $2 what is run in it.
IN_ROOT = """
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
: >>"$1/dev/fuse"
mount --bind /dev/fuse "$1/dev/fuse"
: >>"$1/etc/resolv.conf"
mount --bind /etc/resolv.conf "$1/etc/resolv.conf"
cp "$3" "$1/tmp/hashedfs.deb"
cp "$4" "$1/tmp/mount"
exec env -i PATH="$PATH" DEBIAN_FRONTEND=noninteractive chroot "$1" sh -exc "$2"
"""
INSTALL = "apt-get install -y /tmp/hashedfs.deb"
REMOVE = "apt-get remove -y hashedfs"
PURGE = "apt-get purge -y --autoremove hashedfs"
# What apt and dpkg write about themselves, whatever is installed, and what is
# gone with the next start.
THEIRS = re.compile(
    r"var/(lib/(apt|dpkg)|cache/(apt|debconf|ldconfig)|log)/|etc/ld\.so\.cache$|run/"
)


@contextlib.contextmanager
def minimal_system(work):
    """A Debian with nothing but what is essential, and rsync: the function
    waits until it is there, and returns where."""
    root = work / "minimal"
    if not shutil.which("mmdebstrap"):
        yield lambda: not_run("no mmdebstrap")
        return
    release = (line.rstrip().split("=", 1) for line in open("/etc/os-release"))
    [name] = [words[1] for words in release if words[0] == "VERSION_CODENAME"]
    argv = ["mmdebstrap", "--variant=minbase", "--include=rsync"]
    # What is thrown away needs no fsync.
    argv += ["--dpkgopt=force-unsafe-io", "--skip=cleanup/apt", "--format=directory"]
    with open(work / "minimal.log", "wb") as log:
        child = ROOT.popen(*argv, name.strip('"'), str(root), stdout=log, stderr=log)

    def wait():
        status = child.wait(300)
        told = (work / "minimal.log").read_text(errors="replace")
        if "Could not resolve" in told or "Unable to connect" in told:
            not_run("no network for packages")
        assert status == 0, told[-3000:]
        return root

    try:
        yield wait
    finally:
        child.terminate()
        child.wait()


def _files(root):
    found = set()
    for directory, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.relpath(os.path.join(directory, name), root)
            if not THEIRS.match(path):
                found.add(path)
    return found


def a_system_is_left_as_it_was(root, deb):
    def run(script):
        inside = apart("--pid", "--fork")
        files = str(root), script, str(deb), str(TOP / "debian/tests/mount")
        ROOT.run(*inside, "sh", "-ec", IN_ROOT, "sh", *files, timeout=200)

    cache = root / "var/cache/hashedfs"
    run("true")
    before = _files(root)
    run(INSTALL)
    assert cache.stat().st_mode & 0o7777 == 0o700
    # The package of fusermount3 came along.
    assert {"usr/bin/hashedfs", "usr/bin/fusermount3"} <= _files(root) - before
    run("sh -x /tmp/mount")
    assert list(cache.iterdir())
    run(REMOVE)
    assert list(cache.iterdir()), "the cache goes with purge, not before"
    run(PURGE)
    assert _files(root) == before
