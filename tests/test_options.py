"""What -o chooses, and how sources are spelt and laid over each other."""

import errno
import hashlib
import json
import os
import stat

import oracle
import pytest

FILES = {
    "a.css": b"a{}",
    "img/b.png": b"PNG",
    "vendor/c.1234abcd.js": b"c()",
    "vendor/d.js": b"d()",
}


@pytest.fixture
def src(make):
    return make(FILES)


def hashed(*paths):
    return {oracle.hashed(path, FILES[path]) for path in paths}


def names(mount, person, src, options):
    with mount(src, options, person=person) as m:
        return set(m.names())


# --- which names are shown ------------------------------------------------------


def test_show(src, mount, as_user):
    every = set(FILES)
    assert names(mount, as_user, src, "show=hashed") == hashed(*every)
    assert names(mount, as_user, src, "show=hashed:plain") == hashed(*every) | every
    assert names(mount, as_user, src, "show=plain") == every
    kept = "keep=a.css,"
    rest = every - {"a.css"}
    assert names(mount, as_user, src, kept + "show=hashed") == hashed(*rest)
    assert names(mount, as_user, src, kept + "show=kept") == {"a.css"}
    assert names(mount, as_user, src, kept + "show=hashed:kept") == hashed(*rest) | {
        "a.css"
    }


def test_keep(src, mount, manifest, as_user):
    options = "keep=vendor/*:*.css"
    with mount(src, options, person=as_user) as m:
        kept = {"a.css", "vendor/c.1234abcd.js", "vendor/d.js"}
        assert set(m.names()) == kept | hashed("img/b.png")
        assert m.read("vendor/d.js") == b"d()"
        rows = m.map()
        assert rows["a.css"]["kind"] == "kept"
        text = manifest(as_user, "snapshot", m).stdout
    paths = json.loads(text)["paths"]
    assert {path for path, name in paths.items() if path == name} == kept
    assert text == manifest(as_user, "snapshot", "--source", "-o", options, src).stdout


def test_prehashed(src, mount, manifest, as_user):
    with mount(src, "prehashed=*.????????.js", person=as_user) as m:
        name = "vendor/c.1234abcd.js"
        assert set(m.names()) == hashed("a.css", "img/b.png", "vendor/d.js") | {name}
        assert m.stat(name).st_mtime == 946684800
        assert m.map()[name]["kind"] == "prehashed"
        paths = json.loads(manifest(as_user, "snapshot", m).stdout)["paths"]
        assert paths[name] == name


def test_a_prehashed_file_that_can_be_read_at_last(make, mount, as_user):
    """Who opens it gets what is held to a digest, whatever the kernel knew."""
    src = make({"d/x": b"x"}, owner=as_user)
    name = "app.1234abcd.js"
    (src / name).symlink_to("d/app")
    with mount(src, "xattr,prehashed=app.*", person=as_user) as m:
        with pytest.raises(OSError) as caught:
            m.read(name)
        assert caught.value.errno == errno.EIO
        (src / "d/app").write_bytes(b"app")
        assert m.read(name) == b"app"
        digest = m.call(os.getxattr, m / name, "user.hashedfs.digest")
        assert digest.decode() == hashlib.md5(b"app").hexdigest()
        assert m.stat(name).st_mtime == 946684800


def test_ignore(make, mount, as_user):
    src = make({p: b"x" for p in (
        "a.css", "a.scss", "b~", ".hidden", "CVS/x", "css/deep/x.css", "css/y.css",
        "build/z.css", "d/.git/x", "d/CVS/y", "d/e~",
    )})  # fmt: skip

    def sources(options):
        with mount(src, options, person=as_user) as m:
            return set(m.map())

    default = {"a.css", "a.scss", "css/deep/x.css", "css/y.css", "build/z.css"}
    assert sources("") == default
    assert sources("ignore=*.scss") == default - {"a.scss"}
    assert sources("ignore=*.scss:build") == default - {"a.scss", "build/z.css"}
    assert sources("ignore=css/*") == default - {"css/deep/x.css", "css/y.css"}
    assert sources("ignore=css/deep") == default
    assert sources("ignore=css/deep/*") == default - {"css/deep/x.css"}
    assert sources("ignore=./css/*") == default - {"css/deep/x.css", "css/y.css"}
    assert sources("ignore=build/") == default - {"build/z.css"}
    assert sources("ignore=[ab].css") == default - {"a.css"}
    assert sources("ignore=A.CSS") == default
    everything = default | {"b~", ".hidden", "CVS/x", "d/.git/x", "d/CVS/y", "d/e~"}
    assert sources("no_default_ignore") == everything
    assert sources("no_default_ignore,ignore=.*") == everything - {
        ".hidden",
        "d/.git/x",
    }


