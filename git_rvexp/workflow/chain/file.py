"""A chain from its TOML file: `[[step]]` tables, each checked, every complaint with the file and the step.

    [[step]]
    name = "predict"
    after = ["train"]           # steps that have to succeed first
    array = 10                  # ten children, told apart by AWS_BATCH_JOB_ARRAY_INDEX
    command = ["python3", "predict.py"]

Also: after_each, sequential, queue, vcpus, memory (MiB), gpus, env, timeout (seconds), attempts, seed, inputs,
outputs. Secrets cannot be named here: a file that comes with somebody's code must not be able to ask for them.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from git_rvexp import tomltext
from git_rvexp.errors import UsageError
from git_rvexp.executors.limits import ARRAY, MAX_PARENTS, check_tries
from git_rvexp.model import Resources
from git_rvexp.names import checked_part
from git_rvexp.workflow.chain.steps import Step, in_order
from git_rvexp.workflow.repeating.seeding import check_seed

_KINDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "command": (list,),
    "after": (list,),
    "after_each": (list,),
    "sequential": (bool,),
    "array": (int,),
    "queue": (str,),
    "vcpus": (int, float),
    "memory": (int,),
    "gpus": (int,),
    "env": (dict,),
    "timeout": (int,),
    "attempts": (int,),
    "seed": (int,),
    "inputs": (list,),
    "outputs": (list,),
}
_WORDS = {str: "text", list: "a list of texts", bool: "true or false", int: "a whole number", dict: "a table of texts"}
_T = TypeVar("_T")


def read(path: Path, shown: str) -> tuple[Step, ...]:
    """The steps of the file, parents first. UsageError for anything that is not a chain; `shown` names the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{shown} cannot be read: {getattr(why, 'strerror', None) or why}") from why
    return parsed(text, shown)


def place(path: Path, top: Path) -> str:
    """The file's path in the work tree at `top`, with slashes; "" when it lies elsewhere."""
    whole = path.resolve()
    return whole.relative_to(top.resolve()).as_posix() if whole.is_relative_to(top.resolve()) else ""


def parsed(text: str, shown: str) -> tuple[Step, ...]:
    """The same from the file's text."""
    content = tomltext.parse(text, shown)
    tables = content.pop("step", [])
    if content:
        raise UsageError(f"{shown}: unknown key {next(iter(content))!r}; a chain has [[step]] tables only")
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or not tables:
        raise UsageError(f"{shown} has no steps", hint='[[step]], then name = "…" and command = ["…"]')
    steps = [_step(table, f"{shown}: step {number}", shown) for number, table in enumerate(tables, start=1)]
    _check_names(steps, shown)
    ordered = in_order(steps, shown)
    _check_arrays(ordered, shown)
    return ordered


def _step(table: Mapping[str, Any], numbered: str, shown: str) -> Step:
    name = table.get("name")
    at = f"{shown}: step {name!r}" if isinstance(name, str) and name else numbered
    for key, value in table.items():
        _check_key(key, value, at)
    if not isinstance(name, str) or not name:
        raise UsageError(f"{at} has no name")
    checked_part("the step name", name)
    if not table.get("command"):
        raise UsageError(f"{at} has no command", hint='command = ["python3", "train.py"]')
    step = Step(
        name=name,
        command=_texts(table, "command", at),
        after=_texts(table, "after", at),
        after_each=_texts(table, "after_each", at),
        sequential=table.get("sequential", False),
        array=table.get("array", 0),
        queue=table.get("queue", ""),
        env=_env(table.get("env", {}), at),
        resources=_resources(table, at),
        timeout=table.get("timeout", 0),
        attempts=table.get("attempts", 0),
        seed=table.get("seed"),
        inputs=_texts(table, "inputs", at),
        outputs=_texts(table, "outputs", at),
    )
    _check_step(step, table, at)
    return step


def _check_key(key: str, value: Any, at: str) -> None:
    if key not in _KINDS:
        near = difflib.get_close_matches(key, _KINDS, n=1)
        secret = key == "secret_env"
        raise UsageError(
            f"{at}: unknown key {key!r}",
            hint="--secret-env NAME on the command line" if secret else f"did you mean {near[0]}?" if near else None,
        )
    kinds = _KINDS[key]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise UsageError(f"{at}: {key} must be {'a number' if float in kinds else _WORDS[kinds[0]]}, not {value!r}")


def _texts(table: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not all(isinstance(v, str) and v for v in values):
        raise UsageError(f"{at}: {key} must be a list of texts, none of them empty, not {values!r}")
    return tuple(values)


def _env(table: Mapping[str, Any], at: str) -> dict[str, str]:
    for name, value in table.items():
        if not isinstance(value, str):
            raise UsageError(f"{at}: env.{name} must be text, not {value!r}", hint=f'{name} = "{value}"')
    return dict(table)


def _resources(table: Mapping[str, Any], at: str) -> Resources:
    try:
        return Resources(table.get("vcpus", 0), table.get("memory", 0), table.get("gpus", 0))
    except UsageError as why:
        raise UsageError(f"{at}: {why}") from why


def _check_step(step: Step, table: Mapping[str, Any], at: str) -> None:
    check_seed(step.seed, f"{at}: seed")
    if "array" in table and not ARRAY[0] <= step.array <= ARRAY[1]:
        raise UsageError(f"{at}: an array has 2 to 10,000 children, not {step.array:,}")
    if step.sequential and not step.array:
        raise UsageError(f"{at}: sequential is about the children of an array, and the step has none")
    try:
        check_tries(step.timeout, step.attempts)
    except UsageError as why:
        raise UsageError(f"{at}: {why}") from why
    for name in _twice(step.parents):
        raise UsageError(f"{at} names {name!r} twice among the steps it waits for")
    waits = len(step.parents) + step.sequential
    if waits > MAX_PARENTS:
        raise UsageError(
            f"{at} waits for {waits} others; Batch takes {MAX_PARENTS}",
            hint='put a step between that joins some of them: name = "join-1", command = ["true"], after = […]; '
            "or make them one array",
        )


def _check_names(steps: Iterable[Step], shown: str) -> None:
    names = [step.name for step in steps]
    for name in _twice(names):
        raise UsageError(f"{shown}: two steps are called {name!r}")
    for step in steps:
        for parent in step.parents:
            if parent not in names:
                near = difflib.get_close_matches(parent, names, n=1)
                raise UsageError(
                    f"{shown}: step {step.name!r} waits for {parent!r}, which is no step",
                    hint=f"did you mean {near[0]}?" if near else f"the steps are {', '.join(names)}",
                )


def _check_arrays(steps: Iterable[Step], shown: str) -> None:
    sizes = {step.name: step.array for step in steps}
    for step in steps:
        for parent in step.after_each:
            if not step.array or sizes[parent] != step.array:
                mine, theirs = step.array or "no array", sizes[parent] or "no array"
                raise UsageError(
                    f"{shown}: after_each needs two arrays of one size; "
                    f"step {step.name!r} has {mine} and {parent!r} has {theirs}",
                    hint=f'after = ["{parent}"] waits for all of it',
                )


def _twice(names: Iterable[_T]) -> list[_T]:
    seen = list(names)
    return [n for i, n in enumerate(seen) if n in seen[:i]]
