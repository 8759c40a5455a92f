"""Sharing: two clones and one remote, nothing lost, nothing forced, every rewrite told."""

import multiprocessing
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_rvexp.git import notes
from git_rvexp.git.plumbing import Repo
from git_rvexp.record import share
from git_rvexp.record.asking import SEEN
from git_rvexp.record.ledger import Ledger
from tests.conftest import Clone


@dataclass(frozen=True)
class Team:
    """Two clones that share an experiments remote, and one snapshot made by the first."""

    one: Clone
    two: Clone
    remote: Path
    tag: str

    def oid(self) -> str:
        """The tag object."""
        return self.one.git("rev-parse", self.tag)

    def at(self, *args: str) -> str:
        """Plain git on the remote."""
        return self.one.git(f"--git-dir={self.remote}", *args)


@pytest.fixture
def team(new_clone: Callable[[str], Clone], tmp_path: Path) -> Team:
    """Both clones have the snapshot and its record."""
    one, remote = new_clone("roads"), tmp_path / "experiments.git"
    one.git("init", "-q", "--bare", str(remote))
    two = Clone(tmp_path / "two")
    one.git("clone", "-q", str(one.path), str(two.path))
    for clone in (one, two):
        clone.git("config", "rvexp.experimentsRemote", str(remote))
    tag = one.rvexp("snapshot", "demo").stdout.strip()
    assert two.rvexp("sync").stdout == f"fetched\t{tag}\n"
    return Team(one, two, remote, tag)


def ledger_of(clone: Clone) -> Ledger:
    """The ledger of a clone."""
    return Ledger(Repo.discover(clone.path, os.environ))


def append(clone: Clone, oid: str, **fields: object) -> None:
    """Add one event to a clone's record."""
    ledger = ledger_of(clone)
    ledger.append(oid, ledger.event("test", fields))


def seen(clone: Clone, oid: str) -> set[object]:
    """The `n` of every test event in a clone's record."""
    return {e.get("n") for e in ledger_of(clone).record(oid).of("test")}


def write_and_share(path: Path, oid: str, writer: str, count: int) -> None:
    """What one writer process does: 25 events, shared now and then."""
    ledger = Ledger(Repo.discover(path, os.environ))
    for number in range(count):
        ledger.append(oid, ledger.event("test", {"n": f"{writer}-{number}"}))
        if number % 8 == 7:
            share.push_notes(ledger)


def test_two_clones_with_eight_writers_each_lose_nothing(team: Team) -> None:
    """2 clones x 8 writers x 25 events on one tag: 400 of 400 lines in both after sync."""
    context = multiprocessing.get_context("spawn")
    jobs = [
        context.Process(target=write_and_share, args=(clone.path, team.oid(), f"{name}{writer}", 25))
        for name, clone in (("a", team.one), ("b", team.two))
        for writer in range(8)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0] * 16
    for clone in (team.one, team.two, team.one):
        assert clone.rvexp("sync").returncode == 0
    wanted = {f"{name}{writer}-{number}" for name in "ab" for writer in range(8) for number in range(25)}
    assert seen(team.one, team.oid()) == wanted
    assert seen(team.two, team.oid()) == wanted
    for clone in (team.one, team.two):
        assert clone.git("fsck", "--strict", "--no-dangling") == ""


def test_both_sides_lines_survive_a_merge(team: Team) -> None:
    """Lines added apart are both there after one sync each, and the histories join without force."""
    append(team.one, team.oid(), n=1)
    append(team.two, team.oid(), n=2)
    assert team.one.rvexp("sync").returncode == 0
    assert team.two.rvexp("sync").returncode == 0
    assert team.one.rvexp("sync").returncode == 0
    assert seen(team.one, team.oid()) == seen(team.two, team.oid()) == {1, 2}
    assert team.at("rev-parse", notes.REF) == team.one.git("rev-parse", notes.REF)


def test_a_damaged_and_a_newer_line_travel_unchanged(team: Team) -> None:
    """What this program cannot read is merged and pushed as it is."""
    odd = ["garbage of another tool", '2026-01-01T00:00:00.000Z test v=9 shape="new"']
    for line in odd:
        team.one.git("notes", "append", "-m", line, team.tag)
    append(team.two, team.oid(), n=2)
    for clone in (team.one, team.two, team.one):
        assert clone.rvexp("sync").returncode == 0
    for clone in (team.one, team.two):
        assert set(odd) <= set(clone.git("notes", "show", team.tag).splitlines())


