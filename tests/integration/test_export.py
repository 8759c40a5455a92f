"""What is exported, read back by the formats' own libraries and validators; and what is refused."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from git_rvexp.git.tags import snapshots
from git_rvexp.record.kept import keep
from tests.conftest import Clone
from tests.integration.reading import READ_CRATE, READ_STATEMENT, READ_WORKFLOW, VALIDATE_CRATE, answered
from tests.notebook import Notebook

TAG = "al/roads/2026-11-02/first"
IMAGE = "registry.example.org/images@sha256:" + "ab" * 32
READ, WROTE, BASE = "11" * 32, "22" * 32, "33" * 32


@pytest.fixture
def run(clone: Clone) -> str:
    """The id of a run that succeeded, over one input with one output; another run failed."""
    book = Notebook(clone)
    clone.write("Dockerfile", f"ARG BASE=debian@sha256:{BASE}\nFROM ${{BASE}} AS first\nFROM first\nCOPY . /opt\n")
    clone.commit()
    taken = book.snapshot(TAG)
    book.tell(taken, "image", ref=IMAGE, id="sha256:" + "cd" * 32, platform="linux/amd64")
    read, wrote = keep(
        book.ledger, [f"s3://data/a.csv\t10\tsha256:{READ}\tv1\n", f"out/metrics.json\t10\tsha256:{WROTE}\t\n"]
    )
    place = {"uri": "s3://data/", "manifest": "sha256:" + "44" * 32, "count": 1, "bytes": 10, "kept": read}
    plan = book.submitted(taken, image=IMAGE, env={"MODE": "<fast>"}, extra={"inputs": [place]})
    book.tell(taken, "ended", run=str(plan.run), state="SUCCEEDED", exit=0, seconds=9)
    book.tell(taken, "outputs", run=str(plan.run), manifest="sha256:" + "55" * 32, count=1, bytes=10, kept=wrote)
    book.ended(taken, 1, image=IMAGE)
    clone.git("config", "rvexp.experiments-remote", "https://ada:secret@git.example.org/team/experiments.git")
    return str(plan.run)


def exported(clone: Clone, path: Path, form: str, what: str = "first") -> Path:
    """A file that `export` wrote."""
    done = clone.rvexp("export", what, "--format", form, "-o", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path}\n"), done.stderr
    return path


def test_a_crate_is_read_by_its_library(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """Both runs, with code, image, what was read and what was written; the profile's validator has no objection."""
    crate = exported(clone, tmp_path / "crate.zip", "ro-crate")
    told = answered(readers, READ_CRATE, crate)
    first: dict[str, object] = {
        "description": "python train.py",
        "version": clone.git("rev-parse", f"{TAG}^{{commit}}"),
    }
    first |= {"sha256": "ab" * 32, "object": ["s3://data/a.csv", "MODE"], "result": [WROTE]}
    assert (told["name"], len(told["runs"]), told["runs"][0]) == (TAG, 2, first)
    found = answered(readers, VALIDATE_CRATE, crate, "process-run-crate")
    assert found["issues"] == []
    assert found["checks"] > 40


CHAIN = """
[[step]]
name = "train"
command = ["python3", "train.py"]

[[step]]
name = "eval"
after = ["train"]
command = ["python3", "eval.py"]
"""


def chained(clone: Clone, *, code: int = 0, file: str = "flows/my chain.toml", text: str = CHAIN) -> str:
    """A chain of two steps whose second ended with `code`; its name."""
    book = Notebook(clone)
    clone.write("flows/my chain.toml", text)
    taken = book.snapshot(TAG)
    name = "0123456789"
    book.tell(taken, "driving", chain=name, driver="here", **({"file": file} if file else {}))
    read, wrote = keep(
        book.ledger, [f"s3://data/a.csv\t10\tsha256:{READ}\tv1\n", f"out/m.json\t10\tsha256:{WROTE}\t\n"]
    )
    place = {"uri": "s3://data/", "manifest": "sha256:" + "44" * 32, "count": 1, "bytes": 10, "kept": read}
    marks = {"chain": name, "step": "train", "nth": 1, "inputs": [place]}
    first = book.ended(taken, image=IMAGE, command=("python3", "train.py"), extra=marks)
    book.tell(taken, "outputs", run=str(first.run), manifest="sha256:" + "55" * 32, count=1, bytes=10, kept=wrote)
    marks = {"chain": name, "step": "eval", "nth": 2}
    book.ended(taken, code, image=IMAGE, command=("python3", "eval.py"), after=(str(first.run),), extra=marks)
    return name


