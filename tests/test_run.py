"""hashedfs-run: one command over a frozen mount, which meets no error of ours."""

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time

import mount as mounting
import oracle
import pytest
from conftest import not_run
from desk import NAMES, OURS, desk, sh, src
from mount import apart
from restless import met_no_peace

__all__ = ["desk", "src"]  # fixtures


# --- the command ------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (["false"], 1),
        (sh("exit 42"), 42),
        (sh("exit 125"), 125),
        (sh("kill -TERM $$"), 128 + 15),
        (sh("kill -KILL $$"), 128 + 9),
        (["/nonesuch/program"], 127),
        (["nonesuch-program"], 127),
        (["/etc/passwd"], 126),
        (["/"], 126),
    ],
)
def test_exit_status(desk, src, command, status):
    done = desk(src, "--", *command)
    assert (done.returncode, done.stdout) == (status, "")
    if status in (126, 127):
        assert f"cannot run {command[0]}: " in done.stderr
    else:
        assert done.stderr == ""


def test_placeholders(desk, src):
    show = 'import os, sys; print(os.environ["HASHEDFS_MOUNT"], *sys.argv[1:], sep="\\n")'
    done = desk(src, "--", sys.executable, "-c", show, "{}", "x={}/y:{}", "{", "}{")
    point, *words = done.stdout.splitlines()
    assert words == [point, f"x={point}/y:{point}", "{", "}{"]
    assert os.path.dirname(point) == str(desk.tmp)


def test_the_view(desk, src, manifest, as_user):
    done = desk("-o", "keep=d/*", src, "--", "find", "{}", "-type", "f", "-printf", "%P\n")
    shown = set(done.stdout.split())
    snapshot = manifest(as_user, "snapshot", "--source", "-o", "keep=d/*", src).stdout
    assert shown == set(json.loads(snapshot)["paths"].values())
    assert {"d/one.txt", NAMES["img/x.png"]} <= shown


def test_sources_from(desk, src, work, make, as_user):
    other = make({"z.txt": b"z"}, "other", owner=as_user)
    (work / "sources").write_text(f"{src}\n")
    args = ("--sources-from", work / "sources")
    assert "z." not in desk(*args, "--", "ls", "{}").stdout
    done = desk(*args, f"more={other}", "--", "ls", "{}/more")
    assert done.stdout == oracle.hashed("z.txt", b"z") + "\n"


def test_at(desk, src, place, as_user):
    path = place(as_user)
    done = desk("--at", path, src, "--", "stat", "-f", "-c", "%T", "{}")
    assert (done.returncode, done.stdout) == (0, "fuseblk\n") or "fuse" in done.stdout
    assert os.listdir(path) == [] and not mounting.mounted(path)
    assert desk("--at", path / "nonesuch", src, "--", "true").returncode == OURS
    (path / "file").write_bytes(b"")
    done = desk("--at", path, src, "--", "true")
    assert done.returncode == OURS and "not empty" in done.stderr


def test_places(desk, src, work, as_user):
    runtime = work / "runtime"
    runtime.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(runtime, as_user.uid, as_user.gid)
    env = {"XDG_RUNTIME_DIR": str(runtime)}
    point = desk(src, "--", "echo", "{}", env=env).stdout
    assert point.startswith(f"{runtime}/") and os.listdir(runtime) == []
    env = {"XDG_RUNTIME_DIR": "/nonesuch"}
    assert desk(src, "--", "echo", "{}", env=env).stdout.startswith(str(desk.tmp))


def test_it_inherits_what_we_were_given(desk, src):
    """Standard input, other descriptors, the default of SIGPIPE."""
    done = desk(src, "--", "cat", input="hello", stdin=None)
    assert done.stdout == "hello"
    reader, writer = os.pipe()
    echo = ["bash", "-c", f"echo there >&{writer}"]
    desk(src, "--", *echo, pass_fds=[writer], check=True)
    os.close(writer)
    with os.fdopen(reader) as file:
        assert file.read() == "there\n"
    done = desk(src, "--", "bash", "-c", "yes | head -1 >/dev/null; echo ${PIPESTATUS[0]}")
    assert done.stdout.strip() == str(128 + signal.SIGPIPE)
    # Without the two that are the C library's own.
    show = "grep -E '^Sig(Blk|Ign)' /proc/self/status | grep -o '.......$'"
    plain = desk.person.run("sh", "-c", show).stdout
    assert desk(src, "--", *sh(show)).stdout == plain


def test_nohup_stays_nohup(desk, src):
    command = [desk.program, str(src), "--", *sh("sleep 1; echo end")]
    ignoring = ["bash", "-c", 'trap "" HUP; exec "$@"', "-", *command]
    process = desk.person.popen(*ignoring, env=desk.env, stdout=subprocess.PIPE)
    desk.pid("sleep")
    for pid in list(desk.processes()):
        os.kill(pid, signal.SIGHUP)
    assert process.communicate(timeout=20)[0] == b"end\n" and process.returncode == 0


