"""Instructions for each file, which no other load on the machine changes: the
difference between a tree and one of twice its size, under callgrind."""

import os
import pathlib
import re

from measure import run
from places import MANIFEST, emptied
from trees import grow

FEW = 2_000


def counted(top, *argv):
    """The instructions of a command."""
    preload, out = top / "openat.so", top / "callgrind"
    if not preload.exists():
        source = pathlib.Path(__file__).with_name("openat.c")
        run("cc", "-shared", "-fPIC", "-o", preload, source)
    tool = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]
    run(*tool, *argv, env={**os.environ, "LD_PRELOAD": str(preload)})
    return int(re.search(r"^summary: (\d+)", out.read_text(), re.M)[1])


def snapshots(bench, tree):
    with emptied(bench.top / "counted-cache") as cache:
        argv = [MANIFEST, "snapshot", "-q", "--source", "-o", f"cache={cache}", tree]
        return {
            "snapshot --source": counted(bench.top, *argv),
            "snapshot --source, remembered": counted(bench.top, *argv),
        }


def measure(bench):
    found = []
    for size in (FEW, 2 * FEW):
        with emptied(bench.memory / "counted") as tree:
            tree.mkdir()
            grow(tree, size)
            # So that what is hashed counts as quiet, and is remembered.
            run("find", tree, "-exec", "touch", "-d", "2001-01-01", "{}", "+")
            run("sleep", "2.2")
            found.append(snapshots(bench, tree))
    for name in found[0]:
        each = (found[1][name] - found[0][name]) / FEW
        bench.table.add(f"`{name}`", "small files", f"{each:,.0f} instructions")
