"""From one release to the next: diff, prune, previous, names of commits."""

import base64
import hashlib
import json
import os
import random
import shutil

import oracle
import pytest
from conftest import TOP, not_run
from exporter import FORMATS
from releasing import TREE, names, refused, snapshot, write

__all__ = ["snapshot"]  # a fixture


# --- diff -------------------------------------------------------------------


@pytest.fixture
def two(work):
    old = {"a": "a.1", "gone\n": "gone.1", "same": "same.1", "z": "z.1"}
    new = {"a": "a.2", "b\udcff": "b.1", "same": "same.1", "z": "z.2"}
    return write(work / "old.json", old), write(work / "new.json", new)


def test_diff(two, manifest, anyone):
    done = manifest(anyone, "diff", *two, check=False)
    assert done.returncode == 1
    assert done.stdout == (
        b"renamed\ta\ta.1\ta.2\n"
        b"added\tb\\xff\tb.1\n"
        b"removed\tgone\\n\tgone.1\n"
        b"renamed\tz\tz.1\tz.2\n"
    )
    done = manifest(anyone, "diff", "-0", *two, check=False)
    assert done.stdout.split(b"\0") == [
        *(b"renamed", b"a", b"a.1", b"a.2"),
        *(b"added", b"b\xff", b"", b"b.1"),
        *(b"removed", b"gone\n", b"gone.1", b""),
        *(b"renamed", b"z", b"z.1", b"z.2"),
        b"",
    ]
    done = manifest(anyone, "diff", "--json", *two, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "added": {"b\udcff": "b.1"},
        "removed": {"gone\n": "gone.1"},
        "renamed": {"a": ["a.1", "a.2"], "z": ["z.1", "z.2"]},
    }


def test_diff_of_equals(two, manifest, anyone):
    old, _ = two
    assert manifest(anyone, "diff", old, old).stdout == b""
    assert json.loads(manifest(anyone, "diff", "--json", old, old).stdout) == {
        "added": {},
        "removed": {},
        "renamed": {},
    }
    done = manifest(anyone, "diff", old, "/nonesuch", check=False)
    assert (done.returncode, done.stdout) == (3, b"")


# --- prune ------------------------------------------------------------------


H = [f"{i:012x}" for i in range(10)]
STORED = [
    f"static/css/app.{H[1]}.css",
    f"static/css/app.{H[2]}.css",
    f"static/css/app.{H[3]}.css",
    f"static/old.{H[4]}.png",
    f"elsewhere/css/app.{H[1]}.css",
    "static/css/app.css",
    "static/favicon.ico",
    f"static/app-{H[5]}.css",
    "static/staticfiles.json",
    "static/0123abc.json",
    f"static/UPPER.{H[1].upper()[:-1]}A.css",
]
CAN_GO = [f"static/css/app.{H[1]}.css", f"static/old.{H[4]}.png"]


@pytest.fixture
def kept(work):
    """--keep for two releases."""
    first = write(work / "first.json", {"css/app.css": f"css/app.{H[2]}.css"})
    second = write(
        work / "second.json",
        {"css/app.css": f"css/app.{H[3]}.css", "favicon.ico": "favicon.ico"},
    )
    return ["--keep", first, "--keep", second, "--prefix", "static/"]


def pages(keys, size):
    """What aws s3api prints, page for page."""
    parts = [keys[i : i + size] for i in range(0, len(keys), size)]
    return "\n".join(
        json.dumps({"Contents": [{"Key": key, "Size": 1} for key in part], "KeyCount": 1}, indent=4)
        for part in parts
    )


@pytest.mark.parametrize(
    "form", ["lines", "no last newline", "page", "pages", "query", "stdin"]
)
def test_prune(form, kept, work, manifest, anyone):
    listing = work / "listing"
    text = {
        "lines": "\n".join(STORED) + "\n",
        "no last newline": "\n".join(STORED),
        "page": pages(STORED, 100),
        "pages": pages(STORED, 3),
        "query": json.dumps(STORED, indent=4),
        "stdin": pages(STORED, 100),
    }[form]
    listing.write_text(text)
    if form == "stdin":
        with open(listing, "rb") as file:
            done = manifest(anyone, "prune", *kept, "-", stdin=file)
    else:
        done = manifest(anyone, "prune", *kept, listing)
    assert done.stdout.decode().splitlines() == CAN_GO
    done = manifest(anyone, "prune", "-0", *kept, listing)
    assert done.stdout.decode().split("\0") == [*CAN_GO, ""]
    done = manifest(anyone, "prune", "--s3-delete", *kept, listing)
    (batch,) = done.stdout.decode().splitlines()
    assert json.loads(batch) == {"Objects": [{"Key": key} for key in CAN_GO], "Quiet": True}


