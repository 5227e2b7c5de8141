"""hashedfs-export: what a mount would show, as files."""

import base64
import hashlib
import json
import os
import pty
import re
import shutil

import mount as mounting
import oracle
import pytest
from conftest import TREES, give
from exporter import FORMATS, TREE, drafts, export, export_once, look, src, stamps, traced
from mount import read_tree
from person import ROOT
from s3 import serve

__all__ = ["export", "export_once", "src"]  # fixtures


def same_as_mount(export, mount, source, options=""):
    words = ["-o", options] if options else []
    export(*words, source, export.dir)
    owners = export.person.uid == 0
    with mount(source, f"frozen,{options}" if options else "frozen", export.person) as m:
        assert look(export.dir, owners) == m.call(look, m.path, owners)
        assert read_tree(export.dir) == m.files()
    assert drafts(export.dir) == []


# --- it is the mount ---------------------------------------------------------------


# The large ones by one person each.
REAL = [
    ("django-admin", "root"),
    ("django-admin", "user"),
    ("djangorestframework", "root"),
    ("bootstrap", "user"),
    ("fontawesome-free", "user"),
    ("monaco-editor", "root"),
    ("three", "user"),
]
assert {name for name, _ in REAL} == set(TREES)


@pytest.mark.parametrize(("name", "as_user"), REAL, indirect=["as_user"])
def test_real_trees(inputs, name, export, mount):
    tree = inputs(name)
    same_as_mount(export, mount, tree)
    before = stamps(export.dir)
    assert export("-n", tree, export.dir).stdout == ""
    if name != "monaco-editor":  # which takes its time
        export(tree, export.dir)
    assert stamps(export.dir) == before


@pytest.mark.parametrize(
    "options",
    [
        "show=hashed:kept:plain,keep=hello.txt,prehashed=app-*.js",
        "show=kept:plain,keep=hello.txt",
        "show=hashed,keep=hello.txt",
        "refs=none,mtime=source",
        "mtime=@1234567890,name=%h-%n%e,digest=sha256,length=20",
    ],
)
def test_options(src, export, mount, options):
    os.utime(src / "img/x.png", ns=(5, 1_000_000_000_123_456_789))
    os.utime(src / "css", ns=(5, -1_500_000_000))
    same_as_mount(export, mount, src, options)


def test_modes_and_owners(src, export, mount, as_user):
    (src / "LICENSE").chmod(0o400)
    (src / "hello.txt").chmod(0o755)
    (src / "empty.txt").chmod(0o640)
    (src / "css").chmod(0o700)
    (src / "img").chmod(0o511 if as_user.uid == 0 else 0o555)
    if as_user.uid == 0:
        os.chown(src / "LICENSE", 1234, 5678)
        os.chown(src / "css", 4321, 0)
    same_as_mount(export, mount, src, "keep=hello.txt")
    same_as_mount(export, mount, src, "keep=hello.txt")
    if as_user.uid == 0:
        same_as_mount(export, mount, src, "keep=hello.txt,uid=77,gid=88")


def test_a_group_of_ours(src, export, bed, as_root):
    """Who cannot give files away gives them to a group as far as it is theirs."""
    os.chown(src / "LICENSE", 0, 4242)
    (src / "LICENSE").chmod(0o644)
    out = export.top / "group"
    groups = ["setpriv", "--reuid", "65534", "--regid", "65534", "--groups", "4242"]
    export.top.chmod(0o777)
    ROOT.run(*groups, export.program, "-o", "cache=none", str(src), str(out))
    st = (out / oracle.hashed("LICENSE", b"free")).stat()
    assert (st.st_uid, st.st_gid) == (65534, 4242)
    assert (out / "css").stat().st_gid == 65534


def test_a_top_in_several_parts(src, make, export, mount, as_user):
    odd = {b"odd\nname \xff.txt": b"odd", "back\\slash.css": b"b", "n" * 250: b"n"}
    other = make({"z.txt": b"z", "css/app.css": b"hidden", **odd}, "other", owner=as_user)
    same_as_mount(export, mount, f"{src}:more={other}:{other}")


def test_manifest(src, export, manifest, as_user):
    written = export.top / "staticfiles.json"
    export("--manifest", written, src, export.dir)
    assert written.read_bytes() == manifest(as_user, "snapshot", "--source", src).stdout
    paths = json.loads(written.read_bytes())["paths"]
    assert sorted(paths.values()) == mounting.list_tree(export.dir)


