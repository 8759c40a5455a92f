"""The bundle of an experiment: its tag and record, and the image of the run that a repeat would repeat."""

from collections.abc import Iterator
from pathlib import Path

from git_rvexp import __version__
from git_rvexp.errors import UsageError
from git_rvexp.images.blob import Blob
from git_rvexp.images.credentials import login
from git_rvexp.images.engine import Engine
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.names import Digest
from git_rvexp.record.events import Event
from git_rvexp.workflow.carrying import code, container
from git_rvexp.workflow.carrying.container import Part
from git_rvexp.workflow.carrying.image import Layout, from_engine, from_registry
from git_rvexp.workflow.exporting.subject import Subject
from git_rvexp.workflow.reporting.experiment import named
from git_rvexp.workflow.reporting.gather import Wish


def pieces(subject: Subject, folder: Path) -> Iterator[bytes]:
    """The bundle's bytes, the same for the same record in one clone; `folder` is for what has to be spooled."""
    context, snapshot = subject.context, subject.snapshot
    event = chosen(subject)
    context.say(f"packing the code and the record of {subject.tag}")
    packed = code.packed(context.repo, snapshot, subject.choice.record, subject.says.when, folder)
    layout = _layout(subject, event, folder)
    image = {"ref": str(event.get("ref")), "id": str(layout.id), "manifest": str(layout.manifest)}
    fields = {
        "version": __version__,
        "object_format": context.repo.object_format,
        "snapshot": {"tag": subject.tag, "oid": snapshot.oid, "commit": snapshot.commit},
        "image": image,
    }
    context.say(f"writing {len(layout.parts)} parts of the image {image['ref']}")
    page = Part("report.html", Blob.of(_report(subject).encode()))
    return container.written(fields, [Part("git.bundle", container.spooled(packed)), page, *layout.parts])


def _report(subject: Subject) -> str:
    """The page of the experiment as of its record's last line: checks of today would differ from day to day."""
    last = max(event.moment for event in subject.choice.record.events)
    return named(subject.context, subject.tag, Wish(last))[1]


def chosen(subject: Subject) -> Event:
    """The image that a repeat would need. UsageError when none is recorded."""
    first = [run for run in subject.ended if not run.planned.get("repeats")] or subject.ended
    succeeded = [run for run in first if run.word == "ok"]
    used = [run.planned.get("image") for run in (succeeded or first)[-1:]]
    images = [e for e in subject.choice.record.of("image") if not used or e.get("ref") == used[0]]
    if not images:
        raise UsageError(f"the record of {subject.tag} names no image to put into a bundle", hint="git rvexp build")
    return images[-1]


def _layout(subject: Subject, event: Event, folder: Path) -> Layout:
    context = subject.context
    name, at, digest = str(event.get("ref")).partition("@")
    if not at:
        return from_engine(Engine.connect(context.environ), Digest(name), folder)
    settings = context.trusted()
    repository = Repository.parse(name)
    registry = Registry(repository, login(repository, settings, context.environ))
    return from_registry(registry, Digest(digest), str(event.get("platform") or settings.image_platform))
