"""hashedfs-run: the command never meets an error of the mount."""

import os
import shlex
import signal
import subprocess
import sys

import pytest
from desk import NAMES, OURS, desk, sh, src
from person import eventually

__all__ = ["desk", "src"]  # fixtures


def edit(src):
    (src / "d/one.txt").write_bytes(b"ONE")


def delete(src):
    (src / "d/one.txt").unlink()


def truncate(src):
    os.truncate(src / "img/x.png", 10)


def replace_by_directory(src):
    (src / "d/one.txt").unlink()
    (src / "d/one.txt").mkdir()


def rename_directory(src):
    (src / "d").rename(src / "e")


def close(src):
    (src / "d/one.txt").chmod(0)


def edit_big(src):
    with open(src / "big.bin", "r+b") as file:
        file.seek(7_000_000)
        file.write(b"#")


CHANGES = (edit, delete, truncate, replace_by_directory, rename_directory, edit_big)


def named(change):
    return {truncate: "img/x.png", edit_big: "big.bin", rename_directory: "d/"}.get(
        change, "d/one.txt"
    )


def busy(desk, src, command=None):
    """hashedfs-run with clients that look at everything all the time, below
    the command: it, a child, and one in a session of its own."""
    client = shlex.join(desk.client())
    text = f"setsid {client} & {client} & {client}"
    process = desk.start(src, "--", *(command or sh(text)))
    assert eventually(lambda: desk.rounds() > 3, 20), process.communicate(timeout=5)
    assert desk.errors() == ""
    return process


def ended(desk, process):
    out, err = process.communicate(timeout=20)
    assert desk.nothing_left()
    assert desk.errors() == "", "a client met an error"
    assert (process.returncode, out) == (OURS, "")
    return err


def assert_ended_by(change, desk, src):
    process = busy(desk, src)
    change(src)
    [line] = ended(desk, process).splitlines()
    assert line.startswith(f"hashedfs-run: {named(change)}") and "Run it again" in line


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_ends_the_command_and_no_client_sees_it(desk, src, change):
    assert_ended_by(change, desk, src)


# Root reads everything.
@pytest.mark.parametrize("as_user", ["user"], indirect=True)
def test_a_closed_file_ends_the_command_and_no_client_sees_it(desk, src):
    assert_ended_by(close, desk, src)


def test_a_change_under_an_open_file(desk, src):
    """The one late error, of a file above 1 MiB, does not come through."""
    text = r"""
import sys
with open(sys.argv[1], "rb", buffering=0) as file:
    assert len(file.read(4096)) == 4096
    print("open", flush=True)
    sys.stdin.readline()
    try:
        while file.read(1 << 16):
            pass
    except OSError as error:
        open(sys.argv[2] + ".errors", "w").write(f"{error}")
    print("read", flush=True)
"""
    args = [sys.executable, "-c", text, "{}/" + NAMES["big.bin"], desk.log]
    process = desk.start(src, "--", *args, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "open\n"
    edit_big(src)
    process.stdin.write("\n")
    process.stdin.flush()
    line = ended(desk, process)
    assert line.startswith("hashedfs-run: big.bin")


# One child that many others wait for, to go on when it ends.
FAMILY = r"""
import os, signal, sys
view, log = sys.argv[1:3]
reader, writer = os.pipe()
if os.fork() == 0:
    signal.pause()
os.close(writer)
for _ in range(300):
    if os.fork() == 0:
        os.read(reader, 1)
        open(log + ".errors", "a").write("went on")
        os._exit(0)
print("ready", flush=True)
sys.stdin.readline()
open(view).read()
"""


def test_nobody_goes_on_when_another_one_is_killed(desk, src):
    """What a failed step of a script is to be followed by is not begun."""
    args = [sys.executable, "-c", FAMILY, "{}/" + NAMES["d/one.txt"], desk.log]
    process = desk.start(src, "--", *args, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    edit(src)
    process.stdin.write("\n")
    process.stdin.flush()
    assert ended(desk, process).startswith("hashedfs-run: d/one.txt")


@pytest.mark.parametrize("who", ["hashedfs-worker", "hashedfs-guard", "hashedfs-run"])
def test_a_process_of_ours_is_killed(desk, src, who):
    """Whichever it is, no client meets the end of the mount."""
    process = busy(desk, src)
    os.kill(desk.pid(who), signal.SIGKILL)
    if who == "hashedfs-run":
        out, err = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGKILL
        assert desk.nothing_left() and desk.errors() == ""
    else:
        err = ended(desk, process)
    assert "Run it again" in err


def test_the_command_itself_is_killed(desk, src):
    process = busy(desk, src)
    os.kill(next(p for p, c in desk.processes().items() if c == "sh"), signal.SIGKILL)
    err = process.communicate(timeout=20)[1]
    assert process.returncode == 128 + signal.SIGKILL, err
    assert desk.nothing_left() and desk.errors() == ""


def test_a_stopped_client_is_no_obstacle(desk, src):
    process = busy(desk, src)
    clients = [p for p, c in desk.processes().items() if "python" in c]
    os.kill(clients[0], signal.SIGSTOP)
    edit(src)
    ended(desk, process)


def test_control_files_may_fail(desk, src):
    text = "cat {}/.hashedfs/nonesuch; ls {}/.hashedfs/status >/dev/null && echo good"
    done = desk(src, "--", *sh(text))
    assert (done.returncode, done.stdout) == (0, "good\n")


def test_mistakes_of_the_client_are_answered(desk, src):
    text = """
cat {}/nonesuch; rm -f {}/big*; touch {}/new; ls {}/%s/x; mkdir {}/d/e; cat {}/d
getfattr -n user.nope {} ; echo end"""
    done = desk(src, "--", *sh(text % NAMES["d/one.txt"]))
    assert (done.returncode, done.stdout) == (0, "end\n")


def test_rsync_delete_deletes_nothing(desk, make, as_user):
    """The destination keeps what it has when a file changes half way."""
    src = make({f"f{i}.txt": b"%d" % i for i in range(200)}, owner=as_user)
    to = desk.tmp / "deployed"
    sync = f"rsync -a --delete --checksum {{}}/ {to}/"
    desk(src, "--", *sh(sync), check=True)
    before = sorted(os.listdir(to))
    assert len(before) == 200
    change = f"echo changed >{src}/f150.txt; rm {src}/f151.txt"
    done = desk(src, "--", *sh(f"{change}; {sync}; echo went on"))
    assert (done.returncode, done.stdout) == (OURS, "")
    assert "f15" in done.stderr and "rsync" not in done.stderr
    assert sorted(os.listdir(to)) == before
