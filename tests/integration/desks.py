"""Where the documents are typed: for each page a repository, and the laboratory's names for those of the page.

A page that is not named here is typed in a fresh copy of the example with an engine and nothing else.
"""

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Clone
from tests.documents import blocks
from tests.integration.parts import PROJECT, ForgeRepo, Stack, make_batch_world, make_digits

_RUN = "git rvexp submit first --wait --output out -- python3 train.py --epochs 1"
_FIRST = f"git rvexp snapshot first\n{_RUN}"


@dataclass(frozen=True)
class Desk:
    """Where a page is typed. `names`: what stands in the page for what stands in the laboratory, longest first.

    `before`: what is typed before all, unseen by the reader; `meanwhile`: before the block that begins with this line.
    `shows`: what the clone's record holds in the end; `leaves`: files, seen from the clone.
    """

    clone: Clone
    names: Mapping[str, str] = field(default_factory=dict)
    meanwhile: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    shows: tuple[str, ...] = (' ended run="', ' state="SUCCEEDED"')
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lab:
    """The running parts, and makers of what only this test has."""

    stack: Stack
    folder: Path
    forge_repo: Callable[[], ForgeRepo]

    def digits(self) -> Clone:
        """The example, committed."""
        return make_digits(self.stack, self.folder / "digits")

    def bucket(self, *, versions: bool = False) -> str:
        """A new bucket."""
        name = f"page-{uuid.uuid4().hex[:12]}"
        self.stack.aws("s3api", "create-bucket", "--bucket", name)
        if versions:
            on = ("--versioning-configuration", "Status=Enabled")
            self.stack.aws("s3api", "put-bucket-versioning", "--bucket", name, *on)
        return name

    def put(self, uri: str, text: str) -> None:
        """An object in S3."""
        source = self.folder / "object"
        source.write_text(text)
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.stack.aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", str(source))

    def repository(self) -> str:
        """A name for a repository of images."""
        return f"page-{uuid.uuid4().hex[:12]}"


def toml(page: str, number: int = 0) -> str:
    """The text of a page's TOML block."""
    return [block.text for block in blocks(page) if block.language == "toml"][number]


def _aws(lab: Lab) -> Desk:
    world = make_batch_world(f"page-{uuid.uuid4().hex[:12]}")
    names = {
        "git@github.com:team/experiments.git": lab.forge_repo().url,
        "$account.dkr.ecr.$region.amazonaws.com": lab.stack.registry,
        "repository=experiments": f"repository={lab.repository()}",
        "queue=gpu": f"queue={world.queue}",
        "base=base": f"base={world.job_definition}",
    }
    return Desk(lab.digits(), names, shows=(' definition arn="arn:aws:batch:', ' state="SUCCEEDED"'))


def _chains(lab: Lab) -> Desk:
    clone = lab.digits()
    for step in ("chip", "train", "predict", "eval"):
        clone.write(f"{step}.py", f"print({step!r})\n")
    clone.write("chain.toml", toml("docs/chains.md"))
    return Desk(clone)


def _ci(lab: Lab) -> Desk:
    origin, clone = lab.digits(), Clone(lab.folder / "checkout")
    origin.write(".rvexp.toml", f'experiments_remote = "{lab.forge_repo().url}"\n')
    origin.commit("where snapshots go")
    origin.git("clone", "-q", str(origin.path), str(clone.path))
    clone.git("config", "--global", "rvexp.image.buildArgs", f"BASE={lab.stack.base_image}")
    return Desk(clone, before="export RUN_NUMBER=7-1", shows=(' tag="ci/', ' state="SUCCEEDED"'))


def _configuration(lab: Lab) -> Desk:
    world, cheap = make_batch_world(f"page-{uuid.uuid4().hex[:12]}"), make_batch_world(f"page-{uuid.uuid4().hex[:12]}")
    clone = lab.digits()
    clone.git("config", "--global", "rvexp.batchJobDefName", world.job_definition)
    profiles = toml("docs/configuration.md")
    mine = f"mv .rvexp.toml ../set && {{ cat <<'END'; cat ../set; }} > .rvexp.toml\n{profiles}END\n"
    theirs = (
        "git clone -q . ../theirs && cd ../theirs\n"
        "cat > .rvexp.toml <<'END'\n"
        "experiments_remote = 'https://git.example.org/team/experiments.git'\nbatch_queue = 'gpu'\n"
        "END\ngit add .rvexp.toml\n"
    )
    confirm = "git rvexp init --confirm --profile cheap   # once, where the file is tracked: see below"
    names = {'"gpu"': f'"{world.queue}"', '"spot"': f'"{cheap.queue}"'}
    return Desk(clone, names, {confirm: mine, "git rvexp submit -- python3 train.py": theirs}, shows=(cheap.queue,))


