"""The bundle's file: what is written is read back, and nothing else is: no flipped bit, no cut, nothing made up."""

import gzip
import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from git_rvexp.commands.session import Session
from git_rvexp.errors import RvexpError
from git_rvexp.git.tags import snapshots
from git_rvexp.images.blob import Blob
from git_rvexp.names import Digest, TagName
from git_rvexp.output import Speaker
from git_rvexp.workflow.carrying import code, container
from git_rvexp.workflow.carrying.container import DamagedError, Part, proven
from git_rvexp.workflow.carrying.loading import checked
from git_rvexp.workflow.carrying.taking import take
from tests.conftest import Clone
from tests.notebook import Notebook

TAG = "al/roads/2026-11-02/first"
FIELDS = {"snapshot": {"tag": TAG}}


def part(name: str, data: bytes) -> Part:
    """A part with these bytes."""
    return Part(name, Blob.of(data))


def made(path: Path, parts: list[Part], fields: Mapping[str, Any] = FIELDS) -> Path:
    """A file with these parts."""
    path.write_bytes(b"".join(container.written(fields, parts)))
    return path


def read(path: Path) -> Mapping[str, bytes]:
    """The parts of a file, after it was proven."""
    with path.open("rb") as file:
        bundle = proven(path, file)
        return {name: b"".join(bundle.chunks(name)) for name in bundle.places}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Parts of any length, an empty one too; any tar program reads the file as well."""
    parts = {"git.bundle": b"x" * 1000, "report.html": b"", "oci/index.json": b"y" * 512}
    path = made(tmp_path / "b", [part(name, data) for name, data in parts.items()])
    assert read(path) == parts
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["rvexp-bundle.json", *parts, "SHA256"]
        whole = tar.extractfile("SHA256")
        assert whole is not None
        end = tar.getmember("SHA256").offset
        assert whole.read().decode() == hashlib.sha256(path.read_bytes()[:end]).hexdigest() + "\n"


def test_one_flipped_bit_anywhere_is_refused(tmp_path: Path) -> None:
    """In each byte of the file: headers, padding, contents, checksums."""
    path = made(tmp_path / "b", [part("git.bundle", b"some bytes"), part("report.html", b"more")])
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(DamagedError):
            read(path)
    path.write_bytes(whole)
    assert len(read(path)) == 2


def test_a_cut_and_an_addition_are_refused(tmp_path: Path) -> None:
    """Wherever it ends, and whatever stands behind the end."""
    path = made(tmp_path / "b", [part("git.bundle", b"some bytes")])
    whole = path.read_bytes()
    for changed in (*(whole[:n] for n in range(0, len(whole), 100)), whole + b"\0", whole + bytes(512), b"\0" + whole):
        path.write_bytes(changed)
        with pytest.raises(DamagedError):
            read(path)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "oci/../../x", "git.bundle\n", "x", "oci/blobs/sha256/../a", ""]
)
def test_a_name_that_is_not_ours_is_refused(tmp_path: Path, name: str) -> None:
    """Although all checksums are right."""
    with pytest.raises(DamagedError, match="not one that git rvexp writes"):
        read(made(tmp_path / "b", [part(name, b"x")]))


def test_a_list_that_lies_is_refused(tmp_path: Path) -> None:
    """Parts of one name, sizes that are no sizes, and other kinds of files."""
    with pytest.raises(DamagedError):
        read(made(tmp_path / "twice", [part("git.bundle", b"a"), part("git.bundle", b"b")]))
    big = Blob(Digest.of(b""), 1 << 60, list)
    pieces = container.written(FIELDS, [Part("git.bundle", big)])
    (tmp_path / "big").write_bytes(b"".join(next(pieces) for _ in range(4)))
    with pytest.raises(DamagedError):
        read(tmp_path / "big")
    with pytest.raises(DamagedError, match=r"rvexp\.bundle/2"):
        read(made(tmp_path / "newer", [], {"schema": "rvexp.bundle/2"}))
    with tarfile.open(tmp_path / "tar", "w") as tar:
        entry = tarfile.TarInfo("rvexp-bundle.json")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(DamagedError, match="does not begin as a bundle"):
        read(tmp_path / "tar")


def test_a_part_that_changes_while_it_is_written_stops_the_export(tmp_path: Path) -> None:
    """A registry that sends other bytes than announced makes no bundle."""
    lying = Blob(Digest.of(b"promised"), 8, lambda: [b"anything"])
    with pytest.raises(RvexpError, match="was altered"):
        made(tmp_path / "b", [Part("git.bundle", lying)])


Change = Callable[[dict[str, bytes]], None]
BLOBS = "oci/blobs/sha256/"


def image(layer: bytes, *, diff: bytes | None = None, change: Change = lambda _parts: None) -> list[Part]:
    """An image of one layer, packed or plain, as parts; `diff` is what the config says the layer unpacks to."""
    config = json.dumps({"rootfs": {"diff_ids": [str(Digest.of(layer if diff is None else diff))]}}).encode()
    described = [{"digest": str(Digest.of(data)), "size": len(data)} for data in (config, layer)]
    manifest = json.dumps({"schemaVersion": 2, "config": described[0], "layers": described[1:]}).encode()
    top = json.dumps({"manifests": [{"digest": str(Digest.of(manifest)), "size": len(manifest)}]}).encode()
    blobs = {BLOBS + hashlib.sha256(data).hexdigest(): data for data in (manifest, config, layer)}
    parts = {"oci/oci-layout": b"{}", "oci/index.json": top, **blobs}
    change(parts)
    return [part(name, data) for name, data in parts.items()]


def looked_at(path: Path, parts: list[Part]) -> Digest:
    """The id of the image in a file with these parts, after it was checked."""
    with made(path, parts).open("rb") as file:
        return checked(proven(path, file)).id


def test_an_image_is_accounted_for(tmp_path: Path) -> None:
    """Packed or not, in one piece or several, each layer is what the config says."""
    plain = os.urandom(3 << 20)
    for layer in (plain, gzip.compress(plain), gzip.compress(plain[:1000]) + gzip.compress(plain[1000:])):
        assert looked_at(tmp_path / "b", image(layer, diff=plain)).text.startswith("sha256:")


def missing(parts: dict[str, bytes]) -> None:
    """Take the layer away."""
    del parts[next(reversed(parts))]


def added(parts: dict[str, bytes]) -> None:
    """Add a blob that nothing names."""
    parts[BLOBS + hashlib.sha256(b"x").hexdigest()] = b"x"


def renamed(parts: dict[str, bytes]) -> None:
    """Let the layer's name hold something else."""
    parts[next(reversed(parts))] = b"other"


