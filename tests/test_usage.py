"""Bad input and bad surroundings: one sentence, the right exit code, nothing
mounted. And the ways in which mount(8) calls hashedfs."""

import os
import re
import shutil
import signal
import subprocess

import mount as mounting
import oracle
import pytest
from conftest import TOP, not_run
from mount import apart, mounted, processes
from person import ROOT, eventually

USAGE, ENVIRONMENT = 2, 3


@pytest.fixture
def refused(bed, fuse, work):
    """refused(person, code, words, *args): hashedfs must say one sentence
    that holds the words, exit with the code and leave nothing behind."""

    def run(person, code, words, *args, **kwargs):
        before, running = mounted_below(work), processes(work)
        program = [str(bed.bin / "hashedfs"), *map(str, args)]
        done = person.run(*program, check=False, timeout=30, **kwargs)
        assert_refusal(done, code, words)
        assert mounted_below(work) == before
        assert processes(work) == running

    return run


def mounted_below(directory):
    return [point for point in mounting.mounts() if point.startswith(f"{directory}/")]


def assert_refusal(done, code, words):
    shown = f"exit {done.returncode}: {done.stderr!r}"
    assert done.returncode == code, shown
    assert done.stdout == "", shown
    assert done.stderr.startswith("hashedfs: "), shown
    assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, shown
    for word in words:
        assert word in done.stderr, shown


@pytest.fixture
def src(make):
    return make({"a.txt": b"hello\n"})


A = "a.b1946ac92492.txt"


# --- the command line -------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-o", "no_such_word", "{src}", "{mnt}"], ["no_such_word"]),
        (["-o", "kep=*.js", "{src}", "{mnt}"], ["kep"]),
        (["-o", "follow=yes", "{src}", "{mnt}"], ["follow"]),
        (["-o", "keep", "{src}", "{mnt}"], ["keep"]),
        (["-o", "digest=crc32", "{src}", "{mnt}"], ["digest", "sha256"]),
        (["-o", "length=0", "{src}", "{mnt}"], ["length"]),
        (["-o", "length=33", "{src}", "{mnt}"], ["length", "32"]),
        (["-o", "length=x", "{src}", "{mnt}"], ["length"]),
        (["-o", "name=plain", "{src}", "{mnt}"], ["name", "%"]),
        (["-o", "name=%n%e", "{src}", "{mnt}"], ["name", "%h"]),
        (["-o", "name=%n.%h.%h%e", "{src}", "{mnt}"], ["name", "%h"]),
        (["-o", "name=%n.%x%h%e", "{src}", "{mnt}"], ["name"]),
        (["-o", "name=%n/%h%e", "{src}", "{mnt}"], ["name"]),
        (["-o", "show=some", "{src}", "{mnt}"], ["show"]),
        (["-o", "show=", "{src}", "{mnt}"], ["show"]),
        (["-o", "mtime=yesterday", "{src}", "{mnt}"], ["mtime"]),
        (["-o", "uid=nobody-of-that-name", "{src}", "{mnt}"], ["uid"]),
        (["-o", "threads=0", "{src}", "{mnt}"], ["threads"]),
        (["-o", "control=me", "{src}", "{mnt}"], ["control"]),
        (["-o", "refs=django-1.0", "{src}", "{mnt}"], ["refs"]),
        (["", "{mnt}"], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_command_lines(refused, src, place, bed, args, words):
    mnt = place(bed.user)
    args = [arg.format(src=src, mnt=mnt) for arg in args]
    refused(bed.user, USAGE, words, *args)


@pytest.mark.parametrize("args", [[], ["{src}"], ["{src}", "one", "two"]])
def test_too_few_or_too_many_words_show_the_usage(bed, src, args):
    program = str(bed.bin / "hashedfs")
    done = bed.user.run(program, *(arg.format(src=src) for arg in args), check=False)
    assert (done.returncode, done.stdout) == (USAGE, "")
    lines = done.stderr.splitlines()
    assert "hashedfs [OPTIONS]" in lines[0] and len(lines) <= 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-Z", "{src}", "one"], ["unknown option '-Z'", "--help"]),
        (["-fZ", "{src}", "one"], ["unknown option '-Z'", "--help"]),
        (["--no-such", "{src}", "one"], ["unknown option '--no-such'", "--help"]),
        (["--length=8", "{src}", "one"], ["unknown option '--length=8'", "-o length=8"]),
        (["--follow", "{src}", "one"], ["unknown option '--follow'", "-o follow"]),
        (["-o"], ["option '-o' needs an argument", "--help"]),
        (["--sources-from"], ["option '--sources-from' needs an argument"]),
    ],
)
def test_unknown_options(refused, bed, src, args, words):
    refused(bed.user, USAGE, words, *(arg.format(src=src) for arg in args))


