"""Thirty secrets in thirty places, an experiment from snapshot to report, and a search through all that it made."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_rvexp import crash
from tests.conftest import Clone
from tests.integration.parts import Stack, make_digits

TOKEN = "gh" + "p_"
PLACES = (
    *("ignored file", "ignored folder", "excluded file", "globally excluded file", "beside the tree", "link's target"),
    *("remote url", "http header", "git credentials", "netrc", "aws credentials", "docker login", "hook", "stash"),
    *("other branch", "unreachable commit", "unstaged again", "GITHUB_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"),
    *("RVEXP_ARCHIVE_TOKEN", "DB_PASSWORD", "new file", "changed file", "key file", "message", "command", "--env"),
    *("chain", "traceback"),
)
HARMLESS = "what everybody may read"
ENVIRONMENT = ("GITHUB_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "RVEXP_ARCHIVE_TOKEN", "DB_PASSWORD")


def canary(place: str) -> str:
    """The secret planted there: of a token's form, and to be found again."""
    return f"{TOKEN}{PLACES.index(place):02d}Canary7Kd2mAqPz1LxWv3Yt5Bn9Rc4Hj6G"


def plant(clone: Clone, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everywhere where secrets are at home, and where git keeps what nobody sees."""
    clone.write(".env", canary("ignored file"))
    clone.write("private/x.txt", canary("ignored folder"))
    clone.write(".gitignore", ".env\nprivate/\nout/\n")
    clone.write("mine.txt", canary("excluded file"))
    clone.write(".git/info/exclude", "mine.txt\n")
    clone.write("editor.bak", canary("globally excluded file"))
    (home / "excludes").write_text("*.bak\n")
    clone.git("config", "core.excludesFile", str(home / "excludes"))
    (clone.path.parent / "beside.txt").write_text(canary("beside the tree"))
    (home / "target.txt").write_text(canary("link's target"))
    (clone.path / "link").symlink_to(home / "target.txt")
    clone.git("remote", "add", "private", f"https://ada:{canary('remote url')}@example.org/x.git")
    clone.git("config", "http.https://example.org/.extraHeader", f"Authorization: {canary('http header')}")
    (home / ".git-credentials").write_text(f"https://ada:{canary('git credentials')}@example.org\n")
    (home / ".netrc").write_text(f"machine example.org login ada password {canary('netrc')}\n")
    (home / "aws-credentials").write_text(f"[default]\naws_secret_access_key = {canary('aws credentials')}\n")
    (home / ".docker").mkdir()
    login = {"auths": {"example.org": {"password": canary("docker login")}}}
    (home / ".docker" / "config.json").write_text(json.dumps(login))
    clone.write(".git/hooks/post-checkout", f"#!/bin/sh\n# {canary('hook')}\n")
    _in_history(clone)
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, canary(name))


def _in_history(clone: Clone) -> None:
    """Where git keeps what is on no way to a snapshot."""
    clone.commit("what is ignored")
    for place, keep in (("other branch", True), ("unreachable commit", False)):
        clone.git("checkout", "-q", "-b", "side")
        clone.write("side.txt", canary(place))
        clone.commit("side")
        clone.git("checkout", "-q", "-")
        clone.git("branch", *(["-m", "side", "kept"] if keep else ["-D", "side"]))
    clone.write("stashed.txt", canary("stash"))
    clone.git("stash", "push", "-q", "-u")
    clone.write("again.txt", canary("unstaged again"))
    clone.git("add", "again.txt")
    clone.git("rm", "-q", "-f", "again.txt")


def refused(clone: Clone) -> Iterator[subprocess.CompletedProcess[str]]:
    """What a person may do by mistake; each is an error."""
    for name, place in (("notes.md", "new file"), ("train.py", "changed file")):
        old = (clone.path / name).read_text() if (clone.path / name).exists() else None
        clone.write(name, f"token = '{canary(place)}'\n")
        yield clone.rvexp("snapshot", "wrong")
        (clone.path / name).unlink() if old is None else clone.write(name, old)
    clone.write("id_rsa", "-----BEGIN OPENSSH " + f"PRIVATE KEY-----\n{canary('key file').replace('_', '')}\n")
    yield clone.rvexp("snapshot", "wrong")
    (clone.path / "id_rsa").unlink()
    yield clone.rvexp("snapshot", "wrong", "-m", canary("message"))
    yield clone.rvexp("submit", "first", "--", "true", canary("command"))
    yield clone.rvexp("submit", "first", "--env", f"X={canary('--env')}", "--", "true")
    (clone.path.parent / "chain.toml").write_text(
        f'[[step]]\nname = "a"\ncommand = ["true"]\nenv = {{ X = "{canary("chain")}" }}\n'
    )
    yield clone.rvexp("chain", "../chain.toml", "first")


def made(stack: Stack, clone: Clone, reports: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that others get to see, by name."""
    experiments = clone.path / ".git" / "rvexp" / "experiments.git"
    objects = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"], cwd=experiments, capture_output=True, check=True
    )
    yield "experiments remote", objects.stdout
    for path in (*(clone.path / ".git" / "rvexp").rglob("*"), *reports.rglob("*")):
        if path.is_file() and "objects" not in path.parts:
            yield str(path), path.read_bytes()
    tag = clone.git("tag", "--list", "*/first")
    images = {
        line.split('ref="')[1].split('"')[0]
        for line in clone.git("notes", "show", tag).splitlines()
        if ' image ref="' in line
    }
    assert images
    for image in images:
        yield "labels", stack.run("docker", "image", "inspect", image).stdout.encode()
        yield "history", stack.run("docker", "history", "--no-trunc", image).stdout.encode()
        env = {**os.environ, **stack.environment()}
        saved = subprocess.run(["docker", "save", image], env=env, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(saved)) as whole:
            for member in whole:
                content = whole.extractfile(member) if member.isreg() else None
                yield f"image: {member.name}", content.read() if content else b""


