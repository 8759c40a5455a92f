"""Taking a bundle in: all of it is proven first, then the image goes to the engine, then tag and record to the clone.

Nothing is written before everything was checked, and nothing that is here is replaced. The order image, then record: a
clone that has the record can repeat.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git import notes
from git_rvexp.images.engine import Engine
from git_rvexp.names import TagName
from git_rvexp.record.events import Record
from git_rvexp.workflow.carrying import code, loading
from git_rvexp.workflow.carrying.container import Bundle, DamagedError, proven
from git_rvexp.workflow.carrying.loading import Carried
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.guard import ensure_guard


@dataclass(frozen=True)
class Taken:
    """What was taken in: the snapshot, its image, and whether either was new here (None: the image was left out)."""

    tag: str
    image: str
    new_tag: bool
    new_image: bool | None


def take(context: Context, path: Path, *, image: bool = True) -> Taken:
    """Take the bundle at `path` in; without its image when `image` is False. RvexpErrors when it is refused."""
    with _opened(context, path) as (bundle, record, carried, packed):
        snapshot = bundle.fields["snapshot"]
        tag, ref = TagName.parse(str(snapshot["tag"])), str(bundle.fields["image"]["ref"])
        named = [e for e in record.of("image") if e.get("ref") == ref]
        loading.agrees(carried, ref, str(named[-1].get("id")) if named else "")
        code.refuse_other(context.repo, tag, str(snapshot["oid"]))
        engine = Engine.connect(context.environ) if image else None
        name = loading.name_in(engine, carried, ref, path) if engine else carried.id
        context.say(f"{path.name} is proven: {tag}, image {name}")
        with context.progress("loading the image", 0, "") as step:
            new_image = loading.loaded(engine, bundle, carried, name, step) if engine else None
        ensure_guard(context)
        notes.ensure_notes_ref(context.repo)
        new_tag = code.taken(context.ledger, packed, tag, str(snapshot["oid"]))
    return Taken(str(tag), ref, new_tag, new_image)


@contextmanager
def _opened(context: Context, path: Path) -> Iterator[tuple[Bundle, Record, Carried, Path]]:
    try:
        if not S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} is no file")
        file = path.open("rb")
    except OSError as why:
        raise UsageError(f"{path} cannot be read: {why.strerror or why}") from why
    with file, tempfile.TemporaryDirectory(prefix="rvexp-") as folder:
        with context.progress(f"proving {path.name}", path.stat().st_size, "") as step:
            bundle = proven(path, file, step)
            _check_fields(context, bundle)
        with context.progress("unpacking its layers to look at them", 0, "") as step:
            carried = loading.checked(bundle, step)
        packed = Path(folder) / "git.bundle"
        with packed.open("wb") as copy:
            for piece in bundle.chunks("git.bundle"):
                copy.write(piece)
        record = code.unpacked(context.repo, packed, bundle.fields["snapshot"], Path(folder))
        yield bundle, record, carried, packed


def _check_fields(context: Context, bundle: Bundle) -> None:
    fields = bundle.fields
    try:
        TagName.parse(str(fields["snapshot"]["tag"]))
        texts = (fields["snapshot"]["oid"], fields["image"]["ref"], fields["object_format"])
    except (LookupError, TypeError) as why:
        raise DamagedError(f"the bundle does not say what it holds: {why}") from why
    if not all(isinstance(text, str) for text in texts) or "git.bundle" not in bundle.places:
        raise DamagedError("the bundle does not say what it holds")
    if fields["object_format"] != context.repo.object_format:
        raise RvexpError(
            f"the bundle's objects have {fields['object_format']} names, this clone's {context.repo.object_format}",
            hint=f"git init --object-format={fields['object_format']} elsewhere, and import it there",
        )
