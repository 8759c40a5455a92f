"""Job definitions of the double: revisions, states, the ways a request may name one, and how they are described.

A registered body is independent of earlier revisions, and registering equal content makes a new revision, as in Batch.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.doubles.rules import demand

if TYPE_CHECKING:
    from tests.doubles.paging import Pager

Json = dict[str, Any]

# Batch describes these with an empty value when they were never given.
_EMPTY_LISTS = ("volumes", "environment", "mountPoints", "ulimits", "resourceRequirements", "secrets")


@dataclass
class Definition:
    """One revision; `body` is what was registered, less its tags."""

    name: str
    revision: int
    arn: str
    body: Json
    tags: dict[str, str]
    status: str = "ACTIVE"

    def describe(self, *, fill: bool) -> Json:
        """A JobDefinition; with `fill`, members that were left out come back empty, as Batch returns them."""
        body = copy.deepcopy(self.body)
        if fill:
            body.setdefault("parameters", {})
            for key in _EMPTY_LISTS if "containerProperties" in body else ():
                body["containerProperties"].setdefault(key, [])
            if "retryStrategy" in body:
                body["retryStrategy"].setdefault("evaluateOnExit", [])
        kind = "EKS" if "eksProperties" in body else "ECS"
        server = {"jobDefinitionArn": self.arn, "revision": self.revision, "status": self.status}
        return {**body, **server, "tags": dict(self.tags), "containerOrchestrationType": kind}


class Definitions:
    """All revisions of one account and region; `fill_defaults` is described at Definition.describe."""

    def __init__(self, prefix: str, pager: Pager) -> None:
        self.fill_defaults = True
        self.by_arn: dict[str, Definition] = {}
        self._prefix, self._pager = f"{prefix}:job-definition/", pager
        self._revisions: dict[str, int] = {}

    def register(self, params: Json) -> Definition:
        """The next revision under this name; the parameters are taken as already checked."""
        name = params["jobDefinitionName"]
        revision = self._revisions[name] = self._revisions.get(name, 0) + 1
        body = copy.deepcopy(params)
        tags = body.pop("tags", {})
        made = Definition(name, revision, f"{self._prefix}{name}:{revision}", body, tags)
        self.by_arn[made.arn] = made
        return made

    def exact(self, reference: str) -> Definition | None:
        """The revision meant by an ARN with revision or by `name:revision`."""
        return self.by_arn.get(reference if reference.startswith("arn:") else self._prefix + reference)

    def resolve(self, reference: str) -> Definition:
        """What SubmitJob runs: an ACTIVE revision, the newest ACTIVE one if none is given; refuses otherwise."""
        found = self.exact(reference)
        if found is None:
            name = reference.removeprefix(self._prefix)
            active = [each for each in self.by_arn.values() if each.name == name and each.status == "ACTIVE"]
            found = max(active, key=lambda each: each.revision, default=None)
        demand(found, f"JobDefinition {reference} does not exist")
        assert found is not None
        demand(found.status == "ACTIVE", f"JobDefinition {found.arn} is not in ACTIVE status")
        return found

    def deregister(self, reference: str) -> None:
        """Make a revision INACTIVE; it stays describable."""
        found = self.exact(reference)
        demand(found, f"JobDefinition {reference} does not exist")
        assert found is not None
        found.status = "INACTIVE"

    def describe(self, params: Json) -> Json:
        """DescribeJobDefinitions: by references alone, or by name and status with paging."""
        references = params.get("jobDefinitions")
        if references is not None:
            demand(len(params) == 1, "jobDefinitions can't be used with other parameters")
            demand(len(references) <= 100, "at most 100 job definitions can be described at once")
            found = {each.arn: each for each in map(self.exact, references) if each}
            return {"jobDefinitions": [each.describe(fill=self.fill_defaults) for each in found.values()]}
        demand(params.get("maxResults", 1) <= 100, "maxResults must be between 1 and 100")
        rows = [
            each.describe(fill=self.fill_defaults)
            for each in reversed(self.by_arn.values())
            if params.get("jobDefinitionName", each.name) == each.name
            and params.get("status", each.status) == each.status
        ]
        page, more = self._pager.page(rows, params, 100)
        return {"jobDefinitions": page, **more}
