"""hashedfs-run where nothing can be mounted: the same command over copies."""

import json
import os
import re
import signal
import stat

import mount as mounting
import pytest
from conftest import give
from desk import NAMES, OURS, TREE, Desk, cleared, sh, src
from exporter import FORMATS, small
from mount import apart, read_tree
from person import ROOT, eventually

LINE = "so the command runs over a private copy of the files"


class CopyDesk(Desk):
    """A desk in a place without /dev/fuse: `how` says why there is none."""

    def nothing_left(self):
        assert super().nothing_left()
        assert os.listdir(self.tmp / "at") == []
        return True


@pytest.fixture
def desk(bed, work, as_user):
    with cleared(CopyDesk(bed, work, as_user)) as desk:
        (desk.tmp / "at").mkdir()
        give(desk.tmp / "at", as_user)
        yield desk


# --- when ------------------------------------------------------------------------------


def become(person):
    ids = ["--reuid", str(person.uid), "--regid", str(person.gid), "--clear-groups"]
    return ["setpriv", *ids] if person.uid else []


DEV = "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3;"
OBSTACLES = {
    "no device": f'{DEV} "$@"',
    "not permitted to open": f'{DEV} mknod -m 600 /dev/fuse c 10 229; "$@"',
    "no such device": 'mount --bind /dev/null /dev/fuse; "$@"',
    "not permitted to mount": 'setpriv --no-new-privs --bounding-set=-sys_admin "$@"',
}


# Nobody forbids root to open a file by its mode.
MET = [(who, what) for who in ("root", "user") for what in OBSTACLES]
MET.remove(("root", "not permitted to open"))


@pytest.mark.parametrize(("as_user", "obstacle"), MET, indirect=["as_user"])
def test_it_copies_where_it_cannot_mount(desk, src, as_root, as_user, obstacle):
    """And says so in one line."""
    script = OBSTACLES[obstacle]
    inside = [*apart(), "sh", "-ec", script, "-"]
    command = ["sh", "-c", "stat -f -c %T {}; cat {}/d/one.*; echo $HASHEDFS_MOUNT; exit 7"]

    def run(*options):
        argv = [*become(as_user), desk.program, *options, str(src), "--", *command]
        env = as_user.environment(**desk.env)
        done = ROOT.run(*inside, *argv, check=False, env=env)
        return done.returncode, done.stdout.splitlines(), done.stderr

    code, lines, told = run()
    assert code == 7 and told.count("\n") == 1 and LINE in told, (code, told)
    assert "fuse" not in lines[0] and lines[1].startswith("one/")
    assert desk.nothing_left()
    code, lines, told = run("--mount")
    assert (code, lines) == (OURS, []) and LINE not in told and told


def test_export_is_asked_for(desk, src):
    done = desk("--export", src, "--", *sh("echo {} $HASHEDFS_MOUNT; stat -c %a {}/.."))
    place, again, mode = done.stdout.split()
    assert (done.returncode, done.stderr, mode) == (0, "", "700")
    assert place == again and re.fullmatch(rf"{desk.tmp}/hashedfs-run\.\w+/view", place)
    env = {"TMPDIR": "", "XDG_RUNTIME_DIR": str(desk.tmp)}
    done = desk("--export", src, "--", "echo", "{}", env=env)
    assert done.stdout.startswith("/var/tmp/hashedfs-run.")
    assert not os.path.exists(os.path.dirname(done.stdout.strip()))


def test_a_mount_is_asked_for(desk, src, fuse):
    done = desk("--mount", src, "--", *sh("grep -c {} /proc/self/mountinfo"))
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_others_may_look_if_asked_for(desk, src, as_user):
    done = desk("--export", "-o", "allow_other", src, "--", *sh("stat -c %a {}/.. {}"))
    assert done.stdout.split() == ["711", oct(stat.S_IMODE(src.stat().st_mode))[2:]]


