"""Real Django beside hashedfs: the same tree for both, and what must be equal."""

import contextlib
import json
import os
import shutil
import subprocess

import mount as mounting
import oracle
import pytest
from conftest import TOP, not_run
from person import MARK

# -o refs= -> the Django that is meant. The last one rewrites imports, too.
PROFILES = {
    "django-4.2": "4.2",
    "django-5.2": "5.2",
    "django-6.0": "6.0",
    "django-6.1": "6.1",
    "django-6.1,js_modules": "6.1",
}


class Django:
    """Real Django in a process of its own: collectstatic, over and over."""

    def __init__(self, version):
        python = oracle.VENVS[version] / "bin/python"
        if not python.exists():
            not_run(f"no Django {version} here")
        self._process = subprocess.Popen(
            [python, "-B", TOP / "tests/django_server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        hello = self._read()
        self.version = hello["django"]
        self.python = hello["python"]
        assert self.version.startswith(f"{version}."), self.version

    def __str__(self):
        return f"Django {self.version} on Python {self.python}"

    def _read(self):
        line = self._process.stdout.readline()
        assert line, "Django ended without an answer"
        return json.loads(line)

    def ask(self, dirs, root, **request):
        request = {"dirs": dirs, "root": str(root), **request}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self, root):
        return Collected(root, **self._read())

    def collect(self, dirs, root, **request):
        """STATIC_ROOT as collectstatic leaves it; `root` is made anew."""
        remove(root)
        self.ask(dirs, root, **request)
        return self.answer(root)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(60) == 0


class Collected:
    """What collectstatic made."""

    def __init__(self, root, manifest, error, notes, plain):
        self.root = root
        self.manifest = manifest
        self.error = error
        self.notes = notes
        self.plain = plain
        self.document = json.loads(manifest) if manifest else None
        self.paths = self.document["paths"] if manifest else None

    def kinds(self):
        return {kind for _, kind, _ in self.notes}

    def read(self, name):
        with open(os.path.join(self.root, name), "rb") as file:
            return file.read()

    def files(self):
        """Hashed name -> bytes, of all that stand under one."""
        return {
            value: self.read(value)
            for name, value in self.paths.items()
            if name not in self.plain
        }


def remove(directory):
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def djangos():
    """djangos(version): one process for each, for all tests."""
    running = {}

    def start(version):
        if version not in running:
            running[version] = Django(version)
        return running[version]

    yield start
    for django in running.values():
        django.close()


# --- the same with hashedfs -------------------------------------------------


def sources(dirs):
    return ":".join(f"{prefix}={top}" if prefix else str(top) for prefix, top in dirs)


def options(profile, static_url="/static/"):
    escaped = static_url.replace("\\", "\\\\").replace(",", "\\,")
    return f"refs={profile},static_url={escaped}"


@contextlib.contextmanager
def fast_mount(bed, dirs, point, opts, person):
    """A mount as tests/mount.py makes it, without its questions at the end:
    for thousands of them."""
    program = str(bed.bin / "hashedfs")
    person.run(
        program, "-o", opts, sources(dirs), str(point), env={f"{MARK}_MOUNT": str(point)}
    )
    try:
        yield str(point)
    finally:
        assert mounting.unmount(point, person)


def our_manifest(bed, dirs, opts, person):
    program = str(bed.bin / "hashedfs-manifest")
    done = person.run(
        program, "snapshot", "-q", "--source", "-o", opts, sources(dirs), text=False
    )
    return done.stdout


class Snapshots:
    """our_manifest() for thousands of trees: tests/manifest/snapshots.c."""

    def __init__(self, bed, person):
        program = bed.bin / "snapshots"
        assert program.exists(), f"{program.name} is not built"
        self._process = person.popen(
            str(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def manifest(self, dirs, opts):
        # No tree comes twice.
        line = f"{opts},cache=none\t{sources(dirs)}\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        answer = self._process.stdout.readline().removesuffix(b"\n")
        code = self._process.stdout.readline()
        assert code == b"0\n", f"snapshot ended with {code}"
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(60) == 0


def same_manifest(ours, collected):
    """Bytes from Django 6.0 on, which sorts; else the same document."""
    document = json.loads(ours)
    assert document["paths"] == collected.paths
    assert document == collected.document
    if list(collected.paths) == sorted(collected.paths):
        assert ours.decode("ascii") == collected.manifest


def same_files(ours, collected, given):
    """`ours`: presented name -> bytes; `given`: the sources' path -> bytes."""
    want = collected.files()
    want.update((name, given[name]) for name in collected.plain)
    assert sorted(ours) == sorted(want), (sorted(ours), sorted(want))
    for name, data in want.items():
        assert ours[name] == data, name


def read_at(point):
    """Every presented file, with names as Python's surrogateescape has them."""
    return mounting.read_tree(point)
