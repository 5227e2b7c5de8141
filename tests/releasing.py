"""A small release, and manifests of it."""

import json

import pytest

TREE = {
    "css/app.css": b'a{background:url("../img/x.png")}',
    "css/one.css": b'@import "two.css";',
    "css/two.css": b'@import "one.css";',
    "css/self.css": b'a{background:url("self.css")}',
    "css/deep/er.css": b'@import "../app.css";',
    "img/x.png": b"png",
    "js/main.js": b"const odd = '\xc3\xa9';",
    "js/lib/a b.js": b"b",
    "favicon.ico": b"icon",
}


def write(path, paths, **more):
    """A manifest of Django's, by Python."""
    data = {"paths": paths, "version": "1.1", "hash": "", **more}
    path.write_text(json.dumps(data))
    return path


@pytest.fixture
def snapshot(manifest, anyone):
    """snapshot(*args): the bytes that snapshot --source prints."""

    def run(*args, **kwargs):
        return manifest(anyone, "snapshot", "-q", "--source", *args, **kwargs).stdout

    return run


def refused(done, code, *words):
    """One sentence, and nothing printed."""
    assert (done.returncode, done.stdout) == (code, b""), done
    assert done.stderr.count(b"\n") == 1
    for word in words:
        assert word.encode() in done.stderr, done.stderr


def names(file):
    return json.loads(file.read_text())["paths"]
