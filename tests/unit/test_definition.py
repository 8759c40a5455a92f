"""Deriving job definitions, on bodies in which every member of every shape of botocore's model is filled."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from git_rvexp import aws
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors import definition as defs
from git_rvexp.model import Image, Resources
from git_rvexp.names import Digest, TagName

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/experiments"
IMAGE = Image(f"{REPOSITORY}@sha256:{'ab' * 32}", Digest("sha256:" + "cd" * 32), "linux/amd64")
KINDS = ("containerProperties", "ecsProperties", "eksProperties", "nodeProperties")
TAG = TagName("al", "roads", "2026-11-22", "first")


@cache
def _model() -> Any:
    return ServiceModel(Loader().load_service_model("batch", "service-2"), service_name="batch")


def _filled(shape: Any, path: str) -> Json:
    """A value of `shape` with every member present; strings say where they stand, so that none equals another."""
    match shape.type_name:
        case "structure":
            return {name: _filled(member, f"{path}.{name}") for name, member in shape.members.items()}
        case "list":
            return [_filled(shape.member, f"{path}.0")]
        case "map":
            return {f"{path}.key": _filled(shape.value, f"{path}.value")}
        case "string":
            return path
        case "boolean":
            return True
    return 7


def described(*kinds: str) -> Json:
    """A definition as DescribeJobDefinitions would show it, with all members but the `kinds` not asked for."""
    whole = _filled(_model().shape_for("JobDefinition"), "d")
    return {k: v for k, v in whole.items() if k not in KINDS or k in kinds}


def images(body: Json) -> list[str]:
    """Every value under a key called image, however deep."""
    if isinstance(body, dict):
        own = [v for k, v in body.items() if k == "image"]
        return own + [i for k, v in body.items() if k != "image" for i in images(v)]
    return [i for v in body for i in images(v)] if isinstance(body, list) else []


def leaves(body: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value that is no map and no list."""
    if isinstance(body, dict | list):
        for key, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from leaves(value, (*path, key))
    else:
        yield path


def without_images(body: Json) -> Json:
    """`body` with every image blanked."""
    if isinstance(body, dict):
        return {k: "" if k == "image" else without_images(v) for k, v in body.items()}
    return [without_images(v) for v in body] if isinstance(body, list) else body


def init_container_of(kinds: tuple[str, ...]) -> str:
    """The name by which the generated pods' first container is chosen (theirs has a path for a name)."""
    return "main" if {"eksProperties", "nodeProperties"} & set(kinds) else ""


def named(base: Json) -> Json:
    """`base` with the generated pods' own container called main."""
    pods = [base.get("eksProperties", {}).get("podProperties")]
    pods += [r["eksProperties"]["podProperties"] for r in base.get("nodeProperties", {}).get("nodeRangeProperties", [])]
    for pod in filter(None, pods):
        pod["containers"][0]["name"] = "main"
    return base


@pytest.mark.parametrize("kinds", [(k,) for k in KINDS] + [KINDS], ids="+".join)
def test_a_derived_definition_differs_in_image_and_tags_only(kinds: tuple[str, ...]) -> None:
    """Whatever a base holds is carried over, in every shape; nothing of it is changed in place."""
    base = named(described(*kinds))
    before = copy.deepcopy(base)
    body = defs.derive(base, IMAGE, {"rvexp:tag": "t"}, container=init_container_of(kinds))
    assert base == before
    assert aws.unknown_members("batch", "RegisterJobDefinition", body) == []
    shape = _model().operation_model("RegisterJobDefinition").input_shape
    report = ParamValidator().validate({"jobDefinitionName": "n", **body}, shape)
    assert not report.has_errors(), report.generate_report()
    kept = {k: v for k, v in before.items() if k in shape.members and k not in ("tags", "jobDefinitionName")}
    assert without_images({k: v for k, v in body.items() if k != "tags"}) == without_images(kept)
    assert body["tags"] == {**before["tags"], "rvexp:tag": "t"}


