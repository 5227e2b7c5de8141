"""Names and shapes that hardly occur, and then do."""

import errno
import hashlib
import json
import os
import re

import oracle
import pytest

PNG = b"PNG"
H = oracle.md5(PNG)

# Source name -> what Django calls it. Escapes are decoded, outer blanks and
# control characters go, a scheme is lower-cased; a query and a fragment stay
# behind the hash.
HARMLESS = {
    "a.txt": f"a.{H}.txt",
    "README": f"README.{H}",
    "a.tar.gz": f"a.tar.{H}.gz",
    "a.": f"a.{H}.",
    "a..b": f"a..{H}.b",
    "d.d/f": f"d.d/f.{H}",
    "a b.png": f"a b.{H}.png",
    "c%20d.png": f"c d.{H}.png",
    "100%.png": f"100%.{H}.png",
    "a%zz.png": f"a%zz.{H}.png",
    "%2e%2e": f"...{H}",
    "a?b.png": f"a.{H}?b.png",
    "a#b.png": f"a.{H}#b.png",
    " s.png": f"s.{H}.png",
    "t.png ": f"t.{H}.png",
    "d/ u.png": f"d/ u.{H}.png",
    "\x01c.png": f"c.{H}.png",
    "foo:bar.png": f"foo:bar.{H}.png",
    "Foo:baz.png": f"foo:baz.{H}.png",
    "é中😀.png": f"é中😀.{H}.png",
    "p+q&r=s.png": f"p+q&r=s.{H}.png",
    "it's \"quoted\".png": f"it's \"quoted\".{H}.png",
    "e\x1b[31m.png": f"e\x1b[31m.{H}.png",
    "x;y.png": f"x;y.{H}.png",
    "(1)[2].png": f"(1)[2].{H}.png",
    "\udcff.png": f"\udcff.{H}.png",
}
IGNORED = (".htaccess", "b~", "CVS/x", "d/.git/x")
# Names that Django would write to another place or not find again.
MANGLED = ("a\\b.png", "a\nb.png", "a\tb.png", "a%2Fb.png", "%2F%2Fh", "http:x.png")


@pytest.fixture
def odd_names(make):
    return make({name: PNG for name in (*HARMLESS, *IGNORED)})


def test_odd_names(odd_names, mount, as_user):
    with mount(odd_names, person=as_user) as m:
        files = m.files()
    assert sorted(files) == sorted(HARMLESS.values())
    assert set(files.values()) == {PNG}


@pytest.mark.parametrize("version", ["5.2", "6.0"])
def test_odd_names_are_django_s(odd_names, manifest, anyone, work, version):
    ours = json.loads(manifest(anyone, "snapshot", "--source", odd_names).stdout)
    django = json.loads(oracle.django(version, work / "root", odd_names))
    assert ours["paths"] == django["paths"] == HARMLESS
    assert ours["hash"] == django["hash"]


def test_manifests_write_odd_names_as_python_does(odd_names, mount, manifest, as_user):
    with mount(odd_names, person=as_user) as m:
        text = manifest(as_user, "snapshot", m).stdout
    assert text == oracle.manifest_bytes(HARMLESS)
    assert b'"\\udcff.png"' in text


@pytest.mark.parametrize("name", MANGLED)
def test_mangled_names_stand_plain_and_are_reported(make, mount, as_user, name):
    src = make({name: PNG, "ok.png": PNG})
    with mount(src, person=as_user) as m:
        assert m.names() == sorted([name, f"ok.{H}.png"])
        assert m.read(name) == PNG
        problems = m.control("problems")
    assert len(problems.splitlines()) == 1
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    assert escaped in problems


def test_a_source_named_as_a_hashed_name(make, mount, as_user):
    src = make({"a.png": PNG, f"a.{H}.png": b"OTHER"})
    other = f"a.{H}.{oracle.md5(b'OTHER')}.png"
    with mount(src, person=as_user) as m:
        assert m.files() == {f"a.{H}.png": PNG, other: b"OTHER"}
    # With the original names beside them one name means two files.
    with mount(src, "show=hashed:plain", person=as_user) as m:
        assert m.listing() == sorted([f"a.{H}.png", other, "a.png"])
        assert m.read(f"a.{H}.png") == PNG
        assert f"a.{H}.png" in m.control("problems")


def test_long_names(make, mount, as_user):
    fits = "f" * 238 + ".png"  # 242 bytes; the hash takes 13
    over = "g" * 239 + ".png"
    longest = "h" * 255
    folder = "d" * 255
    src = make({fits: PNG, over: PNG, longest: PNG, f"{folder}/a.png": PNG})
    with mount(src, person=as_user) as m:
        want = ["f" * 238 + f".{H}.png", over, longest, f"{folder}/a.{H}.png"]
        assert len(want[0]) == 255
        assert m.names() == sorted(want)
        assert set(m.files().values()) == {PNG}
        problems = m.control("problems")
    assert over in problems and longest in problems and fits not in problems


