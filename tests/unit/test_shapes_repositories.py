"""Repositories of every kind and in every state: captured, or refused with the reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.unit.shapes import Shape, Site, prove


def _clean_submodule(site: Site) -> None:
    site.submodule()


def _dirty_submodule(site: Site) -> None:
    site.submodule().write("inner.txt", "changed\n")


def _hidden_in_submodule(site: Site) -> None:
    inner = site.submodule()
    inner.git("update-index", "--skip-worktree", "inner.txt")
    inner.write("inner.txt", "hidden\n")


def _assumed_in_submodule(site: Site) -> None:
    inner = site.submodule()
    inner.git("update-index", "--assume-unchanged", "inner.txt")


def _untracked_in_submodule(site: Site) -> None:
    site.submodule().write("new.txt", "new\n")


def _unpushed_submodule(site: Site) -> None:
    site.submodule().commit("not pushed")


def _pushed_submodule(site: Site) -> None:
    inner = site.submodule()
    inner.git("checkout", "-q", "-b", "more")
    inner.write("inner.txt", "pushed\n")
    inner.commit()
    inner.git("push", "-q", "origin", "more")


def _ignoring_submodule(site: Site) -> None:
    inner = site.submodule()
    site.clone.git("config", "--file", ".gitmodules", "submodule.lib.ignore", "all")
    inner.write("inner.txt", "changed\n")


def _deep_submodule(site: Site) -> None:
    deep = site.other("deep-home")
    inner = site.submodule()
    inner.git("submodule", "--quiet", "add", str(deep.path), "deep")
    inner.commit()
    inner.git("push", "-q", "origin", "HEAD:refs/heads/deep")
    site.clone.commit("deeper")
    Clone(inner.path / "deep").write("inner.txt", "changed\n")


def _clean_below_dirty_submodule(site: Site) -> None:
    _deep_submodule(site)
    site.clone.write("lib/deep/inner.txt", "inner\n")
    site.clone.write("lib/inner.txt", "changed\n")


def _absent_below_dirty_submodule(site: Site) -> None:
    _clean_below_dirty_submodule(site)
    Clone(site.clone.path / "lib").git("submodule", "--quiet", "deinit", "-f", "deep")


def _absent_submodule(site: Site) -> None:
    site.submodule()
    site.clone.git("submodule", "--quiet", "deinit", "-f", "lib")


def _filled_submodule(site: Site) -> None:
    _absent_submodule(site)
    site.clone.write("lib/pasted.txt", "x\n")


def _undeclared_link(site: Site) -> None:
    site.other("vendored", inside=True)
    site.clone.git("add", "vendored")
    site.clone.git("commit", "-q", "-m", "an accident")


def _nested(site: Site) -> None:
    site.other("third/party", inside=True)


def _uncommitted(site: Site) -> None:
    site.clone.git("init", "-q", "fresh")
    site.clone.write("fresh/x.txt", "x\n")


def _bare(site: Site) -> None:
    site.clone.git("init", "-q", "--bare", "store.git")


def _own_worktree(site: Site) -> None:
    site.clone.git("worktree", "add", "-q", "side")


def _sparse(site: Site) -> None:
    site.clone.write("in/a.txt", "a\n")
    site.clone.write("out/b.txt", "b\n")
    site.clone.commit()
    site.clone.git("sparse-checkout", "set", "--cone", "in")
    site.clone.write("in/a.txt", "changed\n")


def _sparse_index(site: Site) -> None:
    site.clone.write("in/a.txt", "a\n")
    site.clone.write("out/b.txt", "b\n")
    site.clone.commit()
    site.clone.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")


def _sparse_with_more(site: Site) -> None:
    _sparse(site)
    site.clone.write("out/new.txt", "outside\n")


def _shallow(site: Site) -> None:
    site.clone.commit("second")
    site.elsewhere("--depth=1")
    site.clone.write("train.py", "changed\n")


def _shallow_to_an_empty_remote(site: Site) -> None:
    _shallow(site)
    site.clone.git("init", "-q", "--bare", str(site.beside / "experiments.git"))
    site.clone.git("config", "rvexp.experimentsRemote", str(site.beside / "experiments.git"))


def _partial(site: Site) -> None:
    site.clone.write("train.py", "second\n")
    site.clone.commit("second")
    site.elsewhere("--filter=blob:none")
    site.clone.write("train.py", "changed\n")


def _partial_offline_to_an_empty_remote(site: Site) -> None:
    _partial(site)
    site.clone.git("init", "-q", "--bare", str(site.beside / "experiments.git"))
    site.clone.git("config", "rvexp.experimentsRemote", str(site.beside / "experiments.git"))
    (site.beside / "origin.git").rename(site.beside / "away.git")


def _sha256(site: Site) -> None:
    subprocess.run(["rm", "-rf", str(site.clone.path / ".git")], check=True)
    site.clone.git("init", "-q", "--object-format=sha256")
    site.clone.commit()
    site.clone.write("train.py", "changed\n")


def _unborn(site: Site) -> None:
    subprocess.run(["rm", "-rf", str(site.clone.path / ".git")], check=True)
    site.clone.git("init", "-q")


def _detached(site: Site) -> None:
    site.clone.git("checkout", "-q", "--detach")


def _merging(site: Site) -> None:
    site.clone.git("checkout", "-q", "-b", "side")
    site.clone.write("train.py", "side\n")
    site.clone.commit()
    site.clone.git("checkout", "-q", "main")
    site.clone.write("train.py", "main\n")
    site.clone.commit()
    site.clone.git("merge", "side", check=False)


def _merged_not_committed(site: Site) -> None:
    site.clone.git("checkout", "-q", "-b", "side")
    site.clone.write("side.txt", "side\n")
    site.clone.commit()
    site.clone.git("checkout", "-q", "main")
    site.clone.commit("main")
    site.clone.git("merge", "-q", "--no-commit", "side")


def _split_index(site: Site) -> None:
    site.clone.git("update-index", "--split-index")
    site.clone.write("train.py", "changed\n")


def _many_files_features(site: Site) -> None:
    site.clone.git("config", "feature.manyFiles", "true")
    site.clone.git("update-index", "--index-version", "4", "--untracked-cache")
    site.clone.write("train.py", "changed\n")


def _locked(site: Site) -> None:
    site.clone.write(".git/index.lock", "")
    site.clone.write("train.py", "changed\n")


def _separate_git_dir(site: Site) -> None:
    site.clone.git("init", "-q", "--separate-git-dir", str(site.beside / "elsewhere.git"))
    site.clone.write("train.py", "changed\n")


def _alternates(site: Site) -> None:
    site.elsewhere("--shared")
    site.clone.write("train.py", "changed\n")


def _lying_monitor(site: Site) -> None:
    monitor = site.beside / "monitor"
    monitor.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    site.clone.git("config", "core.fsmonitor", str(monitor))
    site.clone.git("status")
    site.clone.write("train.py", "changed\n")


CHANGED = {"train.py": "changed\n"}
EMBED = ("--submodules=embed",)
SHAPES = (
    Shape("a submodule, clean and pushed", "captured: its commit", _clean_submodule, {"lib/inner.txt": None}),
    Shape("a submodule at another commit, pushed", "captured: its commit", _pushed_submodule, {"lib": None}),
    Shape(
        "a submodule with changed files", "refused with its name", _dirty_submodule, says=("lib/ has 1 uncommitted",)
    ),
    Shape(
        "an edit in a submodule, hidden by skip-worktree",
        "refused with its name",
        _hidden_in_submodule,
        says=("lib/ has 1 uncommitted",),
    ),
    Shape(
        "a marked file in a submodule, as it was committed",
        "captured: its commit",
        _assumed_in_submodule,
        {"lib/inner.txt": None},
    ),
    Shape("a submodule with untracked files", "refused with its name", _untracked_in_submodule, says=("lib/ has 1",)),
    Shape(
        "a submodule with a commit it has not pushed",
        "refused with the commit",
        _unpushed_submodule,
        says=("lib/ is at commit", "pushed to no remote"),
    ),
    Shape("a changed submodule with `ignore = all`", "refused all the same", _ignoring_submodule, says=("lib/ has 1",)),
    Shape(
        "a changed submodule of a submodule",
        "refused with its name",
        _deep_submodule,
        says=("lib/ holds deep/, which has 1",),
    ),
    Shape("a submodule that is not checked out", "captured: its commit", _absent_submodule),
    Shape("files where a submodule is not checked out", "refused", _filled_submodule, says=("lib/ holds files",)),
    Shape("a link to a commit that is no submodule", "refused", _undeclared_link, says=("vendored/",)),
    Shape(
        "a changed submodule, with `--submodules=embed`",
        "captured with its files",
        _dirty_submodule,
        {"lib/inner.txt": "changed\n"},
        args=EMBED,
    ),
    Shape(
        "a changed submodule of a submodule, with `--submodules=embed`",
        "captured with its files",
        _deep_submodule,
        {"lib/deep/inner.txt": "changed\n", "lib/inner.txt": "inner\n"},
        args=EMBED,
    ),
    Shape(
        "a clean submodule of a changed submodule, with `--submodules=embed`",
        "captured with its files",
        _clean_below_dirty_submodule,
        {"lib/deep/inner.txt": "inner\n", "lib/inner.txt": "changed\n"},
        args=EMBED,
    ),
    Shape(
        "a submodule of a submodule that is not checked out, with `--submodules=embed`",
        "refused with the command that helps",
        _absent_below_dirty_submodule,
        says=("lib/deep/ is not checked out", "git -C lib submodule update --init deep"),
        args=EMBED,
    ),
    Shape(
        "a submodule that is not checked out, with `--submodules=embed`",
        "refused with the command that helps",
        _absent_submodule,
        says=("git submodule update --init lib",),
        args=EMBED,
    ),
    Shape("an untracked repository", "refused with its name", _nested, says=("third/party/",)),
    Shape(
        "an untracked repository, with `--submodules=embed`",
        "captured with its files",
        _nested,
        {"third/party/inner.txt": "inner\n"},
        args=EMBED,
    ),
    Shape("an untracked repository without a commit", "refused with its name", _uncommitted, says=("fresh/",)),
    Shape(
        "an untracked repository without a commit, with `--submodules=embed`",
        "captured with its files",
        _uncommitted,
        {"fresh/x.txt": "x\n"},
        args=EMBED,
    ),
    Shape("a bare repository inside", "refused with its name", _bare, says=("store.git/",)),
    Shape("a bare repository inside, with `--submodules=embed`", "refused", _bare, says=("store.git/",), args=EMBED),
    Shape("a linked worktree of its own inside", "refused with its name", _own_worktree, says=("side/",)),
    Shape(
        "a sparse checkout",
        "captured; what is not checked out stays as in HEAD",
        _sparse,
        {"in/a.txt": "changed\n", "out/b.txt": "b\n"},
    ),
    Shape("a sparse index", "captured; what is not checked out stays as in HEAD", _sparse_index, {"out/b.txt": "b\n"}),
    Shape(
        "new files outside the sparse checkout",
        "captured",
        _sparse_with_more,
        {"out/new.txt": "outside\n", "out/b.txt": "b\n"},
    ),
    Shape("a shallow clone", "captured", _shallow, CHANGED),
    Shape(
        "a shallow clone with an empty experiments remote",
        "refused with the command that helps",
        _shallow_to_an_empty_remote,
        says=("git fetch --unshallow",),
    ),
    Shape("a partial clone (`--filter=blob:none`)", "captured", _partial, CHANGED),
    Shape(
        "a partial clone, empty experiments remote, origin out of reach",
        "refused: the history cannot be sent",
        _partial_offline_to_an_empty_remote,
        says=("partial clone",),
    ),
    Shape("SHA-256 object names", "captured", _sha256, CHANGED),
    Shape("no commit yet", "captured as a first commit", _unborn, {"train.py": "print('hello')\n"}),
    Shape("a detached HEAD", "captured", _detached),
    Shape("an unfinished merge", "refused with the files", _merging, says=("train.py", "merge is not finished")),
    Shape("a merge without conflicts, not committed", "captured", _merged_not_committed, {"side.txt": "side\n"}),
    Shape("a split index", "captured", _split_index, CHANGED),
    Shape("`feature.manyFiles`, index version 4, untracked cache", "captured", _many_files_features, CHANGED),
    Shape("an index that another git holds locked", "captured", _locked, CHANGED),
    Shape("a git directory elsewhere", "captured", _separate_git_dir, CHANGED),
    Shape("objects borrowed from another clone", "captured", _alternates, CHANGED),
    Shape("a file monitor that misses changes", "captured: it is not asked", _lying_monitor, CHANGED),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.title)
def test_a_shape_of_repositories(shape: Shape, clone: Clone, tmp_path: Path) -> None:
    """What docs/snapshots.md says of it is what happens."""
    prove(shape, Site(clone, tmp_path))


def test_an_embedded_submodule_is_found_again(clone: Clone, tmp_path: Path) -> None:
    """The work tree is compared with and without the files of submodules; its history is in no snapshot."""
    _dirty_submodule(Site(clone, tmp_path))
    tag = clone.rvexp("snapshot", "with", "--submodules=embed").stdout.strip()
    assert "Rvexp-Embedded: lib" in clone.git("cat-file", "tag", tag)
    found = clone.rvexp("submit", "-n", "--", "true")
    assert (found.returncode, f"{tag} has no image yet" in found.stderr) == (0, True), found.stderr
    (clone.path / "lib" / "inner.txt").write_text("changed again\n")
    lost = clone.rvexp("submit", "-n", "--", "true")
    assert (lost.returncode, "lib/ has 1 uncommitted change" in lost.stderr) == (1, True), lost.stderr


@pytest.mark.parametrize("how", ["record", "embed"])
def test_what_is_in_no_snapshot_is_counted_as_a_snapshot_would(clone: Clone, tmp_path: Path, how: str) -> None:
    """Beside a submodule too; and the words are those of the verb that was typed."""
    _clean_submodule(Site(clone, tmp_path))
    clone.git("config", "rvexp.snapshot.submodules", how)
    tag = clone.rvexp("snapshot", "before").stdout.strip()
    clone.write("train.py", "print('again')\n")
    clone.write("new.txt", "new\n")
    counted = clone.rvexp("snapshot", "x", "-n").stdout.splitlines()[0].partition(": ")[2]
    assert counted == ("1 modified, 1 new" if how == "record" else "1 modified, 2 new, 1 deleted")
    clone.write("../chain.toml", '[[step]]\nname = "a"\ncommand = ["true"]\n')
    typed = {
        "submit": (("--", "true"), f"git rvexp submit {tag} -- CMD"),
        "run": (("--", "true"), f"git rvexp run {tag} -- CMD"),
        "chain": (("../chain.toml",), f"git rvexp chain FILE {tag}"),
    }
    for verb, (words, instead) in typed.items():
        done = clone.rvexp(verb, *words)
        assert (done.returncode, f"({counted} against HEAD)" in done.stderr) == (2, True), done.stderr
        assert f"then {verb} again\n  {instead}    runs the newest" in done.stderr


def test_a_folder_that_cannot_be_read_is_refused(clone: Clone) -> None:
    """It is not silently left out. Root reads everything, unless it gives up that power."""
    clone.write("closed/x.txt", "x\n")
    (clone.path / "closed").chmod(0)
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    words = [*powerless, sys.executable, "-m", "git_rvexp", "snapshot", "closed"]
    done = subprocess.run(words, cwd=clone.path, capture_output=True, text=True, check=False)
    assert (done.returncode, "part of the work tree cannot be read" in done.stderr) == (1, True), done.stderr
