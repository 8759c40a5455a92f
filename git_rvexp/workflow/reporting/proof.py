"""A page held against the repository: every line it carries is in the record, and all it shows follows from them.

The page is made again from what it carries and what the repository holds, and must come out the same byte for byte, so
that an edit of the visible part does not go unseen. Only the checks of its day have no other witness than the page.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git import notes
from git_rvexp.git.catalogue import card, cards
from git_rvexp.record import absent
from git_rvexp.record.events import Event, Record, parse
from git_rvexp.terms import Json
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.reporting import experiment, history
from git_rvexp.workflow.reporting.gather import experiments
from git_rvexp.workflow.reporting.same import of_the_day, same
from git_rvexp.workflow.reporting.source import EXPERIMENT, HISTORY, SCHEMA, Source, Told
from git_rvexp.workflow.reporting.veil import MARK, matches
from git_rvexp.workflow.verifying.link import Link, changed, ok, unknown

_CARRIED = re.compile(r'<script type="application/json" id="rvexp-report">(.*?)</script>', re.DOTALL)
_WIDTH = 100


def proof(context: Context, path: Path) -> list[Link]:
    """One link for each thing that a page can be held against. UsageError when there is no report at `path`."""
    try:
        page = path.read_bytes().decode()
    except (OSError, ValueError) as why:
        raise UsageError(f"{path} cannot be read: {why}") from why
    carried = _CARRIED.findall(page)
    if len(carried) != 1:
        raise UsageError(f"{path} is not a report of git rvexp")
    try:
        fields = json.loads(carried[0])
    except (ValueError, RecursionError) as why:
        return [changed("page", f"what it carries is no JSON: {why}")]
    if not isinstance(fields, dict) or fields.get("schema") != SCHEMA:
        return [unknown("page", "another version made it, which carries something else", "update git rvexp")]
    try:
        return list(_links(context, fields, page))
    except RvexpError as why:
        return [changed("page", str(why))] if "carries" in str(why) else [unknown("page", why)]


def _links(context: Context, fields: Mapping[str, Json], page: str) -> Iterator[Link]:
    if fields.get("kind") == EXPERIMENT:
        yield from _experiment(context, fields, page)
    elif fields.get("kind") == HISTORY:
        yield from _history(context, fields, page)
    else:
        yield changed("page", f"there is no report of the kind {fields.get('kind')!r}")


def _history(context: Context, fields: Mapping[str, Json], page: str) -> Iterator[Link]:
    source = history.Source.from_fields(fields)
    links = [_tags(context, source), _stood(context, source)]
    yield from links
    yield same(links, source.version, page, lambda: history.made(context, source))
    if source.answers:
        yield of_the_day(source.made)


def _tags(context: Context, source: history.Source) -> Link:
    """The snapshots of a page of all."""
    here = {each.snapshot.tag: each.snapshot.oid for each in cards(context.repo)}
    moved = [tag for tag, oid in source.tags if here.get(tag, oid) != oid]
    if moved:
        return changed("tags", f"{len(moved)} snapshot(s) are others here, {moved[0]} the first")
    gone = [tag for tag, _ in source.tags if tag not in here]
    if gone:
        return unknown("tags", f"{len(gone)} snapshot(s) are not in this clone, {gone[0]} the first", "git rvexp sync")
    newer = len(here) - len(source.tags)
    return ok("tags", f"all {len(source.tags)} snapshot(s) are as here" + (f"; here are {newer} more" if newer else ""))


def _stood(context: Context, source: history.Source) -> Link:
    """The commit that the record stood at: part of the record's history here, or not."""
    now = notes.tip(context.repo).commit
    if source.at == now:
        return ok("record", "it stands where it stood when the page was made")
    if not re.fullmatch("[0-9a-f]{40,64}", source.at):
        return changed("record", f"the page names no commit of the record: {source.at!r}")
    kind = context.repo.git("cat-file", "-t", source.at, ok=(0, 128))
    if kind.text != "commit":
        return unknown("record", f"its commit {source.at[:12]} is not in this clone", "git rvexp sync")
    if not now or context.repo.git("merge-base", "--is-ancestor", source.at, now, ok=(0, 1, 128)).code:
        return changed("record", f"its commit {source.at[:12]} is no part of this clone's record")
    return ok("record", f"it has gone on from {source.at[:12]}, where it stood when the page was made")


