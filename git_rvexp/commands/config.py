"""Show the settings and where they come from, or set one.

list prints every setting in force; get prints one value; path prints the files, read or not. set changes one line of
.rvexp.toml (--user: of your own file; --local: this clone's git configuration) and leaves comments as they are; unset
takes the line out, so that what comes next in order is in force. A table such as job.env is given as
NAME=VALUE,NAME=VALUE. .rvexp.toml is part of the work tree: after set or unset, the next submit wants a new snapshot.
"""

import argparse
from pathlib import Path
from typing import Any

from git_rvexp import config
from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError
from git_rvexp.git.configuration import drop, put
from git_rvexp.layers import FILE, git_name, squeezed, user_file
from git_rvexp.settings import Key, keys
from git_rvexp.values import WrongValueError, shown, typed, written
from git_rvexp.workflow.preparing import settingsfile, trust
from git_rvexp.workflow.snapshotting.written import tell

ACTIONS = ("list", "get", "set", "unset", "path")


_KINDS = {"int": " (a whole number)", "float": " (a number)", "bool": " (true or false)"}
_NONE = {"dict": "(an empty table)", "tuple": "(an empty list)", "str": "(empty)"}
_WIDEST = 50  # columns of a key with its default on one line, so that it is whole on any terminal


def _described(key: Key) -> list[str]:
    """A setting for the help: its key with its default, and what it is about."""
    kind = key.kind.__name__
    line = f"  {key.name} = {written(key.default) or _NONE[kind]}{_KINDS.get(kind, '')}"
    if len(line) <= _WIDEST:
        return [line, f"      {key.about}"]
    return [f"  {key.name} = (a list)", f"      {key.about}", f"      default: {', '.join(key.default)}"]


def _epilog() -> str:
    lines = [line for key in keys() for line in _described(key)]
    return (
        "settings, each with its default:\n" + "\n".join(lines) + "\n\n"
        'A list is written A,B and a table NAME=VALUE,NAME=VALUE; in the files as TOML has them, ["A", "B"] and\n'
        '{NAME = "VALUE"}.\n\n'
        "Highest first: a flag, RVEXP_BATCH_QUEUE (in general RVEXP_ and the key), `git config rvexp.batchQueue`,\n"
        ".rvexp.toml, your own file, the default. [profile.NAME] tables in the files are laid over both files by\n"
        "--profile NAME, RVEXP_PROFILE or `git config rvexp.profile`."
    )


EPILOG = _epilog()


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="default: list")
    parser.add_argument("key", nargs="?", metavar="KEY", default="", help="a setting, e.g. batch_queue or job.vcpus")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="its new value")
    parser.add_argument("--show-origin", action="store_true", help="list, get: where each value comes from")
    parser.add_argument("--json", action="store_true", help="list, get: one JSON document")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="set, unset: in your own file, for all repositories")
    where.add_argument("--local", action="store_true", help="set, unset: in this clone's git configuration")


def run(args: argparse.Namespace, session: Session) -> int:
    """Do what `action` says."""
    wanted = {"list": 0, "get": 1, "set": 2, "unset": 1, "path": 0}[args.action]
    given = [word for word in (args.key or None, args.value) if word is not None]
    if len(given) != wanted:
        words = " ".join(("KEY", "VALUE")[:wanted])
        raise UsageError(f"config {args.action} takes {words or 'no words'}", hint="git rvexp config -h")
    if args.json and args.action in ("set", "unset", "path"):
        raise UsageError(f"--json goes with list and get, not with {args.action}", hint="git rvexp config -h")
    if args.action == "set":
        return _set(session, config.find(args.key), args.value, user=args.user, local=args.local)
    if args.action == "unset":
        return _unset(session, config.find(args.key), user=args.user, local=args.local)
    if args.action == "path":
        files = [("repository", session.repo.top / FILE), ("user", user_file(session.environ))]
        rows = [(str(path), kind, "read" if path.exists() else "absent") for kind, path in files]
        session.speaker.table(("file", "of", "state"), rows)
        return 0
    chosen = [config.find(args.key)] if args.action == "get" else list(keys())
    return _show(session, chosen, alone=args.action == "get", origin=args.show_origin, as_json=args.json)


