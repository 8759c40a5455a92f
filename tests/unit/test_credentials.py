"""Logins that Docker keeps: in its file, and by its credential helpers, which are programs of the user's."""

import json
from pathlib import Path

import pytest

from git_rvexp.errors import CredentialsError
from git_rvexp.images.credentials import Login, login
from git_rvexp.images.reference import Repository
from git_rvexp.settings import Settings

HELPER = """#!/bin/sh
read -r host
echo "$1 $host" >> "$HELPER_LOG"
case $host in
registry.example) echo '{"ServerURL":"registry.example","Username":"ada","Secret":"from the helper"}' ;;
broken.example) echo 'the vault is locked' >&2; exit 1 ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with a helper called `vault` on PATH and a folder for Docker's file."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker-credential-vault").write_text(HELPER)
    (tmp_path / "bin" / "docker-credential-vault").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    log = str(tmp_path / "asked")
    return {
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
        "PATH": f"{tmp_path / 'bin'}:/bin",
        "HELPER_LOG": log,
    }


def found(home: dict[str, str], config: object, host: str = "registry.example") -> Login | None:
    """The login for a repository at `host` with this file."""
    (Path(home["DOCKER_CONFIG"]) / "config.json").write_text(json.dumps(config))
    return login(Repository.parse(f"{host}/lab/exp"), Settings(), home)


@pytest.mark.parametrize(
    "config", [{"credHelpers": {"registry.example": "vault"}}, {"credsStore": "vault"}], ids=["of the host", "for all"]
)
def test_credential_helper_is_asked(home: dict[str, str], config: object) -> None:
    """By Docker's own protocol, for this registry; the password shows nowhere."""
    made = found(home, config)
    assert made == Login("ada", "from the helper")
    assert "from the helper" not in repr(made)
    assert Path(home["HELPER_LOG"]).read_text() == "get registry.example\n"


def test_helper_of_another_host_is_not_asked(home: dict[str, str]) -> None:
    """What is kept for one registry goes to no other."""
    assert found(home, {"credHelpers": {"other.example": "vault"}}) is None
    assert not Path(home["HELPER_LOG"]).exists()


def test_helper_that_knows_no_login_gives_none(home: dict[str, str]) -> None:
    """The registry may be open."""
    assert found(home, {"credsStore": "vault"}, "open.example") is None


@pytest.mark.filterwarnings("ignore:docker-credential-missing")  # the docker package says it in this way too
@pytest.mark.parametrize(("helper", "host"), [("vault", "broken.example"), ("missing", "registry.example")])
def test_helper_that_fails_is_told(home: dict[str, str], helper: str, host: str) -> None:
    """The registry is named, and what to type."""
    with pytest.raises(CredentialsError, match=f"the login for {host} cannot be read") as caught:
        found(home, {"credHelpers": {host: helper}}, host)
    assert caught.value.hint == f"docker login {host}"
