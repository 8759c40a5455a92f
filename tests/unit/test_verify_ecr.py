"""What ECR has in store for an image: rules worked out here, and ECR's answers from a real server on loopback."""

import datetime as dt
import json
import os
from typing import Any

import pytest

from git_rvexp.commands.session import Session
from git_rvexp.output import Speaker
from git_rvexp.workflow.verifying.ecr import absent, lasting
from git_rvexp.workflow.verifying.expiry import fate
from git_rvexp.workflow.verifying.link import State
from git_rvexp.workflow.verifying.outside import Outside
from tests.conftest import Clone
from tests.unit.serving import Asked, Reply, Serving

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
PUSHED = dt.datetime(2026, 11, 20, tzinfo=dt.UTC).timestamp()
REF = "123456789012.dkr.ecr.us-east-1.amazonaws.com/lab/exp@sha256:" + "ab" * 32


def rule(status: str, priority: int = 1, **more: Any) -> dict[str, Any]:
    """A rule that expires 14 days after the push."""
    count = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    return {"rulePriority": priority, "selection": {"tagStatus": status, **count, **more}, "action": {"type": "expire"}}


KEEP = rule("tagged", tagPatternList=["keep*"], countType="imageCountMoreThan", countNumber=9999)


@pytest.mark.parametrize(
    ("rules", "tags", "says"),
    [
        ([], ["al_roads"], ""),
        ([rule("any")], ["al_roads"], "rule 1 expires it 14 days after its push: on 2026-12-04"),
        ([rule("untagged")], ["al_roads"], ""),
        ([rule("untagged")], [], "on 2026-12-04"),
        ([rule("untagged", countNumber=1)], [], "any moment"),
        ([rule("tagged", tagPrefixList=["al_"])], ["al_roads"], "on 2026-12-04"),
        ([rule("tagged", tagPrefixList=["al_"])], ["bo_roads"], ""),
        ([rule("tagged", tagPrefixList=["al_", "keep"])], ["al_roads"], ""),
        ([rule("tagged", tagPrefixList=["al_", "keep"])], ["al_roads", "keep1"], "on 2026-12-04"),
        ([rule("tagged", tagPatternList=["*_roads*"])], ["al_roads_x"], "on 2026-12-04"),
        ([rule("tagged", tagPatternList=["*.roads"])], ["al_roads"], ""),
        ([rule("any", 9), rule("untagged", 1)], ["al_roads"], "rule 9 expires it"),
        ([rule("any", 9), {**KEEP, "rulePriority": 2}], ["keep-this"], "rule 2 expires it once there are 9999 newer"),
        ([rule("any", countType="sinceImagePulled")], ["x"], "expires it 14 days after its last pull"),
        ([{**rule("any"), "action": {"type": "transition"}}], ["x"], "archives it, after which it cannot be pulled"),
    ],
)
def test_first_rule_that_selects_the_image_decides(rules: list[Any], tags: list[str], says: str) -> None:
    """By priority; several prefixes must all be met; the date follows from the push."""
    told = fate(rules, tags, PUSHED, NOW)
    assert says in told
    assert bool(says) == bool(told)


class Ecr:
    """ECR's two answers."""

    def __init__(self, status: str = "ACTIVE", *, policy: str = "", denied: str = "") -> None:
        self.status, self.policy, self.denied = status, policy, denied
        self.filters: list[Any] = []

    def __call__(self, asked: Asked) -> Reply:
        """One request, told by its target header."""
        operation = asked.headers["x-amz-target"].rpartition(".")[2]
        if operation == self.denied:
            return self._refused("AccessDeniedException")
        if operation == "GetLifecyclePolicy":
            return self._policy()
        self.filters.append(json.loads(asked.body).get("filter"))
        detail = {"imageStatus": self.status, "imageTags": ["al_roads"], "imagePushedAt": PUSHED}
        return self._refused("ImageNotFoundException") if not self.status else self._said({"imageDetails": [detail]})

    def _policy(self) -> Reply:
        text = {"lifecyclePolicyText": self.policy}
        return self._said(text) if self.policy else self._refused("LifecyclePolicyNotFoundException")

    def _said(self, body: Any) -> Reply:
        return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1"})

    def _refused(self, name: str) -> Reply:
        return Reply(400, json.dumps({"__type": name, "message": "no"}).encode())


def outside(clone: Clone, server: Serving) -> Outside:
    """A clone whose AWS is the server."""
    clone.git("config", "rvexp.aws.endpoint-url", server.url)
    clone.git("config", "rvexp.aws.region", "us-east-1")
    return Outside(Session(os.environ, clone.path, Speaker.make(os.environ)).context)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.mark.parametrize(
    ("ecr", "state", "says"),
    [
        (Ecr(""), State.CHANGED, "is gone from the registry"),
        (Ecr("ARCHIVED"), State.CHANGED, "is ARCHIVED in ECR"),
        (Ecr(denied="DescribeImages"), State.UNKNOWN, "whether it was archived cannot be told"),
    ],
)
def test_image_that_cannot_be_pulled(clone: Clone, ecr: Ecr, state: State, says: str) -> None:
    """Gone, archived, and "we may not ask" are three answers."""
    with Serving(ecr) as server:
        link = absent(outside(clone, server), REF)
    assert (link.state, says in link.text) == (state, True)
    assert all(f == {"imageStatus": "ANY"} for f in ecr.filters)


def test_lifecycle_rules_are_a_hazard_or_none_or_unknown(clone: Clone) -> None:
    """A rule that will expire it changes nothing today; denied is never "no rules"."""
    policy = json.dumps({"rules": [rule("any")]})
    found = []
    for ecr in (Ecr(), Ecr(policy=policy), Ecr(denied="GetLifecyclePolicy"), Ecr(policy="no JSON")):
        with Serving(ecr) as server:
            found += lasting(outside(clone, server), REF)
    assert [(link.state, link.hazard) for link in found] == [
        (State.OK, False),
        (State.OK, True),
        (State.UNKNOWN, False),
        (State.UNKNOWN, False),
    ]
    assert "expires it 14 days after its push" in found[1].text


def test_other_registries_are_not_asked(clone: Clone) -> None:
    """They tell no rules, and gone is gone."""
    with Serving(Ecr()) as server:
        assert lasting(outside(clone, server), "localhost:5000/x@sha256:" + "ab" * 32) == []
        assert absent(outside(clone, server), "localhost:5000/x@sha256:" + "ab" * 32).state is State.CHANGED
        assert server.asked == []
