"""Names, bytes and manifests equal real Django's, version by version."""

import itertools
import json
import os

import django_cases
import oracle
import pytest
from django_real import (
    PROFILES,
    djangos,  # noqa: F401, a fixture
    fast_mount,
    options,
    our_manifest,
    read_at,
    same_files,
    same_manifest,
)


@pytest.fixture(params=list(PROFILES)[:4])
def profile(request):
    return request.param


@pytest.fixture
def django(profile, djangos):  # noqa: F811
    return djangos(PROFILES[profile])


@pytest.fixture
def compare(bed, fuse, anyone, place, work):
    """compare(dirs, opts, collected, given): ours is what Django made."""
    point = place(anyone, "point")

    def equal(dirs, opts, collected, given):
        manifest = our_manifest(bed, dirs, opts, anyone)
        same_manifest(manifest, collected)
        with fast_mount(bed, dirs, point, opts, anyone) as mounted:
            same_files(anyone.call(read_at, mounted), collected, given)

    return equal


@pytest.fixture(scope="session")
def case_trees(bed):
    """A directory with every case's tree under its name."""
    top = bed.top / "cases"
    for case in django_cases.CASES + django_cases.MODULES:
        for path, data in case.files.items():
            full = top / case.name / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(data)
    return top


@pytest.fixture
def judge(case_trees, compare, work):
    """judge(case, profile, django): as Django where it finishes and hashedfs
    does not do otherwise on purpose; else as the lenient storage."""

    def run(case, profile, django, **request):
        version = PROFILES[profile]
        dirs = [["", str(case_trees / case.name)]]
        request["static_url"] = case.static_url
        real = django.collect(dirs, work / "root", **request)
        kind, text = real.error or (None, "")
        assert kind == case.aborts.get(version), text
        kinder = django.collect(dirs, work / "lenient", storage="lenient", **request)
        assert kinder.error is None
        if not real.error and not case.departs:
            assert kinder.notes == []
            assert kinder.manifest == real.manifest
            assert kinder.files() == real.files()
        else:
            assert kinder.notes and kinder.kinds() >= set(case.departs)
        compare(dirs, options(profile, case.static_url), kinder, case.files)

    return run


@pytest.mark.parametrize("case", django_cases.CASES, ids=str)
def test_case(case, profile, django, judge):
    judge(case, profile, django)


@pytest.mark.parametrize("case", django_cases.MODULES, ids=str)
def test_modules(case, djangos, judge):  # noqa: F811
    profile = "django-6.1,js_modules"
    judge(case, profile, djangos(PROFILES[profile]), modules=True)


def test_real_tree(real_tree, profile, django, compare, work):
    dirs = [["", str(real_tree)]]
    real = django.collect(dirs, work / "root")
    if real_tree.name == "monaco-editor":  # it comes without its source maps
        assert real.error[0] == "ValueError"
        real = django.collect(dirs, work / "root", storage="lenient")
        assert real.kinds() == {"missing"}
    assert real.error is None
    compare(dirs, options(profile), real, {})


def test_real_trees_with_prefixes(inputs, profile, django, compare, work):
    names = ("django-admin", "djangorestframework", "bootstrap")
    dirs = [[p, str(inputs(n))] for p, n in zip(("", "rest", "lib/boot"), names)]
    real = django.collect(dirs, work / "root", static_url="https://cdn.example/s/")
    assert real.error is None
    compare(dirs, options(profile, "https://cdn.example/s/"), real, {})


# --- what hashedfs does otherwise, on purpose ---------------------------------
#
# Each states what Django does, and what hashedfs does instead.


