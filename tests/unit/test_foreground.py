"""The words of docker run for `git rvexp run`, and the mounts that are refused."""

from pathlib import Path

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.workflow.foreground import Here, docker_run
from git_rvexp.workflow.mounts import volume

CODE = "/opt/src"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree with two folders, and a data folder and a link into the tree beside it."""
    for folder in ("tree/data", "tree/src", "data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "tree" / "src")
    return tmp_path / "tree"


def test_words(tree: Path) -> None:
    """Everything asked for becomes one word each, before the image; the command follows it untouched."""
    here = Here(
        image="sha256:ab",
        command=("sh", "-c", "echo $HOME; -v x"),
        env={"A": "1 2"},
        env_names=("TOKEN",),
        volumes=("./data:/data:ro", "cache:/cache"),
        ports=("8888:8888",),
        gpus="all",
    )
    words = docker_run(here, CODE, tree, tree, {"TOKEN": "hunter2"}, terminal=True)
    assert " ".join(words[:7]) == "--rm --init --interactive --pull=never --tty --env A=1 2"
    assert words[7:] == [
        *("--env", "TOKEN", "--volume", f"{tree}/data:/data:ro", "--volume", "cache:/cache"),
        *("--publish", "8888:8888", "--gpus", "all", "sha256:ab", "sh", "-c", "echo $HOME; -v x"),
    ]
    assert "hunter2" not in "".join(words)
    assert "--tty" not in docker_run(here, CODE, tree, tree, {"TOKEN": ""}, terminal=False)


def test_a_variable_that_is_not_there(tree: Path) -> None:
    """A variable to pass on by name must exist: docker would leave it out and say nothing."""
    with pytest.raises(UsageError, match="TOKEN"):
        docker_run(Here("i", env_names=("TOKEN",)), CODE, tree, tree, {}, terminal=False)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("../data:/data", "{top}/data:/data"),
        ("../data:/opt/src/data", "{top}/data:/opt/src/data"),
        ("data:/opt/srcs", "data:/opt/srcs"),
        ("./data:/out/../data/", "{top}/tree/data:/data"),
        (".:/mnt:ro,z", "{top}/tree:/mnt:ro,z"),
        ("/scratch", "/scratch"),
    ],
)
def test_mounts_that_leave_the_code_alone(tree: Path, given: str, word: str) -> None:
    """Data from elsewhere may go anywhere but over the code; the work tree may go where the code is not."""
    assert volume(given, CODE, tree, tree, local=True) == word.format(top=tree.parent)


@pytest.mark.parametrize(
    "target", ["/opt/src", "/opt/src/", "/opt", "/", "//opt//src", "/data/../opt/src/.", "/opt/x/.."]
)
@pytest.mark.parametrize("source", ["../data:", "cache:", "/:", ""])
def test_nothing_may_hide_the_code(tree: Path, source: str, target: str) -> None:
    """Whatever the source, a destination that covers the WORKDIR is refused, however it is spelt."""
    with pytest.raises(UsageError, match="would hide the snapshot's code in /opt/src"):
        volume(source + target, CODE, tree, tree, local=True)


@pytest.mark.parametrize("source", [".", "./src", "src/", "src/../data", "../link", "../tree/src"])
def test_the_work_tree_may_not_go_into_the_code(tree: Path, source: str) -> None:
    """Files of the work tree inside the code's folder are refused, through links too."""
    with pytest.raises(UsageError, match="would put files of the work tree into the snapshot's code"):
        volume(f"{source}:/opt/src/src", CODE, tree, tree, local=True)


def test_an_image_without_a_workdir(tree: Path) -> None:
    """Where the code cannot be known, the work tree is mounted nowhere; other data still is."""
    with pytest.raises(UsageError, match="the image has no WORKDIR"):
        volume("./data:/data", "", tree, tree, local=True)
    assert volume("../data:/data", "", tree, tree, local=True) == f"{tree.parent}/data:/data"


def test_a_source_that_is_not_there(tree: Path) -> None:
    """A slip in the source is an error on this machine; on another engine's machine it cannot be known."""
    with pytest.raises(UsageError, match="there is no"):
        volume("../dta:/data", CODE, tree, tree, local=True)
    assert volume("/dta:/data", CODE, tree, tree, local=False) == "/dta:/data"


@pytest.mark.parametrize("given", ["a:b", ":/data", "./a:", "", "./a:/b:ro:z", "./a:data"])
def test_volumes_that_are_none(tree: Path, given: str) -> None:
    """What docker would not take is a usage error that shows it."""
    with pytest.raises(UsageError, match="-v"):
        volume(given, CODE, tree, tree, local=True)
