#!/usr/bin/env python3
"""How long ordinary work takes over a mount and by the companion tools, beside
what else could be used, on the same tree.

    bench.py [--rounds N] [--only LETTERS] [TREE]

    a  names and attributes     c  snapshot
    b  bytes                    d  collectstatic
                                g  memory, of generated trees

What is measured are whole processes, each round all of them one after the
other on the same tree in the page cache. Printed are medians over the rounds,
and the median of the ratios within each round: ratios travel between machines,
seconds do not. TREE is by default what `inputs.sh bench` fetches.
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
COLD = "cache=none"
PLAIN = "cache=none,refs=none"
PYTHON = TOP / "build/venv/bin/python"
BINDFS = shutil.which("bindfs")
CPUS = len(os.sched_getaffinity(0))
GROUPS = "abcdg"


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
    return timed("find", top, "-printf", "%s\n")


def list_all(top):
    return timed("ls", "-lR", top)


def tar(top):
    return shell('tar -cf - -C "$1" . | cat >/dev/null', top)


def copy(top):
    with tempfile.TemporaryDirectory(prefix="hashedfs-bench-") as to:
        return timed("cp", "-a", f"{top}/.", to)


def md5sum(top):
    script = 'find "$1" -type f -print0 | xargs -0 -P"$2" -n256 md5sum'
    return shell(script, top, CPUS)


def mounting(options):
    return [HASHEDFS, "-o", options]


def snapshot(options, tree):
    return timed(MANIFEST, "snapshot", "-q", "--source", *options, tree)


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

    def daemon_memory(self, program, job):
        """Bytes of memory that the job over a fresh mount makes it take."""
        timed(*program, self.tree, self.point)
        try:
            daemons = [p for p in processes() if str(self.tree) in p[1]]
            before = {pid: private_memory(pid) for pid, _ in daemons}
            job(self.point)
            return max(private_memory(pid) - before[pid] for pid in before)
        finally:
            timed("fusermount3", "-u", self.point)
            time.sleep(0.5)


def processes():
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if words[0] == str(HASHEDFS):
            yield int(entry.name), words


def private_memory(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    return 0


class Round:
    """What one round measured: row -> (what it is beside, {column: seconds})."""

    def __init__(self):
        self.rows = {}

    def note(self, row, beside, native, hashedfs, bindfs=None):
        columns = {"native": native, "hashedfs": hashedfs}
        if bindfs is not None:
            columns["bindfs"] = bindfs
        self.rows[row] = beside, columns


def over_bindfs(place, *jobs):
    return place.over([BINDFS], *jobs) if BINDFS else [None] * (1 + len(jobs))


def names(place, done):
    native = [find(place.tree), find(place.tree), list_all(place.tree)]
    sums = md5sum(place.tree)
    none = place.over(mounting(PLAIN), find, find)
    refs = place.over(mounting(COLD), find, find, list_all)
    bindfs = over_bindfs(place, find, find, list_all)
    with_md5 = f"`md5sum`, xargs -P{CPUS}"
    first = bindfs[0] and bindfs[0] + bindfs[1]
    row = "mount, first `find -printf %s`"
    done.note(f"{row}, refs=none", with_md5, sums, none[0] + none[1], first)
    done.note(f"{row}, refs", with_md5, sums, refs[0] + refs[1], first)
    done.note("`find` again, refs=none", "native", native[1], none[2], bindfs[2])
    done.note("`find` again, refs", "native", native[1], refs[2], bindfs[2])
    done.note("`ls -lR`, refs", "native", native[2], refs[3], bindfs[3])


def contents(place, done):
    native = [tar(place.tree), copy(place.tree)]
    refs = place.over(mounting(COLD), tar, tar, copy)
    bindfs = over_bindfs(place, tar, tar, copy)
    first = bindfs[0] and bindfs[0] + bindfs[1]
    done.note("mount, first `tar \\| cat`", "native", native[0],
              refs[0] + refs[1], first)
    done.note("`tar \\| cat` again", "native", native[0], refs[2], bindfs[2])
    done.note("`cp -a`", "native", native[1], refs[3], bindfs[3])


def snapshots(place, done):
    native, sums = find(place.tree), md5sum(place.tree)
    with_md5 = f"`md5sum`, xargs -P{CPUS}"
    done.note("snapshot, cold, refs=none", with_md5, sums,
              snapshot(["-o", PLAIN], place.tree))
    done.note("snapshot, cold, refs", with_md5, sums,
              snapshot(["-o", COLD], place.tree))
    done.note("snapshot, remembered, refs=none", "`find -printf %s`", native,
              snapshot(["-o", "refs=none"], place.tree))
    done.note("snapshot, remembered, refs", "`find -printf %s`", native,
              snapshot([], place.tree))


def one_round(place, only):
    done = Round()
    for letter, group in (("a", names), ("b", contents), ("c", snapshots)):
        if letter in only:
            group(place, done)
    return done


def beside_django(top, tree):
    """The same manifest by collectstatic into an empty directory and by
    snapshot, nothing remembered."""
    parts = sorted(p for p in tree.iterdir() if p.name[0] != ".")
    # All but the one that collectstatic gives up on.
    sources = [f"{p.name}={p}" for p in parts if p.is_dir() and p.name != "monaco-editor"]
    root = top / "root"
    seconds = timed(PYTHON, TOP / "tests/django_collect.py", root, *sources)
    ours = top / "staticfiles.json"
    options = ["-o", f"{COLD},refs=django-5.2", "--output", ours]
    mine = snapshot(options, ":".join(sources))
    written = json.loads((root / "staticfiles.json").read_bytes())
    if json.loads(ours.read_bytes()) != written:
        sys.exit("bench: collectstatic and snapshot differ")
    shutil.rmtree(root)
    done = Round()
    done.note("snapshot, refs=django-5.2", "collectstatic", seconds, mine)
    return done


def memory(top):
    """Lines: what the daemon takes for each file that was listed."""
    yield "| files | daemon memory per file | first `find` |"
    yield "|---:|---:|---:|"
    for n in (10_000, 100_000, 1_000_000):
        tree = top / f"generated-{n}"
        generate(tree, n)
        seconds = []
        work = lambda at: seconds.append(find(at))
        (top / f"of-{n}").mkdir()
        place = Place(top / f"of-{n}", tree)
        taken = place.daemon_memory(mounting(COLD), work)
        yield f"| {n:,} | {taken / n:.0f} B | {seconds[0]:.1f} s |"
        shutil.rmtree(tree)


def generate(top, n):
    for k in range(0, n, 100):
        directory = top / f"{k // 10000:03}" / f"{k // 100 % 100:02}"
        directory.mkdir(parents=True)
        for i in range(100):
            (directory / f"file-{i:03}.txt").write_text(str(k + i))


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
    yield "| work | beside | its time | hashedfs | ratio | bindfs : native |"
    yield "|---|---|---:|---:|---:|---:|"
    for row, (beside, _) in rounds[0].rows.items():
        runs = [done.rows[row][1] for done in rounds]
        cells = [row, beside]
        for column in ("native", "hashedfs"):
            cells.append(median([run[column] for run in runs], "{:.3f} s"))
        for column in ("hashedfs", "bindfs"):
            pairs = [run[column] / run["native"] if column in run else None for run in runs]
            cells.append(median(pairs, "{:.2f}"))
        yield f"| {' | '.join(cells)} |"


def median(values, form):
    return "" if None in values else form.format(statistics.median(values))


def header(tree, rounds):
    yield f"- tree: {make_up(tree)}"
    yield f"- kernel: {platform.system()} {platform.release()}"
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    yield f"- machine: {CPUS} x {processor()}, {size / 2**30:.0f} GiB"
    yield f"- load when it began: {os.getloadavg()[0]:.1f}"
    yield f"- {version(HASHEDFS, '--version')}, {version('bindfs', '--version')}"
    yield f"- medians of {rounds} rounds; page cache warm, mounts fresh"
    yield ""


def main():
    parser = argparse.ArgumentParser(description="see above")
    parser.add_argument("tree", nargs="?", default=TOP / "build/bench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default=GROUPS, help="letters of %(default)s")
    options = parser.parse_args()
    tree = pathlib.Path(options.tree).resolve()
    print("\n".join(header(tree, options.rounds)))
    with tempfile.TemporaryDirectory(prefix="hashedfs-bench-") as scratch:
        top = pathlib.Path(scratch)
        os.environ["XDG_CACHE_HOME"] = f"{top}/cache"
        place = Place(top, tree)
        if set(options.only) & set("abc"):
            one_round(place, options.only)  # fills the page cache, and ours
            rounds = [one_round(place, options.only) for _ in range(options.rounds)]
            print("\n".join(table(rounds)))
        if "d" in options.only:
            rounds = [beside_django(top, tree) for _ in range(min(3, options.rounds))]
            print("\n".join(table(rounds)))
        if "g" in options.only:
            print("\n".join(memory(top)))


if __name__ == "__main__":
    main()
