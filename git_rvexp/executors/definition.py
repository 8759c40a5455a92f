"""Batch job definitions as values: derived from a base or made new, pinned to one image, named by their content.

Batch cannot change the image of a job at submit time, so each image gets a definition. Pure functions; describing and
registering is `workflow.defining`'s business.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Image, Json, Resources
from git_rvexp.names import TagName, mapped

# What DescribeJobDefinitions says beyond what RegisterJobDefinition takes (compared in botocore's models).
_SERVER_SIDE = ("jobDefinitionArn", "revision", "status", "containerOrchestrationType")
_NAME_LIMIT = 128
_HASH = 12


@dataclass(frozen=True)
class Definition:
    """A job definition in force: `arn:…:revision`, its name, the body it was registered with."""

    arn: str
    name: str
    body: Mapping[str, Json]
    registered: bool = False


@dataclass(frozen=True)
class Place:
    """Where a definition names an image: `holder["image"]`, in the container called `name`, among those of `group`."""

    group: str
    name: str
    holder: dict[str, Any]

    @property
    def image(self) -> str:
        """The image named there."""
        return str(self.holder.get("image", ""))


def places(body: Mapping[str, Json]) -> list[Place]:
    """Every place where `body` names an image; containers of one task, pod or node range share a group."""
    return list(_places(body, ""))


def derive(base: Mapping[str, Json], image: Image, tags: Mapping[str, str], *, container: str = "") -> dict[str, Json]:
    """What to register for `image`: the described `base` with the image swapped, less what the server adds.

    Where a task or pod has several containers, the one called `container` is swapped, else the only one whose image
    comes from the same repository. UsageError when that leaves a choice.
    """
    body = registrable(base)
    groups: dict[str, list[Place]] = {}
    for place in places(body):
        groups.setdefault(place.group, []).append(place)
    if not groups:
        raise UsageError(f"the job definition {base.get('jobDefinitionName')} names no image that could be replaced")
    for group in groups.values():
        _chosen(group, image, container).holder["image"] = image.ref
    # aws: is reserved for AWS's own tags (CloudFormation sets them); registering with one is refused.
    theirs = {k: v for k, v in (body.get("tags") or {}).items() if not k.lower().startswith("aws:")}
    body["tags"] = {**theirs, **tags}
    return body


def registrable(described: Mapping[str, Json]) -> dict[str, Json]:
    """A described definition as a copy that can be registered: no name, no nulls, nothing that the server adds."""
    kept = {k: v for k, v in described.items() if k not in _SERVER_SIDE and k != "jobDefinitionName"}
    return dict(_without_nulls(kept))


def make(image: Image, tags: Mapping[str, str], resources: Resources, roles: Mapping[str, str]) -> dict[str, Json]:
    """What to register where there is no base. `roles` may hold jobRoleArn and executionRoleArn.

    Batch wants vcpus and memory in every definition: where the settings leave them at 0 it is 1 vCPU and 2048 MiB.
    """
    wanted = {"VCPU": f"{resources.vcpus or 1:g}", "MEMORY": str(resources.memory or 2048)}
    if resources.gpus:
        wanted["GPU"] = str(resources.gpus)
    container = {
        "image": image.ref,
        "resourceRequirements": [{"type": kind, "value": amount} for kind, amount in wanted.items()],
        **{key: arn for key, arn in roles.items() if arn},
    }
    return {
        "type": "container",
        "platformCapabilities": ["EC2"],
        "containerProperties": container,
        "tags": dict(tags),
    }


def name_for(tag: TagName, body: Mapping[str, Json]) -> str:
    """The definition's name: the snapshot's, mapped, and the start of the body's hash; at most 128 characters."""
    return f"{mapped(str(tag), limit=_NAME_LIMIT - 1 - _HASH)}-{content_hash(body)[:_HASH]}"


