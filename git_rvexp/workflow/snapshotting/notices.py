"""What a person must know of a snapshot that is taken all the same: captured unseen, or left out by surprise."""

import os
from collections.abc import Iterator
from pathlib import Path

from git_rvexp.git.attributes import listed, names
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.worktree import WorkTree
from git_rvexp.quoting import quoted
from git_rvexp.settings import Settings

_LINK = "120000"
_EMBEDDING = "git rvexp snapshot --submodules embed takes their files along"


def notices(repo: Repo, settings: Settings, work: WorkTree) -> Iterator[str]:
    """One text for each kind, with the paths."""
    if work.hidden:
        yield (
            "edits that `git status` does not show are in the snapshot (assume-unchanged or skip-worktree)\n"
            + names(work.hidden)
        )
    outward = [f"{quoted(path)} -> {quoted(target)}" for path, target in _outward(repo, work)]
    if outward:
        yield "links that lead out of the tree: the snapshot holds the link, not what it names\n" + listed(outward)
    left = [f"{link.path}/" for link in work.links if not link.taken]
    if left:
        yield (
            "the files of submodules are not in the snapshot, nor in any image of it: only their commits are\n"
            + names(left)
            + f"\n  {_EMBEDDING}"
        )
    lacking = left_behind(repo, settings)
    if lacking:
        yield "the Dockerfile copies what git ignores, so it is not in the snapshot or its image\n" + names(lacking)


def _outward(repo: Repo, work: WorkTree) -> Iterator[tuple[str, str]]:
    for each in work.changed:
        if each.mode == _LINK:
            try:
                target = (repo.top / each.path).readlink()
            except OSError:  # no link any more: the next snapshot sees what it is
                continue
            inner = Path(os.path.normpath(Path(each.path).parent / target))
            if target.is_absolute() or inner.parts[:1] == ("..",):
                yield each.path, str(target)


def left_behind(repo: Repo, settings: Settings) -> list[str]:
    """Ignored files and folders at or below the places that the Dockerfile copies by name."""
    context = repo.top / settings.image_context
    if not (context / settings.image_dockerfile).is_file():
        return []
    from git_rvexp.images.delta import Unfit  # noqa: PLC0415  only where there is a Dockerfile
    from git_rvexp.images.dockerfile import stages  # noqa: PLC0415  as above

    try:
        text = (context / settings.image_dockerfile).read_text(encoding="utf-8", errors="replace")
        sources = {copy.source for stage in stages(text) for copy in stage.copies}
    except (OSError, Unfit):  # it cannot be read without running it: the build will say more
        return []
    named = [str(Path(settings.image_context) / s) for s in sources - {"."} if os.path.lexists(context / s)]
    if not named:
        return []
    asked = ("--others", "--ignored", "--exclude-standard", "--directory")
    found = repo.git("--literal-pathspecs", "ls-files", "-z", *asked, "--", *sorted(named)).text
    return [path for path in found.split("\0") if path and not path.endswith("__pycache__/")]
