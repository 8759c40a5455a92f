"""The deep look: every byte of an image's layers, the code in it, and the archive that the remote serves."""

from collections.abc import Mapping

from git_rvexp.errors import RvexpError
from git_rvexp.git.objects import Objects
from git_rvexp.images import audit, fetch
from git_rvexp.images.audit import Files
from git_rvexp.images.registry import AlteredError, GoneError, Manifest, Registry
from git_rvexp.images.spool import Spool
from git_rvexp.model import Json
from git_rvexp.tree import Entry, below
from git_rvexp.workflow.asof import as_of
from git_rvexp.workflow.building.engine import SPEC, recipe
from git_rvexp.workflow.building.served import Served
from git_rvexp.workflow.verifying.link import Link, changed, ok, unknown
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.subject import Subject

_SHOWN = 3


def layers(
    outside: Outside, subject: Subject, registry: Registry, own: Manifest, config: Mapping[str, Json]
) -> list[Link]:
    """Read every layer; and hold the files of the image's working folder against the tag's tree."""
    root = str((config.get("config") or {}).get("WorkingDir") or "/")
    files = Files(root.encode("utf-8", "surrogateescape"), {})
    untold = ""
    try:
        files = Files(files.root, audit.wanted(_code(outside, subject)))
    except RvexpError as why:
        untold = str(why)
    try:
        total = sum(int(layer.get("size", 0)) for layer in own.content.get("layers") or [])
        with outside.context.progress(f"reading the layers of {registry.repository}", total, "") as step:
            size = audit.layers(registry, own, files, step)
    except (AlteredError, GoneError) as why:
        return [changed("layers", str(why), "restore it, or git rvexp repeat --rebuild, which makes another image")]
    except RvexpError as why:
        return [unknown("layers", why)]
    count = len(own.content.get("layers") or [])
    read = ok("layers", f"{count} read to the last byte ({size:,} bytes), each hashes to its name")
    if not subject.snapshot.tag:
        return [read]
    wanted = recipe(as_of(outside.context, subject.snapshot).settings).spec
    same_recipe = ((config.get("config") or {}).get("Labels") or {}).get(SPEC) == wanted
    return [read, unknown("code", untold, needed=False) if untold else _compared(files, root, same_recipe=same_recipe)]


def _code(outside: Outside, subject: Subject) -> list[Entry]:
    if not subject.snapshot.tree:
        return []
    whole = Objects.of(outside.context.repo).tree(subject.snapshot.tree)
    return list(below(whole, as_of(outside.context, subject.snapshot).settings.image_context))


def _compared(files: Files, root: str, *, same_recipe: bool) -> Link:
    same, differing = files.same(), files.differing()
    if files.unread:
        return unknown("code", files.unread, needed=False)
    if not same_recipe and (differing or not same):
        text = "the settings that images are built by are not those of this image, so its files cannot be placed"
        return unknown("code", text, "set image.* as they were", needed=False)
    if differing:
        names = ", ".join(e.shown for e in differing[:_SHOWN]) + (" …" if len(differing) > _SHOWN else "")
        text = f"{len(differing)} file(s) in {root} are not the tag's: {names} (a step of the Dockerfile, or LFS?)"
        return changed("code", text, "docker run IMAGE sha256sum FILE, and compare", needed=False)
    if not same:
        return unknown("code", f"none of the tag's files are in the image's working folder, {root}", needed=False)
    rest = len(files.wanted) - same
    left = f"; {rest} are not in it (the Dockerfile or .dockerignore leaves them out)" if rest else ""
    return ok("code", f"{same} file(s) of the tag are in {root}, byte for byte{left}")


def archive(outside: Outside, subject: Subject) -> list[Link]:
    """The remote's archive of the commit, file by file; no link where the remote serves none."""
    context, snapshot = outside.context, subject.snapshot
    if not snapshot.tag:
        return []
    url = context.wanted_remote().url
    try:
        served = Served.of(context.repo, snapshot, url, context.trusted().archive_url, context.environ)
        if served is None:
            return []
        entries = Objects.of(context.repo).tree(snapshot.tree)
        with Spool() as spool:
            why = served.contents(entries, spool)
    except RvexpError as error:
        return [unknown("archive", error, needed=False)]
    if why.startswith(fetch.DIFFERENT):
        return [changed("archive", why, "images are made from the tag's own objects instead", needed=False)]
    if why:
        return [unknown("archive", why, needed=False)]
    return [ok("archive", f"{served.address} is the tag's tree, {len(entries)} file(s)")]
