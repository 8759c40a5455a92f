"""argv to command: the verb's module is found, its arguments parsed, and every error told once, here."""

import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from git_rvexp import startup  # noqa: F401  first of ours: see there
from git_rvexp.commands import VERBS, overview
from git_rvexp.errors import BUG, INTERRUPTED, UNREAD, USAGE, Interrupted, RvexpError, UsageError
from git_rvexp.output import Speaker, UnreadError, debugging

if TYPE_CHECKING:
    import argparse

_CRASHED = "this is a bug in git rvexp, not in what you did"


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command; the exit code (see errors.py)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if environ is None:
        os.environ["PATH"] = _absolute(os.environ.get("PATH", os.defpath))
    surroundings = os.environ if environ is None else environ
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    speaker = Speaker.make(surroundings)
    try:
        try:
            return _dispatch(words, surroundings, speaker)
        finally:
            speaker.flush()
    except UnreadError:
        return UNREAD
    except RvexpError as why:
        if debugging(surroundings):
            raise
        speaker.error(str(why), why.hint)
        return why.code
    except KeyboardInterrupt as why:
        speaker.say(str(why)) if isinstance(why, Interrupted) else speaker.error("interrupted")
        return INTERRUPTED
    except Exception as why:
        if debugging(surroundings):
            raise
        return _bug(why, surroundings, speaker)


def _absolute(path: str) -> str:
    """PATH without "." and the like: in a folder of somebody else's files, those are programs of somebody else's."""
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if os.path.isabs(folder))  # noqa: PTH117  pathlib costs 5 ms here


def _dispatch(words: list[str], environ: Mapping[str, str], speaker: Speaker) -> int:
    if words[:1] in (["-h"], ["--help"], []):
        speaker.result(overview())
        return 0 if words else USAGE
    if words[0] == "--version":
        from git_rvexp import __version__  # noqa: PLC0415  one line's worth

        speaker.result(f"git-rvexp {__version__}")
        return 0
    verb = words[0]
    if verb.startswith("-"):
        meant = f"{words[1]} {verb}" if words[1:] and words[1] in VERBS else "-h"
        raise UsageError(f"options come after the verb, not before it: {verb}", hint=f"git rvexp {meant}")
    if verb not in VERBS:
        import difflib  # noqa: PLC0415  only for a slip

        near = difflib.get_close_matches(verb, VERBS, n=1)
        meant = "--version" if verb == "version" else near[0] if near else "-h"
        raise UsageError(f"there is no verb {verb!r}", hint=f"git rvexp {meant}")
    from git_rvexp.commands.parsing import load, parser_of  # noqa: PLC0415  argparse: not for the overview

    mine, dashes, command = _split(words[1:])
    module = load(verb)
    parser = parser_of(verb, module)
    args = parser.parsed(mine, command=dashes)
    args.command = command if dashes else None
    if dashes and not parser.takes_command:
        raise UsageError(f"git rvexp {verb} takes no command after --", hint=f"git rvexp {verb} -h")
    return _run(module, args, environ)


def _run(module: ModuleType, args: "argparse.Namespace", environ: Mapping[str, str]) -> int:
    from pathlib import Path  # noqa: PLC0415  as below

    from git_rvexp.commands.session import Session  # noqa: PLC0415  -h needs none of it

    speaker = Speaker.make(environ, colour=args.color, quiet=args.quiet)
    surroundings = {**environ, "RVEXP_PROFILE": args.profile} if args.profile else environ
    session = Session(surroundings, Path.cwd(), speaker)
    if getattr(module, "READS_RECORD", False):
        from git_rvexp.record import absent  # noqa: PLC0415  not for those that need no clone

        absent.warn(session.repo, speaker.warn)
    code = module.run(args, session)
    assert isinstance(code, int)
    return code


def _split(words: list[str]) -> tuple[list[str], bool, list[str]]:
    """What stands before and after the first `--`."""
    if "--" not in words:
        return words, False, []
    at = words.index("--")
    return words[:at], True, words[at + 1 :]


def _bug(why: Exception, environ: Mapping[str, str], speaker: Speaker) -> int:
    from pathlib import Path  # noqa: PLC0415  as below

    from git_rvexp.crash import write  # noqa: PLC0415  only when it is needed

    place = write(why, Path.cwd(), environ)
    told = f"\n  details (secrets removed): {place}" if place else ""
    speaker.error(f"{type(why).__name__}: {why}\n  {_CRASHED}{told}", "RVEXP_DEBUG=1 shows the traceback")
    return BUG
