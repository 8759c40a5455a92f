"""The values that travel between the floors: resources, images, plans, jobs.

A Plan is the complete, frozen description of one run. `submit` makes it, the record stores it, `--dry-run`
prints it and `repeat` loads it; nothing else is needed to do the run again.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from git_rvexp.errors import UsageError
from git_rvexp.names import Digest, RunId
from git_rvexp.terms import Json, Phase, Snapshot

__all__ = ["Image", "JobState", "Json", "Phase", "Plan", "Resources", "Snapshot"]


@dataclass(frozen=True)
class Image:
    """A built image. `ref` is what a run uses: `repository@sha256:…`, or the image id when it lives in an engine."""

    ref: str
    image_id: Digest
    platform: str
    tag: str = ""

    @property
    def in_registry(self) -> bool:
        """Whether others can pull it (the reference holds a manifest digest)."""
        return "@" in self.ref


@dataclass(frozen=True)
class Resources:
    """What a run asks for. memory is in MiB; 0 means the executor's or the definition's own default."""

    vcpus: float = 0
    memory: int = 0
    gpus: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no amount: negative numbers, infinity and nan (UsageError)."""
        if not all(0 <= amount < math.inf for amount in (self.vcpus, self.memory, self.gpus)):
            raise UsageError("vcpus, memory and gpus must be 0 or more, and finite")


@dataclass(frozen=True)
class Plan:
    """One run, frozen. `definition` is `arn:…:revision` on Batch and empty on docker; `timeout` is in seconds.

    `after` and `after_each` hold the ids of the runs that have to succeed first; `after_each` lets the child with
    index i of an array wait for the child i of that array only, `sequential` for its own child i - 1. An executor is
    handed their jobs' ids in the same places.
    """

    run: RunId
    executor: str
    job_name: str
    image: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    resources: Resources = field(default_factory=Resources)
    timeout: int = 0
    attempts: int = 1
    queue: str = ""
    definition: str = ""
    account: str = ""
    region: str = ""
    array: int = 0
    after: tuple[str, ...] = ()
    after_each: tuple[str, ...] = ()
    sequential: bool = False
    secret_env: tuple[str, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)

    @property
    def parents(self) -> tuple[str, ...]:
        """Everything that has to succeed first, of both kinds."""
        return self.after + self.after_each

    def fields(self) -> dict[str, Json]:
        """The plan as the fields of a `planned` event; empty ones are left out, and 0 where it says nothing."""
        told = {k: v for k, v in self.whole().items() if v not in ("", [], {}, None)}
        return {k: v for k, v in told.items() if v != 0 or k in _MEANT_AS_ZERO}

    def whole(self) -> dict[str, Json]:
        """Every field by its name in the record, empty ones too."""
        return {
            "run": str(self.run),
            "executor": self.executor,
            "job_name": self.job_name,
            "image": self.image,
            "queue": self.queue,
            "definition": self.definition,
            "account": self.account,
            "region": self.region,
            "command": list(self.command),
            "env": dict(self.env),
            "secret_env": list(self.secret_env),
            "seed": self.seed,
            "vcpus": self.resources.vcpus,
            "memory": self.resources.memory,
            "gpus": self.resources.gpus,
            "timeout": self.timeout,
            "attempts": self.attempts,
            "array": self.array,
            "after": list(self.after),
            "after_each": list(self.after_each),
            "sequential": self.sequential,
            **self.extra,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Json]) -> "Plan":
        """The plan that `fields()` described. UsageError when a needed field is missing or has another type."""
        try:
            return cls(
                run=RunId(fields["run"]),
                executor=str(fields["executor"]),
                job_name=str(fields["job_name"]),
                image=str(fields["image"]),
                command=tuple(str(w) for w in fields["command"]),
                env={str(k): str(v) for k, v in fields.get("env", {}).items()},
                seed=fields.get("seed"),
                resources=Resources(fields.get("vcpus", 0), fields.get("memory", 0), fields.get("gpus", 0)),
                timeout=int(fields.get("timeout", 0)),
                attempts=int(fields.get("attempts", 1)),
                queue=str(fields.get("queue", "")),
                definition=str(fields.get("definition", "")),
                account=str(fields.get("account", "")),
                region=str(fields.get("region", "")),
                array=int(fields.get("array", 0)),
                after=tuple(str(a) for a in fields.get("after", [])),
                after_each=tuple(str(a) for a in fields.get("after_each", [])),
                sequential=bool(fields.get("sequential", False)),
                secret_env=tuple(str(n) for n in fields.get("secret_env", [])),
                extra={k: v for k, v in fields.items() if k not in _PLAN_FIELDS},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            raise UsageError(f"the record holds a plan that cannot be read: {why!r}") from why


_MEANT_AS_ZERO = ("seed", "tolerance")
_PLAN_FIELDS = frozenset(Plan(RunId("0" * 10), "x", "x", "x", ("x",)).whole())


@dataclass(frozen=True)
class JobState:
    """What the executor says of a job now. Times are UTC epoch seconds; `exit_code` is None while unknown."""

    job: str
    phase: Phase
    exit_code: int | None = None
    reason: str = ""
    started: float | None = None
    stopped: float | None = None
    details: Mapping[str, Json] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """Wall time: as it was recorded, else between start and stop, which a record has cut to milliseconds."""
        recorded = self.details.get("seconds")
        if isinstance(recorded, int | float):
            return recorded
        if self.started is None or self.stopped is None:
            return None
        return round(self.stopped - self.started, 3)
