"""Our hooks in a clone: where they can go, whether they are there, installing and removing them.

git >= 2.54 runs hooks that the configuration names, beside all others. Before that a hook is a file, and a folder
outside the clone's git directory (husky's, a global core.hooksPath) is somebody else's: it is never written, the line
to add is told instead. The hooks themselves are the small shell scripts in `hooks/`.
"""

from dataclasses import dataclass
from pathlib import Path

from git_rvexp import homes
from git_rvexp.git import hookfile
from git_rvexp.git.configuration import put
from git_rvexp.git.plumbing import Repo

GUARD = "pre-push"
POST_PUSH = "reference-transaction"
DECLINED = "rvexp.local.nohooks"
PUBLISH = "rvexp.local.publishonpush"
PROGRAM = "rvexp.local.program"
_EVENTS = (GUARD, POST_PUSH)
_SERVER_EVENTS = ("update", "post-receive")
_CONFIG_HOOKS = (2, 54)
_ASKED = r"^(core\.hookspath|hook\.rvexp-.*\.command|rvexp\.local\.(nohooks|publishonpush))$"
_OWN_FILES = "rvexp/hooks"
_ARMED_FROM = "post-push"  # under this name pre-push finds the hook that it puts in place for one push


@dataclass(frozen=True)
class Standing:
    """What the configuration says about hooks: the folder git looks in, ours that it names, and the user's wishes."""

    folder: Path
    writable: bool
    configured: frozenset[str]
    declined: bool
    events: tuple[str, ...]


@dataclass(frozen=True)
class HookState:
    """One hook. `state`: installed, outdated, missing, or by hand (another's hook calls it); `remedy` may be empty."""

    event: str
    state: str
    where: str
    remedy: str = ""

    @property
    def fine(self) -> bool:
        """Whether the hook runs."""
        return self.state in ("installed", "by hand")


def inspect(repo: Repo) -> Standing:
    """Look, with one git process."""
    out = repo.git("config", "--show-scope", "--null", "--get-regexp", _ASKED, ok=(0, 1)).text
    cells = out.split("\0")
    found: dict[str, str] = {}
    for scope, entry in zip(cells[::2], cells[1::2], strict=False):
        if scope != "command":  # our own plumbing silences hooks that way
            key, _, value = entry.partition("\n")
            found[key] = value
    path = found.get("core.hookspath")
    folder = (repo.top / homes.expanded(path)).resolve() if path else _git_folder(repo)
    configured = {k.removeprefix("hook.rvexp-").removesuffix(".command") for k in found if k.startswith("hook.")}
    return Standing(
        folder,
        writable=_inside(repo, folder),
        configured=frozenset(configured),
        declined=found.get(DECLINED) == "true",
        events=_EVENTS if found.get(PUBLISH) == "true" else (GUARD,),
    )


def states(repo: Repo, standing: Standing) -> list[HookState]:
    """How each hook that is wanted stands; reads files only."""
    return [_state(repo, standing, event) for event in standing.events]


def install(repo: Repo) -> list[HookState]:
    """Put what is missing, and say how each stands now. Idempotent; hooks of others stay and run."""
    repo.git("config", "--local", "--unset-all", DECLINED, ok=(0, 5))
    standing = inspect(repo)
    by_config = _version(repo) >= _CONFIG_HOOKS
    for event in _EVENTS:
        if event in standing.events:
            _put(repo, standing, event, by_config=by_config)
        else:
            _take(repo, standing, event)
    return states(repo, inspect(repo))


def uninstall(repo: Repo) -> None:
    """Take our hooks away, put back what was there before, and remember that none are wanted."""
    standing = inspect(repo)
    for event in _EVENTS:
        _take(repo, standing, event)
    put(repo, DECLINED, "true")


def publish_on_push(repo: Repo, program: str, *, wanted: bool) -> None:
    """Remember whether a plain `git push experiments TAG` publishes, and by which program. Installs nothing."""
    put(repo, PUBLISH, str(wanted).lower())
    if program:
        put(repo, PROGRAM, program)


def install_server(repo_path: Path, *, publish: bool = False) -> bool:
    """Make a bare repository that experiments are pushed to append-only; `publish` adds its post-receive.

    False when a hook there is in the way that cannot be chained.
    """
    placed = [
        hookfile.place(repo_path / "hooks", event, hookfile.shim(f"server/{event}"))
        for event in _SERVER_EVENTS[: 2 if publish else 1]
    ]
    return all(placed)


def uninstall_server(repo_path: Path) -> None:
    """Take the server's hooks away again."""
    for event in _SERVER_EVENTS:
        hookfile.remove(repo_path / "hooks", event)