@pytest.mark.parametrize(
    "globs", ["*.png", "img", "img/*", "b*", "vendor/?.js", "[!a]*", "*/c.*", "./img"]
)
def test_ignore_is_django_s(src, manifest, anyone, globs, work):
    """With the globs handed to real collectstatic as -i."""
    import subprocess

    python = oracle.VENVS["5.2"] / "bin/python"
    script = (
        "import sys; from django.contrib.staticfiles.utils import get_files;"
        "from django.contrib.staticfiles.finders import FileSystemStorage;"
        "from django.conf import settings; settings.configure();"
        "import os; globs = [os.path.normpath(g) for g in sys.argv[2:]];"
        "globs += ['CVS', '.*', '*~'];"
        "print('\\n'.join(get_files(FileSystemStorage(sys.argv[1]), globs)))"
    )
    out = subprocess.run(
        [python, "-c", script, src, globs], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    ours = manifest(anyone, "snapshot", "--source", "-o", f"ignore={globs}", src).stdout
    assert set(json.loads(ours)["paths"]) == set(out.split())


# --- how names look -------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "want"),
    [
        ("%n.%h%e", "a.{}.css"),
        ("%n-%h%e", "a-{}.css"),
        ("%h.%n%e", "{}.a.css"),
        ("%h/%n%e", None),
        ("v_%h_%n%%%e", "v_{}_a%.css"),
    ],
)
def test_name_templates(make, mount, bed, as_user, place, template, want):
    src = make({"a.css": b"a{}", "README": b"r"})
    if want is None:
        point = place(as_user)
        program = str(bed.bin / "hashedfs")
        done = as_user.run(
            program, "-o", f"name={template}", str(src), str(point), check=False
        )
        assert done.returncode == 2
        return
    with mount(src, f"name={template}", person=as_user) as m:
        plain = want.replace(".css", "").replace("a", "README")
        assert set(m.names()) == {
            want.format(oracle.md5(b"a{}")),
            plain.format(oracle.md5(b"r")),
        }


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_digests_and_lengths(src, mount, as_user, algorithm):
    full = hashlib.new(algorithm, b"a{}").hexdigest()
    for length in (4, 12, len(full)):
        options = f"digest={algorithm},length={length}"
        with mount(src, options, person=as_user) as m:
            assert m.read(f"a.{full[:length]}.css") == b"a{}"
            assert m.map()["a.css"]["content_digest"] == full


# --- attributes -----------------------------------------------------------------


def test_mtime(src, mount, as_user):
    os.utime(src / "a.css", ns=(1, 1_234_567_890_123_456_789))
    [a] = hashed("a.css")
    with mount(src, "mtime=source", person=as_user) as m:
        assert m.stat(a).st_mtime_ns == 1_234_567_890_123_456_789
    with mount(src, "mtime=@86400", person=as_user) as m:
        assert m.stat(a).st_mtime_ns == 86400 * 10**9


def test_owner(src, mount, as_root):
    [a] = hashed("a.css")
    with mount(src, "uid=1234,gid=5678", person=as_root) as m:
        for name in (a, "img", ""):
            st = m.stat(name)
            assert (st.st_uid, st.st_gid) == (1234, 5678)
    with mount(src, "uid=nobody", person=as_root) as m:
        assert (m.stat(a).st_uid, m.stat(a).st_gid) == (65534, 0)


def test_threads(src, mount, as_user):
    for threads in ("threads=1", "threads=7"):
        assert names(mount, as_user, src, threads) == hashed(*FILES)


def test_refs_none_is_accepted(src, mount, as_user):
    assert names(mount, as_user, src, "refs=none") == hashed(*FILES)


# --- sources --------------------------------------------------------------------


def test_precedence(make, mount, as_user):
    first = make({"a": b"1", "both/x": b"1", "file": b"f", "dir/y": b"d"}, "one")
    second = make(
        {"a": b"2", "both/x": b"2", "both/z": b"2", "file/in": b"2", "dir": b"2"}, "two"
    )
    with mount(f"{first}:{second}", person=as_user) as m:
        want = {"a": b"1", "both/x": b"1", "both/z": b"2", "file": b"f", "dir/y": b"d"}
        assert m.files() == {oracle.hashed(p, d): d for p, d in want.items()}
        problems = m.control("problems").splitlines()
        assert sorted(line.split()[0].rstrip(":") for line in problems) == ["dir", "file"]
    with mount(f"{second}:{first}", person=as_user) as m:
        assert m.read(oracle.hashed("a", b"2")) == b"2"
        assert m.read(oracle.hashed("file/in", b"2")) == b"2"