@pytest.fixture
def both(make, django, profile, work, bed, fuse, anyone, place):
    """both({path: bytes}): what Django makes of a tree, and what is mounted:
    its manifest's paths, its files and its problems."""
    count = itertools.count()

    def run(files, more="", lenient=False):
        src = make(files, f"src{next(count)}")
        return run_dirs([["", str(src)]], more, lenient)

    def run_dirs(dirs, more="", lenient=False):
        real = django.collect(dirs, work / "root", storage="lenient" if lenient else "django")
        opts = options(profile) + more
        paths = json.loads(our_manifest(bed, dirs, opts, anyone))["paths"]
        with fast_mount(bed, dirs, place(anyone), opts, anyone) as mounted:
            found = anyone.call(read_at, mounted)
            problems = anyone.call(read_problems, mounted)
        return real, paths, found, problems

    run.dirs = run_dirs
    return run


def read_problems(mounted):
    with open(os.path.join(mounted, ".hashedfs/problems"), encoding="utf-8") as file:
        return file.read()


def in_root(real, name):
    return os.path.lexists(os.path.join(real.root, name))


A = b"a{b:url(../img/a.png)}"


def test_missing_file(both):
    """Django gives up and writes no manifest; here the reference stays."""
    css = b"a{b:url( '../img/nope.png' )}" + A
    files = {"css/a.css": css.replace(b" ", b""), "img/a.png": b"PNG"}
    real, paths, found, _ = both(files)
    assert real.error[0] == "ValueError" and "could not be found" in real.error[1]
    assert not in_root(real, "staticfiles.json")
    assert found[paths["css/a.css"]] == (
        b"a{b:url('../img/nope.png')}" + b'a{b:url("../img/a.55505ba281b0.png")}'
    )


def test_missing_file_in_a_comment(both, profile):
    """Up to 6.0 Django rewrites comments, and gives up on a missing file in
    one; here it stays, and what is there is rewritten as Django does."""
    files = {"css/a.css": b"/* url(nope.png) " + A + b" */", "img/a.png": b"PNG"}
    real, paths, found, _ = both(files)
    text = found[paths["css/a.css"]]
    if profile == "django-6.1":
        assert real.error is None and text == files["css/a.css"]
        return
    assert real.error[0] == "ValueError"
    assert text == b'/* url(nope.png) a{b:url("../img/a.55505ba281b0.png")} */'


@pytest.mark.parametrize("length", [7, 15])
def test_long_chain(both, length):
    """A file that imports one that imports one, deep ones shallow ones: Django
    gives up at 7 files; here any number works."""
    directory = [f"{'d/' * (length - i)}{i}.css" for i in range(length)]
    files = {
        path: b'@import "%s";' % os.path.relpath(after, os.path.dirname(path)).encode()
        for path, after in zip(directory, directory[1:])
    }
    files[directory[-1]] = b"a{}"
    real, paths, found, _ = both(files)
    assert real.error[0] == "RuntimeError" and "Max post-process" in real.error[1]
    for path, after in zip(directory, directory[1:]):
        name = os.path.basename(paths[after]).encode()
        assert found[paths[path]].endswith(name + b'");')
        assert paths[path] == oracle.hashed(path, found[paths[path]])


def test_circle(both):
    """Django gives up; here its members are named together: see the lenient
    storage, which has the same rule. A change in one renames all of them, and
    nothing else."""
    files = {
        "a.css": b"@import 'b.css';url(a.png)",
        "b.css": b"@import 'c/c.css';",
        "c/c.css": b"@import '../a.css';@import 'd.css';",
        "c/d.css": b"d{}",
        "e.css": b"@import 'a.css';",
        "a.png": b"PNG",
    }
    real, _, _, _ = both(files)
    assert real.error[0] == "RuntimeError"
    real, paths, found, _ = both(files, lenient=True)
    assert paths == real.paths
    assert found == real.files()
    for path in ("e.css", "c/d.css"):
        assert paths[path] == oracle.hashed(path, found[paths[path]])
    files["b.css"] += b"/* other */"
    other = both(files)[1]
    same = {path for path in paths if paths[path] == other[path]}
    assert same == {"c/d.css", "a.png"}