def test_a_chain_is_a_workflow(clone: Clone, readers: str, tmp_path: Path) -> None:
    """Its file is the main entity and in the crate; it ran as a whole and in two steps; the profiles agree."""
    name = chained(clone)
    crate = exported(clone, tmp_path / "crate.zip", "ro-crate")
    assert exported(clone, tmp_path / "again.zip", "ro-crate", name).read_bytes() == crate.read_bytes()
    with zipfile.ZipFile(crate) as archive:
        assert archive.read("flows/my chain.toml").decode() == CHAIN
    told = answered(readers, READ_WORKFLOW, crate)
    assert told == {
        "main": "flows/my%20chain.toml",
        "types": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "language": "chain of git rvexp",
        "input": ["train: s3://data/"],
        "output": ["train: what it wrote"],
        "status": "CompletedActionStatus",
        "error": "",
        "end": "2026-11-02T12:00:00Z",
        "read": [["s3://data/a.csv"]],
        "wrote": [["out/m.json"]],
        "actions": 5,
    }
    for profile in ("process-run-crate", "workflow-ro-crate", "workflow-run-crate"):
        found = answered(readers, VALIDATE_CRATE, crate, profile)
        assert (profile, found["issues"], found["checks"] > 40) == (profile, [], True)


@pytest.mark.parametrize(
    ("file", "text"), [("", CHAIN), ("gone.toml", CHAIN), ("flows/my chain.toml", CHAIN.replace("eval.py", "e.py"))]
)
def test_a_chain_without_its_file_is_told_from_the_record(
    clone: Clone, readers: str, tmp_path: Path, file: str, text: str
) -> None:
    """A file that was never in the snapshot, or says something else than what was run, is not taken for it."""
    name = chained(clone, code=1, file=file, text=text)
    crate = exported(clone, tmp_path / "crate.zip", "ro-crate", name)
    with zipfile.ZipFile(crate) as archive:
        told = json.loads(archive.read("chain.json"))
    assert [(s["step"], s["after"], s["command"]) for s in told["steps"]] == [
        ("train", [], ["python3", "train.py"]),
        ("eval", ["train"], ["python3", "eval.py"]),
    ]
    seen = answered(readers, READ_WORKFLOW, crate)
    assert (seen["main"], seen["status"]) == ("chain.json", "FailedActionStatus")
    assert seen["error"].startswith("step eval is run ")


def test_the_validator_finds_a_wrong_workflow(clone: Clone, readers: str, tmp_path: Path) -> None:
    """A workflow that nothing ran, and one whose file is not in the crate, are not let through."""
    chained(clone)
    text = exported(clone, tmp_path / "crate.json", "ro-crate").read_text()
    folder = tmp_path / "crate"
    folder.mkdir()
    (folder / "record.txt").write_text("")
    (folder / "ro-crate-metadata.json").write_text(text)
    assert "flows/my%20chain.toml" in str(answered(readers, VALIDATE_CRATE, folder, "workflow-run-crate")["issues"])
    exported(clone, tmp_path / "crate.zip", "ro-crate")
    with zipfile.ZipFile(tmp_path / "crate.zip") as archive:
        archive.extractall(folder)
    idle = json.loads(text)
    for each in idle["@graph"]:
        if each["@id"] == "#chain-0123456789":
            each["instrument"] = {"@id": "#code"}
    (folder / "ro-crate-metadata.json").write_text(json.dumps(idle))
    assert answered(readers, VALIDATE_CRATE, folder, "workflow-run-crate")["issues"]


