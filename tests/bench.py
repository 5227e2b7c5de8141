#!/usr/bin/env python3
"""How long ordinary work takes over a mount, beside the same work natively and
over bindfs.

    bench.py [--rounds N] [TREE]

What is measured are whole processes, each round all of them one after the
other on the same tree in the page cache. Printed are medians over the rounds,
and the ratio to native of each round's pair: ratios travel between machines,
seconds do not. The last line is collectstatic beside snapshot, medians of 3. TREE is by default all real input of the tests.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
HASHEDFS = TOP / "build/hashedfs"
MANIFEST = TOP / "build/hashedfs-manifest"
# Nothing is remembered from one run to the next, unless that is measured.
COLD = [HASHEDFS, "-o", "cache=none"]
SNAPSHOT = [MANIFEST, "snapshot", "-q", "--source"]
PYTHON = TOP / "build/venv/bin/python"
INPUTS = TOP / "build/inputs"
CPUS = len(os.sched_getaffinity(0))


def timed(*argv):
    start = time.monotonic()
    done = subprocess.run(
        list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    if done.returncode:
        sys.exit(f"bench: {argv} ended with {done.returncode}")
    return time.monotonic() - start


def shell(script, *argv):
    return timed("sh", "-ec", script, "sh", *argv)


def find(top):
    return timed("find", top, "-printf", "%s %p\n")


def tar(top):
    return shell('tar -cf - -C "$1" . | cat >/dev/null', top)


class Place:
    """A directory with mountpoints, of which each run mounts afresh."""

    def __init__(self, top, tree):
        self.tree = tree
        self.point = top / "mnt"
        self.point.mkdir()

    def over(self, program, *jobs):
        """Seconds of mounting, and of each job over the fresh mount."""
        seconds = [timed(*program, self.tree, self.point)]
        try:
            seconds += [job(self.point) for job in jobs]
        finally:
            timed("fusermount3", "-u", self.point)
            # The next one measures nothing of the ending of this one.
            while os.path.ismount(self.point):
                time.sleep(0.01)
            time.sleep(0.2)
        return seconds

    def native(self, *jobs):
        return [job(self.tree) for job in jobs]


def one_round(place):
    """name -> seconds, in the order of the table."""
    result = {}

    def note(row, column, seconds):
        result.setdefault(row, {})[column] = seconds

    first, again, stream = place.native(find, find, tar)
    note("mount, find -printf %s", "native", first)
    note("find again", "native", again)
    note("tar", "native", stream)
    bindfs = shutil.which("bindfs")
    for column, program in (("hashedfs", COLD), ("bindfs", [bindfs])):
        if program == [None]:
            continue
        start, first, again, stream, stream2 = place.over(
            program, find, find, tar, tar
        )
        note("mount, find -printf %s", column, start + first)
        note("find again", column, again)
        note("tar", column, stream)
        note("tar again", column, stream2)
    note("tar again", "native", place.native(tar)[0])
    row = "remembered: mount, find -printf %s"
    note(row, "native", place.native(find)[0])
    note(row, "hashedfs", sum(place.over([HASHEDFS], find)))
    row = f"snapshot --source (native: md5sum, xargs -P{CPUS})"
    script = 'find "$1" -type f -print0 | xargs -0 -P"$2" -n256 md5sum'
    note(row, "native", shell(script, place.tree, CPUS))
    note(row, "hashedfs", timed(*SNAPSHOT, "-o", "cache=none", place.tree))
    row = "remembered: snapshot --source (native: find -printf %s)"
    note(row, "native", place.native(find)[0])
    note(row, "hashedfs", timed(*SNAPSHOT, place.tree))
    return result


def beside_django(top, tree, rounds):
    """The same manifest by collectstatic into an empty directory and by
    snapshot, nothing remembered: [{row: {column: seconds}}]."""
    sources = [tree]
    if tree == INPUTS:  # all but the one that collectstatic gives up on
        parts = sorted(p for p in tree.iterdir() if p.name != "monaco-editor")
        sources = [f"{part.name}={part}" for part in parts if part.is_dir()]
    row = "snapshot --source (native: collectstatic)"
    found = []
    for _ in range(rounds):
        root = top / "root"
        seconds = timed(PYTHON, TOP / "tests/django_collect.py", root, *sources)
        ours = top / "staticfiles.json"
        options = ["-o", "cache=none,refs=django-5.2", "--output", ours]
        mine = timed(*SNAPSHOT, *options, ":".join(map(str, sources)))
        written = json.loads((root / "staticfiles.json").read_bytes())
        if json.loads(ours.read_bytes()) != written:
            sys.exit("bench: collectstatic and snapshot differ")
        shutil.rmtree(root)
        found.append({row: {"native": seconds, "hashedfs": mine}})
    return found


def make_up(tree):
    files = size = text = 0
    for directory, _, names in os.walk(tree):
        for name in names:
            length = os.path.getsize(os.path.join(directory, name))
            files += 1
            size += length
            text += length if name.endswith((".css", ".js")) else 0
    share = 100 * text / max(size, 1)
    return f"{files} files, {size / 1e6:.1f} MB, {share:.0f} % of it CSS and JS"


def version(*argv):
    try:
        done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0]
    except (OSError, IndexError):
        return "none"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def table(rounds):
    yield "| work | native | hashedfs | bindfs | hashedfs : native | bindfs : native |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rounds[0]:
        runs = [one[row] for one in rounds]
        cells = [row]
        for column in ("native", "hashedfs", "bindfs"):
            cells.append(median([run.get(column) for run in runs], "{:.3f} s"))
        for column in ("hashedfs", "bindfs"):
            pairs = [run[column] / run["native"] if column in run else None for run in runs]
            cells.append(median(pairs, "{:.2f}"))
        yield f"| {' | '.join(cells)} |"


def median(values, form):
    return "" if None in values else form.format(statistics.median(values))


def main():
    parser = argparse.ArgumentParser(description="see above")
    parser.add_argument("tree", nargs="?", default=INPUTS)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    tree = pathlib.Path(options.tree).resolve()
    with tempfile.TemporaryDirectory(prefix="hashedfs-bench-") as top:
        os.environ["XDG_CACHE_HOME"] = f"{top}/cache"
        place = Place(pathlib.Path(top), tree)
        one_round(place)  # fills the page cache, and ours
        rounds = [one_round(place) for _ in range(options.rounds)]
        collected = beside_django(pathlib.Path(top), tree, min(3, options.rounds))
    print(f"- tree: {make_up(tree)}")
    print(f"- kernel: {platform.system()} {platform.release()}")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    print(f"- machine: {CPUS} x {processor()}, {memory / 2**30:.0f} GiB")
    print(f"- {version(HASHEDFS, '--version')}, {version('bindfs', '--version')}")
    print(f"- medians of {options.rounds} rounds; page cache warm, mounts fresh")
    print()
    print("\n".join(table(rounds)))
    print("\n".join(list(table(collected))[2:]))


if __name__ == "__main__":
    main()
