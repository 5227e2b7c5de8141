"""verify: files against a manifest."""

import json
import shutil

import pytest
from releasing import TREE, names, snapshot, write

__all__ = ["snapshot"]  # a fixture


@pytest.fixture
def deployed(make, work, mount, anyone, manifest):
    """A tree, its manifest with and without integrity, and a copy of its mount."""
    tree = make(TREE)
    copy = work / "deployed"
    with mount(tree, "keep=*.ico", person=anyone) as m:
        shutil.copytree(m, copy) if anyone.uid == 0 else anyone.run("cp", "-r", m, copy)
        plain = work / "plain.json"
        plain.write_bytes(manifest(anyone, "snapshot", m).stdout)
        full = work / "full.json"
        full.write_bytes(manifest(anyone, "snapshot", "--integrity", "sha384", m).stdout)
        good = manifest(anyone, "verify", plain, m)
        assert good.stdout == b""
    return copy, plain, full


CIRCULAR = ("css/one.css", "css/two.css", "css/self.css")


def test_verify(deployed, manifest, anyone):
    copy, plain, full = deployed
    assert manifest(anyone, "verify", full, copy).stdout == b""
    done = manifest(anyone, "verify", plain, copy, check=False, text=True)
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert done.returncode == 4
    assert sorted(told) == sorted(names(plain)[path] for path in CIRCULAR)
    assert all("cannot be checked" in sentence for sentence in told.values())


def spoil(path, how):
    if how == "changed":
        path.write_bytes(path.read_bytes() + b" ")
    elif how == "gone":
        path.unlink()
    elif how == "a directory":
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("how", ["changed", "gone", "a directory"])
@pytest.mark.parametrize("path", ["img/x.png", "css/app.css", "css/one.css", "favicon.ico"])
def test_verify_finds(path, how, deployed, manifest, anyone):
    copy, plain, full = deployed
    name = names(plain)[path]
    spoil(copy / name, how)
    done = manifest(anyone, "verify", full, copy, check=False, text=True)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{name}: ")
    done = manifest(anyone, "verify", plain, copy, check=False, text=True)
    found = [line for line in done.stdout.splitlines() if "cannot be checked" not in line]
    # Without integrity values nothing tells what these should have been.
    if how == "changed" and path in ("css/one.css", "favicon.ico"):
        assert (done.returncode, found) == (4, [])
    else:
        assert done.returncode == 1
        assert [line.split(": ")[0] for line in found] == [name]


def test_verify_by_another_style(make, work, snapshot, manifest, anyone):
    tree = make({"a.css": b"a", "b.png": b"b"})
    file = work / "rev.json"
    style = ["-o", "style=rev,digest=sha256"]
    file.write_bytes(snapshot(*style, "--format", "flat", "--url-prefix", "/s/", tree))
    flat = ["--format", "flat", "--url-prefix", "/s/"]
    top = work / "out"
    top.mkdir()
    for path, name in json.loads(file.read_text()).items():
        shutil.copy(tree / path, top / name.removeprefix("/s/"))
    assert manifest(anyone, "verify", *style, *flat, file, top).stdout == b""
    done = manifest(anyone, "verify", "-o", "style=rev", *flat, file, top, check=False)
    assert done.returncode == 1 and done.stdout.count(b"not those of its name") == 2
    done = manifest(anyone, "verify", *flat, file, top, check=False)
    assert done.returncode == 1 and done.stdout.count(b"no hash of this style") == 2


def test_verify_stays_in_its_directory(work, manifest, anyone):
    paths = {"a": "../a", "b": "/etc/passwd", "c": "c/../../a", "d": ".."}
    file = write(work / "m.json", paths)
    done = manifest(anyone, "verify", file, work, check=False, text=True)
    assert done.returncode == 1
    assert done.stdout.count("is a name outside of the directory") == 4