def test_a_path_that_a_hash_makes_too_long(work, mount, anyone):
    # Below PATH_MAX without the hash, beyond it with the hash. Only relative
    # steps can reach it: 15 * 256 + 21 + 225 = 4086 bytes.
    src = work / "src"
    src.mkdir()
    folders, name = ["p" * 255] * 15 + ["q" * 20], "n" * 225

    def descend(top):
        fd = os.open(top, os.O_RDONLY)
        for folder in folders:
            if not _exists(fd, folder):
                os.mkdir(folder, dir_fd=fd)
            fd, old = os.open(folder, os.O_RDONLY, dir_fd=fd), fd
            os.close(old)
        return fd

    def look(top):
        fd = descend(top)
        return os.listdir(fd), os.stat(name, dir_fd=fd).st_size

    fd = descend(src)
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
    os.close(fd)
    with mount(src, person=anyone) as m:
        assert m.call(look, m.path) == ([name], 0)
        assert len(m.control("problems").splitlines()) == 1


def _exists(fd, name):
    try:
        os.stat(name, dir_fd=fd)
        return True
    except FileNotFoundError:
        return False


def test_depth_of_a_thousand(make, mount, manifest, as_user):
    depth = "d/" * 1000
    src = make({depth + "a.png": PNG})
    with mount(src, person=as_user) as m:
        found = m.run("find", str(m), "-type", "f").stdout
        assert found == f"{m}/{depth}a.{H}.png\n"
        assert m.read(f"{depth}a.{H}.png") == PNG
        paths = json.loads(manifest(as_user, "snapshot", m).stdout)["paths"]
        assert paths == {depth + "a.png": f"{depth}a.{H}.png"}


def test_two_hundred_thousand_files_in_one_directory(work, mount, manifest, anyone):
    count = 200_000
    src = work / "src"
    (src / "d").mkdir(parents=True)
    for i in range(count):
        with open(src / f"d/{i}.txt", "wb") as file:
            file.write(b"%d" % i)
    with mount(src, person=anyone) as m:
        names = m.listing("d")
        assert len(names) == count
        assert sorted(f"{i}.{oracle.md5(b'%d' % i)}.txt" for i in range(count)) == names
        assert len(m.run("ls", "-l", m / "d").stdout.splitlines()) == count + 1
        text = manifest(anyone, "snapshot", m).stdout
        assert len(json.loads(text)["paths"]) == count


def test_empty_files_and_directories(make, mount, manifest, as_user):
    src = make({"empty.css": b"", "none": b"", "hollow": None})
    empty = {"empty.css": "empty.d41d8cd98f00.css", "none": "none.d41d8cd98f00"}
    with mount(src, person=as_user) as m:
        assert m.files() == {name: b"" for name in empty.values()}
        assert "hollow" in m.listing()
        assert m.stat("none.d41d8cd98f00").st_blocks == 0
        assert json.loads(manifest(as_user, "snapshot", m).stdout)["paths"] == empty
    # An empty tree is a tree too.
    with mount(make({}, "nothing"), person=as_user) as m:
        assert m.listing() == []
        text = manifest(as_user, "snapshot", m).stdout
        assert text == oracle.manifest_bytes({})


