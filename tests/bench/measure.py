"""Whole processes, timed; paired rounds; ratios of their medians."""

import os
import statistics
import subprocess
import sys
import time

CPUS = len(os.sched_getaffinity(0))


def run(*argv, **kwargs):
    """Runs a command to its end, or ends everything."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("stdout", subprocess.DEVNULL)
    done = subprocess.run(list(map(str, argv)), **kwargs)
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, argv))} ended with {done.returncode}")
    return done


def timed(*argv, **kwargs):
    """The seconds that a command takes."""
    start = time.monotonic()
    run(*argv, **kwargs)
    return time.monotonic() - start


def shell(script, *args):
    return timed("sh", "-ec", script, "sh", *args)


def find(top):
    return timed("find", top, "-printf", "%s %p\n")


def ls(top):
    return timed("ls", "-lR", top)


def tar(top):
    return shell('tar -cf - -C "$1" . | cat >/dev/null', top)


def md5sum(top):
    """Of all files, on all processors."""
    script = 'find "$1" -type f -print0 | xargs -0 -P"$2" -n256 md5sum'
    return shell(script, top, CPUS)


def medians(rounds, *jobs, warm_up=True):
    """What the jobs measure, {name: number}, each round one after the other; one
    more round before is not counted, and fills the page cache."""
    found = {}
    for number in range(-warm_up, rounds):
        for job in jobs:
            for name, value in job().items():
                if number >= 0:
                    found.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in found.items()}


class Table:
    """Rows of ratios, as Markdown."""

    def __init__(self):
        self.rows = []

    def ratio(self, found, work, ours, theirs, beside=None):
        """Both are names in what `medians` found; a peer may not be there."""
        if theirs in found:
            figure = found[ours] / found[theirs]
            digits = 2 if figure >= 0.1 else 4
            self.add(work, beside or theirs, f"{figure:.{digits}f}")

    def add(self, work, beside, figure):
        """Shows it at once, too: the whole table is hours away."""
        self.rows.append((work, beside, figure))
        print(f"bench: {work} / {beside}: {figure}", file=sys.stderr, flush=True)

    def __str__(self):
        head = ["| hashedfs | beside | ratio |", "|---|---|---:|"]
        return "\n".join(head + [f"| {' | '.join(row)} |" for row in self.rows])
