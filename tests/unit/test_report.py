"""`git rvexp report TAG`: what the page says, what it leaves out, and where it is written."""

import json
import re
from pathlib import Path

import pytest
from lxml import html

from tests.gallery import HOSTILE, PARENT, TAG, Shown
from tests.notebook import ACCOUNT, IMAGE

PLAIN = "al/roads/2026-11-29/plain"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def page(shown: Shown, *args: str) -> str:
    """The page that the command prints; nothing outside is asked."""
    done = shown.book.clone.rvexp("report", *args, "--check", "0", "-o", "-")
    assert done.returncode == 0, done.stderr
    return done.stdout


def words(text: str) -> str:
    """What a reader sees, in one line."""
    seen = re.sub(r"<(script|style|title)\b.*?</\1>", "", text, flags=re.DOTALL)
    return " ".join("".join(map(str, html.fromstring(seen).itertext())).split())


def carried(text: str) -> dict[str, object]:
    """What the page carries."""
    (script,) = html.fromstring(text).iter("script")
    assert script.get("type") == "application/json"
    found = json.loads(script.text or "")
    assert isinstance(found, dict)
    return found


def test_the_page_tells_the_whole_chain_and_every_run(shown: Shown) -> None:
    """From commit to job by full id; command, numbers, attempts, data, verdicts, environment."""
    seen = words(page(shown, "unet-512"))
    ids = (shown.snapshot.commit, shown.snapshot.tree, shown.snapshot.oid, IMAGE, f"job-{shown.run}", TAG)
    assert [each for each in ids if each not in seen] == []
    assert f"git rvexp repeat {shown.run} --wait" in seen
    for text in ("f1 0.9274", "wall time 2 h 46 min", "attempts 2", "seed 20817", "s3://imagery/roads/labels/"):
        assert text in seen
    for text in (
        "versions are suspended",
        "labels/a.json 20.1 kB etag:0cc1",
        "model.onnx 98.2 MB",
        "DATABASE_URL (secret",
    ):
        assert text in seen
    for text in ("identical", "equal within tolerance", "differs", "at most 0.0123 apart"):
        assert text in seen


def test_a_run_names_what_the_page_is_about(shown: Shown) -> None:
    """The failed run's own numbers, not those of the one that stands for the snapshot."""
    (failed,) = (f.run.run for f in [shown.book.found_of(shown.snapshot)])
    seen = words(page(shown, failed))
    assert "exit code 137" in seen
    assert "ran out of memory" in seen
    assert "wall time 2 h 46 min" not in seen


def test_runs_can_be_compared_in_their_table(shown: Shown) -> None:
    """Each row has the run's command and its own metrics, in words where they are no numbers."""
    snapshot = shown.book.snapshot("al/roads/2026-11-29/sweep")
    for rate, values, words_ in (("0.1", {"loss": 0.25}, {}), ("9", {}, {"loss": "NaN"})):
        run = shown.book.ended(snapshot, command=("python", "train.py", "--rate", rate))
        shown.book.tell(snapshot, "metrics", run=str(run.run), values=values, not_finite=words_)
    (table,) = html.fromstring(page(shown, "sweep")).iter("table")
    told = [" ".join(" ".join(map(str, row.itertext())).split()) for row in table.iter("tr")][1:]
    assert [told[1], told[3]] == ["python train.py --rate 0.1", "python train.py --rate 9"]
    assert "loss 0.25" in told[0]
    assert "loss NaN" in told[2]


def test_the_record_is_on_the_page_line_by_line(shown: Shown) -> None:
    """Both for people and for machines, as git notes has it."""
    text = page(shown, "unet-512")
    lines = [line for line in shown.book.clone.git("notes", "--ref", "rvexp", "show", TAG).splitlines() if line]
    told = carried(text)["snapshot"]
    assert isinstance(told, dict)
    assert told["record"] == lines
    assert {k: told[k] for k in ("tag", "oid", "commit")} == {
        "tag": TAG,
        "oid": shown.snapshot.oid,
        "commit": shown.snapshot.commit,
    }
    assert all(" ".join(line.split()) in words(text) for line in lines)


def test_what_changed_since_a_parent_only_when_one_is_named(shown: Shown) -> None:
    """Files, command, definition, and numbers with their difference."""
    assert "Changed since the parent" not in words(page(shown, "unet-512"))
    seen = words(page(shown, "unet-512", "--parent", PARENT))
    for text in (PARENT, "A configs/roads.toml", "M train.py", "16384", "30720", "+0.0263"):
        assert text in seen
    assert shown.parent.oid not in seen