def test_all_eight_places_of_an_image_are_found() -> None:
    """A walk that knows nothing of the shapes finds no image that `places` does not."""
    base = described(*KINDS)
    found = [p.image for p in defs.places(base)]
    assert sorted(found) == sorted(images(base))
    assert len(found) == 8


def test_the_image_is_swapped_in_every_group_and_in_the_named_container_only() -> None:
    """Of a pod's containers the one asked for runs the experiment; its init container keeps its image."""
    body = defs.derive(named(described(*KINDS)), IMAGE, {}, container="main")
    swapped = [p for p in defs.places(body) if p.image == IMAGE.ref]
    assert len(swapped) == 6
    assert {p.name for p in defs.places(body) if p.image != IMAGE.ref and "eks" in p.group} == {
        "d.eksProperties.podProperties.initContainers.0.name",
        "d.nodeProperties.nodeRangeProperties.0.eksProperties.podProperties.initContainers.0.name",
    }


def test_of_several_containers_the_one_from_our_repository_is_swapped() -> None:
    """A sidecar from elsewhere stays, and is reported when it is not pinned."""
    containers = [{"name": "sidecar", "image": "logs:1"}, {"name": "train", "image": f"{REPOSITORY}:latest"}]
    body = defs.derive({"ecsProperties": {"taskProperties": [{"containers": containers}]}}, IMAGE, {})
    assert images(body) == ["logs:1", IMAGE.ref]
    assert defs.unpinned(body) == ["logs:1"]


def test_a_choice_of_containers_is_refused() -> None:
    """Which of two strangers runs the experiment is not guessed."""
    containers = [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}]
    with pytest.raises(UsageError, match=r"not clear which.*\n.*a \(x:1\), b \(y:1\)"):
        defs.derive({"ecsProperties": {"taskProperties": [{"containers": containers}]}}, IMAGE, {})


def test_a_definition_without_an_image_cannot_be_a_base() -> None:
    """There is nothing to swap in it."""
    with pytest.raises(UsageError, match="names no image"):
        defs.derive({"jobDefinitionName": "odd", "type": "container"}, IMAGE, {})


def test_what_the_server_adds_is_what_the_models_say() -> None:
    """The members to drop are exactly those that can be described and not registered; a new botocore may add some."""
    model = _model()
    shown = set(model.shape_for("JobDefinition").members)
    taken = set(model.operation_model("RegisterJobDefinition").input_shape.members)
    assert set(defs.registrable(described(*KINDS))) == (shown & taken) - {"jobDefinitionName"}


def test_tags_of_aws_itself_are_left_behind() -> None:
    """CloudFormation's tags would make the registration fail."""
    base = {**described("containerProperties"), "tags": {"aws:cloudformation:stack-name": "s", "team": "maps"}}
    assert defs.derive(base, IMAGE, {"rvexp:tag": "t"})["tags"] == {"team": "maps", "rvexp:tag": "t"}


def test_nulls_are_left_behind() -> None:
    """JSON of the wire may hold nulls, which cannot be registered."""
    base = {"type": "container", "timeout": None, "containerProperties": {"image": "x", "user": None}}
    assert defs.derive(base, IMAGE, {}) == {
        "type": "container",
        "containerProperties": {"image": IMAGE.ref},
        "tags": {},
    }


def test_a_member_the_client_does_not_know_is_refused_with_its_path() -> None:
    """At any depth: a copy by an old botocore would lose it without a word."""
    body = described("containerProperties")
    body["containerProperties"]["linuxParameters"]["newThing"] = 1
    body["containerProperties"]["secrets"][0]["rotation"] = True
    found = aws.unknown_members("batch", "RegisterJobDefinition", defs.registrable(body))
    assert found == ["containerProperties.linuxParameters.newThing", "containerProperties.secrets[].rotation"]
    with pytest.raises(RvexpError, match=r"newThing.*\n.*lose") as caught:
        defs.refuse_unknown(found, "base")
    assert caught.value.hint == "pip install --upgrade botocore"


