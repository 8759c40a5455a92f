"""Result files, looked through before their texts go into the record, which others read and nobody can take back.

They are compared with the values of the run's secrets, as far as these are known here, and scanned as a snapshot is.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.docker_asking import child_name
from git_rvexp.model import Plan
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.secrecy.scan import Hit, Part, allowed, scanned, told
from git_rvexp.workflow.secrecy.snapshots import OFF

_SHORTEST = 4  # characters: a shorter value ("1", "no") stands in every result


def harmless(context: Context, plan: Plan, job: str, texts: Mapping[str, str], consequence: str) -> dict[str, str]:
    """Those of a run's `texts`, by name, that neither hold one of its secrets nor look so and are not allowed.

    Of the others the user is told where it stands, never what, and the `consequence`. `job` is the executor's id of
    the run's job: a container still knows which values it was given.
    """
    settings, values = _settings(context), _values(context, plan, job) if texts else {}
    found: dict[str, str] = {}
    for name, text in texts.items():
        content = text.encode("utf-8", "surrogateescape")
        looks = [] if settings.secrets_scan == OFF else allowed(scanned(Part(name, content)), settings)
        hits = sorted({*_given(name, content, values), *looks})
        if hits:
            context.warn(f"what run {plan.run} wrote looks as if it held a secret: {consequence}\n{told(hits)}")
        else:
            found[name] = text
    return found


def _settings(context: Context) -> Settings:
    """The settings; where a tracked file's are not confirmed, those that allow nothing."""
    try:
        return context.trusted()
    except UsageError:
        return Settings()


def _values(context: Context, plan: Plan, job: str) -> dict[str, set[str]]:
    """What is known of the run's secrets by name: the values here now, and those that its container was given."""
    known = [context.environ]
    if plan.secret_env and plan.executor == "docker":
        from git_rvexp.images.engine import Engine  # noqa: PLC0415  114 ms of CPU

        with contextlib.suppress(RvexpError):  # a container that is gone tells nothing
            given = Engine.connect(context.environ).given(child_name(job, 0) if plan.array else job)
            known.append(dict(each.partition("=")[::2] for each in given.get("Env") or []))
    return {name: {each[name] for each in known if name in each} for name in plan.secret_env}


def _given(name: str, content: bytes, values: Mapping[str, set[str]]) -> Iterator[Hit]:
    """Where a value stands, as it is or as JSON spells it."""
    for variable, given in values.items():
        for value in given:
            spelled = {value, *(json.dumps(value, ensure_ascii=plain)[1:-1] for plain in (True, False))}
            for text in spelled if len(value) >= _SHORTEST else ():
                at = content.find(text.encode("utf-8", "surrogateescape"))
                if at >= 0:
                    yield Hit(name, content.count(b"\n", 0, at) + 1, "secret-env", f"the value of {variable}")
