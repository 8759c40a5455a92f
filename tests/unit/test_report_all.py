"""`git rvexp report --all`: counters, arcs, table, trends; and the page held against the record."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from git_rvexp.record.events import stamp
from tests.gallery import OTHER, TAG, Shown
from tests.unit.test_report import page, words

TRUE, FALSE, CANNOT_TELL = 0, 1, 8


def cells(text: str) -> list[list[str]]:
    """The table's rows as texts."""
    tree = html.fromstring(text)
    rows = [row for body in tree.iter("tbody") for row in body.iter("tr")]
    return [[" ".join("".join(map(str, cell.itertext())).split()) for cell in row] for row in rows]


def verified(shown: Shown) -> tuple[int, dict[str, str]]:
    """Exit code, and the state of each link."""
    done = shown.book.clone.rvexp("verify", "--report", "page.html", "--json")
    assert done.stdout, done.stderr
    return done.returncode, {link["name"]: link["state"] for link in json.loads(done.stdout)["links"]}


def made(shown: Shown, *args: str) -> Path:
    """A page in a file."""
    done = shown.book.clone.rvexp("report", "--all", "--check", "0", "-o", "page.html", *args)
    assert done.returncode == 0, done.stderr
    return shown.book.clone.path / "page.html"


def test_all_are_counted_and_listed(shown: Shown) -> None:
    """Experiments, runs by their end, repeats by their verdict; a row for each with its last run."""
    text = page(shown, "--all")
    seen = words(text)
    for told in ("experiments 4", "runs 9", "ok 6", "failed 3", "same result 2", "repeats that differ 1"):
        assert told in seen
    assert "was not checked" in seen
    (row,) = (row for row in cells(text) if row[0].startswith("unet-512"))
    assert row[1:3] == ["ok 1 failed, 4 ok", "2 h 42 min"]
    assert row[3].startswith("f1 0.9151")


def test_repeats_hang_on_their_originals(shown: Shown) -> None:
    """An arc for each repeat, coloured by its verdict; none for other runs."""
    tree = html.fromstring(page(shown, "--all"))
    arcs = [str(path.get("class")).split()[1] for path in tree.iter("path")]
    assert sorted(a for a in arcs if a in ("identical", "equal-within-tolerance", "differs")) == [
        "differs",
        "equal-within-tolerance",
        "identical",
    ]
    titles = [str(path[0].text) for path in tree.iter("path")]
    assert all(f"repeats {shown.run}" in t for t, a in zip(titles, arcs, strict=True) if a in ("differs", "identical"))


def test_what_can_be_repeated_today_is_counted_by_looking(shown: Shown) -> None:
    """N of M, of those that were looked at; how many that is stands beside it."""
    done = shown.book.clone.rvexp("report", "--all", "--check", "1", "-o", "-")
    assert done.returncode == 0, done.stderr
    seen = words(done.stdout)
    assert "runs of the newest 1 repeatable today 0 of 2" in seen
    assert "The newest 1 of 4 experiments were checked" in seen
    answers = {row[0].split()[0]: row[4] for row in cells(done.stdout)}
    assert [name for name, answer in answers.items() if answer] == ["hostile"]
    whole = shown.book.clone.rvexp("report", "--all", "--check", "all", "-o", "-").stdout
    assert "runs repeatable today 0 of 9" in words(whole)
    assert all(row[4] for row in cells(whole))


def test_many_numbers_become_a_band(shown: Shown) -> None:
    """Hundreds of runs are drawn as least, most and median, and not as hundreds of dots."""
    snapshot = shown.book.snapshot("al/roads/2026-11-30/many")
    lines = []
    for number in range(400):
        run = f"{number:010d}"
        at = stamp(shown.book.now + dt.timedelta(minutes=number))
        lines.append(f'{at} planned run="{run}" executor="batch"')
        lines.append(f'{at} metrics run="{run}" values={{"score":{number % 7}}}')
    shown.book.clone.git("notes", "--ref", "rvexp", "append", "-m", "\n".join(lines), snapshot.oid)
    tree = html.fromstring(page(shown, "--all"))
    (figure,) = (f for f in tree.iter("figure") if "score" in "".join(map(str, f.itertext())))
    assert [str(e.tag) for e in figure.iter("circle", "polygon", "polyline")] == ["polygon", "polyline"]


def test_an_empty_clone_has_a_page(shown: Shown) -> None:
    """No snapshot, no picture, no error."""
    for tag in shown.book.clone.git("tag").split():
        shown.book.clone.git("tag", "-d", tag)
    assert "experiments 0" in words(page(shown, "--all"))


@pytest.mark.parametrize("public", [(), ("--public",)])
def test_a_page_of_all_is_what_the_record_said(shown: Shown, public: tuple[str, ...]) -> None:
    """Also when there are more snapshots and runs by now; and an edit of what is seen is found."""
    path = made(shown, *public)
    shown.book.ended(shown.snapshot)
    shown.book.snapshot("al/roads/2026-11-29/later")
    assert verified(shown) == (TRUE, {"tags": "ok", "record": "ok", "page": "ok"})
    text = path.read_text()
    assert "2 h 42 min" in text
    path.write_text(text.replace("2 h 42 min", "1 h 42 min"))
    assert verified(shown)[1]["page"] == "changed"


@pytest.mark.parametrize(
    ("change", "link", "code"),
    [
        (lambda carried: carried["snapshots"].update({TAG: "0" * 40}), "tags", FALSE),
        (lambda carried: carried["snapshots"].update({"al/roads/2026-01-01/x": "0" * 40}), "tags", CANNOT_TELL),
        (lambda carried: carried.update({"record": "--help"}), "record", FALSE),
        (lambda carried: carried.update({"record": "0" * 40}), "record", CANNOT_TELL),
        (lambda carried: carried["snapshots"].pop(OTHER), "page", FALSE),
    ],
)
def test_what_a_page_carries_is_not_believed(shown: Shown, change: Any, link: str, code: int) -> None:
    """Another tag, one that is not here, no commit, an unknown commit, a snapshot kept back."""
    path = made(shown)
    text = path.read_text()
    (old,) = re.findall(r'<script type="application/json" id="rvexp-report">(.*?)</script>', text)
    carried = json.loads(old)
    change(carried)
    path.write_text(text.replace(old, json.dumps(carried, separators=(",", ":"))))
    found, links = verified(shown)
    assert found == code
    assert links[link] != "ok"


def test_a_commit_of_the_repository_is_no_record(shown: Shown) -> None:
    """A commit that exists, and is not part of the record's history."""
    path = made(shown)
    tip = shown.book.clone.git("rev-parse", "refs/notes/rvexp")
    path.write_text(path.read_text().replace(tip, shown.book.clone.git("rev-parse", "HEAD")))
    assert verified(shown)[1]["record"] == "changed"