def _example(lab: Lab) -> Desk:
    folder = lab.folder / "digits"
    shutil.copytree(PROJECT / "examples" / "digits", folder, ignore=shutil.ignore_patterns("__pycache__", "out"))
    clone = Clone(folder)
    clone.git("config", "--global", "rvexp.image.buildArgs", f"BASE={lab.stack.base_image}")
    clone.write("unique.txt", uuid.uuid4().hex)
    return Desk(clone)


def _hooks(lab: Lab) -> Desk:
    clone = lab.digits()
    server = lab.folder / "experiments.git"
    clone.git("init", "-q", "--bare", str(server))
    return Desk(clone, {"/srv/git/experiments.git": str(server)}, before="git rvexp snapshot first", shows=())


def _repeat(lab: Lab) -> Desk:
    clone = lab.digits()
    clone.write("train.py", _READS_ANYTHING)
    clone.commit("a program that takes its data from anywhere")
    data, results, store = lab.bucket(versions=True), lab.bucket(), lab.bucket()
    lab.put(f"s3://{data}/train/a.csv", "1,2\n")
    clone.git("config", "rvexp.store", f"s3://{store}/experiments")
    remote = lab.folder / "experiments.git"
    clone.git("init", "-q", "--bare", str(remote))
    clone.git("config", "rvexp.experimentsRemote", f"file://{remote}")
    names = {
        "git@github.com:team/experiments.git": f"file://{remote}",
        "s3://bucket/": f"s3://{results}/",
        "s3://team-data/": f"s3://{data}/",
    }
    back = {"git rvexp submit --output out --output s3://bucket/results/{run}/ -- python3 train.py": f"cd {clone.path}"}
    return Desk(clone, names, back, _FIRST)


_READS_ANYTHING = """import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--epochs")
parser.parse_args()
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out/model.json").write_text("{}")
"""


def _snapshots(lab: Lab) -> Desk:
    clone, library = lab.digits(), Clone(lab.folder / "library")
    library.path.mkdir()
    library.git("init", "-q")
    library.write("a.py", "")
    library.commit()
    clone.git("lfs", "install", "--local")
    clone.git("lfs", "track", "*.bin")
    clone.git("submodule", "--quiet", "add", str(library.path), "lib")
    clone.write(".gitignore", "*.log\n")
    clone.commit("everything that a snapshot may meet")
    clone.write("train.py", "print(1)\n")
    clone.write("weights.bin", "0" * 4000)
    clone.write("out.log", "said\n")
    return Desk(clone, shows=())


def _store(lab: Lab) -> Desk:
    leaves = ("../elsewhere/first/train.py",)
    return Desk(lab.digits(), {"$bucket": lab.bucket()}, shows=(' source="s3://page-',), leaves=leaves)


def _verify(lab: Lab) -> Desk:
    clone, data, repository = lab.digits(), lab.bucket(versions=True), f"{lab.stack.registry}/{lab.repository()}"
    clone.git("config", "rvexp.ecrRepo", repository)
    lab.put(f"s3://{data}/train/a.csv", "1,2\n")
    overwritten = (
        f"docker tag {lab.stack.tiny_image} {repository}:$(git tag --list '*/first' | tr / _)\n"
        f"docker push -q {repository}:$(git tag --list '*/first' | tr / _)"
    )
    inputs = f"{_RUN.replace('--output', f'--input s3://{data}/train/ --output')}"
    return Desk(clone, before=f"git rvexp snapshot first\n{inputs}\n{overwritten}")


DESKS: Mapping[str, Callable[[Lab], Desk]] = {
    "docs/aws.md": _aws,
    "docs/chains.md": _chains,
    "docs/ci.md": _ci,
    "docs/configuration.md": _configuration,
    "docs/hooks.md": _hooks,
    "docs/repeat.md": _repeat,
    "docs/snapshots.md": _snapshots,
    "docs/store.md": _store,
    "docs/verify.md": _verify,
    "examples/digits/README.md": _example,
}


def desk(page: str, lab: Lab) -> Desk:
    """The desk that a page is typed at."""
    make = DESKS.get(page)
    return make(lab) if make else Desk(lab.digits())
