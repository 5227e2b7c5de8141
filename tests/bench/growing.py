"""Trees of many small files: time, memory of the worker, memory of the
kernel."""

import re
import shutil

from measure import find, timed
from places import MANIFEST, emptied
from trees import grow

SIZES = (10_000, 100_000, 1_000_000)


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return 1024 * int(re.search(r"VmRSS:\s*([0-9]+)", file.read())[1])


def kernel():
    """Bytes of the kernel's own objects, those that it can drop included."""
    with open("/proc/meminfo", encoding="ascii") as file:
        return 1024 * int(re.search(r"Slab:\s*([0-9]+)", file.read())[1])


def one(bench, size):
    with emptied(bench.memory / "grown") as tree:
        tree.mkdir()
        grow(tree, size)
        find(tree)
        native = find(tree)
        with bench.mounts.hashedfs(tree) as (point, seconds):
            worker = bench.mounts.worker()
            before, slab = resident(worker), kernel()
            first = seconds + find(point)
            again = find(point)
            listed, slab = resident(worker), kernel() - slab
            snapshot = timed(MANIFEST, "snapshot", "-q", point)
            memory = resident(worker)
        shutil.rmtree(tree)
    return {
        "find": first / native,
        "find again": again / native,
        "snapshot": snapshot / native,
        "memory": (listed - before) / size,
        "memory after a snapshot": (memory - before) / size,
        "kernel": slab / size,
    }


def measure(bench):
    add = bench.table.add
    for size in bench.sizes:
        found = one(bench, size)
        tree = f"{size:,} small files"
        for name in ("find", "find again", "snapshot"):
            add(f"{tree}: {name}", "native `find -printf %s`", f"{found[name]:.2f}")
        for name in ("memory", "memory after a snapshot"):
            add(f"{tree}: {name}", "files", f"{found[name]:.0f} bytes")
        add(f"{tree}: kernel's memory", "files", f"{found['kernel']:.0f} bytes")
