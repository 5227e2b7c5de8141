"""Names, bytes and manifests equal real Django's, version by version."""

import json
import os

import django_cases
import oracle
import pytest
from django_real import (
    PROFILES,
    djangos,  # noqa: F401, a fixture
    fast_mount,
    options,
    our_manifest,
    read_at,
    same_files,
    same_manifest,
)


@pytest.fixture(params=list(PROFILES)[:4])
def profile(request):
    return request.param


@pytest.fixture
def django(profile, djangos):  # noqa: F811
    return djangos(PROFILES[profile])


@pytest.fixture
def compare(bed, fuse, anyone, place, work):
    """compare(dirs, opts, collected, given): ours is what Django made."""
    point = place(anyone, "point")

    def equal(dirs, opts, collected, given):
        manifest = our_manifest(bed, dirs, opts, anyone)
        same_manifest(manifest, collected)
        with fast_mount(bed, dirs, point, opts, anyone) as mounted:
            same_files(anyone.call(read_at, mounted), collected, given)

    return equal


@pytest.fixture(scope="session")
def case_trees(bed):
    """A directory with every case's tree under its name."""
    top = bed.top / "cases"
    for case in django_cases.CASES:
        for path, data in case.files.items():
            full = top / case.name / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(data)
    return top


@pytest.mark.parametrize("case", django_cases.CASES, ids=str)
def test_case(case, profile, django, case_trees, compare, work):
    version = PROFILES[profile]
    dirs = [["", str(case_trees / case.name)]]
    request = {"static_url": case.static_url}
    real = django.collect(dirs, work / "root", **request)
    kind, text = real.error or (None, "")
    assert kind == case.aborts.get(version), text
    collected = django.collect(dirs, work / "lenient", storage="lenient", **request)
    assert collected.error is None
    if not real.error and not case.departs:
        assert collected.notes == []
        assert collected.manifest == real.manifest
        collected = real
    else:
        assert collected.kinds() >= set(case.departs)
        assert collected.notes
    compare(dirs, options(profile, case.static_url), collected, case.files)
