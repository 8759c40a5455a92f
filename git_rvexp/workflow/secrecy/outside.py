"""gitleaks or betterleaks, where the user has one: they know several hundred kinds of secrets.

The program comes from an absolute folder of PATH outside the work tree, runs in a folder of ours that holds copies of
the changed files, so that no configuration of the repository is read, and is told to redact. When it fails, that is
said; our own patterns have been applied in any case.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from git_rvexp.git.plumbing import Repo
from git_rvexp.git.scratch import Scratch
from git_rvexp.settings import Settings
from git_rvexp.workflow.secrecy.scan import Hit, Part

_FILES, _REPORT = "files", "report.json"
_COMMON = ("--redact", "--exit-code", "0", "--no-banner")
# The words for each: gitleaks 8 (README, "Usage"), betterleaks 2 (its --help).
_WORDS = {
    "betterleaks": (_FILES, "--output", _REPORT, "--confidence", "medium", "--silent", *_COMMON),
    "gitleaks": (
        "detect",
        "--no-git",
        "--source",
        _FILES,
        "--report-format",
        "json",
        "--report-path",
        _REPORT,
        *_COMMON,
    ),
}
_LONGEST = 600  # seconds


def found(repo: Repo, settings: Settings) -> Path | None:
    """The scanner to use: the one the settings name, else whichever is installed; None when there is none."""
    for name in [settings.secrets_scan] if settings.secrets_scan in _WORDS else list(_WORDS):
        for folder in repo.env.get("PATH", "").split(os.pathsep):
            program = Path(folder) / name
            if Path(folder).is_absolute() and os.access(program, os.X_OK) and program.is_file():
                inside = program.resolve().is_relative_to(repo.top.resolve()) or program.is_relative_to(repo.top)
                if not inside:
                    return program
    return None


def scanned(program: Path, place: Scratch, parts: Sequence[Part], warn: Callable[[str], None]) -> Iterator[Hit]:
    """What the program finds in files or pieces of them; a warning, and nothing, when it cannot be used."""
    import tempfile  # noqa: PLC0415  few machines have such a program

    # the name makes what a killed process leaves be swept with scratch stores
    with tempfile.TemporaryDirectory(prefix="objects-scan-", dir=place.objects.parent) as folder:
        for number, part in enumerate(parts):
            copy = Path(folder) / _FILES / str(number) / Path(part.path).name
            copy.parent.mkdir(parents=True)
            copy.write_bytes(part.content)
        try:
            yield from _run(program, Path(folder), place.repo, parts)
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError) as why:
            told = str(why).splitlines()[0] if str(why) else type(why).__name__
            warn(f"{program} could not be used, only the built-in patterns were: {told}")


def _run(program: Path, folder: Path, repo: Repo, parts: Sequence[Part]) -> list[Hit]:
    import json  # noqa: PLC0415  as above

    done = subprocess.run(
        [program, *_WORDS[program.name]],
        cwd=folder,
        env=dict(repo.env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LONGEST,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"it exited {done.returncode}")
    report = json.loads((folder / _REPORT).read_text(encoding="utf-8", errors="replace"))
    entries = report["findings"] if isinstance(report, dict) else report
    return [_hit(program.name, entry, parts) for entry in entries]


def _hit(name: str, entry: dict[str, object], parts: Sequence[Part]) -> Hit:
    """One finding of either report; nothing of what was found is taken over."""
    location = entry.get("location")
    if isinstance(location, dict):  # betterleaks 2
        copy, line, rule = str(location["path"]), int(location["start_line"]), str(entry["rule_id"])
    else:
        copy, line, rule = str(entry["File"]), int(str(entry["StartLine"])), str(entry["RuleID"])
    number = Path(copy).parts[Path(copy).parts.index(_FILES) + 1]
    part = parts[int(number)]
    return Hit(part.path, part.line + line - 1, rule, f"found by {name}")
