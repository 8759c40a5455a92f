"""A Process Run Crate (profile 0.5, RO-Crate 1.1), of a chain a Workflow Run Crate: each run is an action on files.

The crate holds the record as a file; code, image and data are named by what identifies them and not copied. A run is a
CreateAction whose instrument is the snapshot's code, with its image, its command and what it read and wrote. Of many
files the first are listed. What a chain's crate has beside is made in `chained`. Source of the fields: the profile's
pages and its validator.
"""

import shlex
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from git_rvexp.data.manifest import Item
from git_rvexp.model import Json
from git_rvexp.record.runs import Run
from git_rvexp.workflow.exporting.chained import DONE, PROFILES, Entity, File, entities, file, parameters
from git_rvexp.workflow.exporting.subject import Subject, began, seconds

RECORD, METADATA = "record.txt", "ro-crate-metadata.json"
_CRATE, _PROCESS = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
_TERMS = "https://w3id.org/ro/terms/workflow-run"
_FILES_MOST = 1000
_FRAGMENT = "!$&'()*+,;=:@/?~"
"""What may stand in the last part of an address as it is, beside letters and digits: RFC 3986, 3.5."""


def workflow(subject: Subject) -> File | None:
    """The file that is the workflow of a chain's crate; None for single runs."""
    return file(subject, subject.chain, (METADATA, RECORD)) if subject.chain else None


def crate(subject: Subject) -> dict[str, Json]:
    """The metadata document."""
    actions = [_action(subject, run) for run in subject.ended]
    files = _unique(part for run in subject.ended for part in _files(subject, run))
    main = workflow(subject)
    whole = _chained(subject, main)
    graph: list[Entity] = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _CRATE},
            "about": {"@id": "./"},
        },
        _root(subject, actions, whole, main),
        {"@id": _PROCESS, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        *_profiles(subject),
        {
            "@id": RECORD,
            "@type": "File",
            "name": "The record: one event a line",
            "encodingFormat": "text/plain",
        },
        _code(subject),
        {"@id": "#author", "@type": "Person", "name": subject.author[0]},
        {
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "The code's own",
            "description": "As the snapshot holds it",
        },
        *_unique(_image(ref) for ref in map(_ref, subject.ended)),
        *whole,
        *actions,
        *_settings(subject),
        *files,
    ]
    return {"@context": [f"{_CRATE}/context", f"{_TERMS}/context"], "@graph": graph}


def _chained(subject: Subject, main: File | None) -> list[Entity]:
    """What a chain's crate has beside: its run as a whole first."""
    chain = subject.chain
    if chain is None or main is None:
        return []
    read = {run.run: _by_place(subject, run) for run in subject.ended}
    written = {run.run: {"what it wrote": found} for run in subject.ended if (found := _written(subject, run))}
    return list(entities(subject, chain, main, parameters(chain, read, "in"), parameters(chain, written, "out")))


def _profiles(subject: Subject) -> list[Entity]:
    told = PROFILES if subject.chain else {}
    return [{"@id": k, "@type": "CreativeWork", "name": n, "version": v} for k, (n, v) in told.items()]


def _root(subject: Subject, actions: Sequence[Entity], whole: Sequence[Entity], main: File | None) -> Entity:
    mentioned = [each for each in whole if each["@type"] in ("CreateAction", "Collection")]
    return {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": [{"@id": _PROCESS}, *({"@id": each["@id"]} for each in _profiles(subject))],
        "name": subject.tag,
        "description": subject.says.subject,
        "datePublished": subject.card.date,
        "license": {"@id": "#licence"},
        "author": {"@id": "#author"},
        "hasPart": [*([{"@id": main.id}] if main else []), {"@id": RECORD}],
        "mentions": [{"@id": each["@id"]} for each in (*mentioned, *actions)],
        **({"mainEntity": {"@id": main.id}} if main else {}),
    }


