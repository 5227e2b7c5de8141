"""hashedfs-export and what stands in its directory, or in an old manifest."""

import contextlib
import json
import os
import time

import mount as mounting
import oracle
import pytest
from conftest import give
from exporter import export, look, src, stamps
from mount import read_tree

__all__ = ["export", "src"]  # fixtures


# --- what is in the way ----------------------------------------------------------------


def test_a_directory_where_a_file_has_to_be(src, export, as_user):
    name = oracle.hashed("LICENSE", b"free")
    (export.dir / name).mkdir(parents=True)
    give(export.dir, as_user)
    told = export.fails(3, src, export.dir)
    assert name in told and "is a directory" in told
    assert (export.dir / name).is_dir()


@pytest.mark.parametrize("what", ["file", "link", "fifo"])
def test_something_where_a_directory_has_to_be(src, export, as_user, what):
    outside = export.top / "outside"
    (outside / "deep").mkdir(parents=True)
    export.dir.mkdir()
    obstacle = export.dir / "css"
    if what == "file":
        obstacle.write_bytes(b"mine")
    elif what == "link":
        obstacle.symlink_to("../outside")
    else:
        os.mkfifo(obstacle)
    give(export.top, as_user)
    told = export.fails(3, src, export.dir)
    assert "css is no directory" in told
    assert read_tree(outside) == {} and os.path.lexists(obstacle)


def test_directories_that_became_links_meanwhile(src, export, as_user):
    """Somebody swaps a directory for a link that leads out, again and again."""
    outside = export.top / "outside"
    (outside / "deep").mkdir(parents=True)
    give(outside, as_user)
    before = look(outside)

    def swap(top, until):
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                os.rename(f"{top}/out/css", f"{top}/css.away")
                os.symlink("../outside", f"{top}/out/css")
                os.unlink(f"{top}/out/css")
                os.rename(f"{top}/css.away", f"{top}/out/css")

    export(src, export.dir)
    swapper = as_user.start(swap, str(export.top), time.monotonic() + 3)
    codes = set()
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        codes.add(export(src, export.dir, check=False).returncode)
    swapper.result()
    assert codes <= {0, 3}
    assert look(outside) == before


def test_a_source_and_the_directory_lie_apart(src, export, as_user):
    for place in (src, src / "css", src / "new", f"{src}/css/../new/"):
        told = export.fails(3, src, place)
        assert "source" in told, told
    assert not (src / "new").exists()
    told = export.fails(3, src / "css", src)
    assert "lies inside the directory" in told
    link = export.top / "link"
    link.symlink_to(src)
    assert "source" in export.fails(3, src, link / "new")


def test_places_that_are_none(src, export):
    (export.top / "file").write_bytes(b"")
    assert "is not a directory" in export.fails(3, src, export.top / "file")
    assert "no directory to make it in" in export.fails(3, src, "/nonesuch/a")
    assert "no directory to make it in" in export.fails(3, src, export.top / "a/..")
    assert "is empty" in export.fails(3, src, "")
    (export.top / "dead").symlink_to("nonesuch")
    assert "cannot be reached" in export.fails(3, src, export.top / "dead")
    assert "cannot" in export.fails(3, src, "/proc/nonesuch")


def test_command_lines(src, export, as_user):
    for args in ([], [src], [src, "a", "b"], ["--nonesuch", src, "a"], ["-o", "xattr", src, "a"]):
        done = export(*args, check=False)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr, args
    assert export.fails(3, "/nonesuch", export.dir)
    assert not export.dir.exists()


# --- pruning -------------------------------------------------------------------------------


