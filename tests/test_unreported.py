"""Changes that nobody reports, and a mount that is told to look anew."""

import os
import platform
import shutil
import signal

import mount as mounting
import pytest
from looking import SOON, TREE, edit, fresh, looking, missing_target_comes, replace_directory
from person import eventually

__all__ = ["fresh"]  # a fixture


# --- where watching is not possible -----------------------------------------


def test_a_source_that_does_not_report(make, mount, place, anyone, fresh):
    under = make(TREE, "under", owner=anyone)
    over = place(anyone, "over")
    anyone.run("bindfs", "--no-allow-other", str(under), str(over))
    try:
        with mount(over, person=anyone) as m, looking(m, fresh, over) as looker:
            assert m.status()["watching"] == (
                "0 directories (not all: a file system does not report all changes)"
            )
            anyone.call(edit, over)
            assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
            anyone.call(replace_directory, over)
            looker.synced()
    finally:
        assert mounting.unmount(over, anyone)


# A program that runs another whose system call NUMBER fails with ERROR, where
# its third argument is THIRD (or whatever it is).
FAILING = """#!{python}
import ctypes, os, struct, sys
def op(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
program = b"".join([
    op(0x20, 0, 0, 0),                       # the number
    op(0x15, 0, 3 if {third} >= 0 else 1, {number}),
    *([op(0x20, 0, 0, 32), op(0x15, 0, 1, {third})] if {third} >= 0 else []),
    op(0x06, 0, 0, 0x00050000 | {error}),    # SECCOMP_RET_ERRNO
    op(0x06, 0, 0, 0x7fff0000),
])
libc = ctypes.CDLL(None, use_errno=True)
buf = ctypes.create_string_buffer(program)
prog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buf))
fprog = ctypes.create_string_buffer(prog)
if libc.prctl(22, 2, fprog, 0, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv("{exec}", ["{exec}", *sys.argv[1:]])
"""
NUMBERS = {
    "x86_64": {"write": 1, "inotify_add_watch": 254, "inotify_init1": 294},
    "aarch64": {"write": 64, "inotify_add_watch": 27, "inotify_init1": 26},
}


@pytest.fixture
def failing(work, bed, as_root):
    """failing("write", errno, third=N): hashedfs, for which that fails."""

    def build(call, error, third=-1):
        script = work / "hashedfs"
        script.write_text(
            FAILING.format(
                python=shutil.which("python3", path="/usr/bin"),
                number=NUMBERS[platform.machine()][call],
                error=error,
                third=third,
                exec=bed.bin / "hashedfs",
            )
        )
        script.chmod(0o755)
        return script

    return build


ENOSPC, EINVAL, EMFILE = 28, 22, 24


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (
            "inotify_add_watch",
            ENOSPC,
            "not all: the limit is reached, see fs.inotify.max_user_watches",
        ),
        ("inotify_init1", EMFILE, "not all: Too many open files"),
    ],
)
def test_no_watches_to_be_had(make, mount, as_root, fresh, failing, call, error, sentence):
    src = make(TREE)
    program = failing(call, error)
    with (
        mount(src, person=as_root, program=program) as m,
        looking(m, fresh, src) as looker,
    ):
        assert m.status()["watching"] == f"0 directories ({sentence})"
        edit(src)
        assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
        replace_directory(src)
        looker.synced()


def test_a_kernel_that_does_not_hear(make, mount, as_root, fresh, failing):
    """Before Linux 6.16: the notification has 16 bytes."""
    src = make(TREE)
    program = failing("write", EINVAL, third=16)
    with (
        mount(src, person=as_root, program=program) as m,
        looking(m, fresh, src) as looker,
    ):
        assert m.status()["names_believed_ms"] == (
            "900 (the kernel cannot be told of changes; Linux 6.16 can)"
        )
        edit(src)
        assert eventually(lambda: not looker.wrong(), SOON), looker.wrong()
        for change in (replace_directory, missing_target_comes):
            change(src)
            looker.synced()


# --- SIGHUP -----------------------------------------------------------------


@pytest.mark.parametrize("process", ["worker", "guard"])
def test_hangup_forgets(make, mount, as_user, process):
    src = make(TREE, owner=as_user)
    with mount(src, person=as_user) as m:
        files = m.files()
        assert int(m.status()["remembered"]) >= len(TREE)
        os.kill(getattr(m, process)(), signal.SIGHUP)
        assert eventually(lambda: m.status()["remembered"] == "0")
        hashed = int(m.status()["files_hashed"])
        assert m.files() == files
        assert int(m.status()["files_hashed"]) >= hashed + len(TREE)
