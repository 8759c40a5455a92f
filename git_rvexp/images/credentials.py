"""Which login a registry gets: ECR's own from AWS, else what `docker login` stored, else none.

Passwords stay in memory: they go into a request's header or an engine call, never into a file, a log or a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        from git_rvexp.aws import ecr_auth  # noqa: PLC0415  boto3 only where it is needed

        return Login(*ecr_auth(settings, repository.host))
    from git_rvexp.images.engine import stored_login  # noqa: PLC0415  docker only where it is needed

    found = stored_login(repository.host, environ)
    return Login(*found) if found else None
