"""`git rvexp download` for real: out of an engine's ended container and from S3, changed, gone, and clashing."""

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack, make_digits, reach_aws

WRITES = "mkdir -p out/deep; echo one > out/a.txt; echo two > out/deep/b; ln -s a.txt out/latest; echo x > alone"
CHANGED, USAGE, NOT_OVER = 1, 2, 8


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example with a snapshot `first`, and the engine at hand."""
    for variable, value in stack.environment().items():
        monkeypatch.setenv(variable, value)
    clone = make_digits(stack, tmp_path / "digits")
    assert clone.rvexp("snapshot", "first").returncode == 0
    return clone


def ran(clone: Clone, script: str = WRITES, *options: str) -> str:
    """A run of a shell's script that has ended; its id."""
    declared = options or ("--output", "out", "--output", "alone")
    done = clone.rvexp("submit", "--wait", *declared, "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def held(folder: Path) -> dict[str, str]:
    """Every file below a folder by its name, links too."""
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if not p.is_dir()}


ALL = {"out/a.txt": "one\n", "out/deep/b": "two\n", "alone": "x\n"}


def container(clone: Clone, run: str) -> str:
    """The container of a run."""
    events = json.loads(clone.rvexp("show", run, "--json").stdout)["runs"][0]
    return str(events["jobs"][0])


def test_what_a_run_left_is_copied_and_kept(digits: Clone, tmp_path: Path) -> None:
    """After submit and show have named the command: to a folder of the git directory, then to one that is named."""
    done = digits.rvexp("submit", "--wait", "--output", "out", "--output", "alone", "--", "sh", "-c", WRITES)
    run = done.stdout.strip()
    assert f"next: git rvexp download {run}\n" in done.stderr
    assert f"next: git rvexp download {run}\n" in digits.rvexp("show", "first").stderr
    first = digits.rvexp("download", run)
    own = digits.path / ".git/rvexp/outputs" / run
    assert (first.returncode, first.stdout) == (0, f"{own}\n"), first.stderr
    assert held(own) == ALL
    assert "3 file(s) are new here\nlinks are not made: out/latest\n" in first.stderr
    again = digits.rvexp("download", "first", "-o", "../there")
    assert (again.returncode, again.stdout) == (0, "../there\n"), again.stderr
    assert held(tmp_path / "there") == ALL
    (tmp_path / "there/out/a.txt").unlink()
    third = digits.rvexp("download", "first", "-o", "../there")
    assert "1 file(s) are new here, 2 were here already" in third.stderr
    assert held(tmp_path / "there") == ALL


def test_in_the_work_tree_it_says_so(digits: Clone) -> None:
    """As other verbs that write there do."""
    ran(digits)
    assert "results is in the work tree, so the next submit wants a new snapshot" in (
        digits.rvexp("download", "-o", "results").stderr
    )


def test_nothing_is_written_over_and_no_link_followed(digits: Clone, tmp_path: Path) -> None:
    """A file that differs, a folder that is a link, a folder in the place of a file: named, and the rest is copied."""
    run = ran(digits)
    there, outside = tmp_path / "there", tmp_path / "outside"
    (there / "out").mkdir(parents=True)
    outside.mkdir()
    (there / "out/a.txt").write_text("mine\n")
    (there / "out/deep").symlink_to(outside)
    done = digits.rvexp("download", run, "-o", str(there))
    assert (done.returncode, done.stdout) == (CHANGED, f"{there}\n")
    assert f"out/a.txt: {there}/out/a.txt is there already and differs, and is not written over" in done.stderr
    assert f"out/deep/b: {there}/out/deep is there already and is no folder" in done.stderr
    assert list(outside.iterdir()) == []
    assert (there / "out/a.txt").read_text() == "mine\n"
    assert (there / "alone").read_text() == "x\n"
    assert not list(there.rglob(".*"))


def test_what_has_changed_since_is_not_taken(digits: Clone, stack: Stack, tmp_path: Path) -> None:
    """Somebody wrote into the ended container: changed, gone and new files are told; what is as it was is copied."""
    run = ran(digits)
    (tmp_path / "other").write_text("other\n")
    for name in ("a.txt", "new"):
        stack.run("docker", "cp", str(tmp_path / "other"), f"{container(digits, run)}:/opt/src/out/{name}")
    done = digits.rvexp("download", run, "-o", "../there")
    assert done.returncode == CHANGED
    assert "out/a.txt: it has changed since: its SHA-256 is " in done.stderr
    assert "1 more file(s) are there that the run did not leave" in done.stderr
    assert held(tmp_path / "there") == {"out/deep/b": "two\n", "alone": "x\n"}


def test_a_container_that_is_gone(digits: Clone, stack: Stack) -> None:
    """The error names what the record still has, and what makes the rest again."""
    run = ran(digits, "mkdir out; echo 1 > out/model; echo '{\"a\": 1}' > out/m.json", "--output", "out")
    stack.run("docker", "rm", container(digits, run))
    done = digits.rvexp("download", run)
    assert done.returncode == 1
    assert f"the container of run {run} is gone from the engine, and the files that it left with it" in done.stderr
    shown = next(line for line in done.stderr.splitlines() if line.startswith("  out/m.json: git "))
    assert digits.git(*shown.partition(": git ")[2].split()) == '{"a": 1}'
    assert f"hint: git rvexp repeat {run} --wait" in done.stderr