def test_prune_of_a_style(kept, work, manifest, anyone):
    """What is a hashed name, the style says."""
    listing = work / "listing"
    listing.write_text("\n".join([*STORED, f"static/x-{H[6][2:]}.css"]))
    done = manifest(anyone, "prune", "-o", "style=rev", *kept, listing)
    assert done.stdout.decode() == f"static/x-{H[6][2:]}.css\n"


def test_prune_in_batches(kept, work, manifest, anyone):
    listing = work / "listing"
    keys = [f"static/{i}.{i:012x}.js" for i in range(2001)]
    listing.write_text("\n".join([*keys, STORED[1]]))
    done = manifest(anyone, "prune", "--s3-delete", *kept, listing)
    batches = [json.loads(line)["Objects"] for line in done.stdout.splitlines()]
    assert [len(batch) for batch in batches] == [1000, 1000, 1]
    assert [key["Key"] for batch in batches for key in batch] == keys


def test_prune_of_odd_keys(kept, work, manifest, anyone):
    """A key with a newline is no line, and JSON tells it."""
    odd = f"static/new\nline\u00e9.{H[7]}.js"
    listing = work / "listing"
    listing.write_text(pages([*STORED, odd], 100))
    done = manifest(anyone, "prune", *kept, listing, check=False)
    assert (done.returncode, done.stdout) == (3, b"") and b"-0" in done.stderr
    done = manifest(anyone, "prune", "-0", *kept, listing)
    assert done.stdout.decode().split("\0") == [*CAN_GO, odd, ""]
    done = manifest(anyone, "prune", "--s3-delete", *kept, listing)
    assert {"Key": odd} in json.loads(done.stdout)["Objects"]


def test_prune_refuses_to_empty_a_bucket(kept, work, manifest, anyone):
    listing = work / "listing"
    listing.write_text("\n".join(STORED))
    empty = write(work / "empty.json", {})
    refused(manifest(anyone, "prune", listing, check=False), 2, "--keep")
    done = manifest(anyone, "prune", *kept, "--keep", empty, listing, check=False)
    refused(done, 3, "empty.json", "names no file")
    # A wrong prefix, or the listing of another bucket.
    done = manifest(anyone, "prune", *kept[:4], "--prefix", "", listing, check=False)
    refused(done, 3, "--prefix")
    done = manifest(anyone, "prune", *kept[:4], "--prefix", "elsewhere/", listing, check=False)
    refused(done, 3, "--prefix")
    done = manifest(anyone, "prune", "--keep", "/nonesuch", listing, check=False)
    refused(done, 3, "/nonesuch")
    done = manifest(anyone, "prune", *kept, "/nonesuch", check=False)
    refused(done, 3, "/nonesuch")
    listing.write_text("")
    assert manifest(anyone, "prune", *kept, listing).stdout == b""
    listing.write_text('{"RequestCharged": null}')
    assert manifest(anyone, "prune", *kept, listing).stdout == b""


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"Contents": 1}',
        '{"Contents": [1]}',
        '{"Contents": [{"Key": 1}]}',
        '{"Contents": [{"Key": ""}]}',
        '{"Buckets": []}',
        '{"Contents": [{"Key": "a"}]} x',
        '["a", 1]',
        '["a"',
        '{"Contents": [{"Key": "a\\u0000b"}]}',
        "a\0b\n",
    ],
)
def test_prune_refuses_what_is_no_listing(text, kept, work, manifest, anyone):
    listing = work / "listing"
    listing.write_text(text)
    refused(manifest(anyone, "prune", *kept, listing, check=False), 3, "listing")


# --- previous ---------------------------------------------------------------


def integrity(data, name="sha384"):
    digest = hashlib.new(name, data).digest()
    return f"{name}-{base64.b64encode(digest).decode()}"


def test_previous(make, work, snapshot):
    """Four digits collide soon: a name that stood for other bytes is refused."""
    rng = random.Random(1)
    seen = {}
    while True:
        data = rng.randbytes(8)
        other = seen.setdefault(oracle.md5(data, 4), data)
        if other != data:
            break
    tree = make({"a.png": data, "b.png": b"b", "k.ico": b"old"})
    old, new = work / "old.json", work / "new.json"
    opts = ["-o", "length=4,keep=*.ico", "--integrity", "sha384", tree]
    old.write_bytes(snapshot(*opts))
    assert snapshot("--previous", old, *opts) == old.read_bytes()
    (tree / "k.ico").write_bytes(b"new")  # a plain name may stand for anything
    snapshot("--previous", old, *opts)
    (tree / "a.png").write_bytes(other)
    output = ["--output", new]
    with pytest.raises(AssertionError, match="other bytes"):
        snapshot("--previous", old, *output, *opts)
    assert not new.exists()
    # Long names do not collide.
    opts[1] = "length=12,keep=*.ico"
    snapshot("--previous", old, *opts)


