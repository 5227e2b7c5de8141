"""stats: what a tree amounts to, by mounts and without."""

import collections
import json
import os

import pytest
from person import ROOT

GOOD, FINDINGS, USAGE, ENVIRONMENT, INCOMPLETE = range(5)

TREE = {
    "css/all.css": b"@import 'one.css'; a{b:url(../img/a.PNG)}",
    "css/one.css": b"@import 'two.css'; a{b:url(../img/b.png) url(no.png)}",
    "css/two.css": b"@import 'three.css';",
    "css/three.css": b"@import 'two.css'; a{b:url(../img/c.svg)}",
    "css/self.css": b"@import 'self.css';",
    "img/a.PNG": b"A" * 3000,
    "img/b.png": b"A" * 3000,
    "img/c.svg": b"C" * 20,
    "img/unused.png": b"A" * 3000,
    "img/empty": b"",
    "js/empty.js": b"",
    "page.html": b"<img src=img/unused.png>",
}

OLD = {"version": "1.1", "paths": {"x": "x.0123456789ab", "page.html": "page.html"}}


@pytest.fixture
def stats(ask):
    """stats(tree, options, *args): what the text says, or of --json the object."""

    def run(tree, options="", *args):
        code, out, err = ask("stats", tree, options, *args)
        assert (code, err) == (GOOD, "")
        return json.loads(out) if "--json" in args else out

    return run


def test_what_is_told(stats, make, work):
    (work / "old.json").write_text(json.dumps(OLD))
    options = "keep=page.html"
    text = stats(make(TREE), options, "--previous", work / "old.json")
    assert all(len(line) <= 80 for line in text.splitlines() if str(work) not in line)
    assert text == f"""\
12 files, 9.4 kB

By type                        files        bytes   share
  .PNG                             3       9.0 kB  96.2 %
  .css                             5        309 B   3.3 %
  .html                            1         24 B   0.3 %
  .svg                             1         20 B   0.2 %
  without one                      1          0 B   0.0 %
  .js                              1          0 B   0.0 %

Biggest files
      3.0 kB  img/a.PNG
      3.0 kB  img/b.png
      3.0 kB  img/unused.png
        86 B  css/one.css
        74 B  css/all.css
        74 B  css/three.css
        38 B  css/two.css
        37 B  css/self.css
        24 B  page.html
        20 B  img/c.svg

Equal bytes: 2 files, 6.0 kB more than if each were there once
      3.0 kB  3 times: img/a.PNG, img/b.png, img/unused.png
  not compared: 1 file under own names

Not referred to: 3 files, 3.0 kB, in no style sheet or script of the tree.
Pages and templates are not looked at, and may use them all.
      3.0 kB  img/unused.png
        24 B  page.html
         0 B  img/empty

References: 8
Longest chain: 4 files
  css/all.css
  -> css/one.css
  -> css/two.css
  -> img/c.svg
Circles: 2
  css/self.css
  css/three.css, css/two.css

After {work}/old.json
  uploads         11 files, 9.3 kB under new names
  may upload      1 file, 24 B under names that stay, if changed
  leaves behind   1 file under old names
"""


def test_json(stats, make, work):
    (work / "old.json").write_text(json.dumps(OLD))
    options = "keep=page.html"
    told = stats(make(TREE), options, "--json", "--previous", work / "old.json")
    assert (told["files"], told["unreadable"], told["references"]) == (12, 0, 8)
    assert told["types"][0] == {"extension": ".PNG", "files": 3, "bytes": 9000}
    assert told["biggest"][2]["file"] == "img/unused.png"
    assert told["biggest"][2]["name"].startswith("img/unused.")
    pngs = ["img/a.PNG", "img/b.png", "img/unused.png"]
    assert told["equal"] == [{"bytes": 3000, "files": pngs}]
    assert (told["surplus_files"], told["surplus_bytes"]) == (2, 6000)
    unreferenced = [row["file"] for row in told["unreferenced"]]
    assert unreferenced == ["img/unused.png", "page.html", "img/empty"]
    assert told["longest_chain"][-2:] == ["css/two.css", "img/c.svg"]
    assert told["circles"] == [["css/self.css"], ["css/three.css", "css/two.css"]]
    assert told["release"] == {
        "added_files": 11,
        "added_bytes": told["bytes"] - 24,
        "same_name_files": 1,
        "same_name_bytes": 24,
        "left_files": 1,
    }


