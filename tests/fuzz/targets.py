"""What is fuzzed: each parser as a function of bytes that may refuse its input, and may do nothing else.

A target lets only our own errors (and the answers that its parser documents) pass; anything else that comes out of it
is a finding. Where a parser promises more than not to fall over, the promise is asserted too. `dev/fuzz` and
`test_fuzz.py` run the same functions over the same corpus.
"""

import contextlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from git_rvexp import columns, config, output, tomledit, tomltext
from git_rvexp.data import manifest, tolerance
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git.tags import Told
from git_rvexp.images import archive, audit, dockerfile, ignore
from git_rvexp.images.assemble import Base, assemble
from git_rvexp.images.attempts import reason
from git_rvexp.images.credentials import Login
from git_rvexp.images.delta import Unfit
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.images.shape import checked_config, json_object
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different
from git_rvexp.model import Plan
from git_rvexp.names import Digest, RunId, TagName, mapped, normalised
from git_rvexp.record import events
from git_rvexp.record.runs import runs
from git_rvexp.settings import keys
from git_rvexp.tree import EXECUTABLE, FILE, SYMLINK, Entry, blob_id
from git_rvexp.workflow.chain import file as chain_file
from git_rvexp.workflow.looking import metrics

Target = Callable[[bytes], None]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def record(data: bytes) -> None:
    """A note: every line is an event or kept as damaged; an event that is written again reads the same."""
    text = _text(data)
    whole = events.parse(text)
    for event in whole.events:
        assert events.parse_line(str(event)) == event
        _ = event.moment
    assert {d.line for d in whole.damaged} <= set(text.split("\n"))
    events.skim(text, {"planned": frozenset(("run",)), "ended": frozenset(("run", "state"))})
    assert events.parse(events.union(text, text)).events == events.parse(events.union(text)).events
    for run in runs(whole):
        _ = run.word, run.job, run.executor
        with contextlib.suppress(RvexpError):
            plan = run.plan
            again = Plan.from_fields(plan.fields())
            assert repr(again.fields()) == repr(plan.fields())
        metrics.in_words(metrics.of(run), most=3)


def tag(data: bytes) -> None:
    """Names of tags, runs and digests, and what a tag object says."""
    text = _text(data)
    with contextlib.suppress(RvexpError):
        name = TagName.parse(text)
        assert str(name) == text
        assert len(mapped(text)) <= 128
    for kind in (RunId, Digest):
        with contextlib.suppress(RvexpError):
            assert str(kind(text)) == text
    part = normalised(text)
    TagName(part, part, "2026-01-01", part)
    with contextlib.suppress(RvexpError):
        Told.parse(text)


def settings(data: bytes) -> None:
    """A tracked settings file, as `.rvexp.toml`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ".rvexp.toml"
        path.write_bytes(data)
        with contextlib.suppress(RvexpError):
            found = config.load({}, {"HOME": folder}, [], path)
            found.unconfirmed(config.fingerprint("store", ""))
            for key in keys():
                found.origin(key.name)


def edit(data: bytes) -> None:
    """A settings file that is changed by one line: what comes out is TOML in which only that key changed."""
    text = _text(data).replace("\0", "")
    for path, value in ((("initials",), "al"), (("job", "memory"), 7), (("job", "env"), {"A": "1"})):
        with contextlib.suppress(RvexpError):
            edited = tomledit.assigned(text, path, value, "f")
            content: Any = tomltext.parse(edited, "f")
            for name in path:
                content = content[name]
            assert content == value
            back = tomledit.removed(edited, path, "f")
            assert path not in tomltext.leaves(tomltext.parse(back, "f"))


_CONTENTS = {b"a.txt": (FILE, b"text\n"), b"bin/run": (EXECUTABLE, b"#!/bin/sh\n"), b"bin/link": (SYMLINK, b"../a")}
_ENTRIES = [Entry(p, m, blob_id([c], len(c)), len(c)) for p, (m, c) in sorted(_CONTENTS.items())]


def sound_archive() -> bytes:
    """The archive that target `archived` takes: where fuzzing starts."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, (mode, content) in _CONTENTS.items():
            member = tarfile.TarInfo("x/" + path.decode())
            member.mode = mode & 0o777
            if mode == SYMLINK:
                member.type, member.linkname = tarfile.SYMTYPE, content.decode()
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if mode != SYMLINK else None)
    return made.getvalue()


