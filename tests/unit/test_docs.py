"""The documents: their commands exist, their files are there, their policies name what is really asked of AWS."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import botocore.session
import pytest
from botocore import xform_name

from git_rvexp.commands.manual.verbs import verbs
from git_rvexp.executors import docker_asking
from git_rvexp.model import Plan
from git_rvexp.names import RunId
from git_rvexp.workflow.building.engine import TAG
from tests.documents import MADE, NOT_TYPED, PAGES, ROOT, bare, blocks, overlooked

AWS = ROOT / "docs" / "aws"
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)")
_CODE = re.compile(r"`(git rvexp [^`]+)`")
_OURS = re.compile(r"(?:^|[`(])(?P<program>(?:dev|bench)/[a-z_]+)(?P<rest>[^`\n)#]*)", re.MULTILINE)
# Where the name of the permission is not that of the operation: Service Authorization Reference, S3 and logs.
_PERMISSION = {
    "s3:HeadObject": "s3:GetObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
}
# What the registry's own protocol asks of ECR; iam:PassRole and batch:TagResource come with registering a definition.
_BESIDE = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "iam:PassRole",
    "batch:TagResource",
    "s3:GetObjectVersion",
}
_FREE = {"sts:GetCallerIdentity"}  # needs no permission


def commands(text: str) -> Iterator[str]:
    """Every command of ours in a page: in blocks, in indented lines, between backticks."""
    for line in text.splitlines():
        found = re.match(r"^(?:\s{4}|\$ )?\s*(?:\$ )?(git rvexp .*|git -c \S+ rvexp .*)$", line)
        if found:
            yield found[1]
    for found in _CODE.finditer(text):
        yield found[1]


def words(command: str) -> list[str]:
    """What a shell would hand on, without a comment; up to a pipe or another command."""
    lexer = shlex.shlex(command.replace("…", "X"), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found = list(lexer)
    return found[: next((n for n, word in enumerate(found) if word in ("|", "||", "&&", ";", ">")), len(found))]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_is_typed_by_a_test(page: str) -> None:
    """Commands stand in `sh` and `console` blocks, which tests/integration/test_documents.py types."""
    assert overlooked(page) == []


def test_what_is_not_typed_is_there_and_says_where_it_is_run() -> None:
    """No exception outlives its line, and a reason that names a test names one that exists."""
    shown = {bare(line) for page in PAGES for block in blocks(page) for line in block.text.splitlines()}
    assert NOT_TYPED.keys() <= shown
    named = [reason.partition("::") for reason in NOT_TYPED.values() if reason.startswith("tests/")]
    assert named
    assert all(f"def {test}" in (ROOT / path).read_text() for path, _, test in named)


@pytest.mark.parametrize("page", PAGES)
def test_programs_for_developers_exist_with_their_options(page: str) -> None:
    """`dev/…` and `bench/…`, also in running text."""
    for found in _OURS.finditer((ROOT / page).read_text()):
        sources = [ROOT / found["program"], *(ROOT / "dev" / "stacklib").glob("*.py"), *(ROOT / "bench").glob("*.py")]
        assert sources[0].is_file(), found[0]
        known = "".join(source.read_text() for source in sources)
        assert [w for w in found["rest"].split() if w.startswith("--") and f'"{w}"' not in known] == [], found[0]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str) -> None:
    """Its verb and each of its options are the program's own."""
    known = {verb.name: set(verb.flags) for verb in verbs()}
    wrong = []
    for command in commands((ROOT / page).read_text()):
        given = words(command)
        verb, *rest = given[given.index("rvexp") + 1 :]
        if verb.startswith("-") or "|" in verb or verb == "VERB":
            continue
        ours = rest[: rest.index("--")] if "--" in rest else rest
        flags = {w.partition("=")[0].strip("[]") for w in ours if w.startswith("-") and len(w) > 1}
        if verb not in known or flags - known[verb]:
            wrong.append(command)
    assert wrong == []


@pytest.mark.parametrize("page", [*PAGES, *MADE])
def test_every_link_leads_somewhere(page: str) -> None:
    """Files of the project, from where the page stands."""
    targets = [found["path"] for found in _LINK.finditer((ROOT / page).read_text())]
    assert [t for t in targets if not (ROOT / page).parent.joinpath(t).exists()] == []


def test_every_page_is_on_the_site() -> None:
    """index.md names each of them once."""
    index = (ROOT / "docs" / "index.md").read_text()
    listed = re.findall(r"^([a-z][a-z0-9-]*)$", index, re.MULTILINE)
    assert sorted(listed) == sorted(p.stem for p in (ROOT / "docs").glob("*.md") if p.stem != "index")


def test_what_is_cleaned_up_is_found_by_the_labels_it_has() -> None:
    """Of containers, images and volumes, as they are made."""
    run = RunId.new()
    made = docker_asking.volume(Plan(run, "docker", "x", "i", ("true",), extra={"shared": "x", "chain": "c"}))
    shown = set(re.findall(r"label=([a-z.-]+)", (ROOT / "docs" / "disk.md").read_text()))
    assert shown == {docker_asking.RUN, TAG, *made["VolumeOptions"]["Labels"]}


def test_the_picture_asks_nothing_of_the_network() -> None:
    """It is one file of drawing: no font, style, image or script from elsewhere."""
    text = (ROOT / "docs" / "first-minutes.svg").read_text()
    ET.fromstring(text)
    assert not re.search(r"""url\((?!#)|href=["'](?!#)|@import|<script|<image""", text)


def policy(name: str) -> dict[str, Any]:
    """One of the policies, as IAM would read it."""
    found: dict[str, Any] = json.loads((AWS / f"{name}.json").read_text())
    return found


def actions(document: dict[str, Any], effect: str = "Allow") -> set[str]:
    """All actions of the policy's statements."""
    return {action for s in document["Statement"] if s["Effect"] == effect for action in s["Action"]}


def asked() -> set[str]:
    """The permissions behind every AWS operation that the package's code names."""
    session = botocore.session.get_session()
    named: dict[str, set[str]] = {}
    for service in ("batch", "ecr", "s3", "logs", "sts"):
        for operation in session.get_service_model(service).operation_names:
            named.setdefault(xform_name(operation), set()).add(f"{service}:{operation}")
    found: set[str] = set()
    for path in (ROOT / "git_rvexp").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                found |= named.get(node.attr, set())
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "_" in node.value:
                found |= named.get(node.value, set())
    return {_PERMISSION.get(operation, operation) for operation in found} - _FREE


def test_the_policy_is_what_the_program_asks_and_no_more() -> None:
    """Of both sides: an operation without a permission fails people, a permission without a use endangers them."""
    assert actions(policy("experimenter")) == asked() | _BESIDE


def test_a_reader_can_change_nothing() -> None:
    """Every action of the reader's looks, and the experimenter may do all of it."""
    looking = actions(policy("reader"))
    assert looking <= actions(policy("experimenter"))
    assert all(re.search(r":(Get|BatchGet|BatchCheck|Describe|List)", action) for action in looking)


def test_what_stays_is_never_needed() -> None:
    """The denial takes nothing away that the program uses."""
    denied = actions(policy("keep"), "Deny")
    assert denied
    assert not denied & actions(policy("experimenter"))
    assert all(re.search(r":(BatchDelete|Delete|Deregister|Put)", action) for action in denied)


def test_policies_name_one_place_each() -> None:
    """No statement that changes something has `*` for its resource; no action has a wildcard."""
    for statement in policy("experimenter")["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if statement["Resource"] == "*":
            assert all(re.search(r":(Get|Describe|List)", action) for action in statement["Action"])
