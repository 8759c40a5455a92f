"""Secrets are found before they are kept or shown, named by place, and never repeated."""

import json
import os
from pathlib import Path

import pytest

from git_rvexp import crash
from git_rvexp.workflow.secrecy import requests
from git_rvexp.workflow.secrecy.patterns import PATTERNS
from git_rvexp.workflow.secrecy.redaction import redacted
from git_rvexp.workflow.secrecy.scan import Part, scanned
from tests.conftest import Clone
from tests.unit.shapes import objects

# Put together here, so that this file does not look like what it tests for.
_BODY = "q8Kd02mAqPz71LxWv3Yt5Bn9Rc4Hj6Gf0Sa2De8Uo1Ie7Wp"
REAL = {
    "aws-access-key": "AK" + "IAQ4JM6K7ZT2XW3B5N",
    "aws-secret-key": "aws_secret" + f"_access_key = {_BODY[:40]}",
    "private-key": "-----BEGIN RSA " + f"PRIVATE KEY-----\n{_BODY}\n",
    "github-token": "gh" + f"p_{_BODY[:36]}",
    "gitlab-token": "gl" + f"pat-{_BODY[:20]}",
    "slack-token": "xo" + "xb-123456789012-abcdefghijkl",
    "huggingface-token": "h" + "f_" + "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi",
    "sk-token": "s" + f"k-proj-{_BODY}",
    "google-key": "AI" + f"za{_BODY[:35]}",
    "stripe-key": "sk_" + f"live_{_BODY[:24]}",
    "package-token": "np" + f"m_{_BODY[:36]}",
    "azure-key": "Account" + f"Key={(_BODY * 2)[:86]}==",
    "web-token": "ey" + f"JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3.{_BODY}",
    "netrc": "machine" + " example.org login ada password Tr0ub4dor",
    "url-password": "postgres" + "://ada:Tr0ub4dor@db.example.org/roads",
    "assigned-secret": "db_pass" + "word: 's8Kd02mAqPz71Lx'",
}
HARMLESS = (
    "tokenizer = AutoTokenizer.from_pretrained('gpt2-medium-v1')",
    'pad_token: "<|endoftext|>"',
    "tokens_per_second=1234.5678901",
    "password = os.environ['DB_PASSWORD']",
    "password: ${DB_PASSWORD_2}",
    "secret_file: /run/secrets/db-2f81a7",
    "secret_name: prod-db-2f81a7c3",
    "api_key = 'your-api-key-123456'",
    "AKIAIOSFODNN7" + "EXAMPLE",
    "sk-learn-contrib-and-other-long-words",
    "https://user@example.org/x and http://localhost:8080/a@b",
    "def token(value): return value1 == token2",
    "key = 'conv1_bn_relu_2x'",
    "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)


def hits(text: str) -> list[str]:
    """The rules that find something in a text."""
    return [hit.rule for hit in scanned(Part("x", text.encode()))]


def test_every_pattern_has_an_example() -> None:
    """No rule goes without a test."""
    assert list(REAL) == [pattern.rule for pattern in PATTERNS]


@pytest.mark.parametrize("rule", REAL)
def test_what_looks_like_a_secret_is_found(rule: str) -> None:
    """Each kind, in the middle of other text, on its line."""
    found = list(scanned(Part("conf/x.env", f"first\nsecond\n{REAL[rule]}\nlast\n".encode())))
    assert (rule, 3, "conf/x.env") in [(hit.rule, hit.line, hit.path) for hit in found]
    assert not any(REAL[rule] in str(hit) for hit in found)


@pytest.mark.parametrize("rule", REAL)
def test_what_refuses_a_snapshot_is_hidden_in_a_crash_log_too(clone: Clone, rule: str) -> None:
    """One set of patterns; what stands around it stays."""
    path = crash.write(RuntimeError(f"before {REAL[rule]} after"), clone.path, os.environ)
    assert path
    text = path.read_text()
    assert REAL[rule] not in text
    assert "RuntimeError: before " in text
    assert hits(text) == []


def test_values_of_variables_are_hidden_by_their_names() -> None:
    """Also where the name is only about a secret; the working directory is none."""
    environ = {"DB_PASSWORD": "hunter2hunter2", "GH_AUTH": "hunter2hunter2-more", "PWD": "/home/ada", "API_KEY": "abc"}
    text = redacted("hunter2hunter2-more hunter2hunter2 /home/ada abc", environ)
    assert text == "<GH_AUTH> <DB_PASSWORD> /home/ada abc"


@pytest.mark.parametrize("rule", REAL)
@pytest.mark.parametrize("before", [0, 100_000])
def test_a_secret_far_from_everything_is_hidden_whole(rule: str, before: int) -> None:
    """Only neighbourhoods of words are looked at closely; what is found reaches as far as it goes."""
    around = "\n" + "." * before + "\n"
    content = f"{around}{REAL[rule]}{around}{REAL[rule]}{around}".encode()
    (pattern,) = (p for p in PATTERNS if p.rule == rule)
    assert [content[start:end].decode() in REAL[rule] for start, end in pattern.spans(content)] == [True, True]
    assert REAL[rule] not in redacted(content.decode(), {})
    token = REAL["web-token"].replace(".ey", "." + "ey" + "JxY1" * 3000)
    assert redacted(f"{around}{token}\n", {}).strip(".\n") == "<web-token>"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_reminds_of_one_is_not(text: str) -> None:
    """Code, settings and placeholders as they stand in every project."""
    assert hits(text) == []


@pytest.mark.parametrize("mark", ["rvexp:allow", "gitleaks:allow"])
def test_a_marked_line_is_let_through(mark: str) -> None:
    """Only that line."""
    line = REAL["github-token"]
    assert hits(f"{line}  # {mark}\n") == []
    assert hits(f"# {mark}\n{line}\n") == ["github-token"]


def test_binaries_are_looked_through_for_tokens_only() -> None:
    """Random bytes are full of words and equal signs."""
    assert hits("\0" + REAL["github-token"]) == ["github-token"]
    assert hits("\0" + REAL["assigned-secret"]) == []


@pytest.mark.parametrize("name", ["new.env", "train.py"])
def test_a_snapshot_with_a_secret_is_refused(clone: Clone, name: str) -> None:
    """File and line are named, the value is not; no tag, no object is left."""
    clone.write(name, f"a = 1\n{REAL['github-token']}\n")
    before = objects(clone)
    done = clone.rvexp("snapshot", "demo")
    assert (done.returncode, done.stdout, clone.git("tag")) == (1, "", "")
    assert f"{name}:2  a GitHub token (github-token)" in done.stderr
    assert REAL["github-token"] not in done.stderr
    assert objects(clone) == before


@pytest.mark.parametrize("at", [(8 << 20) - 20, 17 << 20])
def test_a_large_file_is_looked_through_in_pieces(clone: Clone, at: int) -> None:
    """A secret where two pieces meet is found, on its line; without one the file is taken."""
    clone.git("config", "rvexp.snapshot.max-file", "0")
    lines = "0123456\n" * 2_300_000
    clone.write("large.txt", lines)
    assert clone.rvexp("snapshot", "-n", "large").returncode == 0
    secret = f"\n{REAL['github-token']}\n"
    clone.write("large.txt", lines[:at] + secret + lines[at:])
    done = clone.rvexp("snapshot", "large")
    assert done.returncode == 1
    assert f"large.txt:{lines[:at].count(chr(10)) + 2}  a GitHub token" in done.stderr


def test_what_is_committed_already_is_not_looked_at_again(clone: Clone) -> None:
    """It is too late for that, and a snapshot of an old repository stays quick."""
    clone.write("old.env", REAL["github-token"])
    clone.commit()
    clone.write("train.py", "changed\n")
    assert clone.rvexp("snapshot", "demo").returncode == 0


def test_the_message_is_looked_at(clone: Clone) -> None:
    """It stands in the tag."""
    done = clone.rvexp("snapshot", "demo", "-m", f"with {REAL['aws-access-key']}")
    assert (done.returncode, "the message:1" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("key", "value"),
    [("secrets.allowPaths", "*.env"), ("secrets.allowRules", "github-token"), ("secrets.scan", "off")],
)
def test_settings_of_yours_let_it_through(clone: Clone, key: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By path, by rule, or altogether; the settings' names are those of git config."""
    clone.write("conf/new.env", REAL["github-token"])
    name = {"secrets.allowPaths": "secrets.allow_paths", "secrets.allowRules": "secrets.allow_rules"}.get(key, key)
    monkeypatch.delenv("RVEXP_SECRETS_SCAN")
    assert clone.rvexp("config", "set", name, value).returncode == 0
    assert clone.rvexp("snapshot", "demo").returncode == 0


def test_a_tracked_file_cannot_open_the_door_alone(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends a repository cannot decide that your secrets go into its snapshots."""
    monkeypatch.delenv("RVEXP_SECRETS_SCAN")
    clone.write(".rvexp.toml", '[secrets]\nscan = "off"\n')
    clone.write("new.env", REAL["github-token"])
    done = clone.rvexp("snapshot", "demo")
    assert (done.returncode, "secrets.scan" in done.stderr) == (2, True), done.stderr
    assert clone.rvexp("init", "--confirm").returncode == 0
    assert clone.rvexp("snapshot", "demo").returncode == 0


def test_allowing_it_once_is_written_in_the_tag(clone: Clone) -> None:
    """--allow-secrets is for what is none; that it was used can be seen."""
    clone.write("new.env", REAL["github-token"])
    tag = clone.rvexp("snapshot", "demo", "--allow-secrets").stdout.strip()
    assert "Rvexp-Secrets-Allowed: 1" in clone.git("cat-file", "tag", tag)


@pytest.mark.parametrize("rule", ["aws-access-key", "github-token", "sk-token", "url-password"])
def test_a_command_with_a_secret_is_refused(rule: str) -> None:
    """The word is named by its number."""
    (told,) = requests.places(("train", f"--x={REAL[rule]}"), {})
    assert told.startswith("word 2 of the command")
    assert REAL[rule] not in told


@pytest.mark.parametrize(
    "command", [("x", "--password", "hunter2x"), ("x", "--api-key=abc-99"), ("sh", "-c", "TOKEN=s8Kd02mAqPz71Lx run")]
)
def test_a_flag_that_says_secret_is_refused(command: tuple[str, ...]) -> None:
    """Both spellings, and within a shell's line."""
    (told,) = requests.places(command, {})
    assert told.startswith("word")


@pytest.mark.parametrize("name", ["DB_PASSWORD", "WANDB_API_KEY", "HF_TOKEN", "clientSecret", "AWS_SECRET_ACCESS_KEY"])
def test_a_variable_that_says_secret_is_refused(name: str) -> None:
    """By its name alone; the value is not repeated."""
    assert requests.places(("true",), {name: "hunter2-x9"}) == [f"the variable {name}: its name says so"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MAX_TOKENS", "512"),
        ("TOKEN_FILE", "/run/token"),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:x"),
        ("API_KEY_NAME", "roads"),
        ("USE_TOKEN", "true"),
        ("KEY", "value"),
        ("BATCH_SIZE", "16"),
    ],
)
def test_a_variable_that_only_sounds_so_is_not(name: str, value: str) -> None:
    """Switches, counts, and where a secret is."""
    assert requests.places(("true",), {name: value}) == []


@pytest.mark.parametrize("verb", ["submit", "run", "chain"])
def test_requests_are_checked_before_anything_is_done(clone: Clone, verb: str) -> None:
    """No engine is asked, nothing is recorded, and --allow-secrets goes past it."""
    clone.rvexp("snapshot", "demo")
    clone.write(".gitignore", "chain.toml\n")
    clone.write("chain.toml", '[[step]]\nname = "a"\ncommand = ["true"]\nenv = { DB_PASSWORD = "hunter2-x9" }\n')
    notes = clone.git("for-each-ref", "refs/notes")
    env = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    words = ["chain", "chain.toml", "demo"] if verb == "chain" else [verb, "demo", "--env", "DB_PASSWORD=hunter2-x9"]
    tail = [] if verb == "chain" else ["--", "true"]
    done = clone.rvexp(*words, *tail, env=env)
    assert (done.returncode, "the variable DB_PASSWORD" in done.stderr) == (2, True), done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert ("it is recorded, shared" in done.stderr) == (verb != "run")
    assert ("nothing of it is recorded" in done.stderr) == (verb == "run")
    assert "--secret-env NAME passes" in done.stderr
    assert clone.git("for-each-ref", "refs/notes") == notes
    assert "the variable DB_PASSWORD" not in clone.rvexp(*words, "--allow-secrets", *tail, env=env).stderr


def test_a_tag_of_a_job_hides_no_variable_of_its_name(clone: Clone) -> None:
    """Both are looked at, whichever of the two holds the secret."""
    clone.rvexp("snapshot", "demo")
    env = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    for variable, tag, told in (("hunter2-x9", "none", "the variable"), ("none", "hunter2-x9", "the tag")):
        clone.git("config", "rvexp.job.env", f"API_KEY={variable}")
        clone.git("config", "rvexp.job.tags", f"API_KEY={tag}")
        done = clone.rvexp("submit", "demo", "--", "true", env=env)
        assert (done.returncode, f"{told} API_KEY" in done.stderr) == (2, True), done.stderr


def test_one_refusal_names_all_places(clone: Clone) -> None:
    """Words, variables and tags, of all steps; and the files that would keep the work tree from becoming a snapshot."""
    clone.rvexp("snapshot", "demo")
    clone.git("config", "rvexp.job.env", "API_KEY=hunter2-x9")
    clone.git("config", "rvexp.job.tags", "OLD_TOKEN=hunter2-x9")
    command = '["true", "--password", "hunter2-x9"]'
    step = '[[step]]\nname = "{0}"\ncommand = {1}\nenv = {{ {0}_SECRET = "hunter2-x9" }}\n'
    (clone.path / ".git" / "info" / "exclude").write_text("chain.toml\n")
    clone.write("chain.toml", step.format("a", command) + step.format("b", command))
    words = "word 3 of the command: the value of --password"
    configured = ["the variable API_KEY: its name says so (job.env)", "the tag OLD_TOKEN: its name says so"]

    def refused(*command: str) -> list[str]:
        done = clone.rvexp(*command)
        assert (done.returncode, "hunter2" in done.stderr) == (2, False), done.stderr
        return [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]

    a, b = ([f"step '{s}': {words}", f"step '{s}': the variable {s}_SECRET: its name says so"] for s in "ab")
    assert refused("chain", "chain.toml", "demo") == [*a, *configured, *b]
    one = ["submit", "--env", "DB_PASSWORD=hunter2-x9", "--", "true", "--password", "hunter2-x9"]
    told = [words, "the variable DB_PASSWORD: its name says so", *configured]
    assert refused("submit", "demo", *one[1:]) == told
    clone.write("new.env", REAL["github-token"])
    file = "new.env:1  a GitHub token (github-token)"
    assert refused(*one) == [*told, file]
    assert refused("run", *one[1:]) == [words, configured[0].removesuffix(" (job.env)"), told[1], file]


@pytest.mark.parametrize("words", [("submit", "demo"), ("run", "demo"), ("chain", "x.toml"), ("repeat", "demo")])
def test_a_secret_given_where_its_name_belongs_is_not_repeated(clone: Clone, words: tuple[str, ...]) -> None:
    """Neither in the error nor in the hint."""
    done = clone.rvexp(*words, "--secret-env", "DB_PASSWORD=hunter2-x9")
    assert (done.returncode, "a variable's name alone" in done.stderr, "hunter2" in done.stderr) == (2, True, False)


SCANNER = """#!/bin/sh
# a strict stand-in for gitleaks 8: its words, its report, nothing of the repository in its folder
set -e
detect="detect --no-git --source files --report-format json --report-path report.json"
test "$*" = "$detect --redact --exit-code 0 --no-banner"
test "$(ls -A)" = files
grep -rnl CANARY files | while read -r file; do
    printf '[{"RuleID": "house-rule", "File": "%s", "StartLine": 7, "Secret": "REDACTED"}]' "$file" > report.json
done
test -e report.json || printf '[]' > report.json
"""


def _scanner(folder: Path, text: str) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "gitleaks"
    program.write_text(text)
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "RVEXP_SECRETS_SCAN": "auto"}


def test_an_installed_scanner_is_asked_too(clone: Clone, tmp_path: Path) -> None:
    """What only it knows is refused with the real path, and nothing is left of the copies it read."""
    env = _scanner(tmp_path / "bin", SCANNER)
    clone.write("deep/x.txt", "CANARY\n")
    done = clone.rvexp("snapshot", "demo", env=env)
    assert (done.returncode, "deep/x.txt:7  found by gitleaks (house-rule)" in done.stderr) == (1, True), done.stderr
    assert [p.name for p in (clone.path / ".git" / "rvexp").glob("objects-*")] == []
    clone.write("deep/x.txt", "harmless\n")
    assert clone.rvexp("snapshot", "demo", env=env).returncode == 0


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho '{\"x\": 1}' > report.json\n"])
def test_a_scanner_that_fails_is_said(clone: Clone, tmp_path: Path, text: str) -> None:
    """The built-in patterns have been applied in any case."""
    env = _scanner(tmp_path / "bin", text)
    clone.write("x.txt", "harmless\n")
    done = clone.rvexp("snapshot", "demo", env=env)
    assert (done.returncode, "only the built-in patterns" in done.stderr) == (0, True), done.stderr
    clone.write("x.txt", REAL["github-token"])
    assert clone.rvexp("snapshot", "more", env=env).returncode == 1


def test_a_scanner_of_the_repository_is_never_run(clone: Clone, tmp_path: Path) -> None:
    """Not by a relative or empty entry of PATH, not from the work tree, not through a link into it."""
    canary = tmp_path / "canary"
    script = f"#!/bin/sh\ntouch {canary}\necho '[]' > report.json\n"
    env = _scanner(clone.path / "bin", script)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "gitleaks").symlink_to(clone.path / "bin" / "gitleaks")
    _scanner(clone.path, script)
    for path in (f"bin:{os.environ['PATH']}", f":{os.environ['PATH']}", env["PATH"], f"{linked}:{os.environ['PATH']}"):
        done = clone.rvexp("snapshot", "-n", "demo", env={"PATH": path, "RVEXP_SECRETS_SCAN": "auto"})
        assert done.returncode == 0, done.stderr
        assert not canary.exists(), path


def test_the_document_lists_the_rules() -> None:
    """docs/secrets.md has one row for each built-in pattern."""
    text = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{pattern.rule}` | {pattern.about} |" for pattern in PATTERNS]
    assert json.dumps(rows).isascii()
