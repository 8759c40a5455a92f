"""The example of docs/layer-format.md comes out to the byte; and why times and whiteouts are what they are."""

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from git_rvexp.git.objects import Objects
from git_rvexp.images import layer
from git_rvexp.images.delta import plan
from git_rvexp.images.layer import Layer

PAGE = Path(__file__).parents[2] / "docs" / "layer-format.md"
TIME = 1_700_000_000
COMMITS = (
    {"Dockerfile": b"FROM scratch\n", "a.py": b"print(1)\n", "gone/x": b"x", "turn": b"a file\n"},
    {
        "Dockerfile": b"FROM scratch\n",
        "a.py": b"print(2)\n",
        "turn/né w": b"now in a folder\n",
        "d" * 90 + "/" + "f" * 90: b"long\n",
        "e" * 160 + "/" + "g" * 120: b"longer\n",
    },
)


def trees(folder: Path) -> list[str]:
    """The two trees of the example, by plain git; their object names."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    made = []
    for number, files in enumerate(COMMITS):
        place = folder / str(number)
        for name, content in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        if number:
            (place / "link").symlink_to("a.py")
            (place / "a.py").chmod(0o755)
        git = ["git", f"--git-dir={folder}/.git", f"--work-tree={place}"]
        if not number:
            subprocess.run([*git, "init", "-q"], env=env, check=True)
        subprocess.run([*git, "add", "-A"], env=env, cwd=place, check=True)
        made.append(
            subprocess.run([*git, "write-tree"], env=env, capture_output=True, check=True).stdout.decode().strip()
        )
    return made


def example(folder: Path, *, time: int = TIME) -> Layer:
    """The layer from the first tree to the second."""
    old, new = trees(folder)
    objects = Objects(folder / ".git")
    return layer.make(objects, plan(objects, old, new, {".": "/opt/src"}, lambda _: False), time=time, owner=(0, 0))


def test_the_example_of_the_specification_comes_out(tmp_path: Path) -> None:
    """On every machine and with every Python: the trees' names, and what the page says of the layer between them."""
    text = PAGE.read_text("utf-8")
    made = example(tmp_path)
    told = [*trees(tmp_path / "again"), str(made.diff_id), str(made.digest), f"{made.size} bytes"]
    assert [each for each in told if each not in text] == []


def test_the_example_by_hand(tmp_path: Path) -> None:
    """The page's digest is that of the bytes that are sent, and tar lists them as the page does."""
    made = example(tmp_path)
    data = b"".join(made.open())
    assert str(made.digest) == f"sha256:{hashlib.sha256(data).hexdigest()}"
    listed = subprocess.run(["tar", "-tzf", "-"], input=data, capture_output=True, check=True).stdout.decode()
    names = listed.replace("\\303\\251", "é")
    shown = re.sub(r"(.)\1{80,}", lambda found: f"{found[1]}*{len(found[0])}", names)
    assert shown in PAGE.read_text("utf-8")


def test_stale_bytecode_would_run_with_one_time_for_all(tmp_path: Path) -> None:
    """An edit of the same size: with a constant time and no whiteout the old code runs; each of the two mends it."""
    old, new = trees(tmp_path)
    objects = Objects(tmp_path / ".git")

    def ran(name: str, *, time: int, whiteouts: bool) -> str:
        root = tmp_path / name
        first = layer.make(objects, plan(objects, None, old, {".": "/src"}, lambda _: False), time=TIME, owner=(0, 0))
        unpacked(first, root, whiteouts=False)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(root / "src")], check=True)
        delta = plan(objects, old, new, {".": "/src"}, lambda _: False)
        unpacked(layer.make(objects, delta, time=time, owner=(0, 0)), root, whiteouts=whiteouts)
        words = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(root / 'src')!r}]; import a"]
        return subprocess.run(words, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout

    assert ran("constant", time=TIME, whiteouts=False) == "1\n", "the trap is one"
    assert ran("time", time=TIME + 60, whiteouts=False) == "2\n"
    assert ran("whiteout", time=TIME, whiteouts=True) == "2\n"


def unpacked(made: Layer, root: Path, *, whiteouts: bool) -> None:
    """Lay a layer over a folder; of whiteouts only those of bytecode, and only when they count."""
    root.mkdir(exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(b"".join(made.open()))) as tar:
        for member in tar:
            folder, _, name = member.name.rpartition("/")
            if name == ".wh.__pycache__" and whiteouts:
                for path in (root / folder / "__pycache__").iterdir():
                    path.unlink()
            elif member.isfile() and name.endswith(".py"):
                tar.extract(member, root, filter="tar")
