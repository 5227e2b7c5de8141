"""Every fault against every client: what becomes of a copy that is being made.

The outcomes stand in hashedfs(7). Each test compares; `make outcomes` runs all
cells and writes what came of them.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import tempfile
import time

import pytest
from conftest import give, not_run
from faults import clients, matrix, table
from faults.cell import Cell, live, run
from faults.source import faulty
from person import ROOT
from s3 import serve

LONG = os.environ.get("HASHEDFS_LONG") == "1"
WRITE = os.environ.get("HASHEDFS_OUTCOMES") == "write"
CLIENTS = {
    "cat": clients.Cat,
    "cp": clients.Cp,
    "tar": clients.Tar,
    "rsync": clients.Rsync,
    "rclone": clients.Rclone,
    "aws": clients.Aws,
    "nginx": clients.Nginx,
}
MODES = {"live": live, "run": run}
COLUMNS = {
    "live": tuple(CLIENTS),
    "run": tuple(name for name in CLIENTS if name != "nginx"),
}
# No columns of the table: see the tests below.
EXTRA = {"live": ("rsync-after",), "run": ("walk",)}
ALL = {**CLIENTS, "rsync-after": clients.RsyncDeleteAfter, "walk": clients.Walk}
# What aws takes part in when there is not much time.
SHORT = ("source hangs, comes back", "edited", "EIO at open")
ROWS = (*matrix.WHILE, *matrix.BEFORE)
# What a moment decides; the page has the worse word. rclone takes back what it
# has copied if it cannot look at the file once more, and whether it came so far
# hangs on whether the opening needed one descriptor or two. aws opens many files
# at a time, and may have that one before it is edited.
BETTER = {
    ("live", "out of descriptors, happens meanwhile", "rclone"): "fails",
    ("live", "edited, happens meanwhile", "aws"): "all",
}


class Bench:
    """Trees that have been left alone long enough for their names to be
    remembered: one for each cell."""

    def __init__(self, bed, top, anyone):
        self.bed = bed
        self.top = top
        self.anyone = anyone
        for mode in MODES:
            for fault in ROWS:
                for name in COLUMNS[mode] + EXTRA[mode]:
                    if self.can(mode, fault, name):
                        self.build(mode, fault, name)
        time.sleep(3)

    def place(self, mode, fault, name):
        return self.top / f"{mode}-{ROWS.index(fault)}-{name}"

    def person(self, fault):
        return self.bed.user if fault.unprivileged else self.anyone

    def build(self, mode, fault, name):
        """The tree of one cell."""
        place = self.place(mode, fault, name)
        for path, data in matrix.tree(fault.late).items():
            full = place / "under" / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(data)
        give(place, self.person(fault))

    def can(self, mode, fault, name):
        """Whether this cell can be run here, and is to be."""
        if name == "rsync-after":
            return fault in matrix.UNREADABLE
        if name != "aws":
            # Names that were never there are cat's own mistake.
            return not (mode == "run" and name == "cat" and fault.hides)
        if not clients.Aws.s3 or not LONG and fault.name not in SHORT:
            return False
        seen = self.person(fault).run("test", "-r", str(clients.AWS), check=False)
        return seen.returncode == 0

    def run(self, mode, fault, name):
        """The outcome of one cell."""
        place = self.place(mode, fault, name)
        person = self.person(fault)
        with faulty(self.bed, person, place / "under", place) as source:
            client = ALL[name](place, person)
            return MODES[mode](Cell(self.bed, fault, client, source, place))

    def row(self, mode, fault, names):
        """client -> outcome."""
        if fault.small_cache and self.anyone is not ROOT:
            not_run("only root can mount a small disk")
        names = [name for name in names if self.can(mode, fault, name)]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            cells = {name: pool.submit(self.run, mode, fault, name) for name in names}
        return {name: cell.result() for name, cell in cells.items()}


@pytest.fixture(scope="module")
def bench(bed, fuse):
    anyone = ROOT if os.geteuid() == 0 else bed.user
    with contextlib.ExitStack() as stack:
        top = pathlib.Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(dir=bed.top, prefix="matrix-")
            )
        )
        top.chmod(0o755)
        # Without it, it is told that this could not run, and all else does.
        with contextlib.suppress(pytest.skip.Exception):
            clients.Aws.s3 = stack.enter_context(serve(top / "s3"))
            clients.Aws.s3.aws("s3", "mb", "s3://matrix")
        yield Bench(bed, top, anyone)


@pytest.fixture(scope="module", params=MODES)
def page(request):
    """The outcomes of one mode as they stand in the page; what is put in is
    written at the end."""
    mode = request.param
    known = table.read(mode)
    yield mode, known
    if WRITE:
        table.write(mode, known, matrix.TABLES, COLUMNS[mode])


def _cases():
    return [
        pytest.param(row, id=str(row), marks=[pytest.mark.root] if row.small_cache else [])
        for row in ROWS
    ]


@pytest.mark.parametrize("fault", _cases())
def test_outcomes(bench, page, fault):
    mode, known = page
    # Under hashedfs-run a client that tells of each error has none to tell of.
    extra = EXTRA[mode] if mode == "run" else ()
    outcome = bench.row(mode, fault, COLUMNS[mode] + extra)
    seen = {name: word for name, word in outcome.items() if name in COLUMNS[mode]}
    row = known.setdefault(str(fault), {})
    for name, word in seen.items():
        if name in row and word == BETTER.get((mode, str(fault), name)):
            seen[name] = row[name]
    if WRITE:
        row.update(seen)
    assert seen == {name: row.get(name) for name in seen}, "make outcomes"


@pytest.mark.parametrize("fault", matrix.UNREADABLE, ids=str)
def test_rsync_that_deletes_at_the_end_keeps_what_it_cannot_read(bench, fault):
    assert bench.run("live", fault, "rsync-after") == "fails"
