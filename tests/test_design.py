"""The rooms of the house, and that help and manual pages agree."""

import os

import completions
import design
from conftest import BIN_DIR


def test_floors():
    assert list(design.floors()) == []


# Where the objects of the build are that is tested.
OBJECTS = BIN_DIR if str(BIN_DIR) != "build" else "build/plain"


def test_the_engine_links_without_frontends(bed):
    assert list(design.symbols(os.path.join(OBJECTS, "libhashedfs.a"))) == []


def test_no_file_calls_what_calls_it(bed):
    assert list(design.circles(OBJECTS)) == []


def test_what_does_not_mount_links_without_libfuse(bed):
    assert list(design.programs(BIN_DIR)) == []


def test_help_fits_and_agrees_with_the_manual_pages(bed):
    assert list(design.help_pages(BIN_DIR)) == []


def test_completions_offer_what_help_shows(bed):
    assert list(completions.wrong(BIN_DIR)) == []
