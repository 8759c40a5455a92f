"""The folders of an image as its layers tell of them, the topmost first."""

import gzip
import io
import tarfile
from collections.abc import Iterator

import pytest

from git_rvexp.errors import RvexpError
from git_rvexp.images.blob import Blob
from git_rvexp.images.delta import Folder, Unfit
from git_rvexp.images.folders import in_layers

WANTED = (b"home", b"home/ada", b"home/ada/work")


def layer(*members: tuple[str, int, int], packed: bool = True) -> Blob:
    """A layer of these: path, mode and user; a folder where the path ends with a slash, else an empty file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, mode, user in members:
            info = tarfile.TarInfo(path)
            info.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            info.mode, info.uid, info.gid = mode, user, user
            tar.addfile(info)
    return Blob.of(gzip.compress(out.getvalue()) if packed else out.getvalue())


def test_the_topmost_layer_that_tells_of_a_folder_counts() -> None:
    """Whatever is below it, with whatever there is before the path."""
    below = layer(("home/", 0o755, 0), ("home/ada/", 0o755, 0), packed=False)
    above = layer(("./home/ada/", 0o2750, 7), ("/home/ada/file", 0o644, 7))
    expected = {b"home": Folder(0o755, (0, 0)), b"home/ada": Folder(0o2750, (7, 7))}
    assert in_layers([above, below], WANTED) == expected


@pytest.mark.parametrize("name", ["home/.wh.ada", "home/.wh..wh..opq", ".wh.home", ".wh..wh..opq"])
def test_what_was_removed_is_not_there(name: str) -> None:
    """By name or with all that is beside it; what the same layer makes anew is."""
    below = layer(("home/", 0o700, 1), ("home/ada/", 0o700, 1), ("home/ada/work/", 0o700, 1))
    above = layer((name, 0o644, 0), ("home/", 0o755, 2), ("home/ada/", 0o755, 2))
    expected = {b"home": Folder(0o755, (2, 2)), b"home/ada": Folder(0o755, (2, 2))}
    assert in_layers([above, below], WANTED) == expected


def test_no_more_is_read_than_is_needed() -> None:
    """Below the layer that tells the last of it nothing is opened."""

    def never() -> Iterator[bytes]:
        raise AssertionError("it was read")

    below = layer()._replace(open=never)
    above = layer(*((f"{path.decode()}/", 0o755, 0) for path in WANTED))
    assert set(in_layers([above, below], WANTED)) == set(WANTED)


def test_a_file_in_the_way_is_told() -> None:
    """Nothing can be laid into it."""
    with pytest.raises(Unfit, match="/home/ada is no folder"):
        in_layers([layer(("home/ada", 0o644, 0))], WANTED)


def test_an_owner_beyond_a_layers_numbers_is_told() -> None:
    """It could not be said again."""
    with pytest.raises(Unfit, match=r"/home belongs to 3000000:3000000"):
        in_layers([layer(("home/", 0o755, 3_000_000))], WANTED)


def test_what_is_no_layer_is_told() -> None:
    """As one that is packed in another way."""
    with pytest.raises(RvexpError, match="neither a tar nor one packed with gzip"):
        in_layers([Blob.of(b"\x28\xb5\x2f\xfd" + bytes(2000))], WANTED)
