"""What people see: the same commands on wide and narrow terminals, without UTF-8, without colour, paged and piped."""

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.conftest import Clone
from tests.notebook import Notebook
from tests.terminal import on_terminal

UTF8, LATIN = {"LC_ALL": "C.UTF-8"}, {"PYTHONIOENCODING": "iso-8859-1"}


@pytest.fixture
def book(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Three snapshots, the newest with a run that ended and one that failed, and a chain's two steps."""
    monkeypatch.setenv("TERM", "xterm")
    book = Notebook(clone, now=dt.datetime.now(dt.UTC) - dt.timedelta(hours=3))
    book.snapshot("al/roads/2026-11-01/first")
    second = book.snapshot("al/roads/2026-11-02/a-second-one")
    failed = book.submitted(second)
    book.tell(second, "ended", run=str(failed.run), state="FAILED", exit=1, seconds=90, reason="the disk was full")
    judged = book.ended(second)
    book.tell(second, "metrics", run=str(judged.run), values={"accuracy": 0.96123456, "loss": 0.125})
    third = book.snapshot("gh/buildings/2026-11-03/third")
    chip = book.ended(third, extra={"chain": "c1aaaaaaaa", "step": "chip", "nth": 0})
    book.submitted(third, extra={"chain": "c1aaaaaaaa", "step": "train", "nth": 1}, after=(str(chip.run),))
    return book


def seen(book: Notebook, columns: int, *args: str, env: Mapping[str, str] = UTF8) -> list[str]:
    """The lines on a terminal so many columns wide, run ids as `<run>`; stdout and stderr together."""
    wanted = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "LC_ALL")} | dict(env)
    _, got = on_terminal(book.clone.path, wanted, *args, columns=columns)
    text = got.decode("iso-8859-1" if "PYTHONIOENCODING" in env else "utf-8")
    return re.sub(r"\b[0-9a-hjkmnp-tv-z]{10}\b", "<run>     ", text).splitlines()


def plain(lines: list[str]) -> list[str]:
    """Without colours and trailing blanks."""
    return [re.sub(r"\x1b\[\d*m", "", line).rstrip() for line in lines]


def test_a_list_on_a_wide_terminal(book: Notebook) -> None:
    """Everything."""
    assert plain(seen(book, 140, "list")) == [
        "SNAPSHOT                          AGE  CHANGES     RUNS               LAST RUN    METRICS",
        "gh/buildings/2026-11-03/third     3 h  1 modified  1 ok, 1 submitted  <run>       -",
        "al/roads/2026-11-02/a-second-one  3 h  1 modified  1 ok, 1 failed     <run>       accuracy 0.9612, loss 0.125",
        "al/roads/2026-11-01/first         3 h  1 modified  -                  -           -",
    ]


def test_a_list_on_eighty_columns(book: Notebook) -> None:
    """What counts least is left out: nothing is cut."""
    assert plain(seen(book, 80, "list")) == [
        "SNAPSHOT                          AGE  RUNS               LAST RUN",
        "gh/buildings/2026-11-03/third     3 h  1 ok, 1 submitted  <run>",
        "al/roads/2026-11-02/a-second-one  3 h  1 ok, 1 failed     <run>",
        "al/roads/2026-11-01/first         3 h  -                  -",
    ]


def test_a_list_on_forty_columns(book: Notebook) -> None:
    """Nicknames, and still the states."""
    assert plain(seen(book, 40, "list")) == [
        "SNAPSHOT      AGE  RUNS",
        "third         3 h  1 ok, 1 submitted",
        "a-second-one  3 h  1 ok, 1 failed",
        "first         3 h  -",
    ]


def test_a_list_on_twenty_columns_is_cut(book: Notebook) -> None:
    """No line is wider than the terminal; a sign shows that there is more."""
    lines = plain(seen(book, 20, "list"))
    assert lines[1] == "third         1 ok,…"
    assert max(len(line) for line in lines) <= 20


def test_status_wraps_its_notes(book: Notebook) -> None:
    """Why something failed or waits is never cut; the chain's picture follows."""
    assert plain(seen(book, 40, "status")) == [
        "RUN         SNAPSHOT      STATE",
        "<run>       a-second-one  failed",
        "    exit 1, took 1 min 30 s, the disk",
        "    was full",
        "<run>       a-second-one  ok",
        "    exit 0, took 1 min 30 s",
        "<run>       third         ok",
        "    step chip, exit 0, took 1 min 30 s",
        "<run>       third         submitted",
        "    step train",
        "chain <run>",
        "  chip      ok  1 min 30 s  run <run>",
        "  └─ train  submitted  run <run>",
        "as last recorded; git rvexp status -r asks where they stand now, and writes down what has ended",
    ]


