"""What ordinary tools see: attributes, refusals, and never .hashedfs."""

import errno
import os
import stat
import time

import oracle
import pytest
from mount import read_tree
from person import ROOT

DAY_2000 = 946684800
CONTROL = ("status", "problems", "map", "sync")


@pytest.fixture
def src(make):
    top = make(
        {
            "a.txt": b"hello\n",
            "empty": b"",
            "css/b.css": b"b" * 5000,
            "css/deep/c.png": b"c" * 200_000,
        }
    )
    (top / "a.txt").chmod(0o755)
    (top / "css/b.css").chmod(0o666)
    (top / "css/deep").chmod(0o777)
    return top


A = "a.b1946ac92492.txt"


def test_attributes_of_hashed_files(src, mount, as_user):
    with mount(src, person=as_user) as m:
        inodes = set()
        for path, name in oracle.mapping(src).items():
            st, source = m.stat(name), os.stat(src / path)
            assert stat.S_ISREG(st.st_mode)
            assert stat.S_IMODE(st.st_mode) == source.st_mode & 0o444 | 0o200
            assert (st.st_uid, st.st_gid) == (source.st_uid, source.st_gid)
            assert st.st_size == source.st_size
            assert (st.st_nlink, st.st_blksize) == (1, 131072)
            assert st.st_blocks == -(-st.st_size // 512)
            times = {st.st_mtime_ns, st.st_atime_ns, st.st_ctime_ns}
            assert times == {DAY_2000 * 10**9}
            assert 0 < st.st_ino < 1 << 63
            inodes.add(st.st_ino)
        assert len(inodes) == 4


def test_attributes_of_directories(src, mount, as_user):
    with mount(src, person=as_user) as m:
        for path in ("", "css", "css/deep"):
            st, source = m.stat(path), os.stat(src / path)
            assert stat.S_ISDIR(st.st_mode)
            assert stat.S_IMODE(st.st_mode) == source.st_mode & 0o555 | 0o200
            assert (st.st_uid, st.st_gid) == (source.st_uid, source.st_gid)
            assert st.st_nlink == 1


def test_attributes_of_plain_files(src, mount, as_user):
    os.utime(src / "a.txt", (5, 5))
    with mount(src, "keep=a.txt", person=as_user) as m:
        st, source = m.stat("a.txt"), os.stat(src / "a.txt")
        assert stat.S_IMODE(st.st_mode) == 0o644
        # The later of mtime and ctime: a replaced file is never taken for old.
        assert st.st_mtime_ns == max(source.st_mtime_ns, source.st_ctime_ns)
        assert st.st_mtime > time.time() - 600


def test_inode_numbers_survive_a_remount_and_name_the_bytes(src, mount, as_user):
    with mount(src, person=as_user) as m:
        first = m.stat(A).st_ino
    with mount(src, person=as_user) as m:
        assert m.stat(A).st_ino == first
    (src / "a.txt").write_bytes(b"other\n")
    with mount(src, person=as_user) as m:
        other = m.stat(oracle.hashed("a.txt", b"other\n")).st_ino
    assert other != first


def test_ls(src, mount, as_user):
    with mount(src, person=as_user) as m:
        text = m.run("ls", "-lR", "--time-style=+%s", str(m)).stdout
        [line] = [line for line in text.splitlines() if line.endswith(A)]
        fields = line.split()
        assert fields[0] == "-rw-r--r--" and fields[1] == "1"
        assert fields[4:6] == ["6", str(DAY_2000)]
        # What a listing says of inodes is what stat says.
        for word in m.run("ls", "-iU1", str(m)).stdout.splitlines():
            inode, name = word.split()
            assert int(inode) == m.stat(name).st_ino


def test_find_inum(src, mount, as_user):
    with mount(src, person=as_user) as m:
        text = m.run("find", str(m), "-printf", "%i %p\n").stdout
        rows = [line.split(" ", 1) for line in text.splitlines()]
        assert len(rows) == 4 + 3
        assert len({inode for inode, _ in rows}) == len(rows)
        for inode, path in rows:
            assert m.run("find", str(m), "-inum", inode).stdout == path + "\n"


def test_du_and_df(src, mount, as_user):
    with mount(src, person=as_user) as m:
        sizes = [m.stat(name).st_blocks * 512 for name in m.names()]
        directories = [m.stat(d).st_blocks * 512 for d in ("", "css", "css/deep")]
        used = int(m.run("du", "-s", "-B1", str(m)).stdout.split()[0])
        assert used == sum(sizes) + sum(directories)
        assert sum(sizes) >= 205_006
        name, kind = m.run(
            "df", "--output=source,fstype", str(m)
        ).stdout.splitlines()[1].split()
        assert kind == "fuse.hashedfs"
        m.run("stat", "-f", str(m))
        assert m.call(os.statvfs, m.path).f_namemax == 255


def test_tar_cp_and_cmp(src, mount, as_user, place):
    copies = place(as_user)
    with mount(src, person=as_user) as m:
        files = m.files()
        for sparse in ("", "S"):
            target = copies / f"tar{sparse}"
            as_user.run("mkdir", str(target))
            as_user.run("tar", f"-c{sparse}f", str(copies / "x.tar"), "-C", str(m), ".")
            as_user.run("tar", "-xf", str(copies / "x.tar"), "-C", str(target))
            assert read_tree(target) == files
        as_user.run("cp", "-a", str(m), str(copies / "cp"))
        assert read_tree(copies / "cp") == files
        for name in files:
            as_user.run("cmp", m / name, str(copies / "cp" / name))
            copied, shown = os.stat(copies / "cp" / name), m.stat(name)
            assert copied.st_mtime_ns == shown.st_mtime_ns
            assert copied.st_mode == shown.st_mode
        as_user.run("diff", "-r", str(m), str(copies / "cp"))


def test_reading_anywhere_in_a_large_file(make, mount, as_user):
    data = os.urandom(3_000_000)
    src = make({"big.bin": data})
    name = oracle.hashed("big.bin", data)

    def pieces(path):
        with open(path, "rb", buffering=0) as file:
            return [
                os.pread(file.fileno(), length, offset)
                for offset, length in PIECES
            ]

    with mount(src, person=as_user) as m:
        got = m.call(pieces, m / name)
    assert got == [data[offset : offset + length] for offset, length in PIECES]


PIECES = ((0, 1), (131071, 2), (2_999_999, 10), (3_000_000, 5), (1 << 40, 1), (77, 4096))


def test_extended_attributes(src, mount, as_user):
    with mount(src, person=as_user) as m:
        assert m.run("getfattr", "-d", m / A, check=False).stdout == ""
        for call in (lambda p: os.getxattr(p, "user.hashedfs.source"), os.listxattr):
            try:
                assert m.call(call, m / A) == []
            except OSError as error:
                assert error.errno == errno.ENOTSUP
    with mount(src, "xattr", person=as_user) as m:

        def attributes(path):
            return {
                name: os.getxattr(path, f"user.hashedfs.{name}")
                for name in ("source", "digest", "kind")
            }

        want = {
            "source": b"a.txt",
            "digest": oracle.md5(b"hello\n", 32).encode(),
            "kind": b"hashed",
        }
        assert m.call(attributes, m / A) == want
        text = m.run("getfattr", "-d", m / A).stdout
        assert 'user.hashedfs.source="a.txt"' in text
        assert m.call(os.getxattr, m / "css", "user.hashedfs.kind") == b"dir"
        with pytest.raises(OSError) as caught:
            m.call(os.getxattr, m / A, "user.other")
        assert caught.value.errno == errno.ENODATA


REFUSED = {
    "open for writing": lambda top: open(f"{top}/{A}", "ab"),
    "truncate": lambda top: os.truncate(f"{top}/{A}", 0),
    "create": lambda top: open(f"{top}/new", "xb"),
    "mkdir": lambda top: os.mkdir(f"{top}/new"),
    "rmdir": lambda top: os.rmdir(f"{top}/css"),
    "unlink": lambda top: os.unlink(f"{top}/{A}"),
    "rename": lambda top: os.rename(f"{top}/{A}", f"{top}/new"),
    "link": lambda top: os.link(f"{top}/{A}", f"{top}/new"),
    "symlink": lambda top: os.symlink("x", f"{top}/new"),
    "mkfifo": lambda top: os.mkfifo(f"{top}/new"),
    "chmod": lambda top: os.chmod(f"{top}/{A}", 0o600),
    "chown": lambda top: os.chown(f"{top}/{A}", 1, 1),
    "utime": lambda top: os.utime(f"{top}/{A}", (1, 1)),
    "setxattr": lambda top: os.setxattr(f"{top}/{A}", "user.x", b""),
    "removexattr": lambda top: os.removexattr(f"{top}/{A}", "user.x"),
}


@pytest.mark.parametrize("options", ["", "xattr"])
def test_every_write_is_refused(src, mount, as_user, options):
    with mount(src, options, person=as_user) as m:
        for what, attempt in REFUSED.items():
            with pytest.raises(OSError) as caught:
                m.call(attempt, m.path)
            allowed = {errno.EROFS}
            if "xattr" in what:
                allowed |= {errno.ENOTSUP}
            assert caught.value.errno in allowed, what
    assert (src / "a.txt").read_bytes() == b"hello\n"


# --- .hashedfs ------------------------------------------------------------------


def test_nothing_meets_the_control_directory(src, mount, as_user, place):
    target = place(as_user)
    with mount(src, person=as_user) as m:
        assert ".hashedfs" not in m.listing()
        assert ".hashedfs" not in m.run("ls", "-a", str(m)).stdout
        assert ".hashedfs" not in m.run("find", str(m)).stdout
        assert m.run("grep", "-r", "worker_pid", str(m), check=False).returncode == 1
        as_user.run("rsync", "-a", f"{m}/", f"{target}/")
        assert ".hashedfs" not in os.listdir(target)
        listed = as_user.run("tar", "-cvf", "/dev/null", "-C", str(m), ".").stdout
        assert ".hashedfs" not in listed


def test_files_of_the_control_directory(src, mount, as_user, place):
    target = place(as_user)
    with mount(src, person=as_user) as m:
        every = m.listing(".hashedfs")
        assert set(every) >= set(CONTROL)
        as_user.run("cp", *(m / f".hashedfs/{name}" for name in every), str(target))
        assert (target / "problems").read_text() == ""
        rows = (target / "map").read_text().splitlines()
        assert rows[:-1] == m.control("map").splitlines()[:-1]
        assert rows[-1].startswith("#end\t4\t")
        cat = as_user.run("cat", m / ".hashedfs/status").stdout
        assert f"worker_pid: {m.worker()}\n" in cat
        status = m.status()
        for key in ("inodes", "handles", "files_hashed", "bytes_hashed", "generation"):
            assert int(status[key]) >= 0
        assert m.control("problems") == ""
        assert int(m.control("sync")) >= 0


def test_the_map(src, mount, as_user):
    with mount(src, person=as_user) as m:
        rows = m.map()
    assert {path: row["name"] for path, row in rows.items()} == oracle.mapping(src)
    row = rows["css/b.css"]
    digest = oracle.md5(b"b" * 5000, 32)
    assert (row["kind"], row["size"], row["problem"]) == ("hashed", "5000", "-")
    assert (row["name_digest"], row["content_digest"]) == (digest, digest)


def test_names_of_control_files_mean_nothing_elsewhere(src, mount, as_user):
    with mount(src, person=as_user) as m:
        for name in CONTROL:
            for directory in ("", "css", "css/deep"):
                with pytest.raises(FileNotFoundError):
                    m.stat(os.path.join(directory, name))


def test_who_may_see_the_control_directory(src, mount, as_root, bed):
    def sees(person, m):
        done = person.run("cat", m / ".hashedfs/status", check=False)
        return "worker_pid" in done.stdout

    expected = {
        "": (True, False),
        "control=owner": (True, False),
        "control=all": (True, True),
        "control=none": (False, False),
    }
    for option, (owner, other) in expected.items():
        options = ",".join(filter(None, ("allow_other", option)))
        with mount(src, options, person=as_root) as m:
            assert m.listing() == ["a.b1946ac92492.txt", "css", "empty.d41d8cd98f00"]
            assert sees(ROOT, m) == owner, options
            assert sees(bed.user, m) == other, options
            if option == "control=none":
                with pytest.raises(FileNotFoundError):
                    m.stat(".hashedfs")


def test_a_source_of_that_name_does_not_hide_the_control_directory(make, mount, as_user):
    src = make({".hashedfs/status": b"mine", "a": b"a"})
    with mount(src, "no_default_ignore", person=as_user) as m:
        assert ".hashedfs" not in m.listing()
        assert "worker_pid" in m.status()
