"""Environment and hardware of a run as labelled facts, and the commands that repeat it from a fresh clone."""

import shlex
from collections.abc import Iterator, Mapping

from git_rvexp.record.runs import Run
from git_rvexp.terms import Json
from git_rvexp.workflow.reporting.source import Source

_MACHINE = ("executor", "queue", "account", "region", "vcpus", "memory", "gpus", "timeout", "attempts", "engine")
_ENDED = ("host", "instance", "log_stream", "oom")
_UNITS = {"memory": " MiB", "timeout": " s"}


def machine(run: Run) -> list[tuple[str, str]]:
    """Where it ran and what it was given."""
    ended = run.first("ended")
    told = [(key, run.planned.get(key), _UNITS.get(key, "")) for key in _MACHINE]
    told += [(key.replace("_", " "), ended.get(key), "") for key in _ENDED] if ended else []
    return [(label, f"{value}{unit}") for label, value, unit in told if value not in (None, "", 0, [], {})]


def variables(run: Run) -> list[tuple[str, str]]:
    """The environment it was given, by name; secrets by name only, as the record has them."""
    env, secret = run.planned.get("env"), run.planned.get("secret_env")
    told = sorted((str(k), str(v)) for k, v in env.items()) if isinstance(env, dict) else []
    return told + (
        [(str(name), "(secret: only its name is recorded)") for name in secret] if isinstance(secret, list) else []
    )


def command(run: Run) -> str:
    """Its command as a shell takes it."""
    words = run.planned.get("command")
    return shlex.join(str(word) for word in words) if isinstance(words, list) else ""


def again(source: Source, run: Run) -> list[str]:
    """What to type on another machine, from nothing, to repeat it; None of it is taken from the record unquoted."""
    place = shlex.quote(source.experiments) if source.experiments else "URL"
    return [
        "pip install git-rvexp",
        "git init again && cd again",
        f"git config rvexp.experiments-remote {place}",
        "git rvexp sync",
        f"git rvexp repeat {shlex.quote(run.run)} --wait{'' if _in_registry(run) else ' --rebuild'}",
    ]


def by_hand(run: Run) -> list[str]:
    """The same with nothing but Docker, without a record or a verdict; empty where nobody else can pull the image."""
    if not _in_registry(run):
        return []
    env: Mapping[str, Json] = run.planned.get("env") if isinstance(run.planned.get("env"), dict) else {}
    return ["docker run --rm \\", *_flags(env), f"  {shlex.quote(_image(run))} {command(run)}"]


def _flags(env: Mapping[str, Json]) -> Iterator[str]:
    for name, value in sorted(env.items()):
        if not name.startswith("RVEXP_") or name == "RVEXP_SEED":
            yield f"  --env {shlex.quote(f'{name}={value}')} \\"


def _image(run: Run) -> str:
    return str(run.planned.get("image", ""))


def _in_registry(run: Run) -> bool:
    return "@sha256:" in _image(run)