def _experiment(context: Context, fields: Mapping[str, Json], page: str) -> Iterator[Link]:
    source = Source.from_fields(fields)
    links = list(_of(context, source.about, source.private))
    if source.parent:
        links += [_renamed(link) for link in _of(context, source.parent, source.private)]
    yield from links
    yield _address(context, source)
    yield same(links, source.version, page, lambda: experiment.made(context, source))
    if source.checks:
        yield of_the_day(source.made)


def _of(context: Context, told: Told, private: tuple[str, ...]) -> Iterator[Link]:
    """The tag and the record of a snapshot on the page."""
    yield _tag(context, told, frozenset(private))
    text = notes.read(context.repo, notes.tip(context.repo), [told.snapshot.oid]).get(told.snapshot.oid, "")
    yield _record(context, told, text, frozenset(private))


def _tag(context: Context, told: Told, private: frozenset[str]) -> Link:
    snapshot = told.snapshot
    if not snapshot.tag:
        return ok("tag", "the page is about a run without a snapshot")
    here = card(context.repo, snapshot.tag)
    if here is None:
        return unknown("tag", f"{snapshot.tag} is not in this clone", "git rvexp sync")
    by = here.by if "by" not in private else told.by
    pairs = {
        "object": (snapshot.oid, here.snapshot.oid),
        "commit": (snapshot.commit, here.snapshot.commit),
        "tree": (snapshot.tree, here.snapshot.tree),
        "time": (told.when, here.when),
        "author": (told.by, by),
    }
    wrong = [f"{what} {page}, here {real}" for what, (page, real) in pairs.items() if page != real]
    if not matches(told.subject, here.subject, private):
        wrong.append("another message")
    return changed("tag", f"the page says {'; '.join(wrong)}") if wrong else ok("tag", f"{snapshot.tag} is as here")


def _record(context: Context, told: Told, text: str, private: frozenset[str]) -> Link:
    if not text:
        return unknown("record", "this clone has no record of it", absent.remedy(context.repo) or "git rvexp sync")
    here = dict.fromkeys(line for line in text.split("\n") if line.strip())
    strange = list(_strange(told, here, private))
    if strange:
        line = strange[0] if len(strange[0]) <= _WIDTH else strange[0][: _WIDTH - 1] + "…"
        return changed("record", f"{len(strange)} line(s) of the page are not in the record: {line}")
    newer = len(here) - len(told.lines)
    more = f"; the record has {newer} more" if newer > 0 else ""
    return ok("record", f"all {len(told.lines)} line(s) of the page are in the record{more}")


def _strange(told: Told, here: Mapping[str, None], private: frozenset[str]) -> Iterator[str]:
    """The page's lines that the record does not have; of a public page, that no line of the record can be."""
    if not private:
        yield from (line for line in told.lines if line not in here)
        return
    shown, real = told.record, parse("\n".join(here))
    yield from (str(event) for event in shown.events if not _among(event, real, private))
    yield from (d.line for d in shown.damaged if d.line != MARK)


def _among(event: Event, real: Record, private: frozenset[str]) -> bool:
    same_moment = (e for e in real.events if (e.time, e.kind) == (event.time, event.kind))
    return any(matches(dict(event.fields), dict(e.fields), private) for e in same_moment)


def _renamed(link: Link) -> Link:
    return Link(f"parent's {link.name}", link.state, link.text, link.remedy, needed=link.needed, hazard=link.hazard)


def _address(context: Context, source: Source) -> Link:
    """Where the page sends people for the snapshots: only a clone's own settings can tell whether that is right."""
    here = experiments(context)
    if not source.experiments:
        return ok("address", "the page names none")
    if source.experiments == here or (source.private and matches(source.experiments, here, frozenset(source.private))):
        return ok("address", f"{source.experiments} is this clone's experiments remote")
    text = f"the page says {source.experiments}, this clone uses {here or 'none'}"
    return unknown("address", text, "compare them before you follow the page")
