"""A run's outputs in a folder of this machine: what it left at the places that it declared, held against the record.

Only what is as the run left it is taken. Of a container that is what the engine still has; of S3 the versions that the
record names. What has changed, is gone or cannot be put where it belongs is told, file by file, and the rest is taken
all the same.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from git_rvexp.data import linked, places, tarred
from git_rvexp.data.copying import MovedError
from git_rvexp.data.manifest import Item
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Plan
from git_rvexp.progress import Step, passing
from git_rvexp.quoting import quoted
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.downloading.container import left_at
from git_rvexp.workflow.downloading.folder import Folder, LeftError
from git_rvexp.workflow.repeating import outputs
from git_rvexp.workflow.repeating.inputs import reaching
from git_rvexp.workflow.repeating.manifests import recorded


@dataclass
class Downloaded:
    """What became of the files: how many are new here and were here already, links that were not made, what is wrong.

    `unnamed` counts files that the record does not know, which stay where they are.
    """

    new: int = 0
    kept: int = 0
    unnamed: int = 0
    links: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def download(context: Context, found: Found, top: Path) -> Downloaded:
    """Put what the run left into the folder `top`. UsageError when it declared nothing, RvexpError when it is gone."""
    run = found.run
    declared = list(dict.fromkeys(outputs.declared(run.plan)))
    if not declared:
        raise UsageError(
            f"run {run.run} declared no outputs, so nobody knows what it left",
            hint="git rvexp submit --output PATH -- CMD",
        )
    event, done = run.outputs, Downloaded()
    size = int(event.get("bytes", 0)) if event else 0
    with context.progress(f"downloading the outputs of {run.run}", size, "") as step:
        task = _Task(context, found, Folder(top.resolve()), done, step)
        known = task.known()
        for place in declared:
            task.take(place, known)
    return done


@dataclass(frozen=True)
class _Task:
    context: Context
    found: Found
    folder: Folder
    done: Downloaded
    step: Step

    @property
    def plan(self) -> Plan:
        return self.found.run.plan

    def known(self) -> list[Item] | None:
        """The files that the record names; None where it names none that what is there now can be held against."""
        run = self.found.run
        event = run.outputs
        if event is None or "manifest" not in event.fields:
            self.context.warn(f"what run {run.run} left is not on record: what is there now is not compared")
            return None
        try:
            lines = recorded(self.context.repo, event.fields, self.context.trusted())
            if lines is None:
                now, _ = outputs.listed(self.context, self.plan, run.job)
                if str(now.digest) != event.get("manifest"):
                    told = "what is there now is not what the run left; the record has the hash of the list only"
                    self.done.wrong.append(f"{event.get('count')} files: {told}, so that which changed is not known")
                    return None
                lines = now.lines()
            return [Item.parse(line) for line in lines]
        except ValueError as why:
            raise RvexpError(f"the recorded list of what run {run.run} left cannot be read: {why}") from why

    def take(self, place: str, known: list[Item] | None) -> None:
        """Put what is at one declared place into the folder."""
        why = outputs.unreadable(self.plan, place)
        items = [] if why else self._expected(place, known)
        if why:
            self.done.wrong.append(f"{quoted(place)}: {why}")
        elif not items:
            self.context.say(f"the run left nothing at {place}")
        elif places.is_s3(place):
            self._from_s3(place, items)
        else:
            self._from_container(place, {item.name: item for item in items})

    def _expected(self, place: str, known: list[Item] | None) -> list[Item]:
        event, seen = self.found.run.outputs, outputs.Reading()
        unread = (event.get("unread") if event else None) or {}
        if known is not None and place not in unread:
            below = place.rstrip("/") + "/"
            return [item for item in known if item.name == place or item.name.startswith(below)]
        items = outputs.read(self.context, self.plan, self.found.run.job, place, seen)
        self.done.wrong += [f"{quoted(name)}: {why}" for name, why in seen.unread.items()]
        return items

    def _from_s3(self, place: str, items: Iterable[Item]) -> None:
        from git_rvexp.data.fetching import Source  # noqa: PLC0415  only where there is an S3 output

        uri = places.for_run(place, self.found.run.run)
        source = Source(reaching(self.context, self.plan), uri, place)
        for item in items:
            if not item.name.endswith("/"):  # what consoles make to show a folder
                self._put(place, uri.removeprefix("s3://"), item, source.pieces(item))

    def _from_container(self, place: str, items: dict[str, Item]) -> None:
        left = left_at(self.context, self.found.run, place)
        with tarred.reading(place):
            for member in tarred.members(left[0], place, left[1]) if left else ():
                item = items.pop(member.name, None)
                if item is None:
                    self.done.unnamed += 1
                elif member.content is None or item.digest.partition(":")[0] in (linked.INSIDE, linked.OUTSIDE):
                    self._link(item, member)
                else:
                    # From the root, whatever the place: `..` in it leads no further up than that.
                    base = posixpath.normpath(f"/{place}")
                    self._put(place, base, item, tarred.pieces(member.content))
        self.done.wrong += [f"{quoted(name)}: it is no longer there" for name in items]

    def _link(self, item: Item, member: tarred.Member) -> None:
        if item.digest == member.link:
            self.done.links.append(item.name)
        else:
            self.done.wrong.append(f"{quoted(item.name)}: it was another link, or none, when the run ended")

    def _put(self, place: str, base: str, item: Item, pieces: Iterator[bytes]) -> None:
        inner = places.inside(place, item.name)
        parts = [part for part in f"{base}/{inner}".split("/") if part]
        try:
            new = self.folder.put(parts, passing(pieces, self.step), _sha256(item.digest))
        except (LeftError, MovedError) as why:
            self.done.wrong.append(f"{quoted(item.name)}: {why}")
        else:
            self.done.new += new
            self.done.kept += not new


def _sha256(digest: str) -> str:
    """The SHA-256 that a manifest's digest holds, in hexadecimal digits; "" when it is of another kind."""
    kind, _, value = digest.partition(":")
    return value if kind == "sha256" else ""