def test_query_on_a_rewritten_file(both):
    """Django names the copy that was not rewritten, and no such file is there;
    here it is the file's name."""
    files = {
        "a.css": b'@import "b.css?v=1";@import "b.css ";',
        "b.css": b"b{c:url(x)}",
        "x": b"",
    }
    real, paths, found, _ = both(files)
    assert real.error is None
    wrong = oracle.hashed("b.css", files["b.css"])
    assert wrong.encode() in real.read(real.paths["a.css"])
    assert not in_root(real, wrong)
    assert real.paths["b.css"] == paths["b.css"] != wrong
    text = found[paths["a.css"]].decode()
    assert text == '@import url("{0}?v=1");@import url("{0}");'.format(paths["b.css"])


@pytest.mark.parametrize("name", ["a.css", "a.js"])
def test_not_utf_8(both, name):
    """Django gives up; here it is shown as it is."""
    data = b"a{b:url(a.png)}\xff\n//# sourceMappingURL=a.png\n"
    real, paths, found, problems = both({name: data, "a.png": b"PNG"})
    assert real.error[0] == "UnicodeDecodeError"
    assert paths[name] == oracle.hashed(name, data)
    assert found[paths[name]] == data


def test_large_text(both):
    """Django rewrites it; here what is above 32 MiB is shown as it is."""
    data = A + b"\n" + b" " * (32 << 20)
    real, paths, found, _ = both({"css/a.css": data, "img/a.png": b"PNG"})
    assert real.error is None
    assert real.read(real.paths["css/a.css"]).startswith(b'a{b:url("../img/a.5')
    assert paths["css/a.css"] == oracle.hashed("css/a.css", data)
    assert found[paths["css/a.css"]] == data


@pytest.mark.parametrize(
    "name, value, on_disk",
    [
        ("a\\b.png", "a/b.55505ba281b0.png", False),
        ("a\nb.png", "ab.55505ba281b0.png", True),
        ("a\tb.png", "ab.55505ba281b0.png", True),
        ("a%2Fb.png", "a/b.55505ba281b0.png", True),
        ("d /a.png", "d /a.55505ba281b0.png", True),
        (" d/a.png", "d/a.55505ba281b0.png", True),
        ("http:x.png", "http:/x.55505ba281b0.png", True),
    ],
)
def test_mangled_name(both, name, value, on_disk):
    """Django's name lies elsewhere, or its manifest tells a name that is not
    there; here the file stands plain."""
    real, paths, found, problems = both({name: b"PNG", "b.txt": b""})
    assert real.error is None
    key = name.replace("\\", "/")
    assert real.paths[key] == value
    assert in_root(real, value) or not on_disk
    if name == "d /a.png":  # where nothing moves, there is nothing to do
        assert paths == real.paths
        return
    assert paths[name] == name
    assert found[name] == b"PNG"
    assert len(problems.splitlines()) == 1


@pytest.mark.parametrize("name, error", [
    ("%2F%2Fh", "SuspiciousFileOperation"), ("a" * 243, "OSError")])
def test_impossible_name(both, name, error):
    """Django gives up; here the file stands plain."""
    real, paths, found, problems = both({name: b"PNG", "b.txt": b""})
    assert real.error[0] == error
    assert paths[name] == name and found[name] == b"PNG"
    assert len(problems.splitlines()) == 1


def test_file_under_another_s_hashed_name(both):
    """Django takes what stands there for the hashed file; here the bytes are
    those that the name tells."""
    files = {"a.png": b"PNG", "a.55505ba281b0.png": b"OTHER"}
    real, paths, found, _ = both(files)
    assert real.paths["a.png"] == "a.55505ba281b0.png"
    assert real.read("a.55505ba281b0.png") == b"OTHER"
    assert paths == real.paths
    assert found[paths["a.png"]] == b"PNG"
    assert found[paths["a.55505ba281b0.png"]] == b"OTHER"