BY_HAND = {"written over": ("add", "-f", "-m", "looks good"), "removed": ("remove",)}


def by_hand(team: Team, clone: Clone, how: str) -> None:
    """Change the record with plain git notes, as a colleague may."""
    clone.git("notes", "--ref=rvexp", *BY_HAND[how], team.tag)


@pytest.mark.parametrize("how", ["written over", "removed"])
def test_what_is_taken_out_by_hand_is_put_back_before_it_is_shared(team: Team, how: str) -> None:
    """In the clone where it happened, also what was not shared yet; the remote never shows it, and it is said."""
    append(team.one, team.oid(), n="shared")
    assert team.one.rvexp("sync").returncode == 0
    append(team.one, team.oid(), n="not yet")
    by_hand(team, team.one, how)
    assert seen(team.one, team.oid()) == set()
    append(team.one, team.oid(), n="after")
    told = team.one.rvexp("sync")
    assert told.returncode == 0, told.stderr
    assert re.search(
        r"lines of the record were taken out by hand, by .+ \([0-9a-f]{12}\): \d of them are put", told.stderr
    )
    assert seen(team.one, team.oid()) == {"shared", "not yet", "after"}
    assert "warning" not in team.two.rvexp("sync").stderr
    assert seen(team.two, team.oid()) == {"shared", "not yet", "after"}


@pytest.mark.parametrize("how", ["written over", "removed"])
def test_what_somebody_took_out_and_shared_is_put_back_by_everybody_who_had_it(team: Team, how: str) -> None:
    """A colleague pushes with plain git, so nothing of ours was asked."""
    append(team.one, team.oid(), n="shared")
    assert team.one.rvexp("sync").returncode == 0
    assert team.two.rvexp("sync").returncode == 0
    by_hand(team, team.two, how)
    team.two.git("push", "-q", str(team.remote), "refs/notes/rvexp:refs/notes/rvexp")
    assert seen(team.two, team.oid()) == set()
    told = team.one.rvexp("sync")
    assert (told.returncode, "are put back" in told.stderr) == (0, True), told.stderr
    assert seen(team.one, team.oid()) == {"shared"}
    assert team.two.rvexp("sync").returncode == 0
    assert seen(team.two, team.oid()) == {"shared"}
    for clone in (team.one, team.two):
        assert "warning" not in clone.rvexp("sync").stderr


def test_what_everybody_has_lost_comes_back_from_the_history(team: Team) -> None:
    """Both clones and the remote stand where the lines are gone: none of them has gone on from the other."""
    append(team.one, team.oid(), n="shared")
    assert team.one.rvexp("sync").returncode == 0
    by_hand(team, team.one, "removed")
    team.one.git("push", "-q", str(team.remote), "refs/notes/rvexp:refs/notes/rvexp")
    for clone in (team.one, team.two):
        for ref in (notes.REF, SEEN):
            clone.git("fetch", "-q", str(team.remote), f"+{notes.REF}:{ref}")
    assert seen(team.two, team.oid()) == set()
    told = team.two.rvexp("sync")
    assert (told.returncode, "are put back" in told.stderr) == (0, True), told.stderr
    assert seen(team.two, team.oid()) == {"shared"}


def test_what_is_added_by_hand_costs_no_word(team: Team) -> None:
    """`git notes append` takes nothing out."""
    team.one.git("notes", "--ref=rvexp", "append", "-m", "2026-01-02T03:04:05.000Z remark text=fine", team.tag)
    told = team.one.rvexp("sync")
    assert (told.returncode, "warning" in told.stderr) == (0, False)
    assert "text=fine" in team.at("notes", "--ref=rvexp", "show", team.oid())