def mangled(parts: dict[str, bytes]) -> None:
    """Point nowhere."""
    parts["oci/index.json"] = b'{"manifests": [{"digest": "sha256:../../x"}]}'


@pytest.mark.parametrize("change", [missing, added, renamed, mangled])
def test_an_image_that_is_not_whole_is_refused(tmp_path: Path, change: Change) -> None:
    """Although all checksums of the file are right."""
    with pytest.raises(DamagedError):
        looked_at(tmp_path / "b", image(b"layer", change=change))


def test_layers_that_lie_are_refused(tmp_path: Path) -> None:
    """Another content than the config's, one cut short, rubbish behind it, and a bomb."""
    bomb = gzip.compress(bytes(200 << 20), 9)
    whole = gzip.compress(b"layer")
    for layer, diff in ((whole, b"other"), (whole[:-4], b"layer"), (whole + b"x", b"layer"), (bomb, b"")):
        with pytest.raises(DamagedError):
            looked_at(tmp_path / "b", image(layer, diff=diff))


@pytest.fixture
def book(clone: Clone) -> Notebook:
    """A clone with two snapshots, the first with an image and a run."""
    book = Notebook(clone)
    first = book.snapshot(TAG)
    book.tell(first, "image", ref="sha256:" + "1" * 64, id="sha256:" + "1" * 64)
    book.ended(first)
    book.snapshot("al/roads/2026-11-02/second")
    return book


def test_only_this_snapshot_travels(book: Notebook, new_clone: Callable[[str], Clone], tmp_path: Path) -> None:
    """Neither other tags, nor branches, nor other records are in the git part; and it is the same every time."""
    first = next(s for s in snapshots(book.repo) if s.tag == TAG)
    record = book.ledger.record(first.oid)
    made_ = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made_.append(code.packed(book.repo, first, record, 1_700_000_000, tmp_path / name))
    assert made_[0].read_bytes() == made_[1].read_bytes()
    heads = book.clone.git("bundle", "list-heads", str(made_[0])).splitlines()
    assert sorted(h.split(" ")[1] for h in heads) == ["refs/notes/rvexp", f"refs/tags/{TAG}"]
    elsewhere = Notebook(new_clone("elsewhere"))
    assert code.unpacked(elsewhere.repo, made_[0], {"tag": TAG, "oid": first.oid}, tmp_path) == record
    assert code.taken(elsewhere.ledger, made_[0], TagName.parse(TAG), first.oid)
    assert elsewhere.ledger.record(first.oid) == record
    assert elsewhere.clone.git("tag", "-l") == TAG
    assert "second" not in elsewhere.clone.git("log", "--all", "--format=%B")