def test_the_validator_finds_a_wrong_crate(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """A crate whose runs have no instrument is not let through: the test above can fail."""
    text = exported(clone, tmp_path / "crate.json", "ro-crate").read_text()
    folder = tmp_path / "crate"
    folder.mkdir()
    (folder / "record.txt").write_text("")
    (folder / "ro-crate-metadata.json").write_text(text.replace('"instrument"', '"keywords"'))
    assert answered(readers, VALIDATE_CRATE, folder, "process-run-crate")["issues"]


def test_a_statement_about_the_image(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """The subject is the image; it was built from the commit and the base image, as the Dockerfile pins it."""
    path = exported(clone, tmp_path / "image.json", "slsa")
    told = answered(readers, READ_STATEMENT, path)
    assert told["subject"] == ["ab" * 32]
    commit, base = told["dependencies"]
    assert commit["gitCommit"] == clone.git("rev-parse", f"{TAG}^{{commit}}")
    assert base == {"sha256": BASE}
    source = json.loads(path.read_text())["predicate"]["buildDefinition"]["externalParameters"]["source"]
    assert source == f"git+https://git.example.org/team/experiments.git@refs/tags/{TAG}"


def test_a_statement_about_a_run(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """The subjects are the outputs; they were made from the commit, the image and the inputs."""
    path = exported(clone, tmp_path / "run.json", "slsa", run)
    told = answered(readers, READ_STATEMENT, path)
    assert told["subject"] == [WROTE]
    assert [d.get("sha256") for d in told["dependencies"]] == [None, "ab" * 32, "44" * 32, READ]
    details = json.loads(path.read_text())["predicate"]["runDetails"]
    assert details["metadata"]["invocationId"] == run


def test_the_library_refuses_a_wrong_statement(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """Without digests of its subject a statement is none: the tests above can fail."""
    whole = json.loads(exported(clone, tmp_path / "image.json", "slsa").read_text())
    del whole["subject"][0]["digest"]
    (tmp_path / "wrong.json").write_text(json.dumps(whole))
    with pytest.raises(AssertionError, match="digest"):
        answered(readers, READ_STATEMENT, tmp_path / "wrong.json")


def test_a_citation_is_valid(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """The format's own tool takes it, and finds who made it; nobody's address is in it."""
    path = exported(clone, tmp_path / "CITATION.cff", "citation")
    tool = Path(readers).with_name("cffconvert")
    done = subprocess.run([tool, "--validate", "-i", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = subprocess.run([tool, "-f", "bibtex", "-i", path], capture_output=True, text=True, check=True).stdout
    assert "author = {Lovelace, Ada}" in shown
    assert "@example.org" not in path.read_text()


def test_no_form_tells_a_password(clone: Clone, run: str) -> None:
    """Of the remote's address only what others may know."""
    for form in ("ro-crate", "slsa", "json", "citation"):
        done = clone.rvexp("export", "first", "--format", form)
        assert done.returncode == 0, done.stderr
        assert "secret" not in done.stdout
        assert "git.example.org" in done.stdout


def test_the_same_record_gives_the_same_bytes(
    clone: Clone, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells when or where it was exported, or with which settings."""
    forms = ("ro-crate", "slsa", "json", "citation")
    once = {form: exported(clone, tmp_path / f"{form}1", form).read_bytes() for form in forms}
    monkeypatch.setenv("RVEXP_IMAGE_BUILD_ARGS", "BASE=never@sha256:" + "99" * 32)
    assert once == {form: exported(clone, tmp_path / f"{form}2", form).read_bytes() for form in forms}


def test_the_base_is_the_one_that_the_image_was_made_with(clone: Clone, run: str, readers: str, tmp_path: Path) -> None:
    """Build arguments stand in the record."""
    book, settings = Notebook(clone), {"image.build_args": {"BASE": "other@sha256:" + "77" * 32}}
    (taken,) = snapshots(book.repo)
    book.tell(taken, "image", ref=IMAGE, id="sha256:" + "cd" * 32, settings=settings)
    told = answered(readers, READ_STATEMENT, exported(clone, tmp_path / "image.json", "slsa"))
    assert told["dependencies"][1] == {"sha256": "77" * 32}


def test_nothing_is_written_over(clone: Clone, run: str, tmp_path: Path) -> None:
    """Neither a file nor what a link points at; and nothing half is left."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for name in ("mine", "link"):
        done = clone.rvexp("export", "first", "--format", "json", "-o", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (2, "")
        assert "is not written over" in done.stderr
    assert (tmp_path / "mine").read_text() == "mine"
    assert not list(tmp_path.glob(".*.*"))


def test_what_cannot_be_attested(clone: Clone) -> None:
    """A snapshot without an image, and a snapshot that is none."""
    Notebook(clone).snapshot(TAG)
    done = clone.rvexp("export", "first", "--format", "slsa")
    assert (done.returncode, "has no image yet" in done.stderr) == (2, True)
    assert clone.rvexp("export", "other", "--format", "json").returncode == 2
