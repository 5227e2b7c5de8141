"""check and snapshot --strict: what is told of a tree, by mounts and without."""

import json
import os
import posixpath
import re

import oracle
import pytest
from person import ROOT

GOOD, FINDINGS, USAGE, ENVIRONMENT, INCOMPLETE = range(5)
ALL_NAMES = "show=hashed:kept:plain"

FAULTS = {
    "css/a.css": b"a{}\nb{c:url(../img/nope.png)} d{e:url(../../x.png)}",
    "css/self.css": b"@import 'self.css';",
    "css/one.css": b"@import 'two.css';",
    "css/two.css": b"@import 'one.css';",
    "css/latin.css": b"/* \xe9 */",
    "img/a.png": b"PNG",
    "js/a.js": b"import './b.js';\nimport('./b.js');\n",
    "js/b.js": b"b",
    "favicon.ico": b"icon",
}
LINES = [
    'css/a.css:2:9: "../img/nope.png" leads to img/nope.png, which is missing',
    'css/a.css:2:35: "../../x.png" leads out of the static files',
    "css/latin.css: is not UTF-8, so it is shown as it is: its references are "
    "not rewritten",
    "css/one.css: refers to itself in a circle: css/one.css, css/two.css",
    "css/self.css: refers to itself",
    "favicon.ico: is asked for by this name, but shown under its hashed name "
    "only; -o keep= keeps its name",
    "js/a.js:1:9: 2 references are not rewritten and name files that are shown "
    "under their hashed names only; -o show=hashed:kept:plain shows plain names "
    "too, keep= those of some files, js_modules rewrites imports",
]


@pytest.fixture
def check(ask):
    """check(tree, options, *args): see `ask`."""

    def run(tree, options="", *args, verb="check"):
        return ask(verb, tree, options, *args)

    return run


def lines(out):
    assert out == "" or out.endswith("\n")
    return out.splitlines()


# --- check ----------------------------------------------------------------------


def test_findings_are_printed(check, make):
    code, out, err = check(make(FAULTS))
    assert (code, lines(out), err) == (FINDINGS, LINES, "")


def test_no_findings(check, make):
    tree = make({"css/a.css": b"url(a.png)", "css/a.png": b"PNG"})
    assert check(tree) == (GOOD, "", "")
    assert check(tree, "", "--json") == (GOOD, "[]\n", "")