def test_previous_says_what_it_cannot_know(make, work, manifest, anyone):
    tree = make({"a.png": b"a", "b.png": b"b"})
    old = work / "old.json"
    run = ["snapshot", "-q", "--source", "--integrity", "sha384", tree]
    old.write_bytes(manifest(anyone, "snapshot", "-q", "--source", tree).stdout)
    done = manifest(anyone, *run, "--previous", old)
    assert b"of 2 names that stay, 2 could not be compared" in done.stderr
    other = ["snapshot", "-q", "--source", "--integrity", "sha512", tree]
    old.write_bytes(manifest(anyone, *other).stdout)
    done = manifest(anyone, *run, "--previous", old)
    assert b"2 could not be compared" in done.stderr
    old.write_bytes(manifest(anyone, *run).stdout)
    assert manifest(anyone, *run, "--previous", old).stderr == b""
    done = manifest(
        anyone, "snapshot", "--source", "--previous", old, tree, check=False
    )
    refused(done, 2, "--previous goes with --integrity")


# --- {git} ------------------------------------------------------------------


@pytest.fixture
def repository(work, anyone):
    """A directory of a repository with one commit: its path, the commit."""
    if not shutil.which("git"):
        not_run("no git here")
    top = work / "repository"
    top.mkdir()
    os.chown(top, anyone.uid, anyone.gid)
    who = {"GIT_CONFIG_GLOBAL": "/dev/null"}
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    anyone.run(*git, "init", "-q", cwd=top, env=who)
    anyone.run(*git, "commit", "-q", "--allow-empty", "-m", "one", cwd=top, env=who)
    commit = anyone.run(*git, "rev-parse", "HEAD", cwd=top, env=who).stdout.strip()
    assert len(commit) == 40
    return top, commit


def test_git(repository, make, manifest, anyone, bed):
    top, commit = repository
    tree = make(TREE)
    run = ["snapshot", "-q", "--source", tree, "--output", "m.{git}.{git}.json"]
    manifest(anyone, *run, cwd=top)
    assert (top / f"m.{commit}.{commit}.json").exists()
    program = str(bed.bin / "hashedfs-manifest")
    merged = ["merge", "--output", "{git}/x.json", f"m.{commit}.{commit}.json"]
    done = anyone.run(program, *merged, cwd=top, check=False)
    assert done.returncode == 3 and f"cannot write {commit}/x.json" in done.stderr


def test_git_where_there_is_none(work, make, manifest, anyone):
    tree = make(TREE)
    output = str(work / "m.{git}.json")
    run = ["snapshot", "-q", "--source", tree, "--output", output]
    done = manifest(anyone, *run, check=False, cwd=work, env={"GIT_CEILING_DIRECTORIES": "/"})
    refused(done, 3, "{git}", "commit")
    done = manifest(anyone, *run, check=False, cwd=work, env={"PATH": "/nonesuch"})
    refused(done, 3, "needs git, which is not there")
    assert not list(work.glob("m.*"))


def test_git_of_a_run(repository, make, bed, fuse, anyone):
    top, commit = repository
    tree = make(TREE)
    program = str(bed.bin / "hashedfs-run")
    anyone.run(program, "--manifest", "{git}.json", str(tree), "--", "true", cwd=top)
    assert "css/app.css" in names(top / f"{commit}.json")


def test_manifest_of_a_run(make, work, bed, fuse, anyone, snapshot):
    """--format and --integrity: the bytes of snapshot."""
    tree = make(TREE)
    out = work / "out"
    out.mkdir()
    os.chown(out, anyone.uid, anyone.gid)
    program = str(bed.bin / "hashedfs-run")
    opts = ["-o", "static_url=/s/"]
    for how in FORMATS:
        file = str(out / "m")
        anyone.run(program, *opts, "--manifest", file, *how, str(tree), "--", "true")
        with open(file, "rb") as written:
            assert written.read() == snapshot(*opts, *how, tree)
    done = anyone.run(program, "--format", "flat", str(tree), "--", "true", check=False)
    assert done.returncode == 125 and "--manifest" in done.stderr


# --- malformed manifests and listings ---------------------------------------


@pytest.mark.parametrize("kind", ["manifest", "listing"])
def test_what_cannot_be_read_is_one_sentence(kind, kept, work, manifest, anyone):
    """The corpus of the fuzz targets, by the program."""
    file = work / "file"
    seen = set()
    for case in sorted((TOP / "tests/fuzz/corpus" / kind).iterdir()):
        data = case.read_bytes()
        if kind == "manifest":
            how = ["--format", "django" if data[:1] == b"\0" else "flat"]
            file.write_bytes(data[1:])
            done = manifest(anyone, "diff", *how, file, file, check=False)
        else:
            file.write_bytes(data)
            done = manifest(anyone, "prune", *kept, file, check=False)
        assert done.returncode in (0, 3), case
        assert done.stdout == b"" or b"nothing is pruned" in done.stderr
        assert done.stderr.count(b"\n") == (done.returncode != 0), case
        seen.add(done.returncode)
    assert seen == {0, 3}