def _show(session: Session, chosen: list[Key], *, alone: bool, origin: bool, as_json: bool) -> int:
    conf = session.context.config
    values = {key.name: getattr(conf.settings, key.attribute) for key in chosen}
    if as_json:
        rows = [
            {"key": name, "value": shown(value) if isinstance(value, str) else value, "origin": conf.origin(name)}
            for name, value in values.items()
        ]
        session.speaker.document("rvexp.config/1", {"profile": conf.profile, "settings": rows})
    elif alone:
        ((name, value),) = values.items()
        session.speaker.result("\t".join([shown(value), *([conf.origin(name)] if origin else [])]))
    else:
        lines = [[n, shown(v), *([conf.origin(n)] if origin else [])] for n, v in values.items()]
        session.speaker.table(["key", "value", *(["origin"] if origin else [])], lines)
    return 0


def _set(session: Session, key: Key, text: str, *, user: bool, local: bool) -> int:
    try:
        value = typed(key, text)
    except WrongValueError as why:
        raise UsageError(f"{key.name} {why}, not {text!r}", hint="git rvexp help config") from why
    if user:
        _set_in_file(session, user_file(session.environ), key, value, tracked=False)
        return 0
    clean = not trust.unconfirmed(session.context)
    if local:
        name = f"rvexp.{git_name(key.name)}"
        put(session.repo, name, written(value))
        session.speaker.say(f"set {name} in this clone's git configuration")
    else:
        _set_in_file(session, session.repo.top / FILE, key, value, tracked=True)
    now = session.with_flags({})
    if clean:
        trust.confirm(now)
    if getattr(now.settings, key.attribute) != value:
        session.speaker.warn(f"{key.name} is overruled by {now.config.origin(key.name)}")
    return 0


def _set_in_file(session: Session, path: Path, key: Key, value: Any, *, tracked: bool) -> None:
    before, after = settingsfile.edited(path, {key.name: value})
    session.speaker.say(f"{'set' if after != before else 'no change:'} {key.name} in {path}")
    instead = "--local sets it for this clone alone, and changes no file"
    _keep(session, path, before, after, instead if tracked else "")


def _unset(session: Session, key: Key, *, user: bool, local: bool) -> int:
    """Take the setting out of one place; no error where it is not set there."""
    if local:
        _unset_here(session, key)
    else:
        path = user_file(session.environ) if user else session.repo.top / FILE
        before, after = settingsfile.without(path, key.name)
        told = f"unset {key.name} in {path}" if after != before else f"no change: {key.name} is not set in {path}"
        session.speaker.say(told)
        instead = f"git rvexp config set --local {key.name} VALUE goes before it, and changes no file"
        _keep(session, path, before, after, "" if user else instead)
    if not user:
        conf = session.with_flags({}).config
        value = shown(getattr(conf.settings, key.attribute)) or "empty"
        session.speaker.say(f"{key.name} is now {value} ({conf.origin(key.name)})")
    return 0


def _unset_here(session: Session, key: Key) -> None:
    repo, own = session.repo, squeezed(f"rvexp.{key.name}")
    there = repo.git("config", "--local", "--name-only", "--get-regexp", r"^rvexp\.", ok=(0, 1)).lines
    names = list(dict.fromkeys(name for name in there if squeezed(name) == own))
    for name in names:
        drop(repo, name)
    told = f"unset {', '.join(names)}" if names else f"no change: {key.name} is not set"
    session.speaker.say(f"{told} in this clone's git configuration")


def _keep(session: Session, path: Path, before: str, after: str, instead: str) -> None:
    """Write what has changed; of the tracked file what may be done `instead` is told."""
    if after == before:
        return
    settingsfile.write(path, after, tracked=bool(instead))
    if instead:
        tell(session.context, path, instead)