def test_a_verb_is_missing(manifest, bed):
    done = manifest(bed.user, check=False, text=True)
    assert (done.returncode, done.stdout) == (USAGE, "")
    lines = done.stderr.splitlines()
    assert "hashedfs-manifest VERB" in lines[0] and len(lines) == 2


def test_an_odd_name_is_escaped_in_messages(refused, work, place, as_user):
    odd = work / "no\nsuch\x1b[31m"
    refused(as_user, ENVIRONMENT, ["no\\nsuch\\x1b[31m"], odd, place(as_user))


def test_missing_source(refused, work, src, place, as_user):
    mnt = place(as_user)
    refused(as_user, ENVIRONMENT, [f"{work}/nope"], work / "nope", mnt)
    refused(as_user, ENVIRONMENT, [f"{work}/nope"], f"{src}:{work}/nope", mnt)
    refused(as_user, ENVIRONMENT, [f"{src}/a.txt"], src / "a.txt", mnt)
    listed = work / "sources"
    refused(as_user, ENVIRONMENT, [str(listed)], "--sources-from", listed, mnt)


def test_an_unreadable_source(refused, src, place, bed):
    src.chmod(0)
    if os.geteuid() == 0:
        os.chown(src, bed.user.uid, bed.user.gid)
    refused(bed.user, ENVIRONMENT, [str(src)], src, place(bed.user))


def test_mountpoint_missing_or_no_directory(refused, work, src, as_user):
    refused(as_user, ENVIRONMENT, [f"{work}/nope"], src, work / "nope")
    refused(as_user, ENVIRONMENT, [str(src / "a.txt")], src, src / "a.txt")


def test_mountpoint_not_empty(refused, src, make, place, mount, as_user):
    full = place(as_user)
    (full / "file").write_bytes(b"")
    refused(as_user, ENVIRONMENT, [str(full), "empty"], src, full)
    # Whoever says it the wrong way round is told which one comes last.
    refused(as_user, ENVIRONMENT, ["sources stand before"], place(as_user), full)
    with mount(src, "nonempty", person=as_user, path=full) as m:
        assert m.listing() == [A]
    assert os.listdir(full) == ["file"]


def test_mountpoint_inside_a_source_and_the_other_way(refused, make, as_user):
    src = make({"inside": None, "a": b"1"}, owner=as_user)
    refused(as_user, ENVIRONMENT, ["source"], src, src / "inside")
    refused(as_user, ENVIRONMENT, ["source"], src, src)
    other = make({"src/a": b"1"}, "other", owner=as_user)
    refused(as_user, ENVIRONMENT, ["source"], "-o", "nonempty", other / "src", other)
    # Also through a link.
    (src.parent / "link").symlink_to(src / "inside")
    refused(as_user, ENVIRONMENT, ["source"], src, src.parent / "link")


def test_two_mounts_over_each_other(refused, src, mount, as_user):
    with mount(src, person=as_user) as m:
        refused(as_user, ENVIRONMENT, [m.path, "mount already"], src, m.path)
        assert m.listing() == [A]


