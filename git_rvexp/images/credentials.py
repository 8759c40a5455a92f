"""Which login a registry gets: ECR's own from AWS, else what `docker login` stored, else none.

Passwords stay in memory: they go into a request's header or an engine call, never into a file, a log or a record.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from git_rvexp import homes
from git_rvexp.images.reference import Repository
from git_rvexp.settings import Settings


@dataclass(frozen=True)
class Login:
    """A user and a password; the password does not show in repr."""

    user: str
    password: str = field(repr=False)


def login(repository: Repository, settings: Settings, environ: Mapping[str, str]) -> Login | None:
    """The login for `repository`. CredentialsError when AWS or a credential helper cannot give the one it has."""
    if repository.is_ecr:
        from git_rvexp.aws import ecr_auth  # noqa: PLC0415  botocore only where it is needed

        return Login(*ecr_auth(settings, repository.host))
    if not _any_stored(environ):
        return None
    from git_rvexp.images.engine import stored_login  # noqa: PLC0415  docker only where it is needed

    found = stored_login(repository.host, environ)
    return Login(*found) if found else None


def _any_stored(environ: Mapping[str, str]) -> bool:
    """Whether Docker's configuration speaks of logins at all; asking it loads the docker package (114 ms of CPU)."""
    try:
        config = json.loads(homes.docker(environ).read_text("utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # the docker package words what is wrong with it
    return not isinstance(config, dict) or any(config.get(k) for k in ("auths", "credsStore", "credHelpers"))
