"""The git part: the tag with its history, and its record alone as a notes ref, as one `git bundle`.

It is made in, and first taken into, a repository of its own that is thrown away: refs of the clone play no part in it,
and what comes from outside meets the clone only after git has hashed and checked every object of it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import bundles, notes
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.process import apart
from git_rvexp.git.tags import snapshots, told
from git_rvexp.jitter import token
from git_rvexp.model import Json, Snapshot
from git_rvexp.names import TagName
from git_rvexp.record import share
from git_rvexp.record.events import Record, parse
from git_rvexp.record.kept import kept
from git_rvexp.record.ledger import Ledger
from git_rvexp.workflow.carrying.container import DamagedError


def packed(repo: Repo, snapshot: Snapshot, record: Record, when: int, folder: Path) -> Path:
    """The bundle of the snapshot, made in `folder`. `when` (epoch seconds) dates the commit that holds the record."""
    bundles.refuse_shallow(repo, snapshot.tag)
    scratch = _scratch(repo, folder / "pack", repo.object_format)
    (scratch.git_dir / "objects" / "info" / "alternates").write_text(f"{repo.common_dir / 'objects'}\n")
    texts = notes.read(repo, notes.tip(repo), [snapshot.oid])
    texts |= {oid: text for oid in _named(record, len(repo.null_oid)) if (text := kept(repo, oid)) is not None}
    tip = notes.write(scratch, Tip(""), texts, "rvexp: export", when=when)
    refs = {f"refs/tags/{snapshot.tag}": snapshot.oid, notes.REF: tip.commit}
    for ref, oid in refs.items():
        scratch.git("update-ref", ref, oid)
    made = folder / "git.bundle"
    bundles.create(scratch, made, *refs)
    return made


def unpacked(repo: Repo, bundle: Path, snapshot: Mapping[str, Json], folder: Path) -> Record:
    """The record in a bundle, after everything in it was checked in a repository of its own. `snapshot`: tag and oid.

    RvexpError when it holds anything but this snapshot and its record, or objects that are not what they should be.
    """
    tag, oid = TagName.parse(str(snapshot["tag"])), str(snapshot["oid"])
    scratch = _scratch(repo, folder / "unpack", repo.object_format)
    _fetch(scratch, bundle, *(f"{ref}:{ref}" for ref in (tag.ref, notes.REF)))
    heads = {line.split(" ", 1)[1] for line in scratch.git("bundle", "list-heads", str(bundle)).lines}
    if heads != {tag.ref, notes.REF}:
        raise DamagedError(f"the bundle brings more than {tag} and its record: {', '.join(sorted(heads))}")
    found = snapshots(scratch)
    if [(s.tag, s.oid) for s in found] != [(str(tag), oid)]:
        raise DamagedError(f"the bundle's tag is not the {tag} that it says it holds")
    if f"\ntag {tag}\n" not in scratch.git("cat-file", "tag", oid).text.partition("\n\n")[0] + "\n":
        raise DamagedError(f"the bundle's tag was made under another name than {tag}")
    told(scratch, oid)
    tip = notes.tip(scratch)
    entries = [line for line in scratch.git("ls-tree", "-r", "-z", tip.commit).text.split("\0") if line]
    own = notes.read(scratch, tip, [oid]).get(oid, "")
    extra = [path for path in map(_annotated, entries) if path != oid and kept(scratch, path) is None]
    if extra or not own:
        raise DamagedError("the bundle's record is not of this snapshot alone")
    return parse(own)


def taken(ledger: Ledger, bundle: Path, tag: TagName, oid: str) -> bool:
    """Bring a bundle that was checked into the clone; whether the tag is new here. RvexpError for another tag there."""
    repo = ledger.repo
    new = refuse_other(repo, tag, oid)
    incoming = f"refs/rvexp/incoming/{token()}"
    _fetch(repo, bundle, f"{tag.ref}:{tag.ref}", f"{notes.REF}:{incoming}")
    try:
        share.merge(ledger, notes.tip(repo, incoming))
    finally:
        repo.git("update-ref", "-d", incoming)
    return new


def refuse_other(repo: Repo, tag: TagName, oid: str) -> bool:
    """Whether the clone has no such tag yet; RvexpError when it has another one."""
    there = repo.resolve(tag.ref)[0]
    if there and there != oid:
        raise RvexpError(
            f"this clone has another {tag}, which is never replaced\n  here {there}, in the bundle {oid}",
            hint="import it into a new clone: git init elsewhere",
        )
    return not there


def _fetch(repo: Repo, bundle: Path, *refspecs: str) -> None:
    checks = ("fetch.fsckObjects=true", "core.bigFileThreshold=8m", "fetch.recurseSubmodules=false")
    settings = [word for check in checks for word in ("-c", check)]
    try:
        repo.git(*settings, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(bundle), *refspecs)
    except GitError as why:
        raise DamagedError(f"git does not take what is in the bundle\n  {why}") from why


def _scratch(repo: Repo, folder: Path, object_format: str) -> Repo:
    made = ("init", "--quiet", "--bare", f"--object-format={object_format}", "--template=", str(folder))
    repo.git(*made, elsewhere=True)
    (folder / "objects" / "info").mkdir(parents=True, exist_ok=True)
    return Repo(folder, folder, folder, object_format, {**apart(repo.env), "GIT_DIR": str(folder)})


def _annotated(line: str) -> str:
    return line.partition("\t")[2].replace("/", "")


def _named(record: Record, length: int) -> list[str]:
    """Everything in the record that could be the name of a kept text."""
    found = (text for event in record.events for text in _texts(dict(event.fields)))
    return [text for text in dict.fromkeys(found) if len(text) == length and not set(text) - set("0123456789abcdef")]


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