def test_prefixes(make, mount, as_user):
    one = make({"a": b"1"}, "one")
    two = make({"a": b"2"}, "two")
    with mount(f"{one}:lib={two}:deep/er={one}", person=as_user) as m:
        want = {"a": b"1", "lib/a": b"2", "deep/er/a": b"1"}
        assert m.files() == {oracle.hashed(p, d): d for p, d in want.items()}
        # A prefix is a directory as any other.
        assert stat.S_ISDIR(m.stat("deep").st_mode)


def test_escapes(make, mount, as_user):
    src = make({"a": b"1"}, "co:lon,com=ma\\back")
    other = make({"b": b"2"}, "other")
    spelt = str(src)
    for char in "\\:,=":
        spelt = spelt.replace(char, "\\" + char)
    with mount(f"{spelt}:p\\=q={other}", person=as_user) as m:
        assert set(m.names()) == {oracle.hashed("a", b"1"), oracle.hashed("p=q/b", b"2")}


def test_an_equal_sign_without_a_path_behind_it_is_no_prefix(make, mount, as_user, work):
    make({"a": b"1"}, "x=y")
    with mount("x=y", person=as_user, extra=(), cwd=work) as m:
        assert m.names() == [oracle.hashed("a", b"1")]


def test_relative_paths(make, mount, as_user, work, place):
    make({"a": b"1"}, "src")
    point = place(as_user, "here")
    with mount("src:lib=./src", person=as_user, path=point, cwd=work, spelt="here") as m:
        assert m.names() == sorted(
            [oracle.hashed("a", b"1"), oracle.hashed("lib/a", b"1")]
        )


def test_sources_from(make, mount, manifest, as_user, work):
    one = make({"a": b"1"}, "one")
    two = make({"a": b"2", "b": b"3"}, "t:w,o")
    listed = work / "sources.txt"
    listed.write_text(f"# the sources\n\n{one}\nlib={two}\n")
    want = {"a": b"1", "lib/a": b"2", "lib/b": b"3"}
    with mount(None, person=as_user, extra=["--sources-from", str(listed)]) as m:
        assert m.files() == {oracle.hashed(p, d): d for p, d in want.items()}
        text = manifest(as_user, "snapshot", m).stdout
    again = manifest(as_user, "snapshot", "--source", "--sources-from", listed).stdout
    assert text == again


def test_a_root_that_is_a_link(make, mount, as_user, work):
    make({"a": b"1"}, "real")
    (work / "link").symlink_to("real")
    with mount(work / "link", person=as_user) as m:
        assert m.names() == [oracle.hashed("a", b"1")]


def test_follow(make, mount, as_user):
    make({"f": b"out", "d/g": b"far"}, "outside")
    src = make({"a": b"1"})
    (src / "f").symlink_to("../outside/f")
    (src / "d").symlink_to("../outside/d")
    with mount(src, person=as_user) as m:
        assert set(m.listing()) == {oracle.hashed("a", b"1"), "f", "d"}
        for name in ("f", "d"):
            with pytest.raises(PermissionError):
                m.read(name)
    with mount(src, "follow", person=as_user) as m:
        want = {"a": b"1", "f": b"out", "d/g": b"far"}
        assert m.files() == {oracle.hashed(p, d): d for p, d in want.items()}


def test_xdev(make, mount, as_root, work):
    src = make({"a": b"1", "other": None})
    as_root.run("mount", "-t", "tmpfs", "tmpfs", str(src / "other"))
    try:
        (src / "other/b").write_bytes(b"2")
        with mount(src, person=as_root) as m:
            assert "a" not in m.listing() and "other" in m.listing()
            with pytest.raises(OSError) as caught:
                m.listing("other")
            assert caught.value.errno in (errno.EXDEV, errno.EACCES, errno.ENOTDIR)
        with mount(src, "xdev", person=as_root) as m:
            assert oracle.hashed("other/b", b"2") in m.names()
    finally:
        as_root.run("umount", str(src / "other"))


def test_words_of_fstab_mean_nothing(src, mount, as_user):
    words = "rw,nofail,_netdev,user,auto,noauto,x-systemd.automount,x-gvfs-hide"
    assert names(mount, as_user, src, words) == hashed(*FILES)
