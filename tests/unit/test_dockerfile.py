"""What a Dockerfile takes from its context, as far as the fast path has to know it, and which environment follows."""

import subprocess
from pathlib import Path

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.git.objects import Objects
from git_rvexp.images.delta import Unfit
from git_rvexp.images.dockerfile import Copy, chain, stages
from git_rvexp.images.recipe import Recipe
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.engine import recipe
from git_rvexp.workflow.building.key import describe

LONG = """\
# comment
FROM base AS one
WORKDIR /opt
COPY --chown=1000:1000 ["a b", "c", "src/"]
FROM one
RUN echo \\
  # a comment in between
  COPY not this
COPY <<EOF /etc/x
COPY nor this
EOF
COPY --from=one /x /y
ADD https://example.org/x /x
copy . .
"""


def test_copies_are_read_with_their_places() -> None:
    """Through continued lines, here-documents, JSON and WORKDIR; what comes from elsewhere is left out."""
    found = [(c.source, c.target, c.owner, c.plain) for stage in stages(LONG) for c in stage.copies]
    assert found == [
        ("a b", "/opt/src", "1000:1000", True),
        ("c", "/opt/src", "1000:1000", True),
        (".", "/opt", "", True),
    ]
    assert [s.name for s in chain(stages(LONG), "")] == ["1", "one"]
    assert [s.name for s in chain(stages(LONG), "ONE")] == ["one"]


def test_any_white_space_follows_a_keyword() -> None:
    """A tab, or several spaces."""
    found = stages("FROM\tbase\tAS\tone\nWORKDIR \t/opt\nCOPY\tscripts/e.sh\te.sh\n")
    assert [(s.name, s.base, s.copies) for s in found] == [("one", "base", [Copy("scripts/e.sh", "/opt/e.sh", False)])]


@pytest.mark.parametrize(
    "line",
    [
        "COPY $X /x",
        "COPY a b",
        "RUN --mount=type=bind,target=/x make",
        "RUN pip install .",
        "RUN cd x && pip3 install --no-deps './sub[extra]'",
        "RUN python setup.py install",
        "RUN python3 -m build",
        "RUN <<EOF\npip install /opt/src\nEOF",
        "RUN <<EOF\npip install \\\n  /opt/src\nEOF",
        "RUN\tpip install .",
        "RUN pip install -r r.txt && \\\n\npip install .",
        "RUN pip install -r r.txt && \\\n  # the code\n \npip install .",
        "RUN pip inst\\\nall .",
        'RUN ["pip", "install", "."]',
        'RUN --mount=type=cache,target=/c ["sh", "-c", "pip install ."]',
        "RUN pip --no-cache-dir install .",
        "RUN python3.12 -m pip3.12 --log /tmp/log -q install .",
        "RUN uv pip --quiet install .",
        "RUN uv --cache-dir /c pip install .",
        "RUN python setup.py --quiet install",
        'RUN cat <<<"tz" | x\nCOPY $X /x',
        "RUN echo $((1<<n))\nCOPY $X /x",
        "RUN echo '<<EOF'\nCOPY $X /x",
        "RUN cat <<-'E F' <<X >/x\n\tx\n\tE F\nx\nX\nCOPY $X /x",
        "RUN echo a\\\\\nCOPY . /x",
    ],
)
def test_what_cannot_be_told_is_unfit(line: str) -> None:
    """Variables, unknown folders, mounted context, and code installed a second time."""
    with pytest.raises(Unfit):
        stages(f"FROM base\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip install -r requirements.txt",
        "RUN pip install -r ./requirements.txt torch==2.0",
        "RUN pip install -e .",
        "RUN pip install --editable /opt/src && make",
        "RUN --mount=type=cache,target=/root/.cache pip install x",
        "RUN --mount=type=bind,from=one,target=/x ls",
        "RUN pip --version && echo install .",
        "RUN cat <<EOF >/notes\nx\n EOF\nEOF",
        "COPY <<EOF /notes\n EOF\nRUN pip install .\nEOF",
    ],
)
def test_what_is_no_obstacle(line: str) -> None:
    """Requirements, editable installs, caches and other stages."""
    assert stages(f"FROM base\n{line}\n")