def test_a_rewound_record_is_an_alarm(team: Team) -> None:
    """The remote's notes go back: sync stops with both ids, changes nothing, and --accept keeps every line."""
    before = team.at("rev-parse", notes.REF)
    append(team.one, team.oid(), n=1)
    assert team.one.rvexp("sync").returncode == 0
    newer = team.at("rev-parse", notes.REF)
    team.at("update-ref", notes.REF, before)
    alarmed = team.one.rvexp("sync")
    assert alarmed.returncode == 1
    assert f"recorded {newer}, remote {before}" in alarmed.stderr
    assert "--accept" in alarmed.stderr
    assert seen(team.one, team.oid()) == {1}
    assert team.at("rev-parse", notes.REF) == before
    assert team.one.rvexp("sync", "--accept").returncode == 0
    assert team.two.rvexp("sync").returncode == 0
    assert seen(team.two, team.oid()) == {1}


def test_a_deleted_record_is_an_alarm_and_can_be_restored(team: Team) -> None:
    """The notes ref is gone from the remote: told, and put back by --accept."""
    team.at("update-ref", "-d", notes.REF)
    alarmed = team.one.rvexp("sync")
    assert (alarmed.returncode, "was deleted" in alarmed.stderr) == (1, True)
    assert team.one.rvexp("sync", "--accept").returncode == 0
    assert team.at("rev-parse", notes.REF) == team.one.git("rev-parse", notes.REF)


def test_a_moved_tag_is_an_alarm_everywhere(team: Team) -> None:
    """Sync, publish and submit stop with both ids; our own tag stays; a fresh clone cannot know better."""
    recorded = team.oid()
    other = team.one.rvexp("snapshot", "other").stdout.strip()
    moved = team.one.git("rev-parse", other)
    team.at("update-ref", f"refs/tags/{team.tag}", moved)
    for verb in (["sync"], ["publish", team.tag], ["submit", team.tag, "--", "true"]):
        alarmed = team.one.rvexp(*verb)
        assert alarmed.returncode == 1, (verb, alarmed.stderr)
        assert f"recorded {recorded}, remote {moved}" in alarmed.stderr
    assert team.one.git("rev-parse", team.tag) == recorded
    assert team.one.rvexp("sync", "--accept").returncode == 0
    assert team.one.git("rev-parse", team.tag) == recorded


@pytest.mark.parametrize("words", [["fetch"], ["fetch", "--prune"], ["-c", "fetch.prune=true", "fetch"]], ids=" ".join)
@pytest.mark.parametrize("what", ["moved", "was deleted"])
def test_a_plain_fetch_hides_no_alarm(team: Team, words: list[str], what: str) -> None:
    """Git's own tracking follows what happened there; what the remote had shown is kept apart from it."""
    recorded, ref = team.oid(), f"refs/tags/{team.tag}"
    if what == "moved":
        team.at("update-ref", ref, team.one.git("rev-parse", team.one.rvexp("snapshot", "other").stdout.strip()))
    else:
        team.at("update-ref", "-d", ref)
    team.one.git(*words, "experiments")
    alarmed = team.one.rvexp("sync")
    assert (alarmed.returncode, what in alarmed.stderr) == (1, True), alarmed.stderr
    assert recorded in alarmed.stderr
    seen = team.one.rvexp("verify", team.tag)
    assert f"the tag {what} there: recorded {recorded}" in seen.stdout
    assert team.one.git("rev-parse", team.tag) == recorded


def test_a_tag_that_plain_git_pushed_is_missed_when_it_goes(team: Team) -> None:
    """From the first command that sees it there."""
    tag = team.one.rvexp("snapshot", "plain", "--no-push").stdout.strip()
    team.one.git("push", "-q", "--no-verify", "experiments", tag)
    assert team.one.rvexp("sync").returncode == 0
    team.at("update-ref", "-d", f"refs/tags/{tag}")
    assert "was deleted" in team.one.rvexp("sync").stderr


def test_one_name_taken_in_two_clones_accuses_nobody_and_runs_under_neither(team: Team) -> None:
    """The clone whose snapshot came second keeps it; what others find under the name is never run from it unsaid."""
    team.two.git("config", "rvexp.project", "roads")
    team.one.write("a.py", "print('one')\n")
    team.two.write("a.py", "print('two')\n")
    tag = team.one.rvexp("snapshot", "same", "--no-push").stdout.strip()
    assert team.two.rvexp("snapshot", "same").stdout.strip() == tag
    here, there = (clone.git("rev-parse", tag) for clone in (team.one, team.two))
    said = f"is one snapshot here and another on the experiments remote: here {here}, remote {there}"
    told = team.one.rvexp("sync")
    assert (told.returncode, said in told.stderr, "moved" in told.stderr) == (1, True, False), told.stderr
    assert "hint: git rvexp snapshot with another name takes yours again" in told.stderr
    assert team.one.rvexp("sync", "--accept").returncode == 0
    assert team.one.rvexp("sync").returncode == 0
    refused = team.one.rvexp("submit", "same", "--", "true")
    assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    again = team.one.rvexp("snapshot", "another")
    assert again.returncode == 0, again.stderr
    assert (team.one.git("rev-parse", tag), team.at("rev-parse", tag)) == (here, there)


