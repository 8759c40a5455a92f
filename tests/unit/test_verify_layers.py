"""Layers read from a real HTTP server that plays a registry: hashed, applied in order, held against a tree."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.images import audit
from git_rvexp.images.audit import Files
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import AlteredError, GoneError, Registry
from git_rvexp.names import Digest
from git_rvexp.tree import FILE, SYMLINK, Entry, blob_id
from tests.unit.serving import Asked, Reply, Serving

Content = str | tuple[str, str]  # a file's text, or ("link" or "hard", target), or ("folder", "")
TREE: dict[str, Content] = {"train.py": "print(1)\n", "sub/model.py": "x = 1\n", "link": ("link", "train.py")}


def layer(members: Mapping[str, Content], *, packed: bool = True) -> bytes:
    """A layer with these members, in their order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.size = len(content.encode())
                tar.addfile(info, io.BytesIO(content.encode()))
                continue
            kinds = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "folder": tarfile.DIRTYPE}
            info.type, info.linkname = kinds[content[0]], content[1]
            tar.addfile(info)
    return gzip.compress(out.getvalue()) if packed else out.getvalue()


def wanted(tree: Mapping[str, Content]) -> dict[bytes, Entry]:
    """The entries git would have."""
    found = {}
    for path, content in tree.items():
        data = (content if isinstance(content, str) else content[1]).encode()
        mode = FILE if isinstance(content, str) else SYMLINK
        found[path.encode()] = Entry(path.encode(), mode, blob_id([data], len(data)), len(data))
    return found


def read(
    *layers: bytes,
    root: str = "/opt/src",
    serve: Callable[[bytes], Reply] = lambda body: Reply(200, body),
    kind: str = "application/vnd.oci.image.layer.v1.tar+gzip",
    **more: Any,
) -> Files:
    """What is found in an image of these layers; `serve` is how the registry answers for a layer."""
    names = ["sha256:" + hashlib.sha256(body).hexdigest() for body in layers]
    told = [{"digest": n, "size": len(b), "mediaType": kind, **more} for n, b in zip(names, layers, strict=True)]
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": names[0]}, "layers": told}).encode()
    there = {f"/v2/lab/blobs/{name}": body for name, body in zip(names, layers, strict=True)}

    def answer(asked: Asked) -> Reply:
        return Reply(200, manifest) if "manifests" in asked.path else serve(there[asked.path])

    files = Files(root.encode(), wanted(TREE))
    with Serving(answer) as server:
        registry = Registry(Repository.parse(f"localhost:{server.port}/lab"))
        audit.layers(registry, registry.fetch(Digest.of(manifest)), files)
    return files


def always(reply: Reply) -> Callable[[bytes], Reply]:
    """The same answer for every layer."""
    return lambda _: reply


def named(files: Files) -> dict[str, str]:
    """Which files are there, and whether they are the tree's."""
    return {p.decode(): "same" if oid == files.wanted[p].oid else "other" for p, oid in files.found.items()}


CODE: dict[str, Content] = {f"opt/src/{path}": content for path, content in TREE.items()}
ALL_SAME = dict.fromkeys(TREE, "same")


@pytest.mark.parametrize("packed", [True, False])
def test_files_of_the_tree_are_found(packed: bool) -> None:  # noqa: FBT001  a parameter of the test
    """Files and links by their git names, packed or not, wherever else the layer has files."""
    files = read(layer({"etc/train.py": "no", **CODE, "opt/src/extra": "x"}, packed=packed))
    assert named(files) == ALL_SAME
    assert (files.same(), files.differing()) == (3, [])


def test_other_content_is_told() -> None:
    """The file is named that is not the tag's."""
    files = read(layer({**CODE, "opt/src/train.py": "print(2)\n"}))
    assert [e.shown for e in files.differing()] == ["train.py"]
    assert files.same() == 2


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ({"opt/src/train.py": "print(2)\n"}, {**ALL_SAME, "train.py": "other"}),
        ({"opt/src/.wh.train.py": ""}, {"sub/model.py": "same", "link": "same"}),
        ({"opt/src/.wh.sub": ""}, {"train.py": "same", "link": "same"}),
        ({"opt/.wh.src": ""}, {}),
        ({"opt/src/.wh..wh..opq": "", "opt/src/train.py": "print(1)\n"}, {"train.py": "same"}),
        ({"opt/src/train.py": "print(1)\n", "opt/src/.wh..wh..opq": ""}, {"train.py": "same"}),
        ({".wh..wh..opq": ""}, {}),
        ({"opt/src/sub": "a file now"}, {"train.py": "same", "link": "same"}),
        ({"opt/src": ("link", "/elsewhere")}, {}),
        ({"opt/src/sub": ("folder", "")}, ALL_SAME),
        ({"opt/src/.wh.other": "", "opt/sr": "x", "opt/src/su": "y"}, ALL_SAME),
        ({"opt/src/train.py": ("hard", "opt/src/sub/model.py")}, {**ALL_SAME, "train.py": "other"}),
    ],
)
def test_layers_are_applied_in_order(upper: dict[str, Content], left: dict[str, str]) -> None:
    """Whiteouts hide lower layers only, in whatever order they stand; what replaces a folder takes it all away."""
    assert named(read(layer(CODE), layer(upper))) == left


def test_working_folder_at_the_top() -> None:
    """An image without a working folder keeps its code, if anywhere, at the top."""
    assert named(read(layer(dict(TREE)), root="/")) == ALL_SAME


def test_flipped_bit_is_found() -> None:
    """In the packed data, in its last byte, or where unpacking fails first."""
    body = layer(CODE)
    for place in (0, len(body) // 2, len(body) - 1):
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(AlteredError, match="is damaged"):
            read(body, serve=always(Reply(200, flipped)))


def test_missing_layer_is_gone_and_a_failing_registry_is_not() -> None:
    """Only 404 says that it is not there."""
    with pytest.raises(GoneError, match="is gone"):
        read(layer(CODE), serve=always(Reply(404)))
    for reply in (Reply(500), Reply(403), Reply(200, layer(CODE)[:-5], length=len(layer(CODE)))):
        with pytest.raises(RvexpError) as caught:
            read(layer(CODE), serve=always(reply))
        assert not isinstance(caught.value, AlteredError | GoneError)


def test_layer_that_cannot_be_unpacked_is_hashed_all_the_same() -> None:
    """Nothing is said of its files."""
    assert "zstd" in read(b"packed otherwise", kind="application/vnd.oci.image.layer.v1.tar+zstd").unread
    assert "cannot be unpacked" in read(b"\x1f\x8b no gzip").unread
    with pytest.raises(RvexpError, match="kept elsewhere"):
        read(layer(CODE), urls=["https://example.org/layer"])