# --- what it tells, and refuses ---------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ["SRC"],
        ["SRC", "--"],
        ["--", "true"],
        ["SRC", "SRC", "--", "true"],
        ["--nonesuch", "SRC", "--", "true"],
        ["-o", "nonesuch", "SRC", "--", "true"],
        ["/nonesuch", "--", "true"],
        ["-o", "control=none", "--manifest", "x", "SRC", "--", "true"],
        ["--manifest", "/nonesuch/x", "SRC", "--", "touch", "{}"],
    ],
)
def test_refusals_are_ours(desk, src, args):
    done = desk(*[str(src) if arg == "SRC" else arg for arg in args])
    assert (done.returncode, done.stdout) == (OURS, "")
    assert done.stderr.startswith(("usage:", "hashedfs-run: "))


def test_unreadable_files(desk, src, as_user):
    """Each is told; with --partial the command sees nothing of them."""
    (src / "dead.txt").symlink_to("nowhere")
    lost = {"dead.txt"}
    if as_user.uid:
        (src / "d/one.txt").chmod(0)
        (src / "closed").mkdir(mode=0)
        lost |= {"d/one.txt", "closed"}
    done = desk(src, "--", "echo", "ran")
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (OURS, "")
    assert {line.split(": ")[1] for line in lines[:-1]} == lost
    assert "not started" in lines[-1] and "--partial" in lines[-1]
    done = desk("--partial", src, "--", "find", "{}", "-printf", "%P\n")
    rows = done.stdout.split()
    for path in lost:
        stem = os.path.splitext(os.path.basename(path))[0]
        assert not [row for row in rows if os.path.basename(row).startswith(f"{stem}.")]
        assert f"{path} is left out" in done.stderr
    assert "closed" not in rows
    assert NAMES["d/two.txt"] in rows
    copy = desk("--partial", src, "--", "cp", "-r", "{}", desk.tmp / "copy")
    assert copy.returncode == 0
    if as_user.uid:
        (src / "closed").chmod(0o755)


def test_one_line_for_findings(desk, make, as_user):
    src = make({"a.css": b"a{b:url(nope.png)} c{d:url(gone.png)}"}, "it's", owner=as_user)
    done = desk("-o", "allow_other,refs=django-5.2" if not as_user.uid else "refs=django-5.2",
                src, "--", "true")
    [line] = done.stderr.splitlines()
    assert done.returncode == 0 and "findings: 2" in line
    words = shlex.split(line.partition("see them: ")[2])
    assert words[:3] == ["hashedfs-manifest", "check", "--source"]
    assert words[-1] == str(src) and words[3:-1] == ["-o", "refs=django-5.2"]
    tool = os.path.join(os.path.dirname(desk.program), words[0])
    found = desk.person.run(tool, *words[1:], check=False)
    assert found.returncode == 1 and found.stdout.count("\n") == 2


def test_a_tree_that_never_holds_still(desk, make, as_user):
    done = met_no_peace(make, as_user, lambda src: desk(src, "--", "echo", "ran"))
    assert (done.returncode, done.stdout) == (OURS, "")
    assert "keep changing" in done.stderr


# --- the manifest -----------------------------------------------------------


def test_manifest(desk, src, manifest, as_user):
    output = desk.tmp / "staticfiles.json"
    assert desk("--manifest", output, src, "--", "false").returncode == 1
    assert not output.exists()
    seen = desk("--manifest", output, src, "--", *sh(f"test ! -e {output}"), check=True)
    assert seen.stdout == ""
    expected = manifest(as_user, "snapshot", "--source", src).stdout
    assert output.read_bytes() == expected
    # The state that was uploaded, not the one of now.
    edit = f"echo changed >{src}/d/one.txt"
    desk("--manifest", output, src, "--", *sh(edit), check=True)
    assert output.read_bytes() == expected


def test_manifest_that_cannot_be_written_at_the_end(desk, src):
    directory = desk.tmp / "manifests"
    directory.mkdir()
    directory.chmod(0o777)
    output = directory / "staticfiles.json"
    done = desk("--manifest", output, src, "--", *sh(f"rmdir {directory}"))
    assert done.returncode == OURS and "cannot write" in done.stderr


# --- signals ----------------------------------------------------------------


TRAP = 'trap "echo {0}; exit 3" {0}; echo ready; while :; do sleep 0.05; done'


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_are_passed_on(desk, src, name):
    process = desk.start(src, "--", "bash", "-c", TRAP.format(name))
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.communicate(timeout=20)[0] == f"{name}\n"
    assert process.returncode == 3


