"""A job may write its secrets into its results: the record, which is shared, has none of them."""

from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack

VALUE = 'Hunter"2-of-the-canaries'
TOKEN = "gh" + "p_q8Kd02mAqPz71LxWv3Yt5Bn9Rc4Hj6Gf0Sa2"


@pytest.fixture
def project(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A snapshot whose image has a shell; outputs and metrics are declared."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nWORKDIR /app\nCOPY . /app\n")
    clone.write(".rvexp.toml", '[run]\noutputs = ["out"]\nmetrics = ["out/m.json"]\n')
    clone.commit()
    assert clone.rvexp("snapshot", "first").returncode == 0
    return clone


def recorded(clone: Clone) -> bytes:
    """Every object that the record's ref leads to, unpacked."""
    listed = clone.git("rev-list", "--objects", "refs/notes/rvexp").splitlines()
    return "\n".join(clone.git("cat-file", "-p", line.split(" ")[0]) for line in listed).encode()


def test_a_secrets_value_in_a_result_stays_out_of_the_record(
    project: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As it is and as JSON spells it, told with file and line; a command that lacks the variable asks the container."""
    monkeypatch.setenv("DB_PASS", VALUE)
    plain = "printf '%s\\n%s\\n' a,b \"$DB_PASS\" >out/plain.csv"
    spelled = r"""printf '{\n"loss": 1,\n"pass": "%s"}' "$(printf %s "$DB_PASS" | sed 's/"/\\"/')" >out/m.json"""
    script = f"mkdir -p out; {plain}; {spelled}; echo 1,2 >out/good.csv"
    run = project.rvexp("submit", "--secret-env", "DB_PASS", "--", "sh", "-c", script).stdout.strip()
    monkeypatch.delenv("DB_PASS")
    done = project.rvexp("wait", run)
    assert done.returncode == 0, done.stderr
    assert "out/m.json:3  the value of DB_PASS" in done.stderr
    assert "out/plain.csv:2  the value of DB_PASS" in done.stderr
    assert "canaries" not in done.stderr
    kept = recorded(project)
    assert b"canaries" not in kept
    assert b"out/plain.csv" in kept
    assert b"1,2" in kept
    assert "out/m.json: looks as if it held a secret" in project.rvexp("show", run).stdout


def test_what_looks_like_a_secret_in_a_result_stays_out_of_the_record(project: Clone) -> None:
    """The patterns of snapshots, and what the settings allow of them."""
    script = ("sh", "-c", f'mkdir -p out; echo \'{{"loss": 1, "by": "{TOKEN[:9]}\'{TOKEN[9:]}\'"}}\' >out/m.json')
    done = project.rvexp("submit", "--wait", "--", *script)
    assert done.returncode == 0, done.stderr
    assert "out/m.json:1  a GitHub token (github-token)" in done.stderr
    assert TOKEN not in done.stderr
    assert TOKEN.encode() not in recorded(project)
    project.git("config", "rvexp.secrets.allow-paths", "out/*.json")
    done = project.rvexp("submit", "--wait", "--", *script)
    assert "looks as if" not in done.stderr
    assert TOKEN.encode() in recorded(project)
