"""Generated trees: every name and every byte equals real Django's.

2,000 trees in all, of which each is read through a mount; 200,000 with
HASHEDFS_LONG=1 (make test-long), where every tenth is mounted: a name carries
the digest of the bytes, so equal names are equal bytes but in circles, which
are always mounted.
"""

import collections
import itertools
import os
import random
import zlib

import django_trees
import mount as mounting
import pytest
from django_real import (
    PROFILES,
    djangos,  # noqa: F401, a fixture
    fast_mount,
    options,
    our_manifest,
    read_at,
    remove,
    same_files,
    same_manifest,
)
from hypothesis import HealthCheck, given, note, seed, settings
from person import eventually

LONG = os.environ.get("HASHEDFS_LONG") == "1"
EACH = (200_000 if LONG else 2_000) // len(PROFILES)


class Comparison:
    """Of one profile with the Django that it is named after."""

    def __init__(self, bed, person, django, profile, work, point):
        self.bed = bed
        self.person = person
        self.django = django
        self.profile = profile
        self.work = work
        self.point = point
        # Always the same trees, but each time others in the long run.
        self.seed = random.getrandbits(32) if LONG else zlib.crc32(profile.encode())
        self.counts = collections.Counter()
        self.turn = itertools.count()

    def run(self, tree):
        number = next(self.turn)
        top = self.work / f"tree{number}"
        dirs = write(tree, top)
        opts = options(self.profile, tree.static_url)
        request = {
            "static_url": tree.static_url,
            "modules": self.profile.endswith("js_modules"),
        }
        roots = [self.work / f"lenient{number}", self.work / f"strict{number}"]
        try:
            self.django.ask(dirs, roots[0], storage="lenient", **request)
            self.django.ask(dirs, roots[1], **request)
            ours = our_manifest(self.bed, dirs, opts, self.person)
            lenient = self.django.answer(roots[0])
            strict = self.django.answer(roots[1])
            self.check(tree, dirs, opts, ours, lenient, strict)
        finally:
            for place in (top, *roots):
                remove(place)

    def check(self, tree, dirs, opts, ours, lenient, strict):
        note(f"{self.django}, {opts}")
        note(f"strict: {strict.error}")
        note(f"lenient: {lenient.error}, {lenient.notes}")
        kinds = lenient.kinds()
        self.counts["trees"] += 1
        self.counts.update(kinds)
        assert lenient.error is None
        if not kinds:
            # Nothing that hashedfs does otherwise: real Django is the judge.
            assert strict.error is None
            assert strict.document == lenient.document
            assert strict.files() == lenient.files()
            self.counts["as Django's"] += 1
        elif strict.error:
            self.counts["Django gives up"] += 1
        same_manifest(ours, lenient)
        if not LONG or "circle" in kinds or zlib.crc32(ours) % 10 == 0:
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
def comparison(request, bed, fuse, anyone, djangos, place, work, capsys):  # noqa: F811
    profile = request.param
    django = djangos(PROFILES[profile])
    point = place(anyone, "point")
    made = Comparison(bed, anyone, django, profile, work, point)
    yield made
    assert eventually(lambda: not mounting.processes(point), 15)
    with capsys.disabled():
        counts = ", ".join(f"{n} {what}" for what, n in made.counts.most_common())
        print(f"\n{django}, refs={profile}: {counts}")


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
    @given(django_trees.trees())
    def compare(tree):
        comparison.run(tree)

    compare()
