"""The ruleset that docs/aws.md sends to GitHub, held against GitHub's own description of that request."""

import shlex
import subprocess

from tests.documents import NOT_TYPED, ROOT

_READ = """
import sys
from githubkit_schemas.latest.models import ReposOwnerRepoRulesetsPostBody as Body
read = Body.model_validate_json(sys.stdin.read())
print(read.target, read.enforcement, *sorted(rule.type for rule in read.rules), *read.conditions.ref_name.include)
"""


def read(python: str, text: str) -> subprocess.CompletedProcess[str]:
    """What GitHub's published schema makes of a request's body."""
    return subprocess.run([python, "-c", _READ], input=text, capture_output=True, text=True, check=False)


def test_github_would_take_it(readers: str) -> None:
    """The page's command posts this file; it forbids to delete, move and overwrite every tag with a slash."""
    (command,) = (line for line in NOT_TYPED if line.startswith("gh api "))
    words = shlex.split(command)
    assert words[2:5] == ["--method", "POST", "repos/team/experiments/rulesets"]
    text = (ROOT / words[words.index("--input") + 1]).read_text()
    done = read(readers, text)
    assert done.stdout.strip() == "tag active deletion non_fast_forward update refs/tags/**/*", done.stderr
    assert read(readers, text.replace('"deletion"', '"deletions"')).returncode != 0
