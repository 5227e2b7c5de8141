"""What the names must be, found out without hashedfs."""

import fnmatch
import hashlib
import json
import os
import posixpath
import shutil
import subprocess

from conftest import TOP, not_run

DEFAULT_IGNORE = ("CVS", ".*", "*~")
VENVS = {
    "4.2": TOP / "build/venv-django42",
    "5.2": TOP / "build/venv",
    "6.0": TOP / "build/venv-django6",
    "6.1": TOP / "build/venv-django61",
}


def md5(data, length=12):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()[:length]


def hashed(path, data, length=12):
    """The hashed name of an ordinary path (no escapes, blanks or colons)."""
    root, ext = posixpath.splitext(posixpath.basename(path))
    name = f"{root}.{md5(data, length)}{ext}"
    return posixpath.join(posixpath.dirname(path), name)


def walk(top):
    """path -> bytes of what collectstatic would take from a directory."""
    found = {}
    for directory, folders, files in os.walk(top, followlinks=True):
        folders[:] = [name for name in folders if not _ignored(name)]
        for name in files:
            if not _ignored(name):
                full = os.path.join(directory, name)
                with open(full, "rb") as file:
                    found[os.path.relpath(full, top)] = file.read()
    return found


def _ignored(name):
    return any(fnmatch.fnmatchcase(name, glob) for glob in DEFAULT_IGNORE)


def mapping(top):
    """path -> hashed name for an ordinary tree, every file verbatim."""
    return {path: hashed(path, data) for path, data in walk(top).items()}


def manifest_hash(paths):
    return md5(json.dumps(sorted(paths.items())).encode())


def manifest_bytes(paths):
    """staticfiles.json as Python writes it, sorted."""
    return json.dumps(
        {
            "paths": dict(sorted(paths.items())),
            "version": "1.1",
            "hash": manifest_hash(paths),
        }
    ).encode()


def django(version, root, *dirs):
    """The bytes of the manifest that real Django writes."""
    python = VENVS[version] / "bin/python"
    if not python.exists():
        not_run(f"no Django {version} here")
    done = subprocess.run(
        [python, TOP / "tests/django_collect.py", root, *map(str, dirs)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    with open(done.stdout.strip(), "rb") as file:
        return file.read()


def without_references(tree, copy):
    """A copy of a tree without the files that Django rewrites."""
    ignore = shutil.ignore_patterns("*.css", "*.js")
    shutil.copytree(tree, copy, ignore=ignore)
    return copy