def _code(subject: Subject) -> Entity:
    return {
        "@id": "#code",
        "@type": "SoftwareSourceCode",
        "name": subject.tag,
        "version": subject.snapshot.commit,
        "identifier": [f"git tag {subject.snapshot.oid}", f"git tree {subject.snapshot.tree}"],
        **({"codeRepository": subject.source, "url": subject.source} if subject.source.startswith("http") else {}),
    }


def _action(subject: Subject, run: Run) -> Entity:
    ended = run.first("ended")
    assert ended is not None
    succeeded = run.word == "ok"
    command = shlex.join(str(word) for word in run.planned.get("command") or [])
    action: Entity = {
        "@id": f"#run-{run.run}",
        "@type": "CreateAction",
        "name": f"run {run.run} on {run.executor}",
        "description": command,
        "instrument": {"@id": "#code"},
        "agent": {"@id": "#author"},
        "startTime": seconds(began(run)),
        "endTime": seconds(ended.time),
        "actionStatus": DONE[succeeded],
        "object": [{"@id": each["@id"]} for each in [*_read(subject, run), *_variables(run)]],
        "result": [{"@id": each["@id"]} for each in _written(subject, run)],
        "containerImage": {"@id": _image(_ref(run))["@id"]},
        "environment": [{"@id": each["@id"]} for each in _variables(run)],
    }
    if not succeeded:
        action["error"] = str(ended.get("reason") or f"exit code {ended.get('exit')}")
    return {key: value for key, value in action.items() if value != []}


def _ref(run: Run) -> str:
    return str(run.planned.get("image", ""))


def _image(ref: str) -> Entity:
    place, _, digest = ref.rpartition("@")
    registry, _, name = place.partition("/")
    return {
        "@id": f"#image-{digest}",
        "@type": "ContainerImage",
        "additionalType": {"@id": f"{_TERMS}#DockerImage"},
        "name": name or "an image that is in an engine only",
        **({"registry": registry} if name else {}),
        "sha256": digest.removeprefix("sha256:"),
    }


def _settings(subject: Subject) -> list[Entity]:
    return _unique(each for run in subject.ended for each in _variables(run))


def _variables(run: Run) -> list[Entity]:
    env = run.planned.get("env") or {}
    return [
        {"@id": _named(f"#run-{run.run}-env-", name), "@type": "PropertyValue", "name": name, "value": str(value)}
        for name, value in env.items()
    ]


def _files(subject: Subject, run: Run) -> list[Entity]:
    return _read(subject, run) + _written(subject, run)


def _read(subject: Subject, run: Run) -> list[Entity]:
    return [each for found in _by_place(subject, run).values() for each in found][:_FILES_MOST]


def _by_place(subject: Subject, run: Run) -> dict[str, list[Entity]]:
    """What a run read, by the place it names; the place itself where its files are not listed."""
    found: dict[str, list[Entity]] = {}
    left = _FILES_MOST
    for uri, manifest, items in subject.inputs(run):
        told = {"identifier": manifest} if manifest else {}
        place: Entity = {"@id": _named(f"#run-{run.run}-in-", uri), "@type": "CreativeWork", "name": uri, **told}
        found[uri] = [_file(f"#run-{run.run}-in-", item) for item in items[:left]] or [place]
        left = max(1, left - len(items))
    return found


def _written(subject: Subject, run: Run) -> list[Entity]:
    return [_file(f"#run-{run.run}-out-", item) for item in subject.outputs(run)][:_FILES_MOST]


def _file(before: str, item: Item) -> Entity:
    """A file that is not in the crate: a contextual entity that says which bytes are meant."""
    kind, _, text = item.digest.partition(":")
    told = {"sha256": text} if kind == "sha256" else {"identifier": item.digest}
    return {
        "@id": _named(before, item.name),
        "@type": "CreativeWork",
        "name": item.name,
        "size": str(item.size),
        **told,
        **({"version": item.version} if item.version else {}),
    }


def _named(before: str, name: str) -> str:
    """An address within the crate; the name may hold what no address may."""
    return before + quote(name, safe=_FRAGMENT, errors="surrogateescape")


def _unique(entities: Iterable[Entity]) -> list[Entity]:
    return list({each["@id"]: each for each in entities}.values())
