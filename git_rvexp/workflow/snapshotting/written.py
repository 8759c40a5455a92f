"""What follows when a command writes a file into the work tree: no snapshot holds that work tree any more."""

from pathlib import Path

from git_rvexp.quoting import quoted
from git_rvexp.workflow.context import Context


def tell(context: Context, path: Path, instead: str) -> None:
    """Say so of the file `path`, and what to do `instead`; silent where the next snapshot would not hold it."""
    repo, place = context.repo, path.resolve()
    top = repo.top.resolve()
    if not place.is_relative_to(top) or place.is_relative_to(repo.common_dir.resolve()):
        return
    inner = place.relative_to(top).as_posix()
    ignored = repo.git("check-ignore", "--quiet", "--", inner, ok=(0, 1, 128))  # 128: in a submodule, or behind a link
    if ignored.code == 1:
        context.say(
            f"{quoted(inner)} is in the work tree, so the next submit wants a new snapshot: git rvexp snapshot NICK\n"
            f"  {instead}"
        )
