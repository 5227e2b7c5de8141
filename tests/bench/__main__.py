"""How fast hashedfs is beside what one would use else.

    make bench [ARGS="--rounds 3 --only walking,streams"]

What is measured are whole processes, one after the other on the same tree in
the page cache, in rounds that are repeated. A figure is the ratio of two
medians: such travel between machines, seconds do not.
"""

import argparse
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import collecting
import growing
import instructions
import places
import serving
import snapshots
import streams
import syncing
import trees
import walking
from measure import CPUS, Table

PARTS = {
    "walking": walking,
    "streams": streams,
    "snapshots": snapshots,
    "collecting": collecting,
    "syncing": syncing,
    "serving": serving,
    "growing": growing,
    "instructions": instructions,
}


class Bench:
    def __init__(self, options, top, memory):
        self.tree = options.tree
        self.rounds = options.rounds
        self.django_rounds = min(options.rounds, 3)
        self.sizes = [size for size in growing.SIZES if size <= options.files]
        self.top = top
        self.memory = memory
        self.mounts = places.Mounts(top)
        self.table = Table()
        self.cpus = CPUS
        self.notes = []

    def say(self, text):
        self.notes.append(text)

    def kinds(self):
        """What is mounted: hashedfs with and without references, a peer."""
        return ["refs", "refs=none"] + ["bindfs"] * places.is_there("bindfs")

    def mount(self, kind):
        if kind == "bindfs":
            return self.mounts.bindfs(self.tree)
        options = "refs=none" if kind == "refs=none" else "refs=django-6.1"
        return self.mounts.hashedfs(self.tree, f"{places.COLD},{options}")


def version(*argv):
    try:
        done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0]
    except (OSError, IndexError):
        return f"no {argv[0]}"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


HALT_POLL = pathlib.Path("/sys/module/haltpoll/parameters/guest_halt_poll_ns")


def idle():
    """What a processor does before it halts. In a virtual machine to be woken then
    takes as long as many a small file does; 200000 is the kernel's default."""
    return f", halt polling {HALT_POLL.read_text().strip()} ns" if HALT_POLL.exists() else ""


def header(bench):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    yield f"- tree: {trees.make_up(bench.tree)}"
    yield f"- kernel: {platform.system()} {platform.release()}"
    yield f"- machine: {CPUS} x {processor()}, {memory / 2**30:.0f} GiB{idle()}"
    yield f"- {version(places.HASHEDFS, '--version')}, {version('bindfs', '--version')}"
    yield f"- medians of {bench.rounds} rounds; page cache warm, mounts fresh"
    yield from (f"- {note}" for note in bench.notes)


def main():
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__.splitlines()[0]
    )
    tree = places.BUILD / "bench"
    parser.add_argument("--tree", type=pathlib.Path, default=tree)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=1_000_000, help="of the largest tree")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas")
    options = parser.parse_args()
    options.tree = options.tree.resolve()
    chosen = options.only.split(",")
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"no part {unknown[0]}; there are {', '.join(PARTS)}")
    with (
        tempfile.TemporaryDirectory(prefix="hashedfs-bench-", dir="/var/tmp") as top,
        tempfile.TemporaryDirectory(prefix="hashedfs-bench-", dir=places.MEMORY) as memory,
    ):
        os.environ["XDG_CACHE_HOME"] = f"{top}/cache"
        bench = Bench(options, pathlib.Path(top), pathlib.Path(memory))
        for name in chosen:
            print(f"bench: {name}", file=sys.stderr, flush=True)
            PARTS[name].measure(bench)
        print("\n".join(header(bench)))
        print()
        print(bench.table)


if __name__ == "__main__":
    main()