def test_a_signal_to_the_whole_group_spares_the_worker(desk, src):
    """As timeout(1) sends it: the command may still put things in order."""
    text = f'trap "cat {{}}/{NAMES["d/one.txt"]}; exit 3" TERM; echo ready; ' + (
        "while :; do sleep 0.05; done"
    )
    process = desk.start(src, "--", "bash", "-c", text, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (3, "one") and "hashedfs" not in err


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_a_signal_while_the_tree_is_named(desk, make, as_user, name):
    src = make({}, owner=as_user)
    with open(src / "huge.bin", "wb") as file:
        file.truncate(20 << 30)
    process = desk.start(src, "--", "echo", "ran")
    desk.pid("hashedfs-worker")
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.communicate(timeout=20)[0] == ""
    assert process.returncode == 128 + getattr(signal, f"SIG{name}")


COUNT = r"""
import signal, sys, time
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
print("ready", flush=True)
line = sys.stdin.readline()
deadline = time.monotonic() + 0.5
while time.monotonic() < deadline:
    time.sleep(0.05)
print("interrupts", len(got), "line", line.strip(), flush=True)
"""


def _on_terminal(desk, *args):
    """Starts it as the foreground job of a new terminal: (pid, master)."""
    pid, master = pty.fork()
    if pid == 0:
        try:
            desk.person._become()
            env = desk.person.environment(**desk.env)
            os.execve(desk.program, [desk.program, *map(str, args)], env)
        finally:
            os._exit(99)
    return pid, master


def _read_until(master, text, seconds=20):
    deadline = time.monotonic() + seconds
    seen = ""
    while text not in seen:
        left = deadline - time.monotonic()
        assert left > 0, f"{text!r} did not come: {seen!r}"
        if select.select([master], [], [], left)[0]:
            try:
                part = os.read(master, 4096)
            except OSError:
                part = b""
            assert part, f"{text!r} did not come: {seen!r}"
            seen += part.decode()
    return seen


def test_ctrl_c_comes_once_and_the_terminal_can_be_read(desk, src):
    pid, master = _on_terminal(desk, src, "--", sys.executable, "-c", COUNT)
    try:
        _read_until(master, "ready")
        os.write(master, b"\x03")
        time.sleep(0.2)
        os.write(master, b"typed\n")
        assert "interrupts 1 line typed" in _read_until(master, "line typed")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(master)


def test_progress_on_a_terminal(desk, make, as_user):
    src = make({}, owner=as_user)
    with open(src / "huge.bin", "wb") as file:
        file.truncate(300_000_000)
    pid, master = _on_terminal(desk, src, "--", "echo", "ran")
    try:
        seen = _read_until(master, "ran")
        assert re.search(r"\d/1 files, .* MB/s", seen)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(master)


# --- what the command leaves behind -----------------------------------------


LEFT = [
    "sleep 1000 &",
    "(sleep 1000 &)",
    "(setsid sleep 1000 &)",
    "setsid sh -c 'sh -c \"sleep 1000 & sleep 1000\" & exit' &",
    "(sleep 1000 & kill -STOP $!) &",
    'bash -c \'trap "" TERM HUP; sleep 1000\' &',
]


@pytest.mark.parametrize("text", LEFT)
def test_nothing_stays_behind(desk, src, text):
    # Nobody may hold the pipe: that is how a test waits for the end.
    done = desk(src, "--", *sh(f"exec >/dev/null 2>&1; {text}\nsleep 0.1; exit 5"))
    assert done.returncode == 5
    assert desk.nothing_left()


def test_leftovers_may_put_things_in_order(desk, src):
    mark = desk.tmp / "tidy"
    text = f'trap "cat {{}}/{NAMES["d/one.txt"]} >{mark}; exit" TERM; '
    text += f"touch {mark}.ready; while :; do sleep 0.02; done"
    # Even one that is stopped.
    wait = f"while [ ! -e {mark}.ready ]; do sleep 0.02; done; kill -STOP $!"
    start = f"bash -c {shlex.quote(text)} & {wait}"
    desk(src, "--", *sh(start), check=True)
    assert mark.read_text() == "one"


def test_a_hundred_quick_runs(desk, make, as_user):
    src = make({"a.txt": b"a"}, owner=as_user)
    for _ in range(100):
        assert desk(src, "--", "cat", "{}/" + oracle.hashed("a.txt", b"a")).stdout == "a"
    assert desk.nothing_left()


# --- other places -----------------------------------------------------------


@pytest.mark.parametrize("as_user", ["root"], indirect=True)
def test_in_a_pid_namespace(desk, src, as_root):
    inside = ["--pid", "--fork"]
    run = [desk.program, str(src), "--", *sh("sleep 1000 & cat {}/d/*; exit 4")]
    if as_root.run(*apart(*inside), "true", check=False).returncode:
        not_run("no unshare here")
    done = as_root.run(*apart(*inside, "--mount-proc"), *run, check=False, env=desk.env)
    assert (done.returncode, done.stdout) == (4, "onetwo")
    done = as_root.run(*apart(*inside), *run, check=False, env=desk.env)
    assert (done.returncode, done.stdout) == (OURS, "")
    assert "--mount-proc" in done.stderr


def test_without_open_descriptors(desk, src):
    run = shlex.join([desk.program, str(src), "--", "true"])
    done = desk.person.run("bash", "-c", f"{run} <&- >&- 2>&-", env=desk.env, check=False)
    assert done.returncode == 0


def test_a_closed_output_stays_closed(desk, src):
    run = shlex.join([desk.program, str(src), "--", "ls", "{}"])
    done = desk.person.run("bash", "-c", f"{run} >&-", env=desk.env, check=False)
    assert done.returncode == 2 and "ls: write error" in done.stderr
