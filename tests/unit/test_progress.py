"""What shows how far something is: painted over on a terminal, a line now and then elsewhere, nothing with -q."""

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from git_rvexp.images.heard import Heard
from git_rvexp.output import Speaker
from git_rvexp.progress import amount, passing, recounted, shown
from tests.conftest import Clone
from tests.terminal import on_terminal


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def worked(*, live: bool, quiet: bool = False) -> str:
    """What stderr gets of a work of three steps, twenty seconds apart."""
    err, clock = StringIO(), Clock()
    speaker = Speaker(StringIO(), err, live=live and not quiet, quiet=quiet)
    with shown(speaker, "reading", 3_000_000, "", clock) as step:
        for _ in range(3):
            clock.now += 20
            step(1_000_000)
        speaker.say("by the way")
    speaker.say("done")
    return err.getvalue()


def test_a_terminal_has_one_line_that_goes_away() -> None:
    """What is said in between comes on a line of its own, and nothing is left at the end."""
    painted = "".join(f"\r\x1b[Kreading: {n}.0 of 3.0 MB" for n in (1, 2, 3))
    assert worked(live=True) == f"\r\x1b[Kreading{painted}\r\x1b[Kby the way\ndone\n"


def test_elsewhere_a_plain_line_now_and_then() -> None:
    """Twice in a minute, with no sign that a file could not show."""
    assert worked(live=False) == "reading: 2.0 of 3.0 MB\nby the way\ndone\n"


def test_quiet_is_quiet() -> None:
    """On a terminal and elsewhere."""
    assert worked(live=True, quiet=True) == worked(live=False, quiet=True) == ""


def test_quick_steps_are_not_all_painted() -> None:
    """Ten in a second at most: a terminal is slower than a disk."""
    err, clock = StringIO(), Clock()
    with shown(Speaker(StringIO(), err, live=True), "reading", 0, "files", clock) as step:
        for _ in range(1000):
            clock.now += 0.001
            step(1)
    assert err.getvalue().count("\r\x1b[Kreading: ") == 9


def test_an_error_finds_the_line_empty() -> None:
    """Whatever ends the work takes the line away."""
    err = StringIO()
    speaker = Speaker(StringIO(), err, live=True)
    with pytest.raises(OSError, match="gone"), shown(speaker, "reading", 0, "") as _step:
        raise OSError("gone")
    assert err.getvalue() == "\r\x1b[Kreading\r\x1b[K"


def test_names_from_outside_do_not_drive_the_terminal() -> None:
    """Nor do they take more than one line."""
    err = StringIO()
    with shown(Speaker(StringIO(), err, live=True), "reading \x1b[2Ja\nb" + "x" * 500, 0, ""):
        pass
    painted = err.getvalue().split("\r\x1b[K")[1]
    assert "\x1b" not in painted
    assert "\n" not in painted
    assert len(painted) < 200


def test_amounts() -> None:
    """With and without an end, of things and of bytes."""
    told = [amount(3, 10, "runs"), amount(3, 0, "runs"), amount(1_500_000, 0, ""), amount(0, 40_000_000, "")]
    assert told == ["3 of 10 runs", "3 runs", "1.5 MB", "0.0 of 40.0 MB"]
    counted: list[int] = []
    assert list(passing([b"ab", b"c"], counted.append)) == [b"ab", b"c"]
    assert counted == [2, 1]


def watched(clone: Clone, *args: str) -> tuple[str, str]:
    """stdout, piped, and what a terminal on stderr gets."""
    out, got = on_terminal(clone.path, {**os.environ, "TERM": "xterm"}, *args, piped=True)
    return out.decode(), got.decode().replace("\r\n", "\n")


def test_what_is_read_anew_is_counted_once() -> None:
    """An upload that broke off and begins again never comes to more than there is."""
    counted: list[int] = []
    opened = recounted(lambda: [b"abc", b"de"], counted.append)
    assert next(opened()) == b"abc"
    first = opened()
    next(first)
    next(first)
    assert list(opened()) == [b"abc", b"de"]
    assert sum(counted) == 5


def test_what_an_engine_says_of_layers_is_summed() -> None:
    """Side by side, downloaded and then unpacked: each byte once."""
    counted: list[int] = []
    heard = Heard(counted.append)
    for layer, now in (("a", 10), ("b", 5), ("a", 30), ("a", 1), ("a", 30), ("b", None)):
        heard.hear({"id": layer, "progressDetail": {"current": now} if now else {}})
    heard.hear({"status": "done"})
    assert sum(counted) == 35


def test_verbs_show_what_they_do(clone: Clone, new_clone: Callable[[str], Clone], tmp_path: Path) -> None:
    """A snapshot, a sync and a verify on a terminal; stdout stays the result alone, and -q leaves nothing."""
    clone.git("init", "-q", "--bare", str(tmp_path / "experiments.git"))
    clone.git("config", "rvexp.experiments-remote", str(tmp_path / "experiments.git"))
    out, err = watched(clone, "snapshot", "first")
    tag = clone.git("tag", "-l")
    assert out == f"{tag}\n"
    assert "\r\x1b[Kreading the work tree\r\x1b[K" in err
    assert f"\r\x1b[Kpushing {tag}\r\x1b[K" in err
    other = new_clone("other")
    other.git("config", "rvexp.experiments-remote", str(tmp_path / "experiments.git"))
    assert "\r\x1b[Kfetching 1 snapshots\r\x1b[K" in watched(other, "sync")[1]
    out, err = watched(clone, "verify", "first")
    assert "\r\x1b[Klooking at what was recorded\r\x1b[K" in err
    assert "\x1b" not in out
    out, err = watched(clone, "verify", "first", "-q")
    assert ("remote" in out, err) == (True, "")
    assert "\x1b" not in clone.rvexp("snapshot", "second").stderr
