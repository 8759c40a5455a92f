"""SLSA provenance v1 in an in-toto Statement v1: of a snapshot's image, or of what one run wrote.

Field rules: in-toto/attestation spec/v1 (statement, resource_descriptor, digest_set) and slsa.dev/spec/v1.0/provenance.
The statement is not signed and claims no level: it says who built what from what, as recorded. A signer such as
`cosign attest` takes it as it is.
"""

import re
from collections.abc import Iterator

from git_rvexp import __version__
from git_rvexp.data.manifest import Item
from git_rvexp.errors import UsageError
from git_rvexp.model import Json
from git_rvexp.record.events import Event
from git_rvexp.record.runs import Run
from git_rvexp.workflow.exporting.bases import bases
from git_rvexp.workflow.exporting.subject import Subject, began, seconds

# No address of ours resolves, and one that does not is not made up: names instead.
_TYPE = "urn:x-git-rvexp:{}:v1"
_SUMS = re.compile(r"sha256:([0-9a-f]{64})")
_REQUEST = ("command", "env", "secret_env", "seed", "vcpus", "memory", "gpus", "timeout", "attempts", "array", "queue")


def statement(subject: Subject) -> dict[str, Json]:
    """The statement. UsageError when there is nothing that could be its subject."""
    image = subject.image
    if image is None:
        raise UsageError(f"{subject.tag} has no image yet, so there is nothing to attest", hint="git rvexp publish")
    if subject.named:
        return _of_run(subject, subject.choice.runs[0], image)
    layered = image.get("environment")
    return _statement(
        [_image(image)],
        "image",
        {"source": _tag_uri(subject), "tag": subject.tag, "platform": image.get("platform", "")},
        [_commit(subject), *([_reference(str(layered), "environment")] if layered else map(_base, bases(subject)))],
        {
            "builder": _builder("layers" if layered else "engine"),
            "metadata": {"invocationId": f"{subject.snapshot.oid}/{image.time}", "finishedOn": seconds(image.time)},
        },
    )


def _of_run(subject: Subject, run: Run, image: Event) -> dict[str, Json]:
    files = [_file(item) for item in subject.outputs(run)]
    ended = run.first("ended")
    if not ended or not all(files) or not files:
        raise UsageError(
            f"run {run.run} has no outputs that are known by SHA-256, so there is nothing to attest",
            hint=f"git rvexp export {subject.nickname} --format slsa attests its image",
        )
    asked = {k: run.planned.get(k) for k in _REQUEST if run.planned.get(k) not in (None, "", [], {})}
    ran = {k: v for k, v in (("job", run.job), ("executor", run.executor)) if v}
    return _statement(
        [each for each in files if each],
        "run",
        {"tag": subject.tag, "image": run.planned.get("image"), **asked},
        [_commit(subject), _image(image), *_inputs(subject, run)],
        {
            "builder": _builder(run.executor),
            "metadata": {"invocationId": run.run, "startedOn": seconds(began(run))}
            | {"finishedOn": seconds(ended.time)},
        },
        ran,
    )


def _statement(
    subjects: list[dict[str, Json]],
    kind: str,
    external: dict[str, Json],
    resolved: list[dict[str, Json]],
    details: dict[str, Json],
    internal: dict[str, Json] | None = None,
) -> dict[str, Json]:
    definition = {"buildType": _TYPE.format(kind), "externalParameters": external}
    definition |= {"internalParameters": internal} if internal else {}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": {**definition, "resolvedDependencies": resolved}, "runDetails": details},
    }


def _builder(where: str) -> dict[str, Json]:
    return {"id": _TYPE.format(f"builder:{where}"), "version": {"git-rvexp": __version__}}


def _tag_uri(subject: Subject) -> str:
    """As SLSA writes git sources; without an address for others the tag's own name."""
    return f"git+{subject.source}@refs/tags/{subject.tag}" if subject.source else f"refs/tags/{subject.tag}"


def _commit(subject: Subject) -> dict[str, Json]:
    digests = {"gitCommit": subject.snapshot.commit, "gitTree": subject.snapshot.tree, "gitTag": subject.snapshot.oid}
    return {"name": subject.tag, **({"uri": _tag_uri(subject)} if subject.source else {}), "digest": digests}


def _image(image: Event) -> dict[str, Json]:
    return _reference(str(image.get("ref")), "image")


def _reference(ref: str, name: str) -> dict[str, Json]:
    """An image by its manifest's digest, or, where it was never pushed, by its id."""
    place, _, digest = ref.rpartition("@")
    told = {"name": place, "uri": f"docker://{ref}"} if place else {"name": f"{name} id"}
    return {**told, "digest": {"sha256": digest.removeprefix("sha256:")}}


def _base(ref: str) -> dict[str, Json]:
    digest = _SUMS.search(ref)
    return {"name": "base image", "uri": f"docker://{ref}", **({"digest": {"sha256": digest[1]}} if digest else {})}


def _inputs(subject: Subject, run: Run) -> Iterator[dict[str, Json]]:
    """Each place that was read, by the digest of the list of its files; files themselves where they are summed."""
    for uri, manifest, items in subject.inputs(run):
        digest = _SUMS.fullmatch(manifest)
        sums = {"digest": {"sha256": digest[1]}, "mediaType": "text/tab-separated-values"} if digest else {}
        yield {"name": "input manifest" if digest else "input", "uri": uri, **sums}
        yield from (each for item in items if (each := _file(item)))


def _file(item: Item) -> dict[str, Json]:
    """A file known by SHA-256; empty for one that is not."""
    digest = _SUMS.fullmatch(item.digest)
    return {"name": item.name, "digest": {"sha256": digest[1]}} if digest else {}
