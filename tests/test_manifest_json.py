"""Manifests against Python's json: the real program, and maps written here.

A map is a file of a mount like any other, so a directory with the right file
in it will do; no mount is needed.
"""

import json
import random

import oracle
import pytest

CHARACTERS = (
    *"ab01/.\"\\ud8cf\x01\b\t\n\f\r\x1f\x7f\x80\x9f\xe9",
    *"\ud7ff\ue000\ufffd\uffff\U00010000\U0001f600\U0010ffff",
)


def decode(name):
    return name.decode("utf-8", "surrogateescape")


def escape(name):
    """What the map writes for a name."""
    return b"".join(map(_escape_character, decode(name)))


def _escape_character(c):
    short = {"\\": b"\\\\", "\n": b"\\n", "\t": b"\\t", "\r": b"\\r"}
    raw = c.encode("utf-8", "surrogateescape")
    if c in short:
        return short[c]
    if c < " " or "\x7f" <= c < "\xa0" or "\udc80" <= c <= "\udcff":
        return b"".join(b"\\x%02x" % byte for byte in raw)
    return raw


def random_name(rng):
    def piece():
        if rng.random() < 0.5:
            return rng.choice(CHARACTERS).encode()
        return bytes([rng.choice([b for b in range(1, 256) if b != ord("/")])])

    return b"".join(piece() for _ in range(rng.randint(1, 12)))


def write_map(work, rows):
    """A map of [path, name, problem]; the directory that it is the map of."""
    control = work / "mount/.hashedfs"
    control.mkdir(parents=True)
    with open(control / "map", "wb") as file:
        for path, name, problem in rows:
            fields = escape(path), escape(name), b"hashed", b"0", b"0", b"1", problem
            file.write(b"\t".join(fields) + b"\n")
        file.write(b"#end\t%d\t7\n" % len(rows))
    return control.parent


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("order", ["sorted", "any"])
def test_bytes_are_python_s(work, manifest, anyone, seed, order):
    rng = random.Random(seed)
    names = {random_name(rng): random_name(rng) for _ in range(500)}
    rows = [(path, name, b"-") for path, name in names.items()]
    if order == "sorted":
        rows.sort()
    done = manifest(anyone, "snapshot", write_map(work, rows))
    assert done.stderr == b""
    paths = {decode(path): decode(name) for path, name in names.items()}
    assert done.stdout == oracle.manifest_bytes(paths)


def test_bytes_of_an_empty_tree(work, manifest, anyone):
    done = manifest(anyone, "snapshot", write_map(work, []))
    assert done.stdout == oracle.manifest_bytes({})


@pytest.mark.parametrize("seed", range(2))
def test_spellings_of_json_are_read(work, manifest, anyone, seed):
    """Upper-case escapes, indentation and raw characters mean the same."""
    rng = random.Random(seed)
    names = {random_name(rng): b"%d.%s" % (i, random_name(rng)) for i in range(200)}
    paths = {decode(path): decode(name) for path, name in names.items()}
    ours = oracle.manifest_bytes(paths)
    texts = [
        ours,
        json.dumps(json.loads(ours), indent=2).encode(),
        ours.replace(b"\\udc", b"\\uDC").replace(b"\\ud8", b"\\uD8"),
    ]
    file = work / "staticfiles.json"
    for text in texts:
        file.write_bytes(text)
        for path, name in rng.sample(sorted(names.items()), 10):
            done = manifest(anyone, "lookup", "--", file, decode(path))
            assert done.stdout == name + b"\n"
            done = manifest(anyone, "lookup", "--reverse", "--", file, decode(name))
            assert done.stdout == path + b"\n"


def test_what_cannot_be_read_is_named(work, manifest, anyone):
    rows = [
        (b"ok", b"ok.1", b"-"),
        (b"bad\n\xff", b"bad", b"!cannot be read: Permission denied"),
        (b"pipe", b"", b"left out"),
        (b"odd", b"odd", b"stands plain"),
    ]
    mount = write_map(work, rows)
    done = manifest(anyone, "snapshot", mount, check=False)
    assert (done.returncode, done.stdout) == (4, b"")
    assert rb"bad\n\xff: cannot be read: Permission denied" in done.stderr
    assert b"pipe" not in done.stderr and b"odd" not in done.stderr
    done = manifest(anyone, "snapshot", "--partial", mount)
    assert done.stdout == oracle.manifest_bytes({"ok": "ok.1", "odd": "odd"})
    assert rb"bad\n\xff" in done.stderr
    done = manifest(anyone, "snapshot", "--partial", "-v", mount)
    assert b"pipe: left out" in done.stderr and b"odd: stands plain" in done.stderr
    for name, code in (("bad\n\udcff", 4), ("pipe", 1), ("nope", 1), ("odd", 0)):
        done = manifest(anyone, "lookup", mount, name, check=False)
        assert done.returncode == code


def test_a_map_without_its_end_is_no_map(work, manifest, anyone):
    mount = write_map(work, [(b"a", b"a.1", b"-"), (b"b", b"b.1", b"-")])
    file = mount / ".hashedfs/map"
    whole = file.read_bytes()
    output = work / "staticfiles.json"
    output.write_bytes(b"old")
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        done = manifest(anyone, "snapshot", "--output", output, mount, check=False)
        assert (done.returncode, done.stdout) == (4, b"")
        assert b"incomplete" in done.stderr
    assert output.read_bytes() == b"old"