def test_several_who_mount_there_at_once(bed, fuse, src, place, as_user):
    path = place(as_user)
    for _ in range(5):
        started = [
            as_user.popen(
                *(str(bed.bin / "hashedfs"), str(src), str(path)),
                stderr=subprocess.PIPE,
            )
            for _ in range(3)
        ]
        told = [process.communicate(timeout=30)[1] for process in started]
        codes = [process.returncode for process in started]
        try:
            assert sorted(codes) == [0, ENVIRONMENT, ENVIRONMENT], told
            assert all(b"mount already" in text for text in told if text)
        finally:
            assert mounting.unmount(path, as_user)
        assert not mounted(path), "several were stacked"


def test_a_mount_as_the_source_of_another(src, mount, as_user):
    with mount(src, person=as_user) as one:
        with mount(one.path, person=as_user) as two:
            name = oracle.hashed(A, b"hello\n")
            assert two.listing() == [name]
            assert two.read(name) == b"hello\n"


# --- the manifest tool ------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["no-such-verb"], USAGE, ["no-such-verb", "snapshot, check, stats"]),
        (["snapshot"], USAGE, ["MOUNTPOINT"]),
        (["snapshot", "--source"], USAGE, ["SOURCES"]),
        (["snapshot", "--no-such", "{src}"], USAGE, ["no-such"]),
        (["snapshot", "--source", "-o", "nope", "{src}"], USAGE, ["nope"]),
        (["snapshot", "--source", "-o", "name=x", "{src}"], USAGE, ["name"]),
        (["snapshot", "{src}"], ENVIRONMENT, ["{src}", "--source"]),
        (["snapshot", "{src}/nope"], ENVIRONMENT, ["{src}/nope"]),
        (["snapshot", "--source", "{src}/nope"], ENVIRONMENT, ["{src}/nope"]),
        (["snapshot", "--source", "--output", "{src}/no/f", "{src}"], ENVIRONMENT, ["mkdir"]),
        (["lookup", "{src}/a.txt", "a.txt"], ENVIRONMENT, ["{src}/a.txt"]),
        (["snapshot", "--source", "--output", "", "{src}"], ENVIRONMENT, ["empty"]),
        (["lookup", "{src}"], USAGE, ["lookup [-qv] [--reverse] MOUNTPOINT"]),
        (["snapshot", "--source", "{src}", "{src}"], USAGE, ["DIR:DIR"]),
        (["snapshot", "--source", "--length=8", "{src}"], USAGE, ["write -o length=8"]),
        (["check", "--follow", "{src}"], USAGE, ["write -o follow"]),
        (["diff", "a", "b", "c"], USAGE, ["too many", "OLD NEW"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_manifest_refusals(manifest, bed, src, args, code, words):
    args = [arg.format(src=src) for arg in args]
    done = manifest(bed.user, *args, check=False, text=True)
    done.stderr = done.stderr.replace("hashedfs-manifest: ", "hashedfs: ", 1)
    assert_refusal(done, code, [word.format(src=src) for word in words])
    assert sorted(os.listdir(src)) == ["a.txt"]


@pytest.mark.parametrize("program", ["-manifest", "-export", "-run"])
def test_a_manifest_in_a_source_is_told_of(bed, fuse, src, work, program):
    os.chmod(src, 0o777)
    os.chmod(work, 0o777)

    def said(manifest, *options):
        words = {
            "-manifest": ["snapshot", "--output", manifest, "--source", *options, src],
            "-export": ["--manifest", manifest, *options, src, work / "out"],
            "-run": ["--manifest", manifest, *options, src, "--", "true"],
        }
        argv = [f"{bed.bin}/hashedfs{program}", *map(str, words[program])]
        return bed.user.run(*argv, cwd=src).stderr

    assert said(work / "m.json") == ""
    for inside in src / "m.json", "m.json", f"{src}/../src/m.json":
        assert "lies in a source" in said(inside)
    assert said("m.json", "-o", "ignore=m.json") == ""
    assert said(".m.json") == ""


def test_manifest_output_is_whole_or_not_there(manifest, src, work, anyone):
    output = work / "staticfiles.json"
    output.write_text("old")
    (src / "broken").symlink_to("nowhere")
    done = manifest(
        anyone, "snapshot", "--source", "--output", output, src, check=False
    )
    if os.geteuid() == 0 or os.access(work, os.W_OK):
        assert done.returncode == 4
    assert output.read_text() == "old"
    (src / "broken").unlink()
    manifest(anyone, "snapshot", "--source", "--output", output, src)
    assert output.read_bytes() == oracle.manifest_bytes({"a.txt": A})
    assert sorted(os.listdir(work)) == ["src", "staticfiles.json"]


# --- help and version -------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "libraries"),
    [
        ("hashedfs", ["libfuse", "OpenSSL", "SQLite"]),
        ("hashedfs-run", ["libfuse", "OpenSSL", "SQLite", "Jansson"]),
        ("hashedfs-export", ["OpenSSL", "SQLite", "Jansson"]),
        ("hashedfs-manifest", ["OpenSSL", "SQLite", "Jansson"]),
    ],
)
def test_version_and_help(bed, program, libraries):
    path = str(bed.bin / program)
    for word in ("-V", "--version"):
        first, *others = bed.user.run(path, word).stdout.splitlines()
        assert [other.split()[0] for other in others] == libraries
        assert all(re.fullmatch(r"\w+ \d+\.[\d.]+", other) for other in others)
        assert re.fullmatch(rf"{program} \d+\.\d+\.\d+(-rc\d+)?", first)
    for word in ("-h", "--help"):
        done = bed.user.run(path, word)
        assert done.stdout and not done.stderr


@pytest.mark.parametrize("suffix", ["", "-run", "-export", "-manifest"])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_help_that_cannot_be_written(bed, suffix, where):
    command = f"{bed.bin}/hashedfs{suffix} --help {where}"
    done = bed.user.run("sh", "-c", command, check=False)
    assert done.returncode == (125 if suffix == "-run" else ENVIRONMENT)
    assert "cannot write standard output: " in done.stderr
    assert done.stderr.count("\n") == 1


# --- surroundings that lack something ----------------------------------------------


@pytest.fixture
def namespace(as_root, bed):
    """namespace(person, script, *argv) runs argv as a person in a private
    mount namespace that the script has turned inside out before."""

    def run(person, script, *argv):
        become = ["setpriv", "--reuid", str(person.uid), "--regid", str(person.gid)]
        become += ["--clear-groups"] if person.uid else ["--keep-groups"]
        return ROOT.run(
            *[*apart(), "sh", "-ec"],
            script + '\nexec "$@"',
            "sh",
            *become,
            *argv,
            check=False,
            timeout=30,
        )

    return run


NO_DEVICE = """
dev=$(mktemp -d)
mount -t tmpfs tmpfs "$dev"
cp -a /dev/null /dev/zero /dev/random /dev/urandom /dev/tty "$dev"
mount --move "$dev" /dev
rmdir "$dev"
"""


def test_no_device(namespace, bed, src, place, as_user):
    mnt = place(as_user)
    program = str(bed.bin / "hashedfs")
    done = namespace(as_user, NO_DEVICE, program, str(src), str(mnt))
    assert_refusal(done, ENVIRONMENT, ["/dev/fuse", "--device"])
    assert not processes(mnt)


def test_no_capability(as_root, fuse, bed, src, place):
    """As in a container that has the device alone."""
    mnt = place(ROOT)
    lack = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")
    done = ROOT.run(*lack, str(bed.bin / "hashedfs"), str(src), str(mnt), check=False)
    words = ["cannot mount on", str(mnt), "SYS_ADMIN", "hashedfs-export"]
    assert_refusal(done, ENVIRONMENT, words)
    assert not processes(mnt)


def test_manifest_needs_no_device(namespace, bed, src, anyone):
    program = str(bed.bin / "hashedfs-manifest")
    done = namespace(anyone, NO_DEVICE, program, "snapshot", "--source", str(src))
    assert done.stdout.encode() == oracle.manifest_bytes({"a.txt": A})


def test_no_fusermount3(namespace, bed, src, place):
    mnt = place(bed.user)
    hide = """
    bin=$(mktemp -d)
    cp -a /usr/bin/setpriv "$bin"
    mount --bind "$bin" /usr/bin
    """
    program = str(bed.bin / "hashedfs")
    done = namespace(bed.user, hide, program, str(src), str(mnt))
    assert_refusal(done, ENVIRONMENT, ["fusermount3", "fuse3"])
    assert not processes(mnt)


def test_allow_other_refused(namespace, bed, src, place, work):
    mnt = place(bed.user)
    conf = work / "fuse.conf"
    conf.write_text("# nothing is allowed here\n")
    hide = f'[ -e /etc/fuse.conf ] || exit 0; mount --bind "{conf}" /etc/fuse.conf'
    program = str(bed.bin / "hashedfs")
    args = ("-o", "allow_other", str(src), str(mnt))
    done = namespace(bed.user, hide, program, *args)
    assert_refusal(done, ENVIRONMENT, ["allow_other", "/etc/fuse.conf"])
    assert not processes(mnt)


# --- installed, and called by mount(8) ----------------------------------------------


@pytest.fixture(scope="session")
def installed(bed):
    """`make install` into a directory of its own; the PATH with it."""
    root = bed.top / "installed"
    built = os.environ.get("HASHEDFS_BIN_DIR", "build")
    done = subprocess.run(
        ["make", "-C", TOP, "install", f"DESTDIR={root}", "PREFIX=/usr"]
        + ([f"BIN={built}"] if built != "build" else []),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for directory, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(directory, name)
            os.chmod(path, os.stat(path).st_mode | 0o444)
    return root


def test_what_is_installed(installed):
    found = sorted(
        os.path.relpath(os.path.join(directory, name), installed)
        for directory, _, files in os.walk(installed)
        for name in files
    )
    assert found == [
        "usr/bin/hashedfs",
        "usr/bin/hashedfs-export",
        "usr/bin/hashedfs-manifest",
        "usr/bin/hashedfs-run",
        "usr/share/bash-completion/completions/hashedfs",
        "usr/share/bash-completion/completions/hashedfs-export",
        "usr/share/bash-completion/completions/hashedfs-manifest",
        "usr/share/bash-completion/completions/hashedfs-run",
        "usr/share/fish/vendor_completions.d/hashedfs-export.fish",
        "usr/share/fish/vendor_completions.d/hashedfs-manifest.fish",
        "usr/share/fish/vendor_completions.d/hashedfs-run.fish",
        "usr/share/fish/vendor_completions.d/hashedfs.fish",
        "usr/share/man/man1/hashedfs-export.1",
        "usr/share/man/man1/hashedfs-manifest.1",
        "usr/share/man/man1/hashedfs-run.1",
        "usr/share/man/man1/hashedfs.1",
        "usr/share/man/man7/hashedfs.7",
        "usr/share/zsh/site-functions/_hashedfs",
    ]
    assert os.access(installed / "usr/bin/hashedfs", os.X_OK)


@pytest.fixture
def mount8(as_root, installed, fuse):
    """Runs a script with mount(8) where the installed programs are in
    /usr/local/bin: mount(8) hands no other PATH on."""
    if not shutil.which("mount.fuse3") and not shutil.which("mount.fuse"):
        not_run("no mount.fuse")

    def run(script, *args):
        script = f"""
        mount --bind {installed}/usr/bin /usr/local/bin
        {script}
        ls -R "$mnt"
        findmnt -no OPTIONS "$mnt"
        umount "$mnt"
        """
        done = ROOT.run(*apart(), "sh", "-ec", script, "sh", *map(str, args))
        assert done.stderr == ""
        *files, options = done.stdout.splitlines()
        # What fstab's "user" implies holds.
        assert {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))
        return files

    return run


WORDS = "nofail,_netdev,user,noauto,x-systemd.automount,x-systemd.requires=network.target"


def test_mount_t(mount8, src, place):
    mnt = place(ROOT)
    script = 'mnt=$2; mount -t fuse.hashedfs -o "$3" "$1" "$mnt"'
    files = mount8(script, src, mnt, f"{WORDS},show=hashed:plain")
    assert sorted(files) == sorted([f"{mnt}:", A, "a.txt"])
    assert eventually(lambda: not processes(mnt))


def test_fstab(mount8, make, place, work):
    one = make({"a.txt": b"hello\n"}, "first source")
    two = make({"b.txt": b"hello\n"}, "second")
    mnt = place(ROOT, "mount point")
    spelt = [str(p).replace(" ", "\\040") for p in (f"{one}:lib={two}", mnt)]
    fstab = work / "fstab"
    fstab.write_text(f"{spelt[0]} {spelt[1]} fuse.hashedfs ro,{WORDS} 0 0\n")
    files = mount8('mnt=$2; mount -T "$1" "$mnt"', fstab, mnt)
    assert files == [f"{mnt}:", A, "lib", "", f"{mnt}/lib:", A.replace("a.", "b.", 1)]
    assert eventually(lambda: not processes(mnt))


def test_findmnt(src, mount, as_user):
    with mount(src, person=as_user) as m:
        text = as_user.run(
            "findmnt", "-rn", "-t", "fuse.hashedfs", "-o", "SOURCE,TARGET,FSTYPE,OPTIONS"
        ).stdout
        [line] = [line for line in text.splitlines() if m.path in line.split()]
        source, target, kind, options = line.split()
        assert (source, target, kind) == (str(src), m.path, "fuse.hashedfs")
        options = set(options.split(","))
        assert {"ro", "nosuid", "nodev", "default_permissions"} <= options
        assert "allow_other" not in options
    with mount(src, "fsname=static files", person=as_user) as m:
        source = as_user.run("findmnt", "-no", "SOURCE", m.path).stdout
        assert source == "static files\n"


# --- while it is in use -------------------------------------------------------------


@pytest.fixture
def held(make, mount, as_user):
    """A mount, and a client that has a file open in it, of which nobody has read
    anything: to be told to read it, and its bytes."""
    data = os.urandom(3 << 20)
    src = make({"big.bin": data}, owner=as_user)
    script = 'exec 3<"$1"; echo open; read word; exec cat <&3'
    with mount(src, person=as_user) as m:
        path = m / oracle.hashed("big.bin", data)
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        client = as_user.popen("sh", "-c", script, "sh", path, **pipes)
        try:
            assert client.stdout.readline() == b"open\n"
            yield m, client, data
        finally:
            client.kill()
            client.communicate()


def test_a_mount_in_use_is_not_unmounted_but_lazily(held, as_user):
    m, client, data = held
    refusal = as_user.run("fusermount3", "-u", m.path, check=False)
    assert refusal.returncode != 0 and "busy" in refusal.stderr and mounted(m)
    as_user.run("fusermount3", "-uz", m.path)
    assert not mounted(m)
    out, err = client.communicate(b"go on\n", timeout=30)
    assert (out == data, err, client.returncode) == (True, b"", 0)
    assert eventually(lambda: not processes(m.path))


def test_a_signal_does_not_wait_for_those_who_use_the_mount(held):
    m, client, _ = held
    os.kill(m.guard(), signal.SIGTERM)
    assert eventually(lambda: not processes(m.path), 20) and not mounted(m)
    _, err = client.communicate(b"go on\n", timeout=30)
    assert client.returncode != 0 and err


# --- processes --------------------------------------------------------------------


def test_a_daemon_keeps_nothing_of_its_caller(src, mount, as_user):
    """No descriptor but /dev/null, no working directory: mount() would not
    even come back if a pipe were kept."""
    with mount(src, person=as_user) as m:
        for pid in (m.guard(), m.worker()):
            if os.geteuid() != 0:
                break
            assert os.readlink(f"/proc/{pid}/cwd") == "/"
            for fd in (0, 1, 2):
                assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
        assert os.getsid(m.guard()) != os.getsid(0)


def test_started_without_standard_descriptors(src, bed, fuse, place, as_user):
    mnt = place(as_user)
    command = '"$0" "$1" "$2" <&- >&- 2>&-'
    as_user.run("sh", "-c", command, str(bed.bin / "hashedfs"), str(src), str(mnt))
    try:
        m = mounting.Mount(mnt, as_user)
        assert eventually(lambda: m.read(A) == b"hello\n", 10)
    finally:
        assert mounting.clear(mnt, as_user) == []