class World:
    """A repository whose trees are described."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "init", "-q", folder], check=True)

    environment = Settings().image_environment
    recipe = Recipe("Dockerfile")

    def key(self, code: dict[str, str] | None = None, **files: str) -> str:
        """The key of a tree with these files (`_` for `.` and `__` for `/`)."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        subprocess.run(["git", "add", "-A"], cwd=self.folder, check=True)
        tree = subprocess.run(["git", "write-tree"], cwd=self.folder, capture_output=True, check=True, text=True)
        settings = Settings(image_code=code or {".": "/opt/src"}, image_environment=self.environment)
        found = describe(Objects(self.folder / ".git"), tree.stdout.strip(), settings, self.recipe)
        self.left_out = found.left_out
        return found.key


def test_key_follows_the_environments_files_only(tmp_path: Path) -> None:
    """Code changes nothing; requirements, the Dockerfile, files copied elsewhere and files outside the mapping do."""
    world = World(tmp_path)
    first = world.key(Dockerfile="FROM b\nCOPY tool /bin/\nCOPY . /opt/src\n", tool="1", body="1", src__a="1")
    assert world.key(body="2", src__a="2") == first
    seen = {first, world.key(tool="2"), world.key(requirements_txt="x"), world.key(src__setup_py="x")}
    seen |= {world.key(Dockerfile="FROM b\nCOPY\ttool /bin/\nCOPY ./ /opt/src/\n"), world.key(tool="3")}
    assert len(seen) == 6
    part = {"src": "/opt/src/src"}
    seen |= {world.key(part), world.key(part, body="3")}
    assert len(seen) == 8


def test_dockerfile_and_ignore_file_always_count(tmp_path: Path) -> None:
    """Whatever the settings list."""
    world = World(tmp_path)
    world.environment = ()
    first = world.key(Dockerfile="FROM b\nCOPY . /opt/src\n")
    second = world.key(Dockerfile="FROM c\nCOPY . /opt/src\n")
    assert len({first, second, world.key(_dockerignore="x")}) == 3


def test_links_to_dockerfile_and_ignore_file_count_by_what_they_lead_to(tmp_path: Path) -> None:
    """In the context, or for the ignore file anywhere in the tree."""
    world = World(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").symlink_to("docker/gpu")
    (tmp_path / "app" / ".dockerignore").symlink_to("../common/rules")
    world.recipe = recipe(Settings(image_context="app", image_dockerfile="./Dockerfile"))
    (tmp_path / "common").mkdir()
    (tmp_path / "app" / "docker").mkdir()
    first = world.key(app__docker__gpu="FROM b\nCOPY . /opt/src\n", common__rules="data\ndocker\n", app__data="1")
    assert world.key(app__data="2") == first
    assert [world.left_out(path) for path in ("data", "Dockerfile", "docker/gpu", "docker/cpu")] == [
        True,
        False,
        False,
        True,
    ]
    seen = {first, world.key(app__docker__gpu="FROM c\nCOPY . /opt/src\n"), world.key(common__rules="docker\n")}
    assert len(seen) == 3
    world.key(app__Dockerfile_dockerignore="x\n")
    assert [world.left_out(path) for path in ("docker/cpu", "x")] == [False, True]
    (tmp_path / "app" / "Dockerfile.dockerignore").unlink()
    (tmp_path / "app" / "Dockerfile.dockerignore").symlink_to("/etc/hosts")
    with pytest.raises(UsageError, match=r"app/Dockerfile\.dockerignore is a link that leads out of the snapshot"):
        world.key()


@pytest.mark.parametrize("line", ["COPY . /build", "COPY src /build", "COPY --chown=7:7 . /opt/src", "ADD . /opt/src"])
def test_code_that_goes_elsewhere_is_unfit(tmp_path: Path, line: str) -> None:
    """In any stage: what is made of the code there would stay as it was."""
    with pytest.raises(Unfit):
        World(tmp_path).key({"src": "/opt/src/src"}, Dockerfile=f"FROM b\n{line}\n", src__a="1")
