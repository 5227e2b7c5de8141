"""Generated trees: every name and every byte equals real Django's.

2,000 trees in all, of which each is read through a mount. In a long run of
HASHEDFS_TREES=200000 (make test-long) every fiftieth is: a name carries the
digest of the bytes, so equal names are equal bytes but in circles, which are
always mounted. HASHEDFS_SEED=N has the trees of an earlier long run again.
"""

import collections
import itertools
import os
import pathlib
import random
import tempfile
import zlib

import django_trees
import mount as mounting
import pytest
from django_real import (
    PROFILES,
    Snapshots,
    djangos,  # noqa: F401, a fixture
    fast_mount,
    options,
    read_at,
    remove,
    same_files,
    same_manifest,
)
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from person import eventually

TREES = int(os.environ.get("HASHEDFS_TREES", 2_000))
LONG = TREES > 2_000
EACH = TREES // len(PROFILES)
# hypothesis finds a smaller tree when one fails, if each choice is its own; in
# the long run that takes as long as a tenth of Django, and it chooses seeds.
CHOICES = (
    st.integers(0, 2**64 - 1).map(random.Random)
    if LONG
    else st.randoms(use_true_random=False)
)


class Comparison:
    """Of one profile with the Django that it is named after."""

    def __init__(self, bed, person, django, profile, work, point, say):
        self.bed = bed
        self.person = person
        self.django = django
        self.snapshots = Snapshots(bed, person)
        self.profile = profile
        self.work = work
        self.point = point
        self.say = say
        # Always the same trees, but each time others in the long run.
        self.seed = zlib.crc32(profile.encode())
        if LONG:
            self.seed = int(os.environ.get("HASHEDFS_SEED", random.getrandbits(32)))
        self.counts = collections.Counter()
        self.turn = itertools.count()

    def run(self, tree):
        top = self.work / f"tree{next(self.turn)}"
        try:
            self.compare(tree, top)
        finally:
            remove(top)
        if self.counts["trees"] in (EACH, *range(5_000, EACH, 5_000)):
            counts = ", ".join(f"{n} {what}" for what, n in self.counts.most_common())
            self.say(f"{self.django}, refs={self.profile}, seed {self.seed}: {counts}")

    def compare(self, tree, top):
        dirs = write(tree, top)
        opts = options(self.profile, tree.static_url)
        request = {
            "static_url": tree.static_url,
            "modules": self.profile.endswith("js_modules"),
        }
        self.django.ask(dirs, top / "lenient", storage="lenient", **request)
        try:
            ours = self.snapshots.manifest(dirs, opts)
        finally:
            lenient = self.django.answer(top / "lenient")
        kinds = lenient.kinds()
        note(f"{self.django}, {opts}: {tree}")
        note(f"lenient: {lenient.error}, {lenient.notes}")
        self.counts["trees"] += 1
        self.counts.update(kinds)
        assert lenient.error is None
        if not kinds:
            # Nothing that hashedfs does otherwise: real Django is the judge.
            self.counts["as Django's"] += 1
            strict = self.django.collect(dirs, top / "strict", **request)
            note(f"strict: {strict.error}")
            assert strict.error is None
            assert strict.document == lenient.document
            assert strict.files() == lenient.files()
        same_manifest(ours, lenient)
        if not LONG or "circle" in kinds or zlib.crc32(ours) % 50 == 0:
            self.check_mount(tree, dirs, opts, lenient)
        if "circle" in kinds:
            self.check_other_order(dirs, opts, lenient)

    def check_mount(self, tree, dirs, opts, lenient):
        self.counts["mounted"] += 1
        with fast_mount(self.bed, dirs, self.point, opts, self.person) as mounted:
            files = self.person.call(read_at, mounted)
            same_files(files, lenient, tree.merged())

    def check_other_order(self, dirs, opts, lenient):
        """The last one first, and nothing listed before."""
        want = lenient.files()
        with fast_mount(self.bed, dirs, self.point, opts, self.person) as mounted:
            found = self.person.call(read_backwards, mounted, sorted(want))
        assert found == want


def read_backwards(mounted, names):
    found = {}
    for name in reversed(names):
        with open(os.path.join(mounted, name), "rb") as file:
            found[name] = file.read()
    return found


def write(tree, top):
    """The tree on the disk, as STATICFILES_DIRS has it."""
    dirs = []
    for number, (prefix, files) in enumerate(tree.dirs):
        directory = os.path.join(top, f"dir{number}")
        os.makedirs(directory)
        for path, data in files.items():
            full = os.path.join(directory, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(data)
        dirs.append([prefix, directory])
    return dirs


@pytest.fixture
def memory(work):
    """A directory in memory, where there is one: no tree is needed for long."""
    if not os.access("/dev/shm", os.W_OK):
        yield work
        return
    with tempfile.TemporaryDirectory(prefix="hashedfs-tests-", dir="/dev/shm") as top:
        yield pathlib.Path(top)


@pytest.fixture
def comparison(request, bed, fuse, anyone, djangos, place, memory, capsys):  # noqa: F811
    profile = request.param
    django = djangos(PROFILES[profile])
    point = place(anyone, "point")

    def say(text):
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    made = Comparison(bed, anyone, django, profile, memory, point, say)
    yield made
    made.snapshots.close()
    assert eventually(lambda: not mounting.processes(point), 15)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("comparison", list(PROFILES), indirect=True)
def test_trees(comparison):
    @seed(comparison.seed)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(CHOICES.map(django_trees.tree))
    def compare(tree):
        comparison.run(tree)

    compare()