def content_hash(body: Mapping[str, Json]) -> str:
    """sha256 of the canonical body, in hexadecimal."""
    return hashlib.sha256(json.dumps(canonical(body), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def canonical(body: Json) -> Json:
    """`body` without what says nothing: nulls, empty lists and empty maps, which Batch adds and drops at will."""
    if isinstance(body, Mapping):
        inner = {k: canonical(v) for k, v in body.items() if k not in _SERVER_SIDE and k != "jobDefinitionName"}
        return {k: v for k, v in inner.items() if v not in (None, {}, [])}
    if isinstance(body, list):
        items = [canonical(v) for v in body]
        named = all(isinstance(i, dict) and ("name" in i or "type" in i) for i in items)
        return sorted(items, key=lambda i: str(i.get("name", i.get("type")))) if named else items
    return body


def unpinned(body: Mapping[str, Json]) -> list[str]:
    """Images in `body` that can change their content under their name (no digest)."""
    return sorted({p.image for p in places(body) if "@sha256:" not in p.image})


def holds_only(body: Mapping[str, Json], image: str) -> bool:
    """Whether `body` already runs exactly `image` (a reference by digest) and nothing else."""
    found = {p.image for p in places(body)}
    return found == {image} and "@sha256:" in image


def differences(asked: Json, found: Json) -> tuple[list[str], list[str]]:
    """Paths at which `found` lacks or changes what was `asked`, and paths that `found` has beyond it.

    Defaults that Batch fills in, and tags that others have added, are no difference.
    """
    changed: list[str] = []
    added: list[str] = []
    _compare(canonical(asked), canonical(found), "", changed, added)
    return changed, [path for path in added if path not in _FILLED_IN and not path.startswith("tags.")]


# Members that Batch describes with its own default when they were left out.
_FILLED_IN = frozenset(
    {
        "propagateTags",
        "platformCapabilities",
        "containerProperties.fargatePlatformConfiguration",
        "containerProperties.networkConfiguration",
        "containerProperties.runtimePlatform",
        "containerProperties.enableExecuteCommand",
        "retryStrategy",
    }
)


def _compare(asked: Json, found: Json, path: str, changed: list[str], added: list[str]) -> None:
    if isinstance(asked, dict) and isinstance(found, dict):
        for key in sorted({*asked, *found}):
            where = f"{path}.{key}" if path else key
            if key not in found:
                changed.append(where)
            elif key not in asked:
                added.append(where)
            else:
                _compare(asked[key], found[key], where, changed, added)
    elif isinstance(asked, list) and isinstance(found, list) and len(asked) == len(found):
        for ours, theirs in zip(asked, found, strict=True):
            _compare(ours, theirs, f"{path}[]", changed, added)
    elif asked != found:
        changed.append(path)


def _without_nulls(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


def _places(body: Mapping[str, Json], prefix: str) -> Iterator[Place]:
    for key in ("containerProperties", "container"):
        if body.get(key):
            yield Place(prefix + key, "", body[key])
    for number, task in enumerate((body.get("ecsProperties") or {}).get("taskProperties") or []):
        for container in task.get("containers") or []:
            yield Place(f"{prefix}ecs{number}", container.get("name", ""), container)
    pod = (body.get("eksProperties") or {}).get("podProperties") or {}
    for container in [*(pod.get("containers") or []), *(pod.get("initContainers") or [])]:
        yield Place(f"{prefix}eks", container.get("name", ""), container)
    for number, nodes in enumerate((body.get("nodeProperties") or {}).get("nodeRangeProperties") or []):
        yield from _places(nodes, f"{prefix}node{number}.")


def _chosen(group: list[Place], image: Image, container: str) -> Place:
    if len(group) == 1:
        return group[0]
    if container:
        chosen = [p for p in group if p.name == container]
    else:
        chosen = [p for p in group if repository(p.image) == repository(image.ref)]
    if len(chosen) == 1:
        return chosen[0]
    listed = ", ".join(f"{p.name or '(no name)'} ({p.image})" for p in group)
    raise UsageError(
        f"the job definition has several containers, and it is not clear which of them runs the experiment\n  {listed}",
        hint="let one of them name an image of the repository in ecr_repo",
    )


def repository(image: str) -> str:
    """The repository part of an image reference, registry included."""
    head, _, last = image.partition("@")[0].rpartition("/")
    return f"{head}/{last.partition(':')[0]}" if head else last.partition(":")[0]


def refuse_unknown(paths: list[str], base: str) -> None:
    """RvexpError when a described definition has members (`paths`) that this botocore would lose in a copy."""
    if paths:
        raise RvexpError(
            f"the job definition {base} has settings that the installed botocore does not know: {', '.join(paths)}\n"
            "  a copy would lose them",
            hint="pip install --upgrade botocore",
        )