def test_an_empty_tree(stats, make):
    text = stats(make({}))
    assert text.startswith("0 files, 0 B\n\nEqual bytes: none\n")
    told = stats(make({}), "", "--json")
    assert (told["files"], told["types"], told["circles"]) == (0, [], [])


def test_without_rewriting_nothing_is_said_of_references(stats, make):
    text = stats(make(TREE), "refs=none")
    assert "References: none, or none are looked for (-o refs=none)" in text
    assert "Not referred to" not in text


def test_names_are_escaped(stats, make):
    name = b"img/\xff\n.png"
    text = stats(make({name: b"x"}))
    assert "  img/\\xff\\n.png\n" in text
    told = stats(make({name: b"x"}), "", "--json")
    assert told["biggest"][0]["file"] == os.fsdecode(name)


def test_what_cannot_be_read_is_counted(manifest, mount, make, bed):
    tree = make({"a.css": b"", "b.css": b"@import 'a.css';"})
    (tree / "b.css").chmod(0)
    first = b"1 file, 0 B; 1 cannot be read\n"
    done = manifest(bed.user, "stats", "--source", tree)
    assert done.stdout.startswith(first)
    with mount(tree, person=bed.user) as m:
        assert manifest(bed.user, "stats", m.path).stdout.startswith(first)


def test_a_mount_says_what_its_sources_say(manifest, mount, anyone, real_tree):
    """And both what the files themselves say."""
    of_source = manifest(anyone, "stats", "--json", "--source", real_tree).stdout
    with mount(real_tree, person=anyone) as m:
        assert manifest(anyone, "stats", "--json", m.path).stdout == of_source
        files = m.files()
    told = json.loads(of_source)
    assert told["files"] == len(files)
    assert told["bytes"] == sum(map(len, files.values()))
    for row in told["biggest"]:
        assert row["bytes"] == len(files[row["name"]])
    bytes_of = collections.Counter(files.values())
    wasted = sum(len(data) * (n - 1) for data, n in bytes_of.items())
    assert told["surplus_bytes"] == wasted


def test_what_is_kept_has_no_digest_in_a_live_mount(mount, manifest, make, anyone):
    tree = make({"a.txt": b"equal", "b.txt": b"equal"})
    with mount(tree, "keep=*.txt", person=anyone) as m:
        text = manifest(anyone, "stats", m.path, text=True).stdout
    assert "Equal bytes: none\n  not compared: 2 files under own names\n" in text


def test_another_format_of_the_manifest_before(ask, make, work, anyone, manifest):
    tree = make(TREE)
    old = ["--format", "flat", "--key-prefix", "/", "--url-prefix", "/s/"]
    manifest(anyone, "snapshot", *old, "--output", work / "f.json", "--source", tree)
    (tree / "css/all.css").unlink()
    (tree / "css/new.css").write_bytes(b"new")
    args = ["--json", "--previous", work / "f.json", *old]
    code, out, err = ask("stats", tree, "", *args)
    assert (code, err) == (GOOD, "")
    release = json.loads(out)["release"]
    assert (release["added_files"], release["added_bytes"]) == (1, 3)
    assert (release["same_name_files"], release["left_files"]) == (0, 1)


def write_manifest(manifest, person, tree, file):
    """Of the tree as it is; its mapping."""
    done = manifest(person, "snapshot", "--source", tree)
    file.write_bytes(done.stdout)
    return json.loads(done.stdout)["paths"]