def test_show_tells_what_counts_first_and_folds_the_environment(book: Notebook) -> None:
    """What ran, its verdict, where and how it ended; of the variables those that somebody asked for, a line each."""
    ours = {"RVEXP_TAG": "x", "PYTHONHASHSEED": "7", "TF_CUDNN_DETERMINISTIC": "1", "WANDB_NAME": "n" * 200}
    env = {**ours, "RATE": "0.1", "TWO": "a\nb", "LONG": "y" * 200}
    snapshot = book.snapshot("al/roads/2026-11-04/last")
    first = book.ended(snapshot)
    run = book.ended(snapshot, seed=7, env=env, extra={"links": ["WANDB_NAME"], "repeats": str(first.run)})
    book.tell(snapshot, "verdict", run=str(run.run), result="identical", counts={"equal": 2})
    lines = plain(seen(book, 80, "show", str(run.run)))
    told = lines[lines.index("run <run>       ok") + 1 :]
    labels = [line[2:].partition("  ")[0].strip() for line in told if line.startswith("  ") and line[2] != " "]
    assert labels[:6] == ["command", "repeats", "verdict", "executor", "queue", "ended"]
    at = next(n for n, line in enumerate(told) if line.startswith("  env "))
    start = told[at].index("RATE")
    shown = [line[start:] for line in told[at : at + 4]]
    assert shown == ["RATE=0.1", r"TWO=a\nb", f"LONG={'y' * (80 - start - 6)}…", shown[3]]
    assert shown[3] == "and 4 that git rvexp sets; git rvexp show --json has all"
    whole = book.clone.rvexp("show", str(run.run)).stdout
    assert all(f"{name}=" in whole for name in env)
    assert "y" * 200 in whole


@pytest.mark.parametrize("args", [("list",), ("status",), ("show", "third"), ("diff", "first", "third")], ids=" ".join)
def test_a_terminal_without_utf8_gets_plain_signs(book: Notebook, args: tuple[str, ...]) -> None:
    """Neither signs that it cannot show nor escapes in their place."""
    whole = "\n".join(seen(book, 40, *args, env=LATIN))
    assert whole.isascii()
    assert "\\u" not in whole
    assert "Traceback" not in whole


def test_the_chain_is_drawn_in_ascii_there(book: Notebook) -> None:
    """The same picture."""
    assert "  `- train  submitted  run <run>" in plain(seen(book, 120, "status", env=LATIN))


def test_the_c_locale_is_no_error(book: Notebook) -> None:
    """LANG=C alone, as cron and containers have it."""
    assert plain(seen(book, 80, "list", env={"LANG": "C"}))[1].startswith("gh/buildings/2026-11-03/third")


@pytest.mark.parametrize(
    ("env", "args", "coloured"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"TERM": "dumb"}, (), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({}, ("--color", "never"), False),
    ],
)
def test_colour_is_where_it_is_wanted(
    book: Notebook, env: dict[str, str], args: tuple[str, ...], *, coloured: bool
) -> None:
    """On a terminal, unless NO_COLOR or a dumb terminal say otherwise; a flag beats both."""
    lines = seen(book, 100, "list", *args, env={**UTF8, **env})
    assert ("\x1b[" in "".join(lines)) is coloured
    assert plain(lines)[1].startswith("gh/buildings/2026-11-03/third")


def test_a_pager_gets_the_table_and_a_pipe_the_data(book: Notebook) -> None:
    """Git sets GIT_PAGER_IN_USE: laid out as on a terminal; otherwise tabs, whole tags, no colour, full times."""
    paged = book.clone.rvexp("list", env={"GIT_PAGER_IN_USE": "1", "COLUMNS": "80", **UTF8})
    assert paged.stdout.startswith("\x1b[2mSNAPSHOT")
    piped = book.clone.rvexp("list", env={"COLUMNS": "20"}).stdout
    assert "\x1b" not in piped
    assert [len(line.split("\t")) for line in piped.splitlines()] == [6, 6, 6]
    assert re.search(r"\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\t", piped)


def test_git_runs_the_pager(book: Notebook) -> None:
    """`git -p rvexp list` through a pager that a user set."""
    assert book.clone.git("-c", "core.pager=cat", "-p", "rvexp", "list").count("third") == 1


def test_a_closed_pipe_is_quiet(book: Notebook) -> None:
    """`git rvexp list | head -0`: no traceback."""
    done = subprocess.run(
        f"{sys.executable} -m git_rvexp list --all --json | head -c 1",
        shell=True,
        cwd=book.clone.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["-h"], ["show", "third"]], ids=" ".join)
def test_results_that_nobody_reads_end_it_quietly(book: Notebook, words: list[str]) -> None:
    """The reader has gone before the first line: no traceback, no crash report, the code a shell has for SIGPIPE."""
    with unread() as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "git_rvexp", *words],
            cwd=book.clone.path,
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")
    assert not [*(book.clone.path / ".git").rglob("crash*")]


def test_a_story_that_nobody_reads_stops_nothing(book: Notebook) -> None:
    """A snapshot is made, pushed and named on stdout though its stderr is closed."""
    book.clone.write("a.txt", "changed")
    with unread() as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "git_rvexp", "snapshot", "unheard"],
            cwd=book.clone.path,
            stdout=subprocess.PIPE,
            stderr=nobody,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout.rpartition("/")[2]) == (0, "unheard\n")
    assert "unheard" in book.clone.git("ls-remote", "experiments", "refs/tags/*")


@contextmanager
def unread() -> Iterator[int]:
    """A pipe that nobody reads from."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)
