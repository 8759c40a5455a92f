"""A chain's file: what it says, what is refused and with which words, and how a chain is drawn."""

from pathlib import Path

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.model import Resources
from git_rvexp.workflow.chain.file import parsed, read
from git_rvexp.workflow.chain.picture import picture
from git_rvexp.workflow.chain.steps import below

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits" / "chain.toml"


def step(name: str, *more: str) -> str:
    """A step's table."""
    return "\n".join(["[[step]]", f'name = "{name}"', 'command = ["true"]', *more, ""])


def test_the_example_is_a_chain() -> None:
    """chip, train, predict in an array of ten, eval; in this order."""
    steps = read(DIGITS, "chain.toml")
    assert [(s.name, s.array, s.after) for s in steps] == [
        ("chip", 0, ()),
        ("train", 0, ("chip",)),
        ("predict", 10, ("train",)),
        ("eval", 0, ("predict",)),
    ]


def test_all_that_a_step_can_say() -> None:
    """Every key arrives where it belongs."""
    text = step("a", "array = 3") + step(
        "b",
        'after_each = ["a"]',
        "sequential = true",
        "array = 3",
        'queue = "gpu"',
        "vcpus = 0.5",
        "memory = 64",
        "gpus = 1",
        "timeout = 90",
        "attempts = 2",
        "seed = 0",
        'env = { A = "1" }',
        'inputs = ["s3://b/in"]',
        'outputs = ["out"]',
    )
    b = parsed(text, "f")[1]
    assert (b.after_each, b.sequential, b.array, b.queue) == (("a",), True, 3, "gpu")
    assert b.resources == Resources(0.5, 64, 1)
    assert (b.timeout, b.attempts, b.seed, b.env) == (90, 2, 0, {"A": "1"})
    assert (b.inputs, b.outputs) == (("s3://b/in",), ("out",))


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("", "f has no steps", "[[step]]"),
        ("[[step]", "f:1 is not valid TOML", ""),
        ("x = 1\n" + step("a"), "f: unknown key 'x'", ""),
        ('[[step]]\ncommand = ["true"]', "f: step 1 has no name", ""),
        ('[[step]]\nname = "a"', "f: step 'a' has no command", "command ="),
        ('[[step]]\nname = "a"\ncommand = "true"', "f: step 'a': command must be a list of texts, not 'true'", ""),
        ('[[step]]\nname = "a"\ncommand = ["x", ""]', "f: step 'a': command must be a list of texts, none", ""),
        (step("A b"), "the step name 'A b' is not a legal name part", "'a-b'"),
        (step("a", "memroy = 3"), "f: step 'a': unknown key 'memroy'", "did you mean memory?"),
        (step("a", 'secret_env = ["K"]'), "unknown key 'secret_env'", "--secret-env NAME"),
        (step("a", "array = true"), "f: step 'a': array must be a whole number, not True", ""),
        (step("a", "array = 1"), "f: step 'a': an array has 2 to 10,000 children, not 1", ""),
        (step("a", "array = 0"), "an array has 2 to 10,000 children, not 0", ""),
        (step("a", "env = { A = 1 }"), "f: step 'a': env.A must be text, not 1", 'A = "1"'),
        (step("a", "memory = -1"), "f: step 'a': vcpus, memory and gpus must be 0 or more, and finite", ""),
        (step("a", "vcpus = nan"), "f: step 'a': vcpus, memory and gpus must be 0 or more, and finite", ""),
        (step("a", "vcpus = inf"), "f: step 'a': vcpus, memory and gpus must be 0 or more, and finite", ""),
        (step("a", "timeout = -1"), "f: step 'a': a time limit is a number of seconds, not -1", ""),
        (step("a", "attempts = 11"), "f: step 'a': a job has 1 to 10 attempts, not 11", ""),
        (step("a", "seed = 4294967296"), "f: step 'a': seed must be from 0 to 4294967295, not 4294967296", ""),
        (step("a", "sequential = true"), "f: step 'a': sequential is about the children of an array", ""),
        (step("a") + step("a"), "f: two steps are called 'a'", ""),
        (step("train") + step("b", 'after = ["trian"]'), "step 'b' waits for 'trian', which", "did you mean train?"),
        (step("a") + step("b", 'after = ["a", "a"]'), "f: step 'b' names 'a' twice", ""),
        (
            step("a", "array = 3") + step("b", "array = 4", 'after_each = ["a"]'),
            "step 'b' has 4 and 'a' has 3",
            "after =",
        ),
        (step("a") + step("b", 'after_each = ["a"]'), "'b' has no array and 'a' has no array", ""),
        (step("a", 'after = ["a"]'), "f: these steps wait for one another, so none could start: a → a", ""),
        (
            step("z") + step("a", 'after = ["c", "z"]') + step("b", 'after = ["a"]') + step("c", 'after = ["b"]'),
            "so none could start: a → b → c → a",
            "",
        ),
    ],
)
def test_what_is_no_chain_is_refused(text: str, says: str, hint: str) -> None:
    """The file, the step, what is wrong, and the way out."""
    with pytest.raises(UsageError) as raised:
        parsed(text, "f")
    assert says in str(raised.value)
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize(("parents", "fits"), [(20, True), (21, False)])
def test_batch_takes_twenty_parents(parents: int, fits: bool) -> None:  # noqa: FBT001  a table's column
    """One more is refused with the way out: a step that joins."""
    names = [f"p{n}" for n in range(parents)]
    text = "".join(step(n) for n in names) + step("end", f"after = {names}")
    if fits:
        assert len(parsed(text, "f")) == 21
        return
    with pytest.raises(UsageError, match="'end' waits for 21 others; Batch takes 20") as raised:
        parsed(text, "f")
    assert "join-1" in str(raised.value.hint)


def test_steps_come_after_their_parents() -> None:
    """Whatever their order in the file; those that may go first keep the file's order."""
    text = step("d", 'after = ["b", "c"]') + step("c", 'after = ["a"]') + step("b", 'after = ["a"]') + step("a")
    assert [s.name for s in parsed(text + step("e"), "f")] == ["a", "c", "b", "d", "e"]


def test_what_hangs_on_a_step() -> None:
    """It, its children and theirs; not what stands beside it."""
    text = step("a") + step("b", 'after = ["a"]') + step("c", 'after = ["b"]') + step("d", 'after = ["a"]') + step("e")
    assert below(parsed(text, "f"), ["b"]) == {"b", "c"}
    assert below(parsed(text, "f"), ["a"]) == {"a", "b", "c", "d"}


def test_the_picture() -> None:
    """Each step below the one it waits for longest; the others named; states in one column."""
    text = (
        step("a")
        + step("b", 'after = ["a"]', "array = 3")
        + step("c", 'after_each = ["b"]', "array = 3", "sequential = true")
        + step("x", 'after = ["a"]')
        + step("d", 'after = ["x", "c"]')
    )
    times = "\N{MULTIPLICATION SIGN}3"
    assert picture(parsed(text, "f"), {"a": "ok", "x": "failed"}) == [
        "a           ok",
        f"├─ b {times}",
        f"│  └─ c {times}  child for child after b; one child after another",
        "│     └─ d  also after x",
        "└─ x        failed",
    ]