def test_no_secret_is_in_anything_that_is_made(
    stack: Stack, tmp_path: Path, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tag, notes, image layers, labels, history, logs, reports, exports, crash logs, and all that was printed."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = make_digits(stack, tmp_path / "digits")
    plant(clone, sealed, monkeypatch)
    clone.write("harmless.txt", HARMLESS)
    told = [clone.rvexp("snapshot", "first", "-m", "an honest one")]
    command = ("submit", "first", "--wait", "--secret-env", "DB_PASSWORD", "--", "sh", "-c", 'test -n "$DB_PASSWORD"')
    told.append(clone.rvexp(*command))
    assert [done.returncode for done in told] == [0, 0], told
    for done in refused(clone):
        assert done.returncode in (1, 2), done
        told.append(done)
    reports = tmp_path / "reports"
    reports.mkdir()
    told.append(clone.rvexp("report", "first", "-o", str(reports / "page.html")))
    told.append(clone.rvexp("export", "first", "--format", "json", "-o", str(reports / "first.json")))
    told += [clone.rvexp(*words) for words in (("show", "first"), ("logs", "first"), ("verify", "first"), ("doctor",))]
    assert (reports / "page.html").stat().st_size
    assert (reports / "first.json").stat().st_size
    trouble = RuntimeError(f"https://ada:{canary('traceback')}@example.org and {canary('GITHUB_TOKEN')}")
    assert crash.write(trouble, clone.path, os.environ)
    texts = [(f"output of {done.args[3:]}", (done.stdout + done.stderr).encode()) for done in told]
    seen: set[str] = set()
    for where, content in (*texts, *made(stack, clone, reports)):
        found = [place for place in PLACES if canary(place).removeprefix(TOKEN).encode() in content]
        assert not found, (where, found)
        seen |= {where.split(":")[0] for mark in (HARMLESS, "an honest one") if mark.encode() in content}
    assert {"experiments remote", "image"} <= seen, "the search itself does not see what is there"
    assert len(PLACES) == 30
