"""What a Workflow Run Crate (profile 0.5) has beside the crate of its steps: the chain as a workflow, run as a whole.

The workflow is the chain's file as the snapshot holds it, where that still says what was run; else the chain as the
record tells it. What each step read and wrote are the workflow's parameters. The steps' own actions stay as they are;
the order between them is in the file (the Provenance Run Crate's steps are not made). Source of the fields: the
profile's pages and its validator, which also asks for the Workflow RO-Crate profile 1.0.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.record.runs import Run
from git_rvexp.workflow.chain.file import parsed
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.exporting.subject import Subject, began, seconds

PROFILES = {
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
DONE = {True: "http://schema.org/CompletedActionStatus", False: "http://schema.org/FailedActionStatus"}
_ACTIVE = "http://schema.org/ActiveActionStatus"
_LANGUAGE = "#chain-language"
_TOLD = "chain.json"
Entity = dict[str, Any]


@dataclass(frozen=True)
class File:
    """The file in the crate that is the workflow: its name there, its content, and the content's type."""

    name: str
    content: bytes
    kind: str

    @property
    def id(self) -> str:
        """Its name as a relative address."""
        return quote(self.name)


def file(subject: Subject, chain: Chain, taken: tuple[str, ...]) -> File:
    """The chain's file from the snapshot, or one from the record; never one of the names that are `taken`."""
    found = _kept(subject, chain)
    if found is not None and chain.file not in taken:
        return File(chain.file, found, "application/toml")
    steps = [{k: v for k, v in step.items() if k in ("step", "array", "after")} for step in chain.fields()["steps"]]
    told = [{**step, "command": list(run.plan.command)} for step, run in zip(steps, chain.runs.values(), strict=True)]
    text = json.dumps({"chain": chain.name, "steps": told}, indent=2) + "\n"
    return File(_TOLD, text.encode(), "application/json")


def _kept(subject: Subject, chain: Chain) -> bytes | None:
    """The file's bytes in the snapshot; None where it has none, or one that says something else than what was run."""
    objects = Objects.of(subject.context.repo)
    entry = objects.at(subject.snapshot.tree, chain.file) if chain.file else None
    if entry is None or not entry.size:
        return None
    content = objects.blob(entry)
    try:
        steps = parsed(content.decode(), chain.file)
    except (RvexpError, ValueError):
        return None
    said, ran = ({(s.name, s.command, s.array, frozenset(s.parents)) for s in of} for of in (steps, chain.steps))
    return content if said == ran else None


@dataclass(frozen=True)
class Parameter:
    """Something a step reads or wrote: the parameter of the workflow, and what it was in this run."""

    formal: Entity
    actual: Entity


def parameters(chain: Chain, parts: Mapping[str, Mapping[str, list[Entity]]], way: str) -> list[Parameter]:
    """Those of all steps; `parts`: run -> place -> the entities of its files, and `way` is `in` or `out`."""
    return [
        _parameter(f"{step}-{way}-{number}", f"{step}: {place}", place, files)
        for step, run in chain.runs.items()
        for number, (place, files) in enumerate(parts.get(run.run, {}).items(), start=1)
    ]


def _parameter(mark: str, name: str, place: str, files: list[Entity]) -> Parameter:
    formal: Entity = {
        "@id": f"#parameter-{mark}",
        "@type": "FormalParameter",
        "additionalType": "Collection",
        "name": name,
        "workExample": {"@id": f"#actual-{mark}"},
    }
    actual: Entity = {
        "@id": f"#actual-{mark}",
        "@type": "Collection",
        "name": place,
        "exampleOfWork": {"@id": formal["@id"]},
        "hasPart": [{"@id": each["@id"]} for each in files],
    }
    return Parameter(formal, actual)


def entities(
    subject: Subject, chain: Chain, main: File, read: list[Parameter], written: list[Parameter]
) -> Iterator[Entity]:
    """The workflow, its language, its run as a whole (first the action), and its parameters."""
    yield _action(chain, main, read, written)
    yield {
        "@id": main.id,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": f"the chain of {subject.tag}",
        "encodingFormat": main.kind,
        "contentSize": str(len(main.content)),
        "programmingLanguage": {"@id": _LANGUAGE},
        "version": subject.snapshot.commit,
        "input": [{"@id": each.formal["@id"]} for each in read],
        "output": [{"@id": each.formal["@id"]} for each in written],
    }
    yield {"@id": _LANGUAGE, "@type": "ComputerLanguage", "name": "chain of git rvexp"}
    for each in (*read, *written):
        yield from (each.formal, each.actual)


def _action(chain: Chain, main: File, read: list[Parameter], written: list[Parameter]) -> Entity:
    runs = list(chain.runs.values())
    action: Entity = {
        "@id": f"#chain-{chain.name}",
        "@type": "CreateAction",
        "name": f"chain {chain.name} on {chain.executor}",
        "description": "; ".join(f"{step}: {_word(run)}" for step, run in chain.runs.items()),
        "instrument": {"@id": main.id},
        "agent": {"@id": "#author"},
        "startTime": seconds(min(map(began, [run for run in runs if run.first("ended")] or runs))),
        "actionStatus": DONE[chain.succeeded] if chain.over else _ACTIVE,
        "object": [{"@id": each.actual["@id"]} for each in read],
        "result": [{"@id": each.actual["@id"]} for each in written],
    }
    ends = [ended.time for run in runs if (ended := run.first("ended"))]
    if chain.over and ends:
        action["endTime"] = seconds(max(ends))
    if chain.over and not chain.succeeded:
        action["error"] = "; ".join(f"step {s} is {_word(r)}" for s, r in chain.runs.items() if r.word != "ok")
    return {key: value for key, value in action.items() if value != []}


def _word(run: Run) -> str:
    return f"run {run.run} {run.word}"
