"""Asking the experiments remote before it is known which snapshot the question is about."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from git_rvexp.commands.session import Session
from git_rvexp.git.plumbing import Repo
from git_rvexp.output import Speaker
from git_rvexp.record.asking import ask
from git_rvexp.record.share import AlarmError
from git_rvexp.workflow import ahead
from git_rvexp.workflow.choose import snapshot
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.publish import agree_on_tag
from tests.conftest import Clone
from tests.unit.serving import Asked, Reply, Serving


def opened(clone: Clone) -> Context:
    """What a command in the clone works with, by the clone's own settings."""
    return Session(os.environ, clone.path, Speaker.make(os.environ)).context


@pytest.fixture
def context(clone: Clone) -> Context:
    """A clone with two snapshots on its remote."""
    for name in ("first", "first-again"):
        clone.write("train.py", f"print({name!r})\n")
        assert clone.rvexp("snapshot", name).returncode == 0
    return opened(clone)


def full(context: Context, text: str) -> str:
    """The whole name of a snapshot."""
    return snapshot(context, text).tag


@pytest.mark.parametrize("text", ["first", "", "@", "irst-a", "again"], ids=["nickname", "none", "at", "part", "end"])
@pytest.mark.parametrize("name", ["first", "first-again"])
def test_the_answer_is_that_of_a_question_about_the_snapshot(context: Context, text: str, name: str) -> None:
    """Whatever was typed, and whether it covers the snapshot that is meant or not."""
    tag = full(context, name)
    with ahead.asked(context, text, wanted=True) as there:
        assert there
        assert there.about(tag) == ask(context.repo, [tag])


def test_a_whole_name_asks_for_that_one(context: Context) -> None:
    """And of another the remote is asked anew."""
    one, other = full(context, "first"), full(context, "first-again")
    for asked in (one, other):
        with ahead.asked(context, one, wanted=True) as there:
            assert there
            assert there.about(asked) == ask(context.repo, [asked])


def test_nothing_is_asked_where_it_is_not_wanted_or_cannot_be(context: Context, clone: Clone) -> None:
    """A dry run; a clone whose remote is not set up; settings that name another."""
    with ahead.asked(context, "first", wanted=False) as there:
        assert there is None
    clone.git("config", "rvexp.experiments-remote", "https://example.org/elsewhere.git")
    with ahead.asked(opened(clone), "first", wanted=True) as there:
        assert there is None
    clone.git("config", "--unset", "rvexp.experiments-remote")
    clone.git("remote", "remove", "experiments")
    with ahead.asked(opened(clone), "first", wanted=True) as there:
        assert there is None


def test_a_tag_that_was_moved_is_an_alarm_all_the_same(context: Context, clone: Clone) -> None:
    """Of the snapshot that is meant, and not of another that was asked for with it."""
    one, other = snapshot(context, "first"), snapshot(context, "first-again")
    remote = clone.git("config", "remote.experiments.url")
    clone.git(f"--git-dir={remote}", "update-ref", f"refs/tags/{one.tag}", other.oid)
    with ahead.asked(context, "", wanted=True) as there:
        agree_on_tag(context, other, there)
    with ahead.asked(context, "", wanted=True) as there, pytest.raises(AlarmError, match="moved"):
        agree_on_tag(context, one, there)


def test_git_is_stopped_when_nobody_wants_the_answer(context: Context, clone: Clone) -> None:
    """The remote takes the connection and keeps silent; the error comes at once, and nothing of git stays behind."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        clone.git("config", "remote.experiments.url", url)
        clone.git("config", "rvexp.experiments-remote", url)
        taken: list[socket.socket] = []
        listening = threading.Thread(target=lambda: taken.append(silent.accept()[0]))
        listening.start()
        with ahead.asked(opened(clone), "first", wanted=True) as there:
            assert there
            listening.join(20)
        with taken[0] as link:
            link.settimeout(20)
            while link.recv(4096):  # what git had asked, and then its end
                pass


def test_what_failed_ahead_is_asked_again_in_its_turn(
    context: Context, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time the server wants a password, which nobody is asked for, in no window either; then it answers."""
    asking = tmp_path / "askpass"
    asking.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    asking.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(asking))
    monkeypatch.setenv("SSH_ASKPASS", str(asking))
    tag = full(context, "first")
    served = Path(clone.git("config", "remote.experiments.url"))
    clone.git(f"--git-dir={served}", "update-server-info")
    wanted = ask(context.repo, [tag])

    def answer(asked: Asked) -> Reply:
        if len(server.asked) == 1:
            return Reply(401, headers={"WWW-Authenticate": 'Basic realm="here"'})
        return Reply(body=(served / asked.path.partition("?")[0].removeprefix("/x.git/")).read_bytes())

    with Serving(answer) as server:
        clone.git("config", "remote.experiments.url", f"{server.url}/x.git")
        clone.git("config", "rvexp.experiments-remote", f"{server.url}/x.git")
        with ahead.asked(opened(clone), "first", wanted=True) as there:
            assert there
            assert there.about(tag) == wanted
    assert len(server.asked) > 1
    assert not (tmp_path / "asked").exists()


def test_a_submission_that_is_refused_does_not_wait_for_the_remote(context: Context, clone: Clone) -> None:
    """The whole command: a name that is none is told, though the remote would never have answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        clone.git("config", "remote.experiments.url", url)
        clone.git("config", "rvexp.experiments-remote", url)
        began = time.monotonic()
        done = clone.rvexp("submit", "nowhere", "--", "true")
    assert done.returncode == 2, done.stderr
    assert "nowhere" in done.stderr
    assert time.monotonic() - began < 60  # a remote like this is waited for until it closes


def test_the_settings_of_a_file_that_nobody_confirmed_send_nothing(clone: Clone, tmp_path: Path) -> None:
    """A tracked file names the remote, and the clone happens to have it: nothing is asked before that is trusted."""
    clone.write(".rvexp.toml", f'experiments_remote = "{tmp_path}/theirs.git"\n')
    clone.git("remote", "add", "experiments", f"{tmp_path}/theirs.git")
    repo = Repo.discover(clone.path, os.environ)
    assert repo.setting("remote.experiments.url") == f"{tmp_path}/theirs.git"
    with ahead.asked(opened(clone), "first", wanted=True) as there:
        assert there is None