def test_what_a_manifest_names(stats, manifest, make, work, anyone):
    """Its files have its names and the tree's sizes; nothing else counts."""
    tree = make(TREE | {"gone.png": b"", "page.html": b""})
    names = write_manifest(manifest, anyone, tree, work / "new.json")
    (tree / "gone.png").unlink()
    (tree / "img/a.PNG").write_bytes(b"A" * 4000)
    (tree / "css/new.css").write_bytes(b"@import 'self.css';" * 50)
    old = {"version": "1.1", "paths": {k: names[k] for k in ("gone.png", "img/c.svg")}}
    old["paths"]["gone.css"] = "gone.0123456789ab.css"
    (work / "old.json").write_text(json.dumps(old))
    text = stats(tree, "", work / "new.json")
    assert text.startswith(
        "12 files, 10.3 kB\n"
        "  not in the tree: 1 file: gone.png\n"
        # all.css refers to a.PNG, and has its name in it.
        "  changed, under another name there: 2 files: css/all.css, img/a.PNG\n"
        "\nBy type "
    )
    assert "References: 8\n" in text and "new.css" not in text
    told = stats(tree, "", "--json", "--previous", work / "old.json", work / "new.json")
    assert (told["missing"], told["renamed"]) == (
        ["gone.png"],
        ["css/all.css", "img/a.PNG"],
    )
    biggest = {"file": "img/a.PNG", "name": names["img/a.PNG"], "bytes": 4000}
    assert told["biggest"][0] == biggest
    release = told["release"]
    assert (release["added_files"], release["left_files"]) == (11, 1)


def test_a_manifest_of_a_tree_as_it_is_changes_nothing(
    stats, manifest, make, work, anyone
):
    tree = make(TREE)
    write_manifest(manifest, anyone, tree, work / "new.json")
    assert stats(tree, "", work / "new.json") == stats(tree)
    told = stats(tree, "", "--json", work / "new.json")
    assert (told.pop("missing"), told.pop("renamed")) == ([], [])
    assert told == stats(tree, "", "--json")


def test_sources_from_a_file_beside_a_manifest(manifest, make, work, anyone):
    tree = make(TREE)
    write_manifest(manifest, anyone, tree, work / "new.json")
    (work / "sources").write_text(f"{tree}\n")
    args = ["--source", "--sources-from", work / "sources", work / "new.json"]
    assert b"12 files, 9.4 kB\n" in manifest(anyone, "stats", *args).stdout


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["stats"], USAGE, "MOUNTPOINT"),
        (["stats", "{src}/a.json"], USAGE, "a manifest has no sizes"),
        (["stats", "--source", "{src}/a.json"], USAGE, "--previous {src}/a.json"),
        (["stats", "--source", "{src}", "{src}"], USAGE, "DIR:DIR"),
        (["stats", "--source", "{src}", "{src}/a.json"], USAGE, "comes first"),
        (["stats", "--source", "{src}/a.json", "{src}"], ENVIRONMENT, "a.json"),
        (["stats", "{src}/m.json", "--source", "{src}/no"], ENVIRONMENT, "{src}/no"),
        (["stats", "--format", "flat", "{src}"], USAGE, "--previous"),
        (["stats", "-o", "length=8", "{src}"], USAGE, "--source"),
        (["stats", "--output", "x", "{src}"], USAGE, "--output"),
        (["stats", "{src}"], ENVIRONMENT, "not a hashedfs mount"),
        (["stats", "--source", "{src}", "--previous", "{src}"], ENVIRONMENT, "{src}"),
    ],
)
def test_wrong_command_lines(manifest, make, anyone, args, code, word):
    src = make({"a.json": b"{}", "m.json": json.dumps(OLD).encode()})
    args = [arg.format(src=src) for arg in args]
    done = manifest(anyone, *args, check=False, text=True)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("hashedfs-manifest: ")
    assert word.format(src=src) in done.stderr and done.stderr.count("\n") == 1


def test_references_without_their_end_are_incomplete(manifest, work, anyone):
    control = work / "mount/.hashedfs"
    control.mkdir(parents=True)
    (control / "references").write_text("a.css\tb.css\n")
    done = manifest(anyone, "stats", control.parent, check=False)
    assert (done.returncode, done.stdout) == (INCOMPLETE, b"")
    assert b"references is incomplete" in done.stderr


def test_who_may_not_look(manifest, mount, make, as_root, bed):
    with mount(make(TREE), "allow_other", person=ROOT) as m:
        done = manifest(bed.user, "stats", m.path, check=False, text=True)
    assert done.returncode == ENVIRONMENT and "control=all" in done.stderr