@pytest.mark.parametrize("how", FORMATS, ids=" ".join)
def test_manifest_of_a_format(how, src, export, manifest, as_user):
    """The bytes of snapshot; --integrity is of the files that were written."""
    written = export.top / "manifest"
    options = ("-o", "static_url=/s/,keep=hello.txt")
    export(*options, "--manifest", written, *how, src, export.dir)
    args = ("snapshot", "-q", "--source", *options, *how, src)
    assert written.read_bytes() == manifest(as_user, *args).stdout
    if "--format" not in how:
        data = json.loads(written.read_bytes())
        assert set(data["integrity"]) == set(TREE)
        for path, value in data["integrity"].items():
            digest = hashlib.sha256((export.dir / data["paths"][path]).read_bytes()).digest()
            assert value == f"sha256-{base64.b64encode(digest).decode()}"


def test_manifest_in_the_directory_that_is_made(src, export):
    new = export.top / "new"
    written = new / "staticfiles.json"
    args = ("--manifest", written, src, f"{new}/")
    done = export("-n", *args)
    assert done.stdout.endswith(f"write {written}\n") and not new.exists()
    export(*args)
    assert json.loads(written.read_bytes())["paths"]
    refused = export("--manifest", new / "no/m", *args[2:], check=False)
    assert refused.returncode == 3 and "create it with mkdir" in refused.stderr


def test_manifest_in_a_directory_that_is_not_there(src, export):
    done = export("--manifest", export.top / "no/m", src, export.dir, check=False)
    assert done.returncode == 3 and "create it with mkdir" in done.stderr
    assert not export.dir.exists()


def test_manifest_named_by_the_commit(src, export):
    top = export.top
    git = ["git", "-C", str(top), "-c", "user.name=n", "-c", "user.email=e"]
    export.person.run("git", "init", "-q", str(top))
    export.person.run(*git, "commit", "-q", "--allow-empty", "-m", "one")
    commit = export.person.run(*git, "rev-parse", "HEAD").stdout.strip()
    export("--manifest", "{git}.json", src, export.dir, cwd=top)
    assert "css/app.css" in json.loads((top / f"{commit}.json").read_bytes())["paths"]


def test_a_format_of_no_manifest(src, export):
    for how, words in (
        (["--format", "flat"], "--manifest"),
        (["--integrity", "sha256"], "--manifest"),
        (["--manifest", export.top / "m", "--format", "none"], "must be one of"),
        (["--manifest", export.top / "m", "--integrity", "md5"], "must be sha256"),
        (["--manifest", export.top / "m", "--format", "sri", "--prune-from", "x"], "written only"),
    ):
        assert words in export.fails(2, *how, src, export.dir)
        assert not export.dir.exists()


def test_sources_from(src, export, work):
    (work / "sources").write_text(f"{src}\n")
    export("--sources-from", work / "sources", export.dir)
    assert len(mounting.list_tree(export.dir)) == len(TREE)


# --- again ---------------------------------------------------------------------------


def test_again_from_a_fresh_checkout(src, export):
    export(src, export.dir)
    before = stamps(export.dir)
    for directory, _, files in os.walk(src):
        for name in files:
            os.utime(os.path.join(directory, name))
    export(src, export.dir)
    assert stamps(export.dir) == before


WRITES = "write,pwrite64,mkdirat,linkat,renameat,unlinkat,fchmod,fchown,utimensat"


def test_again_asks_for_no_write(src, export, as_root):
    env = traced()
    export("-o", "cache=none", src, export.dir)
    log = export.top / "strace"
    trace = ["strace", "-f", "-y", "-e", f"trace={WRITES},syncfs", "-o", str(log)]
    program = [export.program, "-o", "cache=none", str(src), str(export.dir)]
    ROOT.run(*trace, *program, env=env)
    lines = [line for line in log.read_text().splitlines() if "(" in line]
    assert [line for line in lines if str(export.dir) in line] == []


def test_only_what_changed(src, export):
    export(src, export.dir)
    before = stamps(export.dir)
    (src / "img/x.png").write_bytes(b"new")
    export(src, export.dir)
    after = stamps(export.dir)
    added = {os.path.relpath(path, export.dir) for path in after.keys() - before.keys()}
    assert oracle.hashed("img/x.png", b"new") in added
    assert len(added) == 3  # and the two texts that refer to it
    untouched = [path for path in before if before[path] == after.get(path)]
    assert len([p for p in untouched if os.path.isfile(p)]) == len(TREE)


def corrupt(path, st):
    """Other bytes, and nothing else that tells."""
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def shorten(path, st):
    os.truncate(path, st.st_size - 1)


def chmod(path, st):
    path.chmod(0o600)


def touch(path, st):
    os.utime(path)


def link_out(path, st):
    path.unlink()
    path.symlink_to(path.parent.parent.parent / "outside/file")


def hard_link_out(path, st):
    """The right bytes, in a file that has another name elsewhere."""
    outside = path.parent.parent.parent / "outside/file"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    os.link(outside, path)


def fifo(path, st):
    path.unlink()
    os.mkfifo(path)


def read_only(path, st):
    path.write_bytes(b"#" * st.st_size)
    path.chmod(0)


def remove(path, st):
    path.unlink()


