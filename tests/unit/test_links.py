"""The variables that name a snapshot to trackers: what they say, and what keeps them away."""

import json

from git_rvexp.addresses import for_others
from git_rvexp.model import Plan
from git_rvexp.names import RunId
from git_rvexp.workflow.links import linked, relinked
from tests.conftest import Clone
from tests.notebook import Notebook

TOLD = {"RVEXP_TAG": "al/roads/2026-11-01/first", "RVEXP_COMMIT": "c" * 40, "RVEXP_RUN": "0123456789"}


def plan(**env: str) -> Plan:
    """A plan of a snapshot's run."""
    return Plan(
        RunId("0123456789"), "batch", "rvexp-0123456789-x", "sha256:" + "1" * 64, ("true",), env={**TOLD, **env}
    )


def test_addresses_for_others() -> None:
    """Passwords go, the short form of ssh becomes a URL, folders of this machine are nobody's business."""
    assert for_others("https://ada:secret@example.org/x.git?t=1") == "https://example.org/x.git"
    assert for_others("git@example.org:team/x.git") == "ssh://git@example.org/team/x.git"
    assert [for_others(u) for u in ("/srv/x.git", "../x.git", "file:///srv/x.git", "./a:b")] == [""] * 4


def test_what_the_definition_sets_is_left_alone(clone: Clone) -> None:
    """Variables and secrets of the job definition win over ours: an override would replace them."""
    container = {
        "image": "x@sha256:1",
        "environment": [{"name": "WANDB_NAME", "value": "theirs"}],
        "secrets": [{"name": "WANDB_NOTES", "valueFrom": "arn:aws:x"}],
    }
    made = linked(Notebook(clone).context, plan(), {"containerProperties": container})
    assert made.extra["links"] == ["MLFLOW_RUN_CONTEXT", "WANDB_GIT_COMMIT"]
    assert json.loads(made.env["MLFLOW_RUN_CONTEXT"])["mlflow.runName"] == "first-0123456789"


def test_nothing_names_a_run_without_a_snapshot(clone: Clone) -> None:
    """What the plain definition runs is no snapshot's code."""
    bare = plan(RVEXP_TAG="")
    assert linked(Notebook(clone).context, bare) == bare


def test_links_are_renewed_and_never_added(clone: Clone) -> None:
    """A repeat of a run without links gets none; the user's own variables stay in either case."""
    context = Notebook(clone).context
    assert relinked(context, plan()) == plan()
    first = linked(context, plan(WANDB_NAME="mine"))
    again = relinked(context, Plan.from_fields({**first.fields(), "env": {**first.env, "RVEXP_RUN": "9876543210"}}))
    assert again.env["WANDB_NAME"] == "mine"
    assert json.loads(again.env["MLFLOW_RUN_CONTEXT"])["mlflow.runName"] == "first-9876543210"
    assert again.extra["links"] == first.extra["links"]
