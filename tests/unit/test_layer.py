"""The delta layer: exactly the new tree over the old one, the same bytes everywhere, readable by every tar and gzip."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_rvexp.git.objects import Objects
from git_rvexp.images import layer, stored, ustar
from git_rvexp.images.delta import Unfit, plan
from git_rvexp.names import Digest

File = tuple[str, bytes]
"""A file's git mode and its content."""
Tree = Mapping[bytes, File]
CODE = {".": "/opt/src"}
TIME = 1_700_000_000

NAMES = [
    b"a",
    b"b",
    b"a.py",
    b"b.py",
    b"a-b",
    b"a.b",
    b"A",
    "ü".encode(),
    b"\xff",
    b"sp ace",
    b'q"\\uote',
    b"new\nline",
    b"n" * 101,
]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(b"/".join)
FILES = st.tuples(st.sampled_from(["100644", "100755"]), st.sampled_from([b"", b"x", b"y" * 600])) | st.tuples(
    st.just("120000"), st.sampled_from([b"a", b"../x", b"t" * 120])
)


def without_conflicts(files: Mapping[bytes, File]) -> Tree:
    """A tree: nothing stands below a file."""
    above = {path[:i] for path in files for i, c in enumerate(path) if c == ord("/")}
    return {path: what for path, what in files.items() if path not in above}


TREES = st.dictionaries(PATHS, FILES, max_size=6).map(without_conflicts)


def quoted(path: bytes) -> bytes:
    """A path as fast-import takes any."""
    return b'"' + b"".join(bytes([c]) if 48 <= c < 123 and c != 92 else b"\\%03o" % c for c in path) + b'"'


def repository(folder: Path, *trees: Tree) -> list[str]:
    """A new repository with these trees as commits, by git fast-import; their object names."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", str(folder)], env=env, check=True)
    stream = b""
    for tree in trees:
        stream += b"commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 0\ndeleteall\n" % TIME
        for path, (mode, content) in tree.items():
            stream += b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), quoted(path), len(content), content)
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet", "--force"], input=stream, env=env, check=True)
    told = subprocess.run(
        ["git", "-C", str(folder), "log", "--reverse", "--format=%T", "main"], env=env, capture_output=True, check=True
    )
    return told.stdout.decode().split()


def laid(folder: Path, old: str, new: str, code: Mapping[str, str] = CODE) -> bytes:
    """The layer's bytes."""
    objects = Objects(folder / ".git")
    made = layer.make(objects, plan(objects, old, new, code, lambda _: False), time=TIME, owner=(0, 0))
    data = b"".join(made.open())
    assert (made.digest, made.size) == (Digest.of(data), len(data))
    assert made.diff_id == Digest.of(gzip.decompress(data))
    return data


def applied(image: dict[bytes, File], data: bytes) -> dict[bytes, File]:
    """An image's files with a layer laid over them, as the OCI specification says: whiteouts hide what is below."""
    image = dict(image)

    def remove(path: bytes) -> None:
        for known in [p for p in image if p == path or p.startswith(path + b"/")]:
            del image[known]

    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as tar:
        members = [(m, m.name.encode("utf-8", "surrogateescape")) for m in tar]
        assert [path for _, path in members] == sorted(path for _, path in members)
        hidden = {path.replace(b".wh.", b"") for _, path in members if b".wh." in path}
        assert not hidden & {path for _, path in members}, "what is replaced is not whited out as well"
        seen: set[bytes] = set()
        for member, path in members:
            folder, _, name = path.rpartition(b"/")
            assert not folder or folder in seen, "every folder is told before what is in it"
            if name.startswith(b".wh."):
                remove(folder + b"/" + name.removeprefix(b".wh."))
            elif member.isdir():
                seen.add(path)
                image.pop(path, None)  # a folder replaces a file
            else:
                remove(path)
                content = tar.extractfile(member) if member.isreg() else None
                mode = "120000" if member.issym() else f"100{member.mode:o}"
                body = content.read() if content else member.linkname.encode("utf-8", "surrogateescape")
                image[path] = (mode, body)
    return image