DAMAGES = (
    corrupt, shorten, chmod, touch, link_out, hard_link_out, fifo, read_only, remove,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_there_is_not_trusted(src, export, damage, as_user):
    outside = export.top / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"outside")
    (outside / "file").chmod(0o640)
    give(outside, as_user)
    export(src, export.dir)
    whole, files = look(export.dir), read_tree(export.dir)
    victims = ["css/app.css", "img/x.png", "img/large.bin"]
    names = [name for name in files if name.split(".")[0] in ("css/app", "img/x", "img/large")]
    assert len(names) == len(victims)
    for name in names:
        damage(export.dir / name, (export.dir / name).stat())
    give(outside, as_user)
    before = stamps(outside), read_tree(outside), look(outside)
    export(src, export.dir)
    assert look(export.dir) == whole and read_tree(export.dir) == files
    # Its count of links, and so its ctime, is all that may change.
    if damage is not hard_link_out:
        assert stamps(outside) == before[0]
    assert (read_tree(outside), look(outside)) == before[1:]


def test_what_is_not_ours_is_left_alone(src, export, as_user):
    export.dir.mkdir()
    theirs = {"css/mine.css": b"mine", "notes": b"n", "app.0123456789ab.css": b"old"}
    for path, data in theirs.items():
        (export.dir / path).parent.mkdir(exist_ok=True)
        (export.dir / path).write_bytes(data)
    (export.dir / "link").symlink_to("/nonesuch")
    give(export.dir, as_user)
    before = {p: s for p, s in stamps(export.dir).items() if os.path.isfile(p)}
    export(src, export.dir)
    export("-o", "mtime=source", src, export.dir)
    after = stamps(export.dir)
    assert {path: after[path] for path in before} == before
    assert os.readlink(export.dir / "link") == "/nonesuch"


# --- what it tells ---------------------------------------------------------------------------


def test_dry_run(src, export):
    written = export.top / "staticfiles.json"
    args = ("-n", "--manifest", written, src, export.dir)
    lines = export(*args).stdout.splitlines()
    assert not export.dir.exists() and not written.exists()
    files = [line for line in lines if line.startswith("write")]
    assert len(files) == len(TREE) + 1 and "make css" in lines
    export(src, export.dir)
    assert f"write {oracle.hashed('LICENSE', b'free')}" in files
    assert len({line.split()[0] for line in files}) == 1
    (export.dir / oracle.hashed("LICENSE", b"free")).chmod(0o600)
    (src / "LICENSE2").write_bytes(b"new")
    before = stamps(export.dir), look(export.dir)
    assert export("-n", src, export.dir).stdout.splitlines() == [
        f"mend {oracle.hashed('LICENSE', b'free')}",
        f"write {oracle.hashed('LICENSE2', b'new')}",
    ]
    assert (stamps(export.dir), look(export.dir)) == before


def test_progress_on_a_terminal(make, export, as_user):
    src = make({}, owner=as_user)
    with open(src / "huge.bin", "wb") as file:
        file.truncate(200_000_000)
    master, slave = pty.openpty()
    for options, seen in ((["-q"], False), ([], True)):
        shutil.rmtree(export.dir, ignore_errors=True)
        argv = [export.program, "-o", "cache=none", *options, str(src), str(export.dir)]
        running = as_user.popen(*argv, stderr=slave)
        assert running.wait(60) == 0
        os.write(slave, b"end")
        assert bool(re.search(rb"\d/1 files, .* MB/s", _until(master, b"end"))) == seen
    os.close(slave)
    os.close(master)


def _until(fd, end):
    text = b""
    while not text.endswith(end):
        text += os.read(fd, 1 << 16)
    return text


def test_it_says_nothing(src, export):
    done = export(src, export.dir)
    assert (done.stdout, done.stderr) == ("", "")


# --- deploying ------------------------------------------------------------------------------


def test_aws_s3_sync(inputs, export_once, work):
    """Two fresh exports are the same to those who look at names, sizes, times."""
    export = export_once
    tree = work / "tree"
    shutil.copytree(inputs("django-admin"), tree, copy_function=shutil.copyfile)
    give(tree, export.person)
    with serve(work / "s3") as s3:
        s3.aws("s3", "mb", "s3://static")
        sync = ("s3", "sync", "--no-progress", "--cache-control", "max-age=31536000")
        export(tree, export.dir)
        assert s3.aws(*sync, export.dir, "s3://static/").count("upload:") > 100
        uploads = s3.uploads()
        shutil.rmtree(export.dir)
        for directory, _, files in os.walk(tree):
            for name in files:
                os.utime(os.path.join(directory, name))
        export(tree, export.dir)
        assert s3.aws(*sync, export.dir, "s3://static/") == ""
        assert s3.uploads() == uploads
        assert s3.keys("static") == mounting.list_tree(export.dir)
