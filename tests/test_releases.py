"""What stands between two releases: diff, prune, merge, verify, --previous,
--shard and {git}, on manifests that were written here or by the program."""

import base64
import hashlib
import json
import os
import random
import re
import shutil
import subprocess

import oracle
import pytest
import yaml  # comes with awscli
from conftest import TOP, not_run
from exporter import FORMATS

PAGE = TOP / "manifest/hashedfs-manifest.1"

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


# --- diff --------------------------------------------------------------------


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


# --- prune --------------------------------------------------------------------

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


def refused(done, code, *words):
    """One sentence, and nothing printed."""
    assert (done.returncode, done.stdout) == (code, b""), done
    assert done.stderr.count(b"\n") == 1
    for word in words:
        assert word.encode() in done.stderr, done.stderr


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


# --- verify -------------------------------------------------------------------


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


def names(file):
    return json.loads(file.read_text())["paths"]


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


# --- merge, shards ------------------------------------------------------------


def test_merge_refuses_contradictions(work, manifest, anyone):
    one = write(work / "1.json", {"a": "a.1", "b": "b.1"})
    two = write(work / "2.json", {"a": "a.2"})
    same = write(work / "3.json", {"a": "a.1", "c": "c.1"})
    output = work / "out.json"
    done = manifest(anyone, "merge", "--output", output, one, two, check=False)
    assert done.returncode == 1 and b"a has another name" in done.stderr
    assert not output.exists()
    done = manifest(anyone, "merge", one, same)
    assert done.stdout == oracle.manifest_bytes({"a": "a.1", "b": "b.1", "c": "c.1"})
    value = {"integrity": {"x": "sha384-QUJD"}}
    mixed = write(work / "4.json", {"x": "x.1"}, **value)
    done = manifest(anyone, "merge", one, mixed, check=False)
    assert done.returncode == 1 and b"integrity" in done.stderr


def check_shards(n, work, snapshot, manifest, anyone, *args):
    whole = snapshot(*args)
    parts = []
    for k in range(1, n + 1):
        part = work / f"part.{k}.json"
        part.write_bytes(snapshot("--shard", f"{k}/{n}", *args))
        parts.append(part)
    assert manifest(anyone, "merge", *parts).stdout == whole
    return [len(names(part)) for part in parts]


@pytest.mark.parametrize("n", range(1, 17))
def test_shards(n, make, work, snapshot, manifest, anyone):
    """Equal bytes for every number, with references and a circle across."""
    files = dict(TREE)
    for i in range(12):
        files[f"d{i}/m.css"] = f'@import "../d{i + 1}/m.css";'.encode()
    files["d12/m.css"] = b'@import "../d11/m.css";'
    tree = make(files)
    counts = check_shards(
        n, work, snapshot, manifest, anyone, "--integrity", "sha256", tree, "-o", "cache=none"
    )
    assert sum(counts) == len(files)
    assert n == 1 or max(counts) < len(files)


def test_shards_of_a_real_tree(inputs, work, snapshot, manifest, anyone):
    counts = check_shards(5, work, snapshot, manifest, anyone, inputs("django-admin"))
    assert max(counts) < sum(counts)


def recipes():
    """The listings of the manual page, unescaped."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S)
    return [block.replace("\\e", "\\") for block in blocks]


def recipe(word):
    (found,) = [text for text in recipes() if word in text]
    return found


def test_the_recipe_for_gnu_parallel(bed, make, work, snapshot, anyone):
    if not shutil.which("parallel"):
        not_run("no GNU parallel here")
    tree = make(TREE, "static")
    whole = snapshot(tree)
    home = anyone.home
    path = f"{bed.bin}:/usr/bin:/bin"
    script = work / "recipe.sh"
    script.write_text(recipe("parallel '"))
    os.chmod(work, 0o777)
    anyone.run("bash", "-eu", script, cwd=work, env={"PATH": path, "HOME": home})
    assert (work / "staticfiles.json").read_bytes() == whole


def test_the_recipe_for_slurm(bed, make, work, snapshot, manifest, anyone):
    """What Slurm would run eight times, by bash."""
    whole = snapshot(make(TREE, "static"))
    script = work / "recipe.sh"
    script.write_text(recipe("#SBATCH"))
    subprocess.run(["bash", "-n", script], check=True)
    os.chmod(work, 0o777)
    for k in range(1, 9):
        env = {"PATH": f"{bed.bin}:/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": str(k)}
        anyone.run("bash", script, cwd=work, env=env)
    parts = [work / f"part.{k}.json" for k in range(1, 9)]
    assert manifest(anyone, "merge", *parts).stdout == whole


def test_the_recipe_for_kubernetes(bed, make, work, snapshot, manifest, anyone):
    """yamllint finds nothing, and each pod's command does its part."""
    text = recipe("kind: Job")
    file = work / "job.yaml"
    file.write_text(text)
    if not shutil.which("yamllint"):
        not_run("no yamllint here")
    rules = "{extends: default, rules: {document-start: disable}}"
    done = subprocess.run(
        ["yamllint", "-d", rules, "--strict", file], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stdout
    spec = yaml.safe_load(text)["spec"]
    assert spec["completionMode"] == "Indexed"
    (container,) = spec["template"]["spec"]["containers"]
    tree = make(TREE, "static")
    command = [
        word.replace("/app/static", str(tree)).replace("/parts/", f"{work}/")
        for word in container["command"]
    ]
    whole = snapshot(tree)
    os.chmod(work, 0o777)
    for index in range(spec["completions"]):
        env = {"PATH": f"{bed.bin}:/usr/bin:/bin", "JOB_COMPLETION_INDEX": str(index)}
        anyone.run(*command, env=env)
    parts = [work / f"{index}.json" for index in range(spec["completions"])]
    assert manifest(anyone, "merge", *parts).stdout == whole


@pytest.mark.parametrize("word", ["0/1", "2/1", "1", "1/0", "a/b", "1/65537", "/", "-1/2", "01/2"])
def test_no_shard(word, make, manifest, anyone):
    tree = make(TREE)
    done = manifest(anyone, "snapshot", "--source", "--shard", word, tree, check=False)
    refused(done, 2, "--shard must be K/N")


# --- previous -------------------------------------------------------------------


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


# --- {git} --------------------------------------------------------------------


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


# --- malformed manifests and listings ------------------------------------------------


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