def test_every_changed_leaf_is_a_difference_and_a_new_hash() -> None:
    """No value of a definition can change without being seen."""
    body = defs.registrable(described(*KINDS))
    assert defs.differences(body, body) == ([], [])
    count = 0
    for path in leaves(body):
        other = copy.deepcopy(body)
        holder = other
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = "changed" if isinstance(holder[path[-1]], str) else not holder[path[-1]]
        assert defs.differences(body, other)[0], path
        assert defs.content_hash(other) != defs.content_hash(body), path
        count += 1
    assert count > 200


def test_what_says_nothing_makes_no_difference() -> None:
    """Batch describes empty lists that were never given, and orders environments as it likes."""
    asked = {"containerProperties": {"image": "x", "environment": [{"name": "A"}, {"name": "B", "value": ""}]}}
    kept = {
        "jobDefinitionArn": "arn:…:3",
        "parameters": {},
        "propagateTags": False,
        "containerProperties": {
            "environment": [{"name": "B", "value": ""}, {"name": "A"}],
            "image": "x",
            "volumes": [],
        },
    }
    assert defs.differences(asked, kept) == ([], [])
    assert defs.content_hash({**asked, "parameters": {}}) == defs.content_hash(asked)


def test_an_added_command_is_seen() -> None:
    """Somebody else's revision under our name may have more in it than ours."""
    asked = {"containerProperties": {"image": "x"}}
    kept = {"containerProperties": {"image": "x", "command": ["evil"]}}
    assert defs.differences(asked, kept) == ([], ["containerProperties.command"])


def test_the_order_of_a_command_counts() -> None:
    """Only lists of named things are taken as sets."""
    asked, kept = {"command": ["a", "b"]}, {"command": ["b", "a"]}
    assert defs.differences(asked, kept) == (["command[]", "command[]"], [])


def test_names_are_the_tags_and_fit() -> None:
    """Readable, of Batch's alphabet, at most 128 long, and another body is another name."""
    assert defs.name_for(TAG, {"a": 1}).startswith("al_roads_2026-11-22_first-")
    assert defs.name_for(TAG, {"a": 1}) != defs.name_for(TAG, {"a": 2})
    longest = TagName("a" * 40, "b" * 40, "2026-11-22", "c" * 40)
    name = defs.name_for(longest, {"a": 1})
    assert len(name) == 128
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_a_made_definition_can_be_registered() -> None:
    """Where there is no base, the settings say what it holds."""
    roles = {"jobRoleArn": "arn:aws:iam::1:role/job", "executionRoleArn": ""}
    body = defs.make(IMAGE, {"rvexp:tag": "t"}, Resources(0.5, 4096, 1), roles)
    assert body == {
        "type": "container",
        "platformCapabilities": ["EC2"],
        "containerProperties": {
            "image": IMAGE.ref,
            "resourceRequirements": [
                {"type": "VCPU", "value": "0.5"},
                {"type": "MEMORY", "value": "4096"},
                {"type": "GPU", "value": "1"},
            ],
            "jobRoleArn": "arn:aws:iam::1:role/job",
        },
        "tags": {"rvexp:tag": "t"},
    }


def test_a_base_that_already_runs_the_image_is_known() -> None:
    """Only by digest, and only when nothing else runs beside it."""
    mine = {"containerProperties": {"image": IMAGE.ref}}
    assert defs.holds_only(mine, IMAGE.ref)
    assert not defs.holds_only({"containerProperties": {"image": f"{REPOSITORY}:latest"}}, f"{REPOSITORY}:latest")
    assert not defs.holds_only({"containerProperties": {"image": "other"}}, IMAGE.ref)


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("localhost:5000/a/b:tag@sha256:00", "localhost:5000/a/b"),
        ("localhost:5000/a", "localhost:5000/a"),
        ("busybox:1", "busybox"),
    ],
)
def test_the_repository_of_a_reference(image: str, repository: str) -> None:
    """A registry's port is no tag."""
    assert defs.repository(image) == repository
