"""Arguments that several verbs share."""

import argparse
import math
from collections.abc import Iterable, Mapping

from git_rvexp.commands.session import Session
from git_rvexp.errors import UsageError
from git_rvexp.model import Resources
from git_rvexp.settings import Settings
from git_rvexp.sizes import MIB, parsed

THIS_WORK_TREE = "the snapshot of this work tree"
MY_NEWEST = "my newest"


def tag(parser: argparse.ArgumentParser, default: str) -> None:
    """A snapshot: full tag, nickname, unique part of it, or `@`; `default` says which one without."""
    about = f"full tag, nickname, unique part of it, or @ (my newest); default: {default}"
    parser.add_argument("tag", metavar="TAG", nargs="?", default="", help=about)


def resources(parser: argparse.ArgumentParser) -> None:
    """What a run may ask for."""
    parser.add_argument("--vcpus", type=float, default=0, help="virtual CPUs")
    memory = "memory, as 4g, 512m or 4 GiB; a number alone is MiB"
    parser.add_argument("--memory", type=_mebibytes, default=0, metavar="SIZE", help=memory)
    gpus = "GPUs; of an engine its first ones, shared with all that runs there"
    parser.add_argument("--gpus", type=int, default=0, help=gpus)


def _mebibytes(text: str) -> int:
    try:
        return int(text) if text.isdecimal() else math.ceil(parsed(text) / MIB)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 4g, 512m, 4 GiB, or a number of MiB") from None


def environment(parser: argparse.ArgumentParser) -> None:
    """Variables of the run."""
    parser.add_argument("--env", action="append", default=[], metavar="K=V", help="a variable; no secrets")
    secret_environment(parser, "a secret, by name only")
    allow_secrets(parser)


def secret_environment(parser: argparse.ArgumentParser, about: str) -> None:
    """Variables that a run gets without their values being written down."""
    parser.add_argument("--secret-env", action="append", default=[], metavar="NAME", type=_bare, help=about)


def _bare(text: str) -> str:
    if "=" in text:  # nothing of it is repeated: it may be the secret
        raise argparse.ArgumentTypeError("takes a variable's name alone; its value is this shell's")
    return text


def allow_secrets(parser: argparse.ArgumentParser) -> None:
    """The way past the check of what is recorded and shown to others."""
    about = "the command and the variables hold no secret, though something looks so"
    parser.add_argument("--allow-secrets", action="store_true", help=about)


def data(parser: argparse.ArgumentParser) -> None:
    """What a run reads and writes."""
    read = (
        "an s3:// URI that the run reads; those in its command are found without it. "
        "A path of this machine is watched for changes and nothing more: it is not mounted into the container"
    )
    parser.add_argument("--input", action="append", default=[], metavar="URI", help=read)
    written = "what the run writes: a path in the container, or an s3:// URI; {run} in it stands for the run"
    parser.add_argument("--output", action="append", default=[], metavar="PATH", help=written)


def pinning(parser: argparse.ArgumentParser) -> None:
    """Exact versions of inputs."""
    about = "give the job exact versions of its S3 inputs: copies in the store, or as run.pin_inputs says"
    parser.add_argument("--pin-inputs", action="store_true", help=about)


def command(args: argparse.Namespace, verb: str) -> tuple[str, ...]:
    """The words after `--`. UsageError unless there is a command with no empty words (Batch refuses those)."""
    words = tuple(args.command or ())
    if not words or not words[0].strip():
        raise UsageError("there is no command to run", hint=f"git rvexp {verb} -- python3 train.py")
    if not all(words):
        raise UsageError(
            "the command has an empty word, which AWS Batch refuses", hint="leave it out, or use sh -c '…'"
        )
    return words


def scheduling(parser: argparse.ArgumentParser) -> None:
    """How Batch queues a job, and on whose account."""
    parser.add_argument("--share", metavar="NAME", help="share identifier, on a queue that shares fairly")
    parser.add_argument("--priority", type=int, metavar="N", help="scheduling priority in the share, 0 to 9999")
    parser.add_argument("--job-tag", action="append", default=[], metavar="K=V", help="an AWS tag of the job on Batch")


def scheduling_of(args: argparse.Namespace, settings: Settings) -> dict[str, object]:
    """The same as settings; tags come beside the configured ones."""
    tags = {**settings.job_tags, **pairs(args.job_tag, "--job-tag")} if args.job_tag else None
    return {"job.share": args.share, "job.priority": args.priority, "job.tags": tags}


def warn_unused(session: Session, settings: Settings, given: Mapping[str, object]) -> None:
    """Tell of options (by name, with what was given) that mean something on Batch only, where the run is not there."""
    unused = [option for option, value in given.items() if value]
    if unused and not settings.on_batch:
        told = "means" if len(unused) == 1 else "mean"
        session.speaker.warn(f"{', '.join(unused)} {told} nothing on docker: an engine has no queue and tries once")


def resources_of(args: argparse.Namespace) -> Resources:
    """The resources asked for; UsageError for what is no amount."""
    return Resources(args.vcpus, args.memory, args.gpus)


def pairs(texts: Iterable[str], flag: str = "--env") -> dict[str, str]:
    """K=V words as a mapping; UsageError names the one that is none."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is not K=V", hint=f"{flag} NAME=VALUE")
        found[name] = value
    return found