def test_style_sheet_under_another_s_hashed_name(both):
    """Django overwrites its plain copy, or removes it; here there is none, and
    with plain names the hashed one wins."""
    raw = oracle.hashed("a.css", b"b{}")
    files = {"a.css": b"b{}", raw: b"/*other*/"}
    real, paths, found, _ = both(files)
    assert real.read(raw) == b"b{}"
    assert paths == real.paths
    assert found == real.files()
    found, problems = both(files, ",show=hashed:plain")[2:]
    assert found[raw] == b"b{}"
    assert raw in problems


def test_reference_to_a_hashed_name(both):
    """Whether Django finds it depends on which file comes first, and what it
    makes of it is hashed twice and not there; here it is no file's name."""
    files = {"a.css": b"a{b:url(x/a.55505ba281b0.png)}", "x/a.png": b"PNG"}
    real, paths, found, _ = both(files)
    assert real.read(real.paths["a.css"]) == (
        b'a{b:url("x/a.55505ba281b0.55505ba281b0.png")}'
    )
    assert found[paths["a.css"]] == files["a.css"]


def test_directory_without_files(both):
    """collectstatic makes no such directory, so Django gives up on a reference
    to it; here it stays as it is written."""
    real, paths, found, problems = both({"a.css": b"a{b:url(d)}", "d": None})
    assert real.error[0] == "ValueError"
    assert found[paths["a.css"]] == b"a{b:url(d)}"
    assert problems == 'a.css:1:9: "d" leads to d, which is missing\n'


def test_links(both, django, work, make):
    """Django copies what a link leads to wherever that is, and gives up on one
    that leads nowhere; here neither can be opened, unless -o follow."""
    make({"secret": b"x"}, "elsewhere")
    src = make({"a": b"a"}, "linked")
    (src / "in").symlink_to("a")
    (src / "out").symlink_to(work / "elsewhere/secret")
    real, paths, _, problems = both.dirs([["", str(src)]], ",follow")
    assert real.error is None and paths == real.paths
    (src / "dangling").symlink_to("nope")
    real = django.collect([["", str(src)]], work / "root2")
    assert real.error[0] == "FileNotFoundError"


def test_file_here_and_directory_there(both, make):
    """Django cannot make both; here the first one wins whole."""
    one = make({"a": b"file"}, "one")
    two = make({"a/b": b"b"}, "two")
    real, paths, found, problems = both.dirs([["", str(one)], ["", str(two)]])
    assert real.error[0] == "FileExistsError"
    assert list(paths) == ["a"]
    assert "a" in problems
    _, paths, _, _ = both.dirs([["", str(two)], ["", str(one)]])
    assert list(paths) == ["a/b"]


def test_plain_names(both):
    """Django's STATIC_ROOT has them beside the hashed ones; here only with
    show=hashed:kept:plain, and then the two are equal."""
    files = {"css/a.css": A, "img/a.png": b"PNG", "b.js": b"", "d/README": b"x"}
    real, paths, found, _ = both(files)
    assert set(found) == set(real.paths.values())
    whole = oracle.walk(real.root)
    del whole["staticfiles.json"]
    assert both(files, ",show=hashed:kept:plain")[2] == whole


def test_kept_and_prehashed(both):
    """Django knows no such thing; they are mapped to themselves, are not
    rewritten, and references to them stay."""
    files = {
        "sw.js": b"//# sourceMappingURL=a.png",
        "app.0a1b2c.css": b"a{b:url(a.png)}",
        "a.css": b"@import 'app.0a1b2c.css';a{b:url('a.png');c:url('sw.js')}",
        "a.png": b"PNG",
    }
    real, paths, found, _ = both(files, ",keep=sw.js,prehashed=app.*.css")
    assert paths["sw.js"] == "sw.js" != real.paths["sw.js"]
    assert paths["app.0a1b2c.css"] == "app.0a1b2c.css"
    for name in ("sw.js", "app.0a1b2c.css"):
        assert found[name] == files[name]
    assert found[paths["a.css"]] == (
        b"@import 'app.0a1b2c.css';a{b:url(\"a.55505ba281b0.png\");c:url('sw.js')}"
    )