@pytest.mark.parametrize("tag", [TAG, HOSTILE])
def test_nothing_on_a_page_can_act_or_load(shown: Shown, tag: str) -> None:
    """One script element, which holds data; no handler, no style attribute, no address but the empty icon."""
    text = page(shown, tag, "--parent", PARENT)
    tree = html.fromstring(text)
    assert [s.get("type") for s in tree.iter("script")] == ["application/json"]
    names = {name for element in tree.iter() for name in element.attrib}
    assert not {name for name in names if str(name).startswith("on")} | (names & {"style", "src", "srcset", "action"})
    assert [e.get("href") for e in tree.iter() if e.get("href")] == ["data:,"]
    assert not set(map(str, (e.tag for e in tree.iter()))) & {"img", "iframe", "object", "embed", "form", "base"}
    (policy,) = (
        str(m.attrib["content"]) for m in tree.iter("meta") if m.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy


def test_hostile_texts_are_shown_as_what_they_are(shown: Shown) -> None:
    """Markup as text, control and bidirectional characters as escapes, and nothing of the kind in the file."""
    text = page(shown, "hostile")
    assert _CONTROL.findall(text) == []
    seen = words(text)
    assert "</script><script>window.owned=1</script><img" in seen
    assert "\\u202egnp.exe\\u2066" in seen
    assert "\\x1b[31m\\x07" in seen


def test_the_page_of_a_full_experiment_is_small(shown: Shown) -> None:
    """At most 100 kB with everything on it."""
    assert len(page(shown, "unet-512", "--parent", PARENT).encode()) <= 100_000


def test_an_experiment_without_runs_has_a_page(shown: Shown) -> None:
    """It says so, and does not promise a repeat."""
    shown.book.snapshot(PLAIN)
    seen = words(page(shown, PLAIN))
    assert "not run yet" in seen
    assert "Repeat it" not in seen


def test_an_open_run_goes_on_until_now(shown: Shown) -> None:
    """A run that has not ended is drawn to the moment of the page."""
    shown.book.submitted(shown.book.snapshot(PLAIN))
    tree = html.fromstring(page(shown, PLAIN))
    assert [r.get("class") for r in tree.iter("rect")] == ["open"]
    assert "submitted" in words(page(shown, PLAIN))


def test_a_public_page_leaves_out_what_is_private(shown: Shown) -> None:
    """Fields and their values wherever they stand, in what is shown and in what is carried; the rest stays."""
    text = page(shown, "unet-512", "--parent", PARENT, "--public")
    for private in (ACCOUNT, "Lovelace", "ada@example.org", "OMP_NUM_THREADS", "DATABASE_URL", "container-instance"):
        assert private not in text
    assert "git.example.org" not in text
    assert str(shown.book.clone.path.parent) not in text
    for public in (shown.snapshot.commit, shown.run, "0.9274", "--chip-size", "Left out", "s3://imagery/roads/labels/"):
        assert public in text


def test_what_is_private_is_a_setting(shown: Shown) -> None:
    """The configured names and no others."""
    shown.book.clone.git("config", "rvexp.report.private", "command,inputs")
    text = page(shown, "unet-512", "--public")
    assert "--chip-size" not in text
    assert "imagery" not in text
    assert ACCOUNT in text


def test_where_the_page_is_written(shown: Shown) -> None:
    """Without -o in the git directory under the tag's name, printed; over itself, and never over anything else."""
    place = shown.book.clone.path / ".git" / "rvexp" / "reports" / "al_roads_2026-11-02_unet-512.html"
    before = shown.book.clone.git("status", "--porcelain")
    for _ in range(2):
        done = shown.book.clone.rvexp("report", "unet-512", "--check", "0")
        assert (done.returncode, done.stdout) == (0, f"{place}\n")
        assert "in the work tree" not in done.stderr
    assert "unet-512" in place.read_text()
    assert shown.book.clone.git("status", "--porcelain") == before
    other = shown.book.clone.write("thesis.html", "<p>mine</p>")
    refused = shown.book.clone.rvexp("report", "unet-512", "--check", "0", "-o", "thesis.html")
    assert (refused.returncode, other.read_text()) == (2, "<p>mine</p>")
    assert shown.book.clone.rvexp("report", "unet-512", "--check", "0", "-o", "thesis.html", "--force").returncode == 0
    assert "unet-512" in other.read_text()
    assert not list(Path(shown.book.clone.path).glob(".*.html*"))


def test_a_page_in_the_work_tree_is_said_to_change_it(shown: Shown, tmp_path: Path) -> None:
    """What follows is told, and what keeps it so; not of a file that is ignored, and not of one elsewhere."""
    clone = shown.book.clone
    for words in (("report", "unet-512", "--check", "0"), ("export", "unet-512", "--format", "json")):
        done = clone.rvexp(*words, "-o", f"{words[0]}.out")
        assert f"{words[0]}.out is in the work tree, so the next submit wants a new snapshot" in done.stderr
        clone.write(".gitignore", "*.ignored\n")
        for place in (f"{words[0]}.ignored", str(tmp_path / f"{words[0]}.html")):
            done = clone.rvexp(*words, "-o", place)
            assert (done.returncode, "in the work tree" in done.stderr) == (0, False), done.stderr


def test_the_days_checks_are_on_the_page(shown: Shown) -> None:
    """Each link with its sign: what is as recorded, and what nobody can tell."""
    snapshot = shown.book.snapshot(PLAIN)
    shown.book.ended(snapshot)
    done = shown.book.clone.rvexp("report", PLAIN, "-o", "-")
    assert done.returncode == 0, done.stderr
    seen = words(done.stdout)
    assert "as recorded: commit" in seen
    assert "repeatable: cannot tell" in seen
    assert "not checked" in words(page(shown, PLAIN))