def test_three_gigabytes_of_nothing(work, mount, anyone):
    src = work / "src"
    src.mkdir()
    size = 3 << 30
    with open(src / "big.bin", "wb") as file:
        file.truncate(size)
        file.seek(size - 1)
        file.write(b"x")
    digest = hashlib.md5(usedforsecurity=False)
    with open(src / "big.bin", "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    name = f"big.{digest.hexdigest()[:12]}.bin"
    with mount(src, person=anyone) as m:
        assert m.listing() == [name]
        assert m.stat(name).st_size == size
        anyone.run("cmp", str(src / "big.bin"), m / name, timeout=200)


# --- what cannot be read ------------------------------------------------------


def test_unreadable_files_stand_plain_and_fail(make, mount, manifest, bed, work):
    src = make({"ok.png": PNG, "no.png": PNG, "shut/x.png": PNG}, owner=bed.user)
    (src / "no.png").chmod(0)
    (src / "shut").chmod(0)
    try:
        with mount(src, person=bed.user) as m:
            assert m.listing() == sorted([f"ok.{H}.png", "no.png", "shut"])
            for name in ("no.png", "shut/x.png"):
                with pytest.raises(PermissionError):
                    m.read(name)
            assert "no.png" in m.control("problems")
            assert "shut" in m.control("problems")
            _unreadable_in_manifests(manifest, bed.user, work, [m])
        _unreadable_in_manifests(manifest, bed.user, work, ["--source", src])
    finally:
        (src / "shut").chmod(0o755)


def _unreadable_in_manifests(manifest, person, work, where):
    output = work / "out/staticfiles.json"
    output.parent.mkdir(exist_ok=True)
    output.parent.chmod(0o777)
    done = manifest(
        person, "snapshot", "--output", output, *where, check=False, text=True
    )
    assert done.returncode == 4
    assert "no.png" in done.stderr and "shut" in done.stderr
    assert not output.exists()
    done = manifest(person, "snapshot", *where, check=False)
    assert (done.returncode, done.stdout) == (4, b"")
    done = manifest(person, "snapshot", "--partial", *where, check=False)
    assert json.loads(done.stdout)["paths"] == {"ok.png": f"ok.{H}.png"}


def test_a_reader_without_permission_is_refused_by_a_mount_of_root(
    make, mount, as_root, bed
):
    src = make({"ok.png": PNG, "no.png": PNG})
    (src / "no.png").chmod(0o600)
    with mount(src, "allow_other", person=as_root) as m:
        names = sorted([f"ok.{H}.png", f"no.{H}.png"])
        assert m.listing() == names
        assert sorted(bed.user.call(os.listdir, m.path)) == names
        assert bed.user.run("cat", m / f"ok.{H}.png").stdout == "PNG"
        refused = bed.user.run("cat", m / f"no.{H}.png", check=False)
        assert "Permission denied" in refused.stderr


def test_links(make, mount, manifest, as_user, work):
    make({"secret.txt": b"secret"}, "outside")
    src = make({"real.png": PNG, "dir/x.png": PNG})
    (src / "link.png").symlink_to("real.png")
    (src / "dirlink").symlink_to("dir")
    (src / "out.txt").symlink_to("../outside/secret.txt")
    (src / "absolute.txt").symlink_to(work / "outside/secret.txt")
    (src / "broken.txt").symlink_to("nowhere")
    (src / "loop.txt").symlink_to("loop.txt")
    (src / "dir/up").symlink_to("..")
    plain = {"out.txt", "absolute.txt", "broken.txt", "loop.txt"}
    with mount(src, person=as_user) as m:
        names = set(m.listing())
        assert names == plain | {
            f"real.{H}.png",
            f"link.{H}.png",
            "dir",
            "dirlink",
        }
        assert m.read(f"link.{H}.png") == PNG
        assert m.read(f"dirlink/x.{H}.png") == PNG
        assert not any(m.call(os.path.islink, m / name) for name in names)
        for name in ("out.txt", "absolute.txt"):
            with pytest.raises(PermissionError):
                m.read(name)
        for name in ("broken.txt", "loop.txt", "dir/up"):
            with pytest.raises(OSError) as caught:
                m.read(name)
            # ENOENT would say that the name itself is not there.
            assert caught.value.errno in (errno.EIO, errno.ELOOP, errno.EACCES), name
        problems = m.control("problems")
        for name in (*plain, "dir/up"):
            assert name in problems
        assert manifest(as_user, "snapshot", m, check=False).returncode == 4


def test_special_files_are_left_out_and_reported(make, mount, as_user):
    src = make({"ok.png": PNG})
    os.mkfifo(src / "fifo")
    import socket

    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.path.relpath(src / "sock"))
        with mount(src, person=as_user) as m:
            assert m.listing() == [f"ok.{H}.png"]
            problems = m.control("problems")
            assert "fifo" in problems and "sock" in problems
            with pytest.raises(FileNotFoundError):
                m.read("fifo")


# --- what vanishes ------------------------------------------------------------


def test_files_that_vanish_during_a_listing(make, mount, as_user, anyone):
    stable = {f"stable{i}.txt": b"%d" % i for i in range(300)}
    src = make({f"d/{name}": data for name, data in stable.items()})
    want = {oracle.hashed(name, data) for name, data in stable.items()}
    def churn():
        i = 0
        while True:
            (src / f"d/brief{i % 50}.txt").write_bytes(b"%d" % i)
            (src / f"d/brief{(i + 25) % 50}.txt").unlink(missing_ok=True)
            i += 1

    brief = re.compile(r"brief\d+(\.[0-9a-f]{12})?\.txt")
    with mount(src, person=as_user) as m:
        writer = anyone.start(churn)
        try:
            for _ in range(40):
                names = set(m.listing("d"))
                assert want <= names
                assert all(brief.fullmatch(name) for name in names - want)
        finally:
            writer.kill()
