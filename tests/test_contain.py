"""What a worker can still do once it serves, and what one client can cost."""

import contextlib
import errno
import os
import socket
import subprocess

import mount as mounting
from conftest import BIN_DIR, not_run
from person import eventually

DAC_READ_SEARCH = 1 << 2
# A try of tests/escape/probe.c -> the interface of Landlock that forbids it.
FORBIDDEN = {
    "read": 1,
    "list": 1,
    "write": 1,
    "make": 1,
    "write-source": 1,
    "directory": 1,
    "link": 1,
    "remove": 1,
    "cut": 3,
    "run": 1,
    "connect": 4,
    "bind": 4,
    "guard": 6,
    "abstract": 6,
}


def fields(pid):
    lines = mounting.proc(pid, "status").decode().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_privileges(make, mount, as_user):
    with mount(make({"a": b"1"}), person=as_user) as m:
        now = fields(m.worker())
        want = DAC_READ_SEARCH if as_user.uid == 0 else 0
        for name in ("CapEff", "CapPrm"):
            assert int(now[name], 16) == want
        for name in ("CapInh", "CapAmb"):
            assert int(now[name], 16) == 0
        if as_user.uid == 0:
            assert int(now["CapBnd"], 16) == 0
        assert now["NoNewPrivs"] == "1"
        limits = mounting.proc(m.worker(), "limits").decode()
        core = next(line for line in limits.splitlines() if "core file" in line)
        assert core.split()[4:6] == ["0", "0"]


@contextlib.contextmanager
def listening(name):
    """An abstract socket of that name, and a TCP port: its number."""
    with socket.socket(socket.AF_UNIX) as local, socket.socket() as tcp:
        local.bind(b"\0" + os.fsencode(name))
        tcp.bind(("127.0.0.1", 0))
        local.listen()
        tcp.listen()
        yield str(tcp.getsockname()[1])


def test_landlock_is_in_force(make, compiled, bed, fuse, place, as_user):
    """Tries everything from inside the worker, in the moment in which it is
    confined."""
    if str(BIN_DIR) != "build":
        not_run("nothing can be preloaded into a sanitizer's build")
    src = make({"a": b"1"}, owner=as_user)
    own = make({"file": b"2"}, "own", owner=as_user)
    path = place(as_user)
    with listening(own) as port:
        program = as_user.popen(
            str(bed.bin / "hashedfs"), "-f", str(src), str(path),
            stderr=subprocess.PIPE,
            env={
                "LD_PRELOAD": str(compiled("probe.so")),
                "PROBE": str(own),
                "PROBE_PORT": port,
                "PROBE_SOURCE": str(src / "a"),
            },
        )  # fmt: skip
        try:
            m = mounting.Mount(path, as_user)
            abi = eventually(lambda: m.status()["landlock"], 10)
        finally:
            assert mounting.clear(path, as_user) == []
            _, told = program.communicate(timeout=10)
    if not abi.startswith("ABI "):
        not_run(f"Landlock: {abi}")
    tries = dict(line.split(": ") for line in told.decode().splitlines())
    for name in ("proc", "source", "itself"):
        assert tries.pop(name) == "0", name
    assert tries.pop("dumpable") == ("0" if as_user.uid == 0 else "1")
    assert set(tries) == set(FORBIDDEN)
    for name, since in FORBIDDEN.items():
        if int(abi.split()[1]) >= since:
            assert int(tries[name]) in (errno.EACCES, errno.EPERM), name
    assert os.listdir(own) == ["file"]