@given(old=TREES, new=TREES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_old_tree_and_layer_are_the_new_tree(tmp_path_factory: pytest.TempPathFactory, old: Tree, new: Tree) -> None:
    """Whatever was added, changed, removed or became another kind of thing, under whatever name."""
    folder = tmp_path_factory.mktemp("repo")
    one, two = repository(folder, old, new)
    image = {b"opt/src/" + path: what for path, what in old.items()}
    image[b"opt/other"] = ("100644", b"")
    made = applied(image, laid(folder, one, two))
    assert made.pop(b"opt/other") == ("100644", b"")
    assert made == {b"opt/src/" + path: what for path, what in new.items()}


def test_nothing_changed_is_nothing(tmp_path: Path) -> None:
    """Equal trees make no members at all."""
    (one,) = repository(tmp_path, {b"a": ("100644", b"x")})
    assert plan(Objects(tmp_path / ".git"), one, one, CODE, lambda _: False).members == ()


def test_bytecode_of_changed_folders_goes(tmp_path: Path) -> None:
    """A whiteout for __pycache__ beside each changed module, none elsewhere, none where git has the folder."""
    x, y = ("100644", b"x"), ("100644", b"y")
    old: Tree = {b"a/m.py": x, b"b/m.py": x, b"c/m.txt": x, b"d/m.py": x, b"d/__pycache__/k": x, b"gone/m.py": x}
    new: Tree = {**old, b"a/m.py": y, b"c/m.txt": y, b"d/m.py": y}
    new = {path: what for path, what in new.items() if not path.startswith(b"gone")}
    one, two = repository(tmp_path, old, new)
    with tarfile.open(fileobj=io.BytesIO(laid(tmp_path, one, two))) as tar:
        white = {name for name in tar.getnames() if ".wh." in name}
    assert white == {"opt/src/a/.wh.__pycache__", "opt/src/.wh.gone"}


def test_what_dockerignore_leaves_out_stays_out(tmp_path: Path) -> None:
    """Neither sent nor whited out."""
    old: Tree = {b"out/a": ("100644", b"x"), b"in": ("100644", b"x")}
    one, two = repository(tmp_path, old, {b"out/b": ("100644", b"y"), b"in": ("100644", b"y")})
    objects = Objects(tmp_path / ".git")
    made = plan(objects, one, two, CODE, lambda path: path.startswith("out/"))
    assert [m.member.path for m in made.members if m.entry] == [b"opt/src/in"]
    assert not [m for m in made.members if b".wh." in m.member.path]


def test_parts_of_the_tree_go_where_the_mapping_says(tmp_path: Path) -> None:
    """A folder and a single file, each to its own place; the rest to none."""
    old: Tree = {b"src/a": ("100644", b"x"), b"tool": ("100755", b"x"), b"rest": ("100644", b"x")}
    new: Tree = {path: (mode, b"y") for path, (mode, _) in old.items()}
    one, two = repository(tmp_path, old, new)
    code = {"src": "/app", "tool": "/usr/local/bin/tool"}
    with tarfile.open(fileobj=io.BytesIO(laid(tmp_path, one, two, code))) as tar:
        files = {m.name: m.mode for m in tar if m.isreg()}
    assert files == {"app/a": 0o644, "usr/local/bin/tool": 0o755}


def test_name_that_reads_as_a_whiteout_is_refused(tmp_path: Path) -> None:
    """It would delete instead of add."""
    one, two = repository(tmp_path, {b"a": ("100644", b"x")}, {b"d/.wh.a": ("100644", b"x")})
    with pytest.raises(Unfit, match="whiteout"):
        laid(tmp_path, one, two)


def test_file_times_are_the_commits(tmp_path: Path) -> None:
    """One time for all members, owner 0:0 without names."""
    one, two = repository(tmp_path, {}, {b"a/b": ("100644", b"x")})
    with tarfile.open(fileobj=io.BytesIO(laid(tmp_path, one, two))) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar} == {(TIME, 0, 0, "", "")}


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 65536, 131070, 8 * 65535, 8 * 65535 + 1, 9 * 65535, 2_000_000])
def test_stored_gzip_is_gzip(size: int) -> None:
    """Python's and GNU's readers give the content back, nothing but frames is added, pieces do not matter."""
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    whole = b"".join(stored.packed([data]))
    assert whole == b"".join(stored.packed(data[i : i + 1000] for i in range(0, size, 1000)))
    assert gzip.decompress(whole) == data
    blocks = max(1, -(-size // 65535))
    assert len(whole) == 10 + size + 5 * blocks + 8
    assert subprocess.run(["gzip", "-dc"], input=whole, capture_output=True, check=True).stdout == data
    # nothing in it is compressed
    assert len(whole) >= size + 18 and zlib.decompress(whole[10:-8], -15) == data  # noqa: PT018  one property


@pytest.mark.parametrize("length", [1, 99, 100, 101, 155, 156, 200, 255, 256, 257, 1000])
@pytest.mark.parametrize("slash", [0, 50, 99])
def test_any_length_of_path_is_read_back(length: int, slash: int) -> None:
    """Ustar where it fits, a pax header where it does not."""
    path = b"x" * length if not slash or slash >= length - 1 else b"d" * slash + b"/" + b"x" * (length - slash - 1)
    member = ustar.Member(path, b"2", 0o777, link=b"l" * length)
    data = ustar.header(member, time=TIME, owner=(1, 2)) + ustar.END
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        (found,) = list(tar)
    assert (found.name.encode(), found.linkname.encode(), found.mtime) == (path, b"l" * length, TIME)
    if length <= 100:
        assert len(data) == 3 * ustar.BLOCK


def test_file_beyond_ustars_size_has_its_size_told() -> None:
    """Eight gibibytes and more need a pax header."""
    member = ustar.Member(b"a", b"0", 0o644, size=8**11 + 5)
    with tarfile.open(fileobj=io.BytesIO(ustar.header(member, time=TIME, owner=(0, 0)) + ustar.END)) as tar:
        first = tar.next()
    assert first is not None
    assert first.size == 8**11 + 5


WRITTEN = """
import sys, zlib
zlib.compress = zlib.compressobj = None  # another compressor would change nothing, since none is asked
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from git_rvexp.git.objects import Objects
from git_rvexp.images import layer
from git_rvexp.images.delta import plan
objects = Objects(Path(sys.argv[2]))
delta = plan(objects, sys.argv[3], sys.argv[4], {".": "/opt/src"}, lambda _: False)
made = layer.make(objects, delta, time=5, owner=(0, 0))
print(made.digest)
"""


def test_the_same_bytes_on_any_machine(tmp_path: Path) -> None:
    """Two clones, loose and packed, hostile settings, other umask, time zone, locale, hash seed, no compressor."""
    old: Tree = {b"a.txt": ("100644", b"one\n"), b"v": ("100644", b"$Format:%H$\n"), b"k/x.py": ("100644", b"1")}
    new: Tree = {
        b"a.txt": ("100755", b"two\r\n"),
        b".gitattributes": ("100644", b"* text eol=crlf export-subst\n"),
        b"l": ("120000", b"k"),
    }
    one, two = repository(tmp_path / "x", old, new)
    bare = tmp_path / "another place" / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", tmp_path / "x", bare], check=True, capture_output=True)
    subprocess.run(["git", "-C", bare, "repack", "-adq"], check=True, capture_output=True)
    for key, value in {"core.autocrlf": "true", "tar.umask": "077", "core.eol": "crlf"}.items():
        subprocess.run(["git", "-C", bare, "config", key, value], check=True)
    root = str(Path(__file__).parents[2])
    places = {tmp_path / "x" / ".git": {}, bare: {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}}
    told = set()
    for place, more in places.items():
        words = [sys.executable, "-c", WRITTEN, root, str(place), one, two]
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **more}
        umask = 0o077 if more else 0o002
        done = subprocess.run(words, env=env, umask=umask, cwd="/", capture_output=True, text=True, check=True)
        told.add(done.stdout)
    assert len(told) == 1
