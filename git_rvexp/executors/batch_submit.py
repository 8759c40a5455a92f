"""SubmitJob, sent once, and what its failures say about whether a job exists.

Only a refusal says that there is none. A lost, late or senseless reply says nothing; a request to slow down says
nothing either, since a job was seen to exist after one (measured against a proxy).
"""

from collections.abc import Mapping
from typing import Any

from git_rvexp import aws
from git_rvexp.errors import CredentialsError, UsageError
from git_rvexp.executors.protocol import BusyError, RefusedError, UnsureError
from git_rvexp.model import Json


class NotSignedInError(RefusedError, CredentialsError):
    """The credentials were refused, so no job exists; the exit code is that of credentials."""


def submit_once(client: Any, request: Mapping[str, Json]) -> str:
    """The id of the new job; `client` must be one that never repeats a call. RefusedError or UnsureError otherwise."""
    job = _reply(client, request).get("jobId")
    if not isinstance(job, str) or not job:
        raise UnsureError("AWS Batch answered without naming a job")
    return job


def _reply(client: Any, request: Mapping[str, Json]) -> dict[str, Json]:
    try:
        with aws.calling("submit the job"):
            return dict(client.submit_job(**request))
    except CredentialsError as why:
        raise NotSignedInError(str(why), hint=why.hint) from why
    except aws.ThrottledError as why:
        raise BusyError(str(why)) from why
    except aws.ServiceError as why:
        # 408 is a proxy's word for "I stopped waiting"; everything else below 500 was decided before any job was made.
        if 400 <= why.status < 500 and why.status != 408:
            raise RefusedError(f"AWS Batch refused the job: {why}", hint=why.hint) from why
        raise UnsureError(str(why)) from why
    except aws.UnreachableError as why:
        raise UnsureError(str(why)) from why
    except UsageError as why:
        raise RefusedError(str(why), hint=why.hint) from why