def test_a_deleted_tag_is_an_alarm_and_accept_puts_it_back(team: Team) -> None:
    """Nothing is lost: the clone that has the snapshot pushes it again."""
    team.at("update-ref", "-d", f"refs/tags/{team.tag}")
    alarmed = team.two.rvexp("sync")
    assert (alarmed.returncode, "was deleted" in alarmed.stderr) == (1, True)
    assert team.two.rvexp("sync", "--accept").returncode == 0
    assert team.at("rev-parse", team.tag) == team.oid()


def test_an_unreachable_remote_is_one_clear_error(team: Team) -> None:
    """Exit 128, the address, git's own words, a hint."""
    team.remote.rename(team.remote.with_name("away.git"))
    done = team.one.rvexp("sync")
    assert done.returncode == 128
    assert f"the experiments remote cannot be reached: {team.remote}" in done.stderr
    assert done.stderr.endswith("hint: git rvexp doctor\n")


def test_a_remote_that_refuses_the_record_is_told_in_its_own_words(team: Team) -> None:
    """A hook that takes tags and no notes: asked a few times, not a hundred, and what it says is shown."""
    asked, hook = team.remote / "asked", team.remote / "hooks" / "pre-receive"
    hook.write_text(
        f"#!/bin/sh\nwhile read -r old new ref; do case $ref in refs/notes/*) echo . >>{asked}\n"
        "echo 'notes are closed here' >&2; exit 1;; esac; done\n"
    )
    hook.chmod(0o755)
    done = team.one.rvexp("snapshot", "refused")
    assert done.returncode == 8
    assert "the experiments remote refused it\n  remote: notes are closed here" in done.stderr
    assert "[remote rejected] (pre-receive hook declined)" in done.stderr
    assert "refs/notes/rvexp" in done.stderr
    assert len(asked.read_text().split()) < 10
    hook.unlink()
    assert team.one.rvexp("sync").returncode == 0
    assert team.at("rev-parse", "refs/notes/rvexp") == team.one.git("rev-parse", "refs/notes/rvexp")


def test_a_snapshot_cut_short_before_its_record_is_completed(team: Team) -> None:
    """A tag without its first line (killed between the two) gets it from the tag itself, the same in any clone."""
    tag = team.one.rvexp("snapshot", "cut", "--no-push").stdout.strip()
    whole = team.one.git("notes", "show", tag)
    team.one.git("notes", "remove", tag)
    team.one.git("push", "-q", "experiments", tag)
    assert team.two.rvexp("sync").returncode == 0
    assert team.two.git("notes", "--ref=rvexp", "show", tag) == whole


def test_a_foreign_tag_on_the_remote_stops_nothing(team: Team) -> None:
    """A tag of our shape that no snapshot made, without a tagger as old tools wrote them, is told and left alone."""
    body = f"object {team.one.git('rev-parse', 'HEAD')}\ntype commit\ntag x/y/2026-01-01/z\n\nold\n"
    made = subprocess.run(
        ["git", "hash-object", "-t", "tag", "-w", "--literally", "--stdin"],
        cwd=team.one.path,
        input=body,
        capture_output=True,
        text=True,
        check=True,
    )
    team.one.git("push", "-q", "--no-verify", str(team.remote), f"{made.stdout.strip()}:refs/tags/x/y/2026-01-01/z")
    append(team.two, team.oid(), n=1)
    done = team.two.rvexp("sync")
    assert (done.returncode, "x/y/2026-01-01/z: the tag does not say who" in done.stderr) == (0, True), done.stderr
    assert team.one.rvexp("sync").returncode == 0
    assert seen(team.one, team.oid()) == {1}