def test_a_record_cannot_name_another_container(digits: Clone, stack: Stack) -> None:
    """Whoever may write the record could name any container of this machine: its files are not handed out."""
    run = ran(digits)
    other = stack.run("docker", "create", stack.tiny_image, "true").stdout.strip()
    try:
        tag = digits.git("tag", "--list", "*/first")
        text = digits.git("notes", "--ref=rvexp", "show", tag).replace(container(digits, run), other)
        digits.git("notes", "--ref=rvexp", "add", "-f", "-m", text, tag)
        done = digits.rvexp("download", run)
        assert (done.returncode, f"is not the job of run {run}" in done.stderr) == (1, True), done.stderr
    finally:
        stack.run("docker", "rm", other)


def test_runs_that_left_nothing_to_copy(digits: Clone) -> None:
    """Nothing declared; not ended yet; a place that was not written to."""
    nothing = digits.rvexp("submit", "--wait", "--", "true").stdout.strip()
    told = digits.rvexp("download", nothing)
    assert (told.returncode, "declared no outputs" in told.stderr) == (USAGE, True)
    going = digits.rvexp("submit", "--output", "out", "--", "sleep", "600").stdout.strip()
    told = digits.rvexp("download", going)
    assert (told.returncode, f"hint: git rvexp wait {going}" in told.stderr) == (NOT_OVER, True)
    assert digits.rvexp("cancel", going).returncode == 0
    empty = ran(digits, "true", "--output", "out")
    told = digits.rvexp("download", empty)
    assert (told.returncode, "the run left nothing at out\n" in told.stderr) == (0, True), told.stderr


def test_what_is_read_after_the_end_only(digits: Clone) -> None:
    """A run that nobody has looked at since it was started: its end is recorded first, and with it what it left."""
    run = digits.rvexp("submit", "--output", "out", "--", "sh", "-c", WRITES).stdout.strip()
    while (done := digits.rvexp("download", run)).returncode == NOT_OVER:
        pass
    assert (done.returncode, "is not compared" in done.stderr) == (0, False), done.stderr
    assert sorted(held(Path(done.stdout.strip()))) == ["out/a.txt", "out/deep/b"]


def test_two_at_once_and_one_that_was_killed(digits: Clone, tmp_path: Path) -> None:
    """Both succeed, and the folder is whole; after a kill in the middle the next one completes it."""
    run = ran(digits, "mkdir out; for i in $(seq 60); do head -c 300000 /dev/urandom > out/$i; done", "--output", "out")
    words = [sys.executable, "-m", "git_rvexp", "download", run, "-o", str(tmp_path / "there")]
    killed = subprocess.Popen(words, cwd=digits.path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while killed.poll() is None and len(list((tmp_path / "there").glob("out/*"))) < 5:
        pass
    killed.kill()
    killed.wait()
    both = [subprocess.Popen(words, cwd=digits.path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(each.wait(), each.communicate()[1]) for each in both if each.wait()] == []
    assert sorted(p.name for p in (tmp_path / "there/out").glob("[0-9]*")) == sorted(map(str, range(1, 61)))
    assert digits.rvexp("download", run, "-o", str(tmp_path / "there")).returncode == 0


@pytest.mark.parametrize("versions", [True, False])
def test_from_s3(digits: Clone, stack: Stack, tmp_path: Path, versions: bool) -> None:  # noqa: FBT001
    """What the run left, also when it was overwritten since in a bucket that keeps versions; else that is told."""
    bucket = f"results-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    if versions:
        on = ("--versioning-configuration", "Status=Enabled")
        stack.aws("s3api", "put-bucket-versioning", "--bucket", bucket, *on)
    reach_aws(digits, stack)
    for name in ("model", "deep/part", "folder/", "gone"):
        put(stack, tmp_path, bucket, f"r/{name}", "" if name.endswith("/") else f"{name}\n")
    run = ran(digits, "true", "--output", f"s3://{bucket}/r/")
    put(stack, tmp_path, bucket, "r/model", "theirs\n")
    stack.aws("s3api", "delete-object", "--bucket", bucket, "--key", "r/gone")
    done = digits.rvexp("download", run, "-o", "../there")
    expected = {f"{bucket}/r/deep/part": "deep/part\n"}
    if versions:
        assert done.returncode == 0, done.stderr
        expected |= {f"{bucket}/r/model": "model\n", f"{bucket}/r/gone": "gone\n"}
    else:
        assert done.returncode == CHANGED
        assert f"s3://{bucket}/r/model: it has changed since: 7 bytes" in done.stderr
        assert f"s3://{bucket}/r/gone: it is no longer there" in done.stderr
    assert held(tmp_path / "there") == expected


def test_keys_that_lead_out(digits: Clone, stack: Stack, tmp_path: Path) -> None:
    """A key may hold anything: what would leave the folder is named and stays, doubled slashes are one."""
    bucket = f"results-{uuid.uuid4().hex[:12]}"
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    reach_aws(digits, stack)
    for key in ("r/../../../../owned", "r//../../owned", "r/./x", "r//kept", "r/a b"):
        put(stack, tmp_path, bucket, key, "theirs\n")
    run = ran(digits, "true", "--output", f"s3://{bucket}/r")
    done = digits.rvexp("download", run, "-o", "../there")
    assert done.returncode == CHANGED
    assert done.stderr.count("its name is none that a file here may have") == 3, done.stderr
    assert held(tmp_path / "there") == {f"{bucket}/r/kept": "theirs\n", f"{bucket}/r/a b": "theirs\n"}
    assert not list(tmp_path.rglob("owned"))


def put(stack: Stack, folder: Path, bucket: str, key: str, text: str) -> None:
    """An object in S3."""
    (folder / "object").write_text(text)
    stack.aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", str(folder / "object"))
