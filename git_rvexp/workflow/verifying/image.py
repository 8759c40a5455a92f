"""An image by its recorded digest or id: there, what it was, made of this tree, still under its name, and for long."""

import dataclasses
from collections.abc import Iterator, Mapping

from git_rvexp.errors import RvexpError
from git_rvexp.images.registry import AlteredError, GoneError, Manifest, Registry
from git_rvexp.model import Json
from git_rvexp.names import TagName
from git_rvexp.record.events import Event
from git_rvexp.workflow import publish
from git_rvexp.workflow.building.engine import COMMIT, TAG, TAG_OID, TREE
from git_rvexp.workflow.verifying.ecr import REBUILD, absent, lasting
from git_rvexp.workflow.verifying.layers import layers
from git_rvexp.workflow.verifying.link import Link, State, changed, hazard, ok, one_line, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject


def image(outside: Outside, subject: Subject, ref: str, *, deep: bool) -> list[Link]:
    """All links of one image; those that depend on its being there only when it is."""
    if "@" not in ref:
        return _in_engine(outside, subject, ref, deep=deep)
    links = _in_registry(outside, subject, ref, deep=deep)
    return links if links[0].state is State.OK else _held(outside, subject, ref, links[0])


def _held(outside: Outside, subject: Subject, ref: str, there: Link) -> list[Link]:
    """What the registry says, unless only engines ran it and this one has it: then a repeat asks no registry.

    It may have it under the registry's name, or by the recorded id alone, from a bundle.
    """
    ran = {run.executor for run in subject.runs if run.planned.get("image") == ref}
    known = subject.record.image_id(ref)
    if ran != {"docker"} or not known:
        return [there]
    try:
        found = outside.engine.inspect(ref) or outside.engine.inspect(known)
    except RvexpError:
        return [there]
    if found is None or any(_wrong_labels(subject, found.labels)):
        return [there]
    text = f"{ref} is in this engine, its labels are as recorded; in the registry: {there.text}"
    return [hazard("image", text)]


def _in_registry(outside: Outside, subject: Subject, ref: str, *, deep: bool) -> list[Link]:
    event = subject.image_event(ref)
    name = ref.partition("@")[0]
    try:
        registry = outside.registry(name)
        manifest = registry.resolve(ref.partition("@")[2])
        if manifest is None:
            return [absent(outside, ref)]
        own = registry.for_platform(manifest, str(event.get("platform", "")) if event else "linux/amd64")
        config = registry.config(own)
    except (AlteredError, GoneError) as why:
        return [changed("image", one_line(why), REBUILD)]
    except RvexpError as why:
        return [unknown("image", why)]
    links = [_judged(subject, event, ref, str(own.config), _labels(config))]
    links += _named(registry, subject, name, manifest) if subject.snapshot.tag and event else []
    links += lasting(outside, ref)
    return links + (layers(outside, subject, registry, own, config) if deep else [])


def _judged(subject: Subject, event: Event | None, ref: str, image_id: str, labels: Mapping[str, str]) -> Link:
    if event is None:
        return ok("image", f"{ref} is there (it was not made from a snapshot)")
    wrong = [*_wrong_id(event, image_id), *_wrong_labels(subject, labels)]
    if wrong:
        return changed("image", f"{ref} is another image than was recorded: {'; '.join(wrong)}")
    shared = labels.get(TAG_OID) != subject.snapshot.oid
    made = f"; made for {labels.get(TAG)}, which has the same tree" if shared else ""
    return ok("image", f"{ref} is there, its id and labels are as recorded{made}")


def _wrong_id(event: Event, image_id: str) -> Iterator[str]:
    if str(event.get("id")) != image_id:
        yield f"its id is {image_id}, recorded {event.get('id')}"


def _wrong_labels(subject: Subject, labels: Mapping[str, str]) -> Iterator[str]:
    """The tree decides; another snapshot of the same tree may have lent its image, but one of ours has our commit."""
    snapshot = subject.snapshot
    if snapshot.tree and labels.get(TREE) != snapshot.tree:
        yield f"its label says tree {labels.get(TREE)}, the tag {snapshot.tree}"
    if snapshot.tag and labels.get(TAG_OID) == snapshot.oid and labels.get(COMMIT) != snapshot.commit:
        yield f"its label says commit {labels.get(COMMIT)}, the tag {snapshot.commit}"


def _named(registry: Registry, subject: Subject, name: str, manifest: Manifest) -> list[Link]:
    """The snapshot's own image tag. Jobs run by digest, so only people and clean-up rules go by it."""
    tag = TagName.parse(subject.snapshot.tag).mapped
    remedy = f"skopeo copy docker://{name}@{manifest.digest} docker://{name}:{tag}"
    try:
        now = registry.resolve(tag)
    except RvexpError as why:
        return [unknown("image tag", why, needed=False)]
    if now is None:
        return [
            changed("image tag", f"{tag} is gone; untagged images are the first to be cleaned up", remedy, needed=False)
        ]
    if now.digest != manifest.digest:
        text = f"{tag} was overwritten: it names {now.digest}; runs go by the digest"
        return [changed("image tag", text, remedy, needed=False)]
    return [ok("image tag", f"{tag} still names it")]


def _in_engine(outside: Outside, subject: Subject, ref: str, *, deep: bool) -> list[Link]:
    """An image by its id: the engine that made it can tell, or the registry that it was pushed to later."""
    if not ref.startswith("sha256:"):
        text = f"{ref} names no digest: what it was when the run began is not known, nor ever will be"
        return [changed("image", text)]
    pushed = publish.pushed_as(subject.record, ref)
    try:
        found = outside.engine.inspect(ref)
        if found is None:
            return _pushed(outside, subject, ref, pushed, deep=deep) if pushed else [_not_here(outside, subject, ref)]
    except RvexpError as why:
        return [unknown("image", why)]
    wrong = list(_wrong_labels(subject, found.labels)) if subject.image_event(ref) else []
    if wrong:
        return [changed("image", f"{ref} is another image than was recorded: {'; '.join(wrong)}")]
    alone = "" if pushed else " and nowhere else"
    return [ok("image", f"{ref} is in this engine{alone}; its labels are as recorded")]


def _pushed(outside: Outside, subject: Subject, ref: str, pushed: str, *, deep: bool) -> list[Link]:
    """The links of the registry's copy, from which a repeat gets the image."""
    first, *others = _in_registry(outside, subject, pushed, deep=deep)
    if first.state is State.CHANGED:
        return [_not_here(outside, subject, ref, first.text)]
    return [dataclasses.replace(first, text=f"it is not in this engine; {first.text}"), *others]


def _not_here(outside: Outside, subject: Subject, ref: str, copy: str = "") -> Link:
    """`copy` says what became of the one in the registry, where there was one."""
    ran = [run for run in subject.runs if run.planned.get("image") == ref]
    for run in ran:
        outside.executors.of(run.plan)  # raises where the run was another engine's
    if not ran:
        return unknown(
            "image", f"{ref} is not in this engine, and which engine had it is not recorded", "git rvexp build"
        )
    return changed("image", f"{ref} is gone from this engine, {copy or 'the only place that had it'}", REBUILD)


def _labels(config: Mapping[str, Json]) -> Mapping[str, str]:
    return (config.get("config") or {}).get("Labels") or {}
