"""The table in docs/snapshots.md is the list of the shapes that are tested, word by word."""

import re
from pathlib import Path

from tests.unit import test_shapes_files, test_shapes_lfs, test_shapes_repositories
from tests.unit.shapes import Shape

DOCUMENT = Path(__file__).parents[2] / "docs" / "snapshots.md"
TESTED: tuple[Shape, ...] = (
    *test_shapes_files.SHAPES,
    *test_shapes_repositories.SHAPES,
    *test_shapes_lfs.SHAPES,
)


def test_the_documents_table_is_what_is_tested() -> None:
    """Each row has a test and each test a row, in the same order."""
    rows = re.findall(r"^\| (.+?) \| ((?:captured|refused).*?) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == [(shape.title, shape.outcome) for shape in TESTED]


def test_there_are_enough_shapes_and_no_outcome_is_silent() -> None:
    """Each is captured or refused; what is refused says why, and what is captured is looked at."""
    assert len(TESTED) >= 40
    assert len({shape.title for shape in TESTED}) == len(TESTED)
    for shape in TESTED:
        assert shape.captured or shape.outcome.startswith("refused"), shape.title
        assert shape.captured or shape.says, shape.title
