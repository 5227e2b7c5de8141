"""The Debian package: built twice alike, hardened, clean for lintian; and what
it does to a system that has nothing else."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from conftest import TOP, not_run
from person import ROOT, SYSTEM_PATH

NEEDED = "dpkg-buildpackage", "dh", "lintian", "readelf"
# What makes a build differ from the next one: where, when, who, and where in
# the world. The clock moves on by itself, so the stamps of the sources do too.
SURROUNDINGS = (
    {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
    {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "HOME": "/nonexistent"},
)


@pytest.fixture(scope="module")
def builds(bed):
    """Directories with what two builds made, of sources as a clone has them."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        not_run(f"no {missing[0]}")
    places = [bed.top / "package", bed.top / "elsewhere/and/deeper/package"]
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
    assert not re.search(r"\bwarning: ", text.replace("dpkg-source: warning", "")), text


def _deb(place):
    [deb] = place.glob("hashedfs_*.deb")
    return deb


def test_two_builds_are_equal(builds):
    first, second = ({p.name: p for p in place.glob("*.deb")} for place in builds)
    assert len(first) == 2 and first.keys() == second.keys()
    for name in first:
        assert first[name].read_bytes() == second[name].read_bytes(), name


def test_lintian_finds_nothing(builds):
    [changes] = builds[0].glob("*.changes")
    argv = ["lintian", "-EvIL", "+pedantic", "--show-overrides", str(changes)]
    if os.geteuid() == 0:
        argv.append("--allow-root")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=200)
    found = [line for line in done.stdout.splitlines() if re.match(r"[EWIPX]: ", line)]
    assert (done.returncode, found) == (0, []), done.stderr
    # It did look: the one exception is there.
    assert "non-standard-dir-perm 0700" in done.stdout


@pytest.fixture(scope="module")
def unpacked(builds, bed):
    place = bed.top / "unpacked"
    subprocess.run(["dpkg-deb", "-x", _deb(builds[0]), place], check=True)
    return place


def test_programs_are_hardened(unpacked):
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


def test_what_the_package_holds(unpacked):
    cache = unpacked / "var/cache/hashedfs"
    assert cache.stat().st_mode & 0o7777 == 0o700
    programs = {path.name for path in (unpacked / "usr/bin").iterdir()}
    assert programs >= {"hashedfs", "hashedfs-manifest", "hashedfs-run"}
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


@pytest.fixture(scope="module")
def minimal(bed):
    """A Debian with nothing but what is essential, and rsync."""
    if os.geteuid() != 0:
        not_run("needs root")
    if not shutil.which("mmdebstrap"):
        not_run("no mmdebstrap")
    release = dict(
        line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line
    )
    root = pathlib.Path(tempfile.mkdtemp(dir=bed.top, prefix="minimal-"))
    done = ROOT.run(
        "mmdebstrap",
        "--variant=minbase",
        "--include=rsync",
        "--format=directory",
        "--skip=cleanup/apt",
        # It is thrown away.
        "--dpkgopt=force-unsafe-io",
        release["VERSION_CODENAME"].strip('"'),
        str(root),
        check=False,
        timeout=280,
    )
    if "E: apt-get update" in done.stderr or "Could not resolve" in done.stderr:
        not_run("no network for packages")
    assert done.returncode == 0, done.stderr[-3000:]
    yield root
    subprocess.run(["rm", "-rf", root], check=True)


def _files(root):
    found = set()
    for directory, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.relpath(os.path.join(directory, name), root)
            if not THEIRS.match(path):
                found.add(path)
    return found


@pytest.mark.timeout(600)
def test_a_minimal_system(minimal, builds, fuse):
    def run(script):
        unshare = ("unshare", "--mount", "--pid", "--fork", "--propagation", "private")
        deb, test = str(_deb(builds[0])), str(TOP / "debian/tests/mount")
        argv = [*unshare, "sh", "-ec", IN_ROOT, "sh", str(minimal), script, deb, test]
        return ROOT.run(*argv, timeout=200).stdout

    cache = minimal / "var/cache/hashedfs"
    run("true")
    before = _files(minimal)
    run(INSTALL)
    assert cache.stat().st_mode & 0o7777 == 0o700
    installed = _files(minimal) - before
    # The package of fusermount3 came along.
    assert {"usr/bin/hashedfs", "usr/bin/fusermount3"} <= installed
    run("sh -x /tmp/mount")
    assert list(cache.iterdir())
    run(REMOVE)
    assert list(cache.iterdir()), "the cache goes with purge, not before"
    run(PURGE)
    assert _files(minimal) == before
