"""The git remote `experiments`: which addresses it may have, a clone that moves, and what a killed set-up left."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Clone

SSH = "git@ssh.invalid:team/experiments.git"


def bare(path: Path) -> Path:
    """An empty bare repository."""
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
    return path


@pytest.mark.parametrize("address", [SSH, "ssh.invalid:x.git", f"ssh://{SSH.replace(':', '/')}", "https://h.invalid/x"])
def test_addresses_elsewhere_can_be_set_up(clone: Clone, address: str) -> None:
    """The short form of ssh is no folder of the work tree, for a file that is not tracked yet and for one that is."""
    done = clone.rvexp("init", "--yes", "--remote", address)
    assert done.returncode == 0, done.stderr
    assert clone.git("config", "remote.experiments.url") == address
    clone.commit()
    confirmed = clone.rvexp("init", "--confirm")
    assert confirmed.returncode == 0, confirmed.stderr


def test_refused_address_leaves_the_clone_as_it_was(clone: Clone) -> None:
    """A folder of the work tree is refused before anything is written."""
    bare(clone.path / "data" / "store.git")
    done = clone.rvexp("init", "--yes", "--remote", "data/store.git")
    assert (done.returncode, "folder of this work tree" in done.stderr) == (2, True)
    assert not (clone.path / ".rvexp.toml").exists()
    assert clone.git("remote") == ""


def test_folder_of_an_unknown_user_is_an_error_that_names_it(clone: Clone) -> None:
    """And not a crash."""
    done = clone.rvexp("init", "--yes", "--remote", "~nobody-of-that-name/x.git")
    assert (done.returncode, "~nobody-of-that-name/x.git" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("how", ["relative", "insteadOf", "pushInsteadOf", "file"])
def test_origin_is_known_by_its_other_names(clone: Clone, tmp_path: Path, how: str) -> None:
    """A relative path, a shortened address and a file URL lead to the same place as origin's own."""
    public = bare(tmp_path / "public.git")
    origin, asked = str(public), str(public)
    if how == "relative":
        origin = asked = "../public.git"
    elif how == "file":
        asked = f"file://{public}"
    else:
        clone.git("config", f"url.{tmp_path}/.{how}", "near:")
        origin, asked = ("near:public.git", "near:public.git") if how == "insteadOf" else (origin, "near:public.git")
    clone.git("remote", "add", "origin", origin)
    clone.git("config", "rvexp.experimentsRemote", asked)
    refused = clone.rvexp("snapshot", "demo")
    assert (refused.returncode, "same place as origin" in refused.stderr) == (2, True), refused.stderr
    assert subprocess.run(["git", "-C", public, "for-each-ref"], capture_output=True, check=True).stdout == b""


def test_other_place_beside_origin_is_fine(clone: Clone, tmp_path: Path) -> None:
    """The twin: rewriting that leads elsewhere refuses nothing."""
    bare(tmp_path / "public.git")
    private = bare(tmp_path / "private.git")
    clone.git("config", f"url.{tmp_path}/.insteadOf", "near:")
    clone.git("remote", "add", "origin", "near:public.git")
    clone.git("config", "rvexp.experimentsRemote", "near:private.git")
    done = clone.rvexp("snapshot", "demo")
    assert done.returncode == 0, done.stderr
    assert b"/demo" in subprocess.run(["git", "-C", private, "tag"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_embedded_remote_goes_with_its_clone(clone: Clone, tmp_path: Path, how: str) -> None:
    """A clone that was renamed, or copied whole, goes on in its own repository and says so once."""
    assert clone.rvexp("snapshot", "one").returncode == 0
    new = Clone(tmp_path / "elsewhere")
    if how == "moved":
        clone.path.rename(new.path)
    else:
        shutil.copytree(clone.path, new.path, symlinks=True)
    done = new.rvexp("snapshot", "two")
    assert done.returncode == 0, done.stderr
    own = new.path / ".git" / "rvexp" / "experiments.git"
    assert f"this clone was moved or copied: its snapshots are in {own}" in done.stderr
    assert len(new.git(f"--git-dir={own}", "tag").splitlines()) == 2
    assert "moved or copied" not in new.rvexp("sync").stderr
    if how == "copied":
        assert len(clone.git("--git-dir=.git/rvexp/experiments.git", "tag").splitlines()) == 1


def test_address_that_a_person_chose_is_not_followed(clone: Clone, tmp_path: Path) -> None:
    """The twin: another place than an embedded one stays, and the hint's command is whole."""
    assert clone.rvexp("snapshot", "one").returncode == 0
    there = bare(tmp_path / "their own.git")
    clone.git("remote", "set-url", "experiments", str(there))
    done = clone.rvexp("snapshot", "two")
    own = clone.path / ".git" / "rvexp" / "experiments.git"
    assert (done.returncode, f"hint: git remote set-url experiments {own}" in done.stderr) == (2, True), done.stderr
    assert clone.git("config", "remote.experiments.url") == str(there)


@pytest.mark.parametrize("lost", ["fetch", "tagOpt", "skipFetchAll"])
def test_set_up_that_was_cut_short_is_completed(clone: Clone, tmp_path: Path, lost: str) -> None:
    """Without the fetch line nothing would be known of the remote's tags, and no alarm raised when one is deleted."""
    clone.git("config", "rvexp.experimentsRemote", str(bare(tmp_path / "shared.git")))
    assert clone.rvexp("snapshot", "one").returncode == 0
    had = clone.git("config", f"remote.experiments.{lost}")
    clone.git("config", "--unset", f"remote.experiments.{lost}")
    assert clone.rvexp("snapshot", "two").returncode == 0
    assert clone.git("config", f"remote.experiments.{lost}") == had


def test_first_commands_of_a_clone_may_run_side_by_side(clone: Clone) -> None:
    """Each sets up what is missing, and git's lock on the configuration file makes nobody fail."""
    words = [sys.executable, "-m", "git_rvexp", "snapshot"]
    running = [
        subprocess.Popen([*words, f"n{i}"], cwd=clone.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for i in range(6)
    ]
    told = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * 6, told
    assert len(clone.git("--git-dir=.git/rvexp/experiments.git", "tag").splitlines()) == 6
    left = [path.name for path in (clone.path / ".git" / "rvexp").iterdir()]
    assert [name for name in left if name.startswith("experiments.git-")] == []


def test_a_remote_that_plain_git_added_is_used_as_it_is(clone: Clone, tmp_path: Path) -> None:
    """By a relative address, and with git's own line for branches, which stays; ours comes beside it."""
    there = bare(tmp_path / "shared.git")
    clone.git("remote", "add", "experiments", "../shared.git")
    clone.git("config", "rvexp.experimentsRemote", "../shared.git")
    done = clone.rvexp("snapshot", "one")
    assert done.returncode == 0, done.stderr
    assert clone.git("config", "--get-all", "remote.experiments.fetch").splitlines() == [
        "+refs/heads/*:refs/remotes/experiments/*",
        "+refs/tags/*:refs/rvexp/pushed/*",
    ]
    assert clone.git("config", "--get-all", "remote.experiments.url") == "../shared.git"
    assert clone.rvexp("snapshot", "two").returncode == 0
    assert len(clone.git("config", "--get-all", "remote.experiments.fetch").splitlines()) == 2
    clone.git(f"--git-dir={there}", "update-ref", "-d", f"refs/tags/{done.stdout.strip()}")
    assert "was deleted" in clone.rvexp("sync").stderr