# --- the same promises -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (sh("exit 42"), 42),
        (sh("kill -TERM $$"), 128 + 15),
        (["/nonesuch/program"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_exit_status(desk, src, command, status):
    done = desk("--export", src, "--", *command)
    assert (done.returncode, done.stdout) == (status, "")


def test_the_view(desk, src, manifest, as_user):
    """The files of the mount, and the manifest after success."""
    written = desk.tmp / "staticfiles.json"
    copy = desk.tmp / "copy"
    args = ("--export", "--manifest", written, src, "--")
    assert desk(*args, "false").returncode == 1 and not written.exists()
    assert desk(*args, "cp", "-a", "{}", copy).returncode == 0
    paths = json.loads(written.read_bytes())["paths"]
    assert sorted(paths.values()) == mounting.list_tree(copy)
    shown = manifest(as_user, "snapshot", "--source", src).stdout
    assert written.read_bytes() == shown
    assert read_tree(copy)[NAMES["big.bin"]] == TREE["big.bin"]
    st = (copy / NAMES["big.bin"]).stat()
    assert (st.st_mtime, stat.S_IMODE(st.st_mode)) == (946684800, 0o644)


@pytest.mark.parametrize("how", FORMATS, ids=" ".join)
def test_manifest_of_a_format(how, desk, src, manifest, as_user):
    written = desk.tmp / "manifest"
    opts = ("-o", "static_url=/s/")
    desk(*opts, "--export", "--manifest", written, *how, src, "--", "true", check=True)
    shown = manifest(as_user, "snapshot", "-q", "--source", *opts, *how, src).stdout
    assert written.read_bytes() == shown


def test_no_manifest_over_an_unwritable_one(desk, src):
    args = ("--export", "--manifest", "/nonesuch/m.json", src, "--", "touch", desk.log)
    assert desk(*args).returncode == OURS and not desk.log.exists()


def test_at(desk, src, as_user):
    path = desk.tmp / "at"
    os.chmod(path, 0o750)
    os.utime(path, (1, 2))
    before = path.stat()
    done = desk("--export", "--at", path, src, "--", "ls", "{}")
    assert done.returncode == 0 and NAMES["d/one.txt"].split("/")[0] in done.stdout
    after = path.stat()
    for field in ("st_ino", "st_mode", "st_uid", "st_gid", "st_mtime"):
        assert getattr(before, field) == getattr(after, field), field
    (path / "file").write_bytes(b"mine")
    done = desk("--export", "--at", path, src, "--", "true")
    assert done.returncode == OURS and "to be emptied at the end" in done.stderr
    assert os.listdir(path) == ["file"]
    done = desk("--export", "-o", "nonempty", "--at", path, src, "--", "true")
    assert done.returncode == OURS and "not empty" in done.stderr
    assert (path / "file").read_bytes() == b"mine"
    (path / "file").unlink()


def test_what_cannot_be_read(desk, src):
    (src / "dead.txt").symlink_to("nowhere")
    done = desk("--export", src, "--", "touch", desk.log)
    assert done.returncode == OURS and "the command was not started" in done.stderr
    assert not desk.log.exists()
    done = desk("--export", "--partial", src, "--", "touch", desk.log)
    assert done.returncode == 0 and desk.log.exists()


def test_a_full_disk(desk, src, work, as_root):
    with small(work, "-t", "tmpfs", "-o", "size=1m,mode=1777", "none") as point:
        done = desk("--export", src, "--", "touch", desk.log, env={"TMPDIR": str(point)})
        assert (done.returncode, os.listdir(point)) == (OURS, [])
    [line] = [line for line in done.stderr.splitlines() if "No space left" in line]
    assert str(point) in line and "--at DIR or TMPDIR" in line
    assert not desk.log.exists()


def test_a_source_that_changes_does_not_matter(desk, src):
    change = f"rm -r {src}/d; echo >{src}/big.bin; cat {{}}/d/*; wc -c {{}}/big.*"
    done = desk("--export", src, "--", *sh(change))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("onetwo8000000 ")


def test_what_it_makes_goes_too(desk, src):
    """Files without any rights, directories in depth, links that lead out."""
    (desk.tmp / "mine").mkdir()
    (desk.tmp / "mine/file").write_bytes(b"mine")
    mess = (
        "cd {}; mkdir -p a/b/c x/y; touch a/b/c/f x/y/f; ln -s ../../../mine out;"
        "chmod 0 x/y a/b/c/f; chmod 0 x; chmod 555 a/b/c; chmod 0 ."
    )
    assert desk("--export", src, "--", *sh(mess)).returncode == 0
    assert (desk.tmp / "mine/file").read_bytes() == b"mine"


@pytest.mark.parametrize("as_user", ["root"], indirect=True)
def test_what_it_mounts_there_stays(desk, src, work):
    precious = work / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"mine")
    mount = f"mkdir {{}}/m && mount --bind {precious} {{}}/m"
    done = desk("--export", "--at", desk.tmp / "at", src, "--", *sh(mount))
    assert "cannot remove the files" in done.stderr
    assert (precious / "file").read_bytes() == b"mine"
    ROOT.run("umount", str(desk.tmp / "at/m"))
    (desk.tmp / "at/m").rmdir()


def test_a_full_disk(desk, src, work, as_root):
    point = work / "small"
    point.mkdir()
    ROOT.run("mount", "-t", "tmpfs", "-o", "size=1m,mode=1777", "none", str(point))
    try:
        env = {"TMPDIR": str(point)}
        done = desk("--export", src, "--", "touch", desk.log, env=env)
        assert done.returncode == OURS and "No space left" in done.stderr
        assert not desk.log.exists() and os.listdir(point) == []
    finally:
        ROOT.run("umount", str(point))


# --- signals and death -------------------------------------------------------------------


def begin(desk, src, command, *options):
    """Starts, and waits until the command runs."""
    command = sh(f"touch {desk.log}.begun; {command}")
    running = desk.start("--export", *options, src, "--", *command)
    assert eventually((desk.tmp / "log.begun").exists), running.communicate()
    return running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_go_to_the_command(desk, src, number):
    running = begin(desk, src, "exec sleep 60")
    running.send_signal(number)
    running.communicate(timeout=20)
    assert running.returncode == 128 + number


def test_a_signal_before_the_command(desk, work, as_user):
    src = work / "large"
    src.mkdir()
    for i in range(200):
        (src / f"f{i}").write_bytes(os.urandom(500_000))
    give(src, as_user)
    running = desk.start("--export", "-o", "cache=none", src, "--", "touch", desk.log)
    assert eventually(lambda: list(desk.tmp.glob("hashedfs-run.*/view/*")), 20, 0.001)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=20)
    assert running.returncode == 128 + signal.SIGTERM and not desk.log.exists()


def test_processes_that_are_left_behind(desk, src):
    done = desk("--export", src, "--", *sh("setsid sleep 60 >/dev/null 2>&1 & exit 3"))
    assert done.returncode == 3


@pytest.mark.parametrize("at", [False, True])
@pytest.mark.parametrize("who", ["hashedfs-guard", "hashedfs-run"])
def test_who_is_killed(desk, src, who, at):
    """Whoever remains cleans up."""
    running = begin(desk, src, "sleep 60", *(["--at", desk.tmp / "at"] if at else []))
    os.kill(desk.pid(who), signal.SIGKILL)
    told = running.communicate(timeout=20)[1]
    if who == "hashedfs-guard":
        assert running.returncode == OURS and "killed" in told
    assert eventually(lambda: desk.nothing_left())


def test_the_worker_is_gone_when_the_command_runs(desk, src):
    running = begin(desk, src, "sleep 60")
    names = {"hashedfs-run", "hashedfs-guard", "sh", "sleep"}
    assert eventually(lambda: set(desk.processes().values()) == names)
    running.terminate()
    running.communicate(timeout=20)
