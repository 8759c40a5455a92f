"""What a plan asks for: the fields that `show` tells and `diff` compares, in the order in which people read them.

What names the run itself (its id, its job, its snapshot) and what it reads and writes is told apart.
"""

from git_rvexp.record.events import Event
from git_rvexp.workflow.repeating.seeding import follows

FIELDS = (
    "executor",
    "command",
    "env",
    "secret_env",
    "seed",
    "vcpus",
    "memory",
    "gpus",
    "queue",
    "account",
    "region",
    "engine",
    "timeout",
    "attempts",
    "array",
    "after",
    "after_each",
    "sequential",
)
WAITS = ("after", "after_each")
"""Those of them that name other runs."""
_OURS = "RVEXP_"


def ours_by_nature(planned: Event) -> set[str]:
    """The variables of a plan that we set anew for every run: they name the run, link to it, or say its seed."""
    env, links = planned.get("env"), planned.get("links")
    if not isinstance(env, dict):
        return set()
    linked = (str(name) for name in links) if isinstance(links, list) else ()
    return {*(n for n in env if n.startswith(_OURS)), *linked, *follows(env, planned.get("seed"))}
