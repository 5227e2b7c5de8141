"""What is measured on."""

import json
import os
import subprocess

from measure import run
from places import MANIFEST


def make_up(tree):
    files = size = text = 0
    for directory, _, names in os.walk(tree):
        for name in names:
            length = os.path.getsize(os.path.join(directory, name))
            files += 1
            size += length
            text += length if name.endswith((".css", ".js")) else 0
    share = 100 * text / max(size, 1)
    return f"{files} files, {size / 1e6:.0f} MB, {share:.0f} % of it CSS and JS"


def count_files(tree):
    return sum(len(names) for _, _, names in os.walk(tree))


# Findings about files on which Django gives up.
FATAL = {"missing", "outside", "cycle", "not-utf8", "too-large", "name", "link"}


def without_faults(tree, copy, profile):
    """A copy of the files with which Django comes to an end; how many others
    there are."""
    run("cp", "-a", tree, copy)
    left_out = 0
    while paths := _at_fault(copy, profile):
        for path in paths:
            (copy / path).unlink()
        left_out += len(paths)
    return left_out


def _at_fault(tree, profile):
    options = f"cache=none,refs={profile}"
    found = subprocess.run(
        [MANIFEST, "check", "-q", "--json", "--source", "-o", options, tree],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    if found.returncode not in (0, 1):
        raise SystemExit(f"bench: check ended with {found.returncode}")
    rows = json.loads(found.stdout)
    return {row["file"] for row in rows if row["kind"] in FATAL}


def grow(top, n):
    """A tree of n small files, a hundred a directory, a hundred directories in
    each of theirs."""
    for i in range(n):
        if i % 100 == 0:
            directory = top / f"{i // 10_000:03}" / f"{i // 100 % 100:02}"
            directory.mkdir(parents=True)
        with open(f"{directory}/file{i:07}.txt", "wb") as file:
            file.write(b"this is file %d\n" % i)