def test_prune(src, export, as_user):
    written = export.top / "staticfiles.json"
    options = ("-o", "keep=hello.txt")
    export(*options, "--manifest", written, src, export.dir)
    first = set(mounting.list_tree(export.dir))
    before = json.loads(written.read_bytes())["paths"]
    (export.dir / "css/mine.0123456789ab.css").write_bytes(b"not in any manifest")
    (src / "img/x.png").write_bytes(b"new")
    (src / "LICENSE").unlink()
    (src / "hello.txt").unlink()
    args = ("--manifest", written, "--prune-from", written, src, export.dir)
    told = set(export(*options, "-n", *args).stdout.splitlines())
    dead = {before[p] for p in ("img/x.png", "css/app.css", "css/deep/er.css", "LICENSE")}
    assert {line for line in told if line.startswith("remove")} == {
        f"remove {name}" for name in dead
    }
    export(*options, *args)
    after = set(mounting.list_tree(export.dir))
    assert first - after == dead
    new = set(json.loads(written.read_bytes())["paths"].values())
    assert after == new | {"hello.txt", "css/mine.0123456789ab.css"}
    # The directories are as the view shows them all the same.
    assert (export.dir / "css").stat().st_mtime == 946684800
    state = stamps(export.dir)
    export(*options, "--prune-from", written, src, export.dir)
    assert stamps(export.dir) == state


def test_prune_from_a_flat_manifest(src, export):
    """Read as it was written, with its prefixes."""
    written = export.top / "manifest.json"
    how = ["--format", "flat", "--url-prefix", "https://cdn/", "--key-prefix", "k/"]
    export("--manifest", written, *how, src, export.dir)
    first = set(mounting.list_tree(export.dir))
    dead = json.loads(written.read_bytes())["k/LICENSE"].removeprefix("https://cdn/")
    (src / "LICENSE").unlink()
    told = export.fails(3, "--prune-from", written, src, export.dir)
    assert "manifest.json" in told and set(mounting.list_tree(export.dir)) == first
    export("--prune-from", written, *how, src, export.dir)
    assert set(mounting.list_tree(export.dir)) == first - {dead}


HOSTILE_NAMES = {
    "../outside/a.css": "../outside/a.0123456789ab.css",
    "/OUTSIDE/a.css": "/OUTSIDE/a.0123456789ab.css",
    "link/a.css": "link/a.0123456789ab.css",
    "link.css": "link.0123456789ab.css",
    "dir.css": "dir.0123456789ab.css",
    "fifo.css": "fifo.0123456789ab.css",
    "notes.txt": "notes.txt",
    "x": "notes.txt",
    "notes2.txt": "notes.txt",
    "sub/../notes.txt": "sub/../notes.0123456789ab.txt",
    "other/a.css": "css/a.0123456789ab.css",
    "a.css": "a.0123456789.x.css",
    "..": "..",
    "css": "css/..",
}


def test_prune_from_a_hostile_manifest(make, export, as_user):
    src = make({"css/app.css": b"a{}"}, owner=as_user)
    outside = export.top / "outside"
    for top in (outside, export.dir / "sub", export.dir / "dir.0123456789ab.css"):
        top.mkdir(parents=True)
    for name in ("a.0123456789ab.css", "b"):
        (outside / name).write_bytes(b"outside")
    (export.dir / "css").mkdir()
    for name in ("notes.txt", "notes.0123456789ab.txt", "a.0123456789.x.css",
                 "css/a.0123456789ab.css", "dead.0123456789ab.css"):
        (export.dir / name).write_bytes(b"mine")
    (export.dir / "link").symlink_to("../outside")
    (export.dir / "link.0123456789ab.css").symlink_to("../outside/b")
    os.mkfifo(export.dir / "fifo.0123456789ab.css")
    names = {k.replace("/OUTSIDE", str(outside)): v.replace("/OUTSIDE", str(outside))
             for k, v in HOSTILE_NAMES.items()}
    names["dead.css"] = "dead.0123456789ab.css"
    old = export.top / "old.json"
    old.write_bytes(oracle.manifest_bytes(names))
    give(export.top, as_user)
    before = set(os.listdir(export.dir)), read_tree(outside)
    export("--prune-from", old, src, export.dir)
    assert set(os.listdir(export.dir)) == before[0] - {"dead.0123456789ab.css"}
    assert read_tree(outside) == before[1]
    assert (export.dir / "css/a.0123456789ab.css").exists()


def test_prune_from_what_is_no_manifest(src, export):
    nameless = '{"version": "1.1", "paths": {"": ""}}'
    for text in ("", "{}", '{"version": "1.1", "paths": 3}', nameless):
        (export.top / "old.json").write_text(text)
        told = export.fails(3, "--prune-from", export.top / "old.json", src, export.dir)
        assert "old.json" in told
    assert export.fails(3, "--prune-from", "/nonesuch", src, export.dir)
    assert not export.dir.exists()
