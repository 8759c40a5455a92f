"""A git directory that was made by somebody else: unpacked with the files, not made by `git clone`.

git itself trusts such a directory once it belongs to the user, and so does whoever types `git status` in it. What we
add must not be worse: looking runs nothing of it, and a snapshot runs the filters that `git add` runs and nothing else.
"""

import os
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.hostile.plants import Trap
from tests.hostile.test_files import called

HOOKS = (
    "pre-commit",
    "post-commit",
    "pre-push",
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "update",
    "pre-receive",
    "post-receive",
    "proc-receive",
)
PROGRAMS = (
    "core.pager",
    "core.editor",
    "sequence.editor",
    "core.askPass",
    "core.gitProxy",
    "core.sshCommand",
    "core.fsmonitor",
    "core.alternateRefsCommand",
    "gpg.program",
    "gpg.ssh.program",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "merge.evil.driver",
    "interactive.diffFilter",
    "pager.diff",
    "pager.log",
    "pager.rvexp",
    "difftool.x.cmd",
    "trailer.rvexp-snapshot.cmd",
    "trailer.rvexp-snapshot.command",
    "uploadpack.packObjectsHook",
    "browser.x.cmd",
    "man.x.cmd",
    "credential.helper",
)
SWITCHES = {
    "commit.gpgSign": "true",
    "tag.gpgSign": "true",
    "push.gpgSign": "if-asked",
    "push.followTags": "true",
    "push.recurseSubmodules": "on-demand",
    "fetch.recurseSubmodules": "true",
    "submodule.recurse": "true",
    "protocol.allow": "always",
    "protocol.ext.allow": "always",
    "man.viewer": "x",
    "web.browser": "x",
    "feature.manyFiles": "true",
    "core.untrackedCache": "true",
}
LOOKING = (("list",), ("status",), ("show",), ("diff", "@", "@~0"), ("config", "list"), ("verify",), ("doctor",))


@pytest.fixture
def trap(clone: Clone, tmp_path: Path) -> Trap:
    """A clone with one snapshot, then a git directory full of programs."""
    outside = tmp_path / "outside"
    outside.mkdir()
    clone.write(".gitattributes", "* diff=evil merge=evil\n")
    clone.commit("attributes")
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write("train.py", "print('two')\n")
    assert clone.rvexp("snapshot", "two").returncode == 0
    made = Trap(clone, outside)
    canary = str(made.canary())
    for key in PROGRAMS:
        clone.git("config", key, canary)
    for key, value in SWITCHES.items():
        clone.git("config", key, value)
    clone.git("config", "alias.rev-parse", f"!{canary}")
    clone.git("config", "alias.rvexp", f"!{canary}")
    # the way that the embedded remote's path would take, if addresses could run things
    clone.git("config", f"url.ext::{canary} .insteadOf", str(clone.path))
    included = outside / "included"
    included.write_text(f"[core]\n\tfsmonitor = {canary}\n")
    clone.git("config", "include.path", str(included))
    clone.git("config", "includeIf.gitdir:/.path", str(included))
    alternates = clone.path / ".git/objects/info/alternates"
    other = outside / "other.git"
    clone.git("init", "-q", "--bare", str(other), env={"GIT_CONFIG_COUNT": "0"})
    alternates.write_text(f"{other / 'objects'}\n")
    for name in HOOKS:
        hook = clone.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(made.canary().read_text())
        hook.chmod(0o755)
    for event in ("reference-transaction", "post-index-change", "pre-push"):  # git >= 2.54
        clone.git("config", f"hook.evil-{event}.command", canary)
        clone.git("config", f"hook.evil-{event}.event", event)
    made.marks.unlink(missing_ok=True)
    return made


def test_looking_runs_nothing(trap: Trap) -> None:
    """Hooks, pagers, editors, drivers, signers, askers, aliases: none, for any verb that only looks."""
    for words in (*LOOKING, ("diff", "one", "two", "-p"), ("snapshot", "x", "-n")):
        done = called(trap, *words)
        assert trap.sprung() == "", (words, done.stderr)
        assert done.returncode != 70


def test_a_snapshot_runs_nothing_but_filters(trap: Trap) -> None:
    """Not even where the address of the remote is rewritten to one that runs things: the push fails instead."""
    done = called(trap, "snapshot", "three")
    assert trap.sprung() == "", done.stderr
    assert done.returncode != 70
    called(trap, "sync")
    assert trap.sprung() == ""


def test_the_filters_of_the_configuration_do_run(trap: Trap) -> None:
    """The line of the threat model, held in place: as `git add` does, since LFS and encryption are such filters."""
    program = trap.canary("cleaning")
    trap.clone.git("config", "filter.evil.clean", f"{program}; cat")
    trap.clone.write(".gitattributes", "*.bin filter=evil\n")
    trap.clone.write("a.bin", "x\n")
    called(trap, "list")
    assert trap.sprung() == ""
    called(trap, "snapshot", "three")
    assert "cleaning" in trap.sprung()


def test_somebody_elses_directory_is_refused_as_git_refuses_it(trap: Trap) -> None:
    """safe.directory is git's own rule, and holds here too."""
    if os.geteuid():
        pytest.fail("only root can give a folder away, which this test needs")
    os.chown(trap.clone.path, 12345, 12345)
    os.chown(trap.clone.path / ".git", 12345, 12345)
    done = called(trap, "snapshot", "x")
    assert done.returncode == 2
    assert "dubious ownership" in done.stderr
    assert f"hint: git config --global --add safe.directory {trap.clone.path}, if you trust" in done.stderr
    assert trap.sprung() == ""
