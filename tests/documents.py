"""What the documents tell people to type: their blocks, and the script that a reader types of a page.

Every `sh` block of a page is typed as it stands, and so is each line after `$ ` of a `console` block, whose other lines
are what the command prints. In which laboratory a page is typed is in tests/integration/desks.py. Not here: commands in
running text, of which tests/unit/test_docs.py looks at the verb and the options.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MADE = ("docs/benchmarks.md", "docs/commands.md", "docs/settings.md")  # by programs
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "examples/*/README.md")
    for path in ROOT.glob(pattern)
    if str(path.relative_to(ROOT)) not in MADE
)
# Lines of the blocks that are not typed there, and why: a test of their own, or what no test can have.
_QUICKSTART = "tests/integration/test_quickstart.py"
NOT_TYPED: Mapping[str, str] = {
    "dev/quickstart": f"{_QUICKSTART}::test_quickstart_records_one_whole_experiment",
    "dev/quickstart --batch": f"{_QUICKSTART}::test_quickstart_through_batch_is_seen_from_outside",
    "dev/test": "it is what runs the tests",
    "dev/test --quick": "it is what runs the tests",
    "gh api --method POST repos/team/experiments/rulesets --input docs/github/tag-ruleset.json": (
        "tests/integration/test_ruleset.py::test_github_would_take_it"
    ),
}
_FENCED = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n?)+", re.MULTILINE)
_PROGRAMS = "git|aws|gh|docker|skopeo|cosign|pip|pipx|uv|pytest|python3?|npm|apt|apt-get|sudo|curl|cd|export|eval|sh"
_COMMAND = re.compile(rf"^\s*(?:\$ |\w+=\S* )*(?:\w+=\"?\$\(|(?:{_PROGRAMS}) \S|\.?/?(?:dev|bench|examples|\.ci)/\w)")


@dataclass(frozen=True)
class Block:
    """One block of a page; `language` is empty for indented blocks and for fences without one."""

    language: str
    text: str

    def typed(self) -> list[str]:
        """The lines that are typed, in order."""
        lines = self.text.splitlines()
        if self.language == "console":
            return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if bare(line) not in NOT_TYPED] if self.language == "sh" else []

    def printed(self) -> list[tuple[str, list[str]]]:
        """Of a console block: each command, and the lines that are said to come of it."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines() if self.language == "console" else ():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(line)
        return found


def bare(line: str) -> str:
    """A line without its comment and the spaces around it."""
    return re.sub(r"(^|\s)#.*", "", line).strip()


def blocks(page: str) -> Iterator[Block]:
    """All blocks of a page, in order."""
    text = (ROOT / page).read_text()
    for part in re.split(r"(?m)(^ *```\w*\n(?:.*\n)*? *```$)", text):
        if fenced := _FENCED.match(part):
            yield Block(fenced["language"], fenced["text"])
        else:
            yield from (Block("", found[0]) for found in _INDENTED.finditer(part))


def typed(page: str) -> list[Block]:
    """The blocks of which something is typed."""
    return [block for block in blocks(page) if block.typed()]


def overlooked(page: str) -> list[str]:
    """Lines that look like commands and that nobody types: outside of `sh` and `console`."""
    return [
        line.strip()
        for block in blocks(page)
        if block.language not in ("sh", "console")
        for line in block.text.splitlines()
        if _COMMAND.match(line)
    ]