def archived(data: bytes) -> None:
    """A forge's archive: refused, or exactly the tree."""
    with Spool() as spool:
        try:
            archive.read(iter([data]), _ENTRIES, spool)
        except Different:
            return
        for entry in _ENTRIES:
            assert b"".join(spool.chunks(entry.oid)) == _CONTENTS[entry.path][1]


def layer(data: bytes) -> None:
    """A layer of an image read from a registry."""
    files = audit.Files(b"/src", audit.wanted(_ENTRIES))
    audit._unpacked(iter([data]), "application/vnd.oci.image.layer.v1.tar+gzip", files)
    files.differing()
    files.same()


_MANIFEST = Manifest.of(
    b'{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,'
    b'"digest":"sha256:%b"},"layers":[]}' % (b"a" * 64)
)


def registry(data: bytes) -> None:
    """What a registry says: its challenge, its errors, a manifest."""
    asking = Registry(Repository.parse("registry.example/x"), Login("u", "p"))
    with contextlib.suppress(RvexpError):
        asking._answer(data.decode("latin-1").replace("https://", "http://"))
    reason(data)
    with contextlib.suppress(RvexpError):
        found = Manifest.of(data)
        with contextlib.suppress(UsageError):  # an index has no config
            _ = found.config
        for child in found.children:
            f"{(child.get('platform') or {}).get('os')}"
    with contextlib.suppress(RvexpError):
        document = json_object(data, "the config")
        checked_config(document)
        assemble(Base(_MANIFEST, document), None, labels={"a": "b"}, created="", told="")


def reference(data: bytes) -> None:
    """A repository's name."""
    with contextlib.suppress(RvexpError):
        found = Repository.parse(_text(data))
        assert found.address.startswith(("http://", "https://"))
        assert found.bare_host in found.host


def ignoring(data: bytes) -> None:
    """A .dockerignore, asked about some paths."""
    with contextlib.suppress(RvexpError):
        left_out = ignore.ignoring(_text(data), "Dockerfile")
        assert not left_out("Dockerfile")
        for path in ("a", "src/train.py", "a/" * 12 + "b" * 24):
            left_out(path)


def dockerfiles(data: bytes) -> None:
    """A Dockerfile: its stages, or why they cannot be told."""
    with contextlib.suppress(Unfit):
        found = dockerfile.stages(_text(data))
        for target in ("", "a", "0"):
            dockerfile.chain(found, target)


def manifests(data: bytes) -> None:
    """Two manifests of files, compared; a line that was read is written the same."""
    left, _, right = _text(data).partition("\0")
    for line in manifest.lines(left):
        with contextlib.suppress(ValueError):
            item = manifest.Item.parse(line)
            assert manifest.Item.parse(str(item)) == item
    with contextlib.suppress(ValueError):
        manifest.compare(manifest.lines(left), manifest.lines(right)).words()
    if "\toutside:" not in left:  # of what such a link leads to nothing is known
        assert not manifest.compare(manifest.lines(left), manifest.lines(left))


def numbers(data: bytes) -> None:
    """Metrics in JSON, and two JSON or CSV files held against each other."""
    text = data.decode("utf-8", "replace")
    unread: dict[str, str] = {}
    files = {"m.json": text, "n.json": text}
    values, _ = metrics._bounded(metrics._values(files, metrics._beginnings([*files]), unread))
    json.dumps(values, allow_nan=False)
    metrics.in_words(values, most=2)
    left, _, right = text.partition("\0")
    for name in ("a.json", "a.csv"):
        tolerance.apart(name, left, right).within(0.1)
        same = tolerance.apart(name, left, left)
        assert same.why.startswith("cannot be read") or same.within(0)


def chains(data: bytes) -> None:
    """A chain's file."""
    with contextlib.suppress(RvexpError):
        chain_file.parsed(_text(data), "chain.toml")


def terminal(data: bytes) -> None:
    """Whatever is shown: nothing is left that a terminal obeys, and widths are told."""
    shown = output.printable(_text(data))
    assert not {c for c in shown if c not in "\n\t" and not c.isprintable()}
    columns.width(shown)


TARGETS: dict[str, Target] = {
    "record": record,
    "tag": tag,
    "config": settings,
    "tomledit": edit,
    "archive": archived,
    "layer": layer,
    "registry": registry,
    "reference": reference,
    "ignore": ignoring,
    "dockerfile": dockerfiles,
    "manifest": manifests,
    "numbers": numbers,
    "chain": chains,
    "terminal": terminal,
}
CORPUS = Path(__file__).parent / "corpus"


def kept(name: str) -> list[bytes]:
    """The corpus of a target: starting points, and every input that once broke it."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir()) if path.is_file()]
