"""What decides a snapshot's image beside its tree: settings, which its own `.rvexp.toml` has, and not today's.

Flags, variables and git's configuration still go before any file. What was in force when an image was made stands in
its `image` event, so that a build that differs can say in what.
"""

import dataclasses

from git_rvexp.config import Config
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git.depth import promisor
from git_rvexp.imagesettings import chosen, decides, differing, of_snapshot
from git_rvexp.layers import FILE, LARGEST, from_text
from git_rvexp.model import Snapshot
from git_rvexp.values import shown
from git_rvexp.workflow.context import CONFIRMED, Context
from git_rvexp.workflow.secrecy import requests

_PLAIN = (b"100644 ", b"100755 ")


def as_of(context: Context, snapshot: Snapshot) -> Context:
    """The context with the image settings of the snapshot's own file; as it is where the snapshot holds none.

    UsageError when that file is wrong.
    """
    return context if _lacking(context, snapshot) else _then(context, snapshot)


def _then(context: Context, snapshot: Snapshot) -> Context:
    text = _file(context, snapshot)
    if text is None or any(file.tracked and file.text == text for file in context.config.files):
        return context
    then = of_snapshot(context.config, from_text(text, f"{snapshot.tag}:{FILE}", tracked=True))
    return dataclasses.replace(context, config=then)


def acting(context: Context, snapshot: Snapshot) -> Context:
    """The same for who makes an image; which settings are not today's is said.

    UsageError for build arguments that look like secrets, and for those that the file chooses, that send traffic
    elsewhere and that the user stands by nowhere.
    """
    then = context
    if not _lacking(context, snapshot):
        then = _then(context, snapshot)
    else:
        context.warn(
            f"whether {snapshot.tag} has settings of its own is not known in this partial clone: today's are taken\n"
            f"  git show {snapshot.tag}:{FILE} fetches them"
        )
    _confirmed(context, snapshot, then.config)
    requests.check_build(then.settings)
    lines = differing(chosen(then.settings), chosen(context.settings))
    if lines:
        context.say("the image is made with the snapshot's own settings\n" + "\n".join(f"  {line}" for line in lines))
    return then


def _lacking(context: Context, snapshot: Snapshot) -> bool:
    """Whether the file, or the tree that would have it, is not in this partial clone; nothing is fetched."""
    if not snapshot.tree or not promisor(context.repo):
        return False
    from git_rvexp.git.partial import lacking  # noqa: PLC0415  not in other clones

    missing = lacking(context.repo, snapshot.commit)
    if not missing or snapshot.tree in missing:
        return bool(missing)
    entries = context.repo.git("ls-tree", snapshot.tree, FILE).lines
    return any(entry.split()[2] in missing for entry in entries)


def _file(context: Context, snapshot: Snapshot) -> str | None:
    """The settings file in the snapshot's tree; None when there is no plain one."""
    if not snapshot.tree:
        return None
    name = f"{snapshot.tree}:{FILE}"
    found = context.repo.reader.read([snapshot.tree, name])
    tree, file = found[snapshot.tree], found[name]
    if tree is None:
        raise RvexpError(f"the tree of {snapshot.tag} is not in this clone", hint="git rvexp sync")
    if not any(mode + FILE.encode() + b"\0" in tree.content for mode in _PLAIN):
        return None
    if file is None:
        raise RvexpError(f"{FILE} of {snapshot.tag} is not in this clone", hint="git rvexp sync")
    if len(file.content) > LARGEST:
        raise UsageError(f"{snapshot.tag}:{FILE} is no settings file: it has more than {LARGEST // 1024} KiB")
    try:
        return file.content.decode()
    except UnicodeDecodeError as why:
        raise UsageError(f"{snapshot.tag}:{FILE} cannot be read: {why}") from why


def _confirmed(context: Context, snapshot: Snapshot, then: Config) -> None:
    open_values = then.unconfirmed(context.repo.setting(CONFIRMED))
    if strange := {name: value for name, value in open_values.items() if decides(name)}:
        lines = "\n".join(f"  {name} = {shown(value)}" for name, value in strange.items())
        raise UsageError(
            f"{snapshot.tag} chooses build arguments that send traffic elsewhere, not confirmed here\n{lines}",
            hint="git config rvexp.image.buildArgs 'NAME=VALUE,NAME=VALUE' with all of them, if these are yours",
        )