def test_problems_are_the_same(mount, make, anyone):
    with mount(make(FAULTS), person=anyone) as m:
        assert lines(m.control("problems")) == LINES
        rows = m.control("findings").splitlines()
        end, generation = rows.pop(), m.control("map").split()[-1]
        assert end == f"#end\t{len(LINES)}\t{generation}"
        assert rows[0].split("\t") == [
            "css/a.css",
            "2",
            "9",
            "missing",
            "../img/nope.png",
            '"../img/nope.png" leads to img/nope.png, which is missing',
        ]


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        ("*", []),
        ("css/*:favicon.ico*:js/a.js\\:./b.js", []),
        ("*\\:../*", [2, 3, 4, 5, 6]),
        ("css/a.css\\:../img/nope.png:js/*", [1, 2, 3, 4, 5]),
        ("css/a.css:../img/nope.png", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_known_ones_can_be_ignored(check, make, globs, left):
    code, out, err = check(make(FAULTS), "", "--ignore", globs)
    assert lines(out) == [LINES[i] for i in left]
    assert (code, err) == (FINDINGS if left else GOOD, "")


def test_json_of_a_file_without_a_place(check, make):
    tree = make({})
    os.symlink("nowhere", tree / "link")
    code, out, err = check(tree, "", "--json")
    assert (code, err) == (FINDINGS, "")
    assert json.loads(out) == [
        {
            "file": "link",
            "line": None,
            "column": None,
            "kind": "link",
            "url": "",
            "message": "link that leads nowhere: its target is missing",
        }
    ]


def test_json_of_a_name_that_is_not_utf8(check, make):
    name = b"css/\xff.css"
    code, out, err = check(make({name: b"\n url(x.png)"}), "", "--json")
    assert (code, err) == (FINDINGS, "")
    assert out.isascii()
    assert json.loads(out) == [
        {
            "file": os.fsdecode(name),
            "line": 2,
            "column": 6,
            "kind": "missing",
            "url": "x.png",
            "message": '"x.png" leads to css/x.png, which is missing',
        }
    ]


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["check"], USAGE, "MOUNTPOINT"),
        (["check", "--source"], USAGE, "check --source DIR"),
        (["check", "--strict", "{src}"], USAGE, "--strict"),
        (["check", "--output", "f", "{src}"], USAGE, "--output"),
        (["check", "-o", "length=8", "{src}"], USAGE, "--source"),
        (["check", "--source", "-o", "nope", "{src}"], USAGE, "nope"),
        (["check", "{src}"], ENVIRONMENT, "not a hashedfs mount"),
        (["check", "--source", "{src}/nope"], ENVIRONMENT, "{src}/nope"),
        (["snapshot", "--ignore", "x", "{src}"], USAGE, "--strict"),
        (["snapshot", "--json", "{src}"], USAGE, "--json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_refusals(manifest, make, anyone, args, code, word):
    src = make({"a": b""})
    args = [arg.format(src=src) for arg in args]
    done = manifest(anyone, *args, check=False, text=True)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("hashedfs-manifest: ")
    assert word.format(src=src) in done.stderr and done.stderr.count("\n") == 1


def test_findings_without_their_end_are_incomplete(manifest, work, anyone):
    control = work / "mount/.hashedfs"
    control.mkdir(parents=True)
    (control / "findings").write_text("a\t0\t0\tspecial\t\tx\n")
    done = manifest(anyone, "check", control.parent, check=False)
    assert (done.returncode, done.stdout) == (INCOMPLETE, b"")
    assert b"incomplete" in done.stderr


def test_what_cannot_be_read_is_a_finding(manifest, mount, make, bed):
    tree = make({"a.css": b"@import 'b.css';", "b.css": b"", "c.js": b""})
    (tree / "b.css").chmod(0)
    told = (
        b'a.css:1:10: "b.css" leads to b.css, which cannot be read\n'
        b"b.css: cannot be read: Permission denied\n"
    )
    done = manifest(bed.user, "check", "--source", tree, check=False)
    assert (done.returncode, done.stdout) == (FINDINGS, told)
    with mount(tree, person=bed.user) as m:
        assert manifest(bed.user, "check", m.path, check=False).stdout == told


# --- snapshot --strict -------------------------------------------------------------


def test_strict_is_check_then_snapshot(check, make):
    tree = make(FAULTS)
    code, out, err = check(tree, "", "--strict", verb="snapshot")
    assert (code, out) == (FINDINGS, "")
    assert lines(err)[:-1] == LINES
    assert "no manifest" in lines(err)[-1]
    plain = check(tree, verb="snapshot")
    assert plain[0] == GOOD
    assert check(tree, "", "--strict", "--ignore", "*", verb="snapshot") == plain


def test_strict_leaves_the_old_manifest(check, make, work):
    output = work / "staticfiles.json"
    output.write_text("old")
    tree = make({"a.css": b"url(b.png)"})
    args = ("--strict", "--output", str(output))
    assert check(tree, "", *args, verb="snapshot")[0] == FINDINGS
    assert output.read_text() == "old"
    assert os.listdir(work).count("staticfiles.json") == 1


def test_strict_of_a_tree_without_findings(check, make):
    tree = make({"a.css": b"a{}"})
    code, out, err = check(tree, "", "--strict", verb="snapshot")
    expected = oracle.manifest_bytes({"a.css": oracle.hashed("a.css", b"a{}")})
    assert (code, out.encode(), err) == (GOOD, expected, "")


def test_strict_of_two_moments_of_a_mount_is_none(manifest, work, anyone):
    """A map and findings of another generation are not of one tree."""
    control = work / "mount/.hashedfs"
    control.mkdir(parents=True)
    (control / "findings").write_text("#end\t0\t1\n")
    (control / "map").write_text("#end\t0\t2\n")
    args = ("snapshot", "--strict", control.parent)
    done = manifest(anyone, *args, check=False)
    assert (done.returncode, done.stdout) == (INCOMPLETE, b"")
    assert b"keeps changing" in done.stderr
    (control / "map").write_text("#end\t0\t1\n")
    assert manifest(anyone, *args).stdout == oracle.manifest_bytes({})


# --- real trees ---------------------------------------------------------------------

IMPORT = re.compile(
    r"""^(?!\s*//)[^\n]*?\b(?:from|import|import\()\s*["']([./][^"'\n]*)["']""", re.M
)


def test_monaco_misses_its_source_maps(check, inputs):
    code, out, _ = check(inputs("monaco-editor"), ALL_NAMES, "--json")
    found = [(row["file"], row["kind"], row["url"]) for row in json.loads(out)]
    url = "../../min-maps/vs/loader.js.map"
    assert found == [(f"{top}/vs/loader.js", "missing", url) for top in ("dev", "min")]
    assert code == FINDINGS
    args = ("--ignore", "*/vs/loader.js\\:*/min-maps/*.map")
    assert check(inputs("monaco-editor"), ALL_NAMES, *args) == (GOOD, "", "")


def test_real_trees_with_all_names_lack_nothing_else(check, real_tree):
    code, out, err = check(real_tree, ALL_NAMES, "--ignore", "*.map")
    assert (code, out, err) == (GOOD, "", "")


@pytest.mark.parametrize("name", ["bootstrap", "monaco-editor", "three"])
def test_every_module_of_real_trees_is_found(check, inputs, name):
    """Against a regular expression: which scripts import files by name."""
    tree = inputs(name)
    texts = oracle.walk(tree)
    expected = set()
    for path, data in texts.items():
        if not path.endswith((".js", ".mjs")):
            continue
        for url in IMPORT.findall(data.decode("utf-8", "replace")):
            joined = posixpath.join(posixpath.dirname(path), url)
            if posixpath.normpath(joined) in texts:
                expected.add(path)
    _, out, _ = check(tree, "", "--json")
    rows = [row for row in json.loads(out) if row["kind"] == "plain-references"]
    found = {row["file"] for row in rows}
    assert expected - found == set()
    for row in rows:  # each at its place
        line = texts[row["file"]].decode().split("\n")[row["line"] - 1]
        assert line[row["column"] - 1 :].startswith(row["url"])
        assert line[row["column"] - 2] in "\"'`"


def test_with_js_modules_imports_are_no_findings(check, inputs):
    _, out, _ = check(inputs("bootstrap"), "js_modules")
    assert out == ""


# --- together with others ------------------------------------------------------------


def test_a_prefix_is_part_of_the_path(manifest, make, anyone):
    tree = make({"a.css": b"url(b.png) url(/static/x/c.png)", "c.png": b""})
    done = manifest(anyone, "check", "--source", f"x=/{tree}", check=False)
    assert done.stdout == b'x/a.css:1:5: "b.png" leads to x/b.png, which is missing\n'


def test_a_mount_tells_what_is_true_now(mount, make, anyone):
    tree = make({"a.css": b"url(b.png)"}, owner=anyone)
    with mount(tree, person=anyone) as m:
        assert len(lines(m.control("problems"))) == 1
        (tree / "b.png").write_bytes(b"PNG")
        assert m.control("problems") == ""
        (tree / "b.png").unlink()
        assert len(lines(m.control("problems"))) == 1


def test_check_is_for_who_mounted(mount, manifest, make, as_root, bed):
    with mount(make({"a": b""}), "allow_other") as m:
        done = manifest(bed.user, "check", m.path, check=False)
        assert done.returncode == ENVIRONMENT and done.stdout == b""
        assert manifest(ROOT, "check", m.path).stdout == b""
