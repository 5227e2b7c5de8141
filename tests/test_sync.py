"""Syncing the view: what comes first comes whole, what comes again is nothing."""

import os
import time

import oracle
import pytest
from mount import read_tree
from s3 import serve

CACHE_CONTROL = "public, max-age=31536000, immutable"
CONTENT_TYPES = {
    ".css": ("text/css",),
    ".js": ("text/javascript", "application/javascript"),
    ".svg": ("image/svg+xml",),
    ".png": ("image/png",),
    ".woff2": ("font/woff2",),
}


@pytest.fixture
def tree(inputs, work):
    """A copy of a real tree whose times the test may turn."""
    copy = work / "tree"
    copy.mkdir()
    anything = os.path.join(inputs("django-admin"), ".")
    assert os.system(f"cp -r '{anything}' '{copy}'") == 0
    return copy


def touch(tree):
    """As a fresh checkout does: the same bytes under new times."""
    now = time.time()
    for directory, _, files in os.walk(tree):
        for name in files:
            os.utime(os.path.join(directory, name), (now, now))


@pytest.fixture
def s3(work):
    with serve(work / "s3") as server:
        yield server


def test_rsync(tree, mount, as_user, place):
    target = place(as_user)
    command = ("rsync", "-a", "--itemize-changes", "--stats")
    with mount(tree, person=as_user) as m:
        first = as_user.run(*command, f"{m}/", f"{target}/").stdout
        files = m.files()
    assert read_tree(target) == files
    assert len(files) == len(oracle.walk(tree))
    for name, data in files.items():
        assert oracle.md5(data) in name.rsplit("/", 1)[-1].split(".")
    assert f"Number of regular files transferred: {len(files)}\n" in first

    touch(tree)
    with mount(tree, person=as_user) as m:
        again = as_user.run(*command, f"{m}/", f"{target}/").stdout
    assert "Number of regular files transferred: 0\n" in again
    # Directories are newer; not one file is different in any respect.
    assert [line for line in again.splitlines() if line[1:2] == "f"] == []
    assert read_tree(target) == files


def test_rsync_transfers_what_changed(tree, mount, as_user, place):
    target = place(as_user)
    with mount(tree, "refs=none", person=as_user) as m:
        as_user.run("rsync", "-a", f"{m}/", f"{target}/")
    (tree / "admin/css/base.css").write_bytes(b"body {}\n")
    with mount(tree, "refs=none", person=as_user) as m:
        again = as_user.run("rsync", "-ai", f"{m}/", f"{target}/").stdout
    sent = [line.split(" ", 1)[1] for line in again.splitlines() if line[1:2] == "f"]
    assert sent == [oracle.hashed("admin/css/base.css", b"body {}\n")]


def check_objects(s3, names):
    """Every name is an object of that digest, with the headers it needs."""
    assert s3.keys("static") == names
    headers = s3.headers("static")
    seen = set()
    for name in names:
        digest = name.rsplit("/", 1)[-1].split(".")
        assert oracle.md5(s3.stored("static", name)) in digest
        kind, cache = headers[name]
        assert cache == CACHE_CONTROL, name
        extension = os.path.splitext(name)[1]
        if extension in CONTENT_TYPES:
            assert kind.split(";")[0] in CONTENT_TYPES[extension], name
            seen.add(extension)
    assert seen >= {".css", ".js", ".svg"}


def test_aws_s3_sync(tree, mount, anyone, s3):
    s3.aws("s3", "mb", "s3://static")
    sync = ("s3", "sync", "--no-progress", "--cache-control", CACHE_CONTROL)
    with mount(tree, person=anyone) as m:
        first = s3.aws(*sync, m, "s3://static/")
        names = m.names()
    assert first.count("upload:") == len(names)
    check_objects(s3, names)

    uploads = s3.uploads()
    assert uploads >= len(names)
    touch(tree)
    with mount(tree, person=anyone) as m:
        again = s3.aws(*sync, m, "s3://static/")
    assert again == ""
    assert s3.uploads() == uploads


def test_rclone_sync(tree, mount, anyone, s3):
    s3.aws("s3", "mb", "s3://static")
    sync = ("sync", "--header-upload", f"Cache-Control: {CACHE_CONTROL}")
    with mount(tree, person=anyone) as m:
        s3.rclone(*sync, m, s3.remote("static"))
        names = m.names()
    check_objects(s3, names)

    uploads = s3.uploads()
    assert uploads >= len(names)
    touch(tree)
    with mount(tree, person=anyone) as m:
        s3.rclone(*sync, m, s3.remote("static"))
    assert s3.uploads() == uploads