def test_records_are_merged_and_tags_never_replaced(book: Notebook, tmp_path: Path) -> None:
    """Lines that were written here since stay; another tag of the name stops the import before anything is written."""
    first = next(s for s in snapshots(book.repo) if s.tag == TAG)
    packed = code.packed(book.repo, first, book.ledger.record(first.oid), 1_700_000_000, tmp_path)
    book.tell(first, "verdict", run="k3v9q2abcd", result="identical")
    now = book.ledger.record(first.oid)
    assert not code.taken(book.ledger, packed, TagName.parse(TAG), first.oid)
    assert {*map(str, book.ledger.record(first.oid).events)} == {*map(str, now.events)}
    book.clone.git("tag", "-d", TAG)
    other = book.snapshot(TAG, code="other")
    with pytest.raises(RvexpError, match="never replaced"):
        code.taken(book.ledger, packed, TagName.parse(TAG), first.oid)
    assert book.clone.git("rev-parse", TAG) == other.oid


def smuggled(book: Notebook, tmp_path: Path, *refs: str) -> Path:
    """A git bundle of refs that somebody chose."""
    path = tmp_path / "smuggled"
    book.clone.git("bundle", "create", "-q", str(path), *refs)
    return path


@pytest.mark.parametrize("more", [["refs/heads/main"], ["refs/tags/al/roads/2026-11-02/second"], []], ids=str)
def test_what_is_smuggled_in_is_refused(book: Notebook, tmp_path: Path, more: list[str]) -> None:
    """Another ref, another snapshot, or the whole record of a clone in place of this snapshot's."""
    book.tell(next(s for s in snapshots(book.repo) if s.tag != TAG), "note", text="not yours")
    path = smuggled(book, tmp_path, f"refs/tags/{TAG}", "refs/notes/rvexp", *more)
    with pytest.raises(DamagedError):
        code.unpacked(book.repo, path, {"tag": TAG, "oid": book.clone.git("rev-parse", TAG)}, tmp_path)


def test_a_tag_under_another_name_is_refused(book: Notebook, tmp_path: Path) -> None:
    """A ref that names a tag made for another snapshot is not that snapshot."""
    oid = book.clone.git("rev-parse", TAG)
    book.clone.git("update-ref", "refs/tags/al/roads/2026-11-02/third", oid)
    path = smuggled(book, tmp_path, "refs/tags/al/roads/2026-11-02/third", "refs/notes/rvexp")
    with pytest.raises(DamagedError):
        code.unpacked(book.repo, path, {"tag": "al/roads/2026-11-02/third", "oid": oid}, tmp_path)


def test_a_refused_bundle_leaves_nothing(book: Notebook, new_clone: Callable[[str], Clone], tmp_path: Path) -> None:
    """A bundle whose image is not the one that its record names: no ref, no object, no hook, no setting."""
    first = next(s for s in snapshots(book.repo) if s.tag == TAG)
    packed = code.packed(book.repo, first, book.ledger.record(first.oid), 1_700_000_000, tmp_path)
    fields = {
        "object_format": "sha1",
        "snapshot": {"tag": TAG, "oid": first.oid},
        "image": {"ref": "sha256:" + "1" * 64},
    }
    path = made(tmp_path / "b", [Part("git.bundle", container.spooled(packed)), *image(b"layer")], fields)
    elsewhere = new_clone("elsewhere")
    before = {p: p.stat().st_mtime_ns for p in elsewhere.path.rglob("*")}
    done = elsewhere.rvexp("import", str(path), "--no-image")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not the one that its record names" in done.stderr
    assert {p: p.stat().st_mtime_ns for p in elsewhere.path.rglob("*")} == before


def test_what_is_no_file_is_refused(clone: Clone, tmp_path: Path) -> None:
    """A folder, a device, nothing at all: in words, and at once."""
    context = Session(os.environ, clone.path, Speaker.make(os.environ)).context
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "nothing"):
        with pytest.raises(RvexpError, match=r"is no file|cannot be read"):
            take(context, path)
    (tmp_path / "text").write_bytes(b"x" * 5000)
    with pytest.raises(DamagedError, match="does not begin as a bundle"):
        take(context, tmp_path / "text")