def _put(repo: Repo, standing: Standing, event: str, *, by_config: bool) -> None:
    text = hookfile.shim(event)
    if event == POST_PUSH:
        _take(repo, standing, event)
        if _can_arm(repo, standing):
            hookfile.write(_own(repo, _ARMED_FROM), text)
            return
    hookfile.write(_own(repo, event), text)
    if by_config:
        put(repo, f"hook.rvexp-{event}.command", _command(_own(repo, event)))
        put(repo, f"hook.rvexp-{event}.event", event)
        _cleared(repo, _git_folder(repo), event)  # from before git was this new
    elif standing.writable:
        hookfile.place(standing.folder, event, text)


def _take(repo: Repo, standing: Standing, event: str) -> None:
    if event in standing.configured:
        repo.git("config", "--local", "--remove-section", f"hook.rvexp-{event}", ok=(0, 128))
    for folder in {_git_folder(repo), standing.folder}:
        _cleared(repo, folder, event)
    for name in (event, *([_ARMED_FROM] if event == POST_PUSH else [])):
        _own(repo, name).unlink(missing_ok=True)


def _git_folder(repo: Repo) -> Path:
    """Where git itself looks for hooks: where that leads, for teams make a link of it to a folder of their files."""
    return (repo.common_dir / "hooks").resolve()


def _inside(repo: Repo, folder: Path) -> bool:
    return folder.parent == repo.common_dir.resolve()


def _cleared(repo: Repo, folder: Path, event: str) -> None:
    if _inside(repo, folder):
        hookfile.remove(folder, event)


def _can_arm(repo: Repo, standing: Standing) -> bool:
    """Whether pre-push can put the other hook in place when it is needed: git's own folder, and no hook there yet."""
    return standing.writable and standing.folder == _git_folder(repo) and hookfile.alone(standing.folder, POST_PUSH)


def _state(repo: Repo, standing: Standing, event: str) -> HookState:
    text = hookfile.shim(event)
    if event == POST_PUSH and _own(repo, _ARMED_FROM).is_file() and _can_arm(repo, standing):
        own = _own(repo, _ARMED_FROM)
        return HookState(event, "installed" if _is(own, text) else "outdated", f"put in place by {GUARD} when needed")
    if event in standing.configured:
        own = _own(repo, event)
        return HookState(event, "installed" if _is(own, text) else "outdated", f"git config hook.rvexp-{event}")
    calling = _calling(standing.folder, event)
    if calling:
        return HookState(event, "by hand" if _is(_own(repo, event), text) else "outdated", str(calling))
    if not standing.writable:
        husky = standing.folder.name == "_"
        target = (standing.folder.parent if husky else standing.folder) / event
        return HookState(event, "missing", str(target), f"put this first in {target}: {_line(event)}")
    mine = hookfile.ours(standing.folder, event)
    if mine:
        return HookState(event, "installed" if _is(mine, text) else "outdated", str(mine))
    blocked = (standing.folder / f"{event}.rvexp-next").exists()
    path = standing.folder / event
    return HookState(event, "missing", str(path), f"put this first in {path}: {_line(event)}" if blocked else "")


def _calling(folder: Path, event: str) -> Path | None:
    """Another's hook that calls ours: the file git runs, or the one that husky's runs."""
    for path in (folder / event, folder.parent / event):
        if path.is_file() and f"{_OWN_FILES}/{event}".encode() in path.read_bytes():
            return path
    return None


def _own(repo: Repo, event: str) -> Path:
    return repo.common_dir / _OWN_FILES / event


def _is(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text


def _line(event: str) -> str:
    """What to add to a hook of somebody else's: harmless in a clone without our hooks."""
    fail = " || exit 1" if event == GUARD else ""
    return f'h=$(git rev-parse --git-common-dir)/{_OWN_FILES}/{event}; [ ! -x "$h" ] || "$h" "$@"{fail}'


def _command(path: Path) -> str:
    """What the configuration runs; git adds the arguments. Survives a moved clone, and a lost file refuses nothing."""
    quoted = "'" + str(path).replace("'", "'\\''") + "'"
    again = f'h="$(git rev-parse --git-common-dir)/{_OWN_FILES}/{path.name}"'
    return f'h={quoted}; test -x "$h" || {again}; test -x "$h" || exit 0; exec "$h"'


def _version(repo: Repo) -> tuple[int, int]:
    """Major and minor of git, from "git version 2.39.5" and the like."""
    major, minor = repo.git("version").text.split()[2].split(".")[:2]
    return int(major), int(minor)
