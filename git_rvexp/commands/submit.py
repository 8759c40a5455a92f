"""Hand a command to the executor: this machine's engine, or AWS Batch.

Without TAG the snapshot is the one whose tree equals the work tree now; when there is none, nothing runs. The run is
recorded and pushed before the job is started, and the job's id after. Ctrl-C leaves alone what was handed over, and
says how to come back to it. stdout is the run's id.
"""

import argparse
from typing import TYPE_CHECKING

from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.errors import Interrupted
from git_rvexp.executors.limits import check_array
from git_rvexp.names import short_job
from git_rvexp.workflow import ahead
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking.moments import span
from git_rvexp.workflow.repeating.seeding import SEEDS, check_seed

if TYPE_CHECKING:
    from git_rvexp.workflow.planning import Request
    from git_rvexp.workflow.running import Started

TAKES_COMMAND = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    shared.tag(parser, shared.THIS_WORK_TREE)
    shared.resources(parser)
    shared.environment(parser)
    parser.add_argument("--queue", help="job queue, instead of batch_queue")
    parser.add_argument("--executor", choices=("docker", "batch"), help="instead of the configured one")
    limit = "how long an attempt may run: 90s, 10m, 2h …; a number alone is seconds"
    parser.add_argument("--timeout", type=_seconds, default=0, metavar="SPAN", help=limit)
    tries = "attempts, 1 to 10; only lost hosts are retried"
    parser.add_argument("--attempts", type=int, choices=range(1, 11), default=0, metavar="N", help=tries)
    parser.add_argument("--array", type=int, metavar="N", help="an array of N children, 2 to 10,000")
    shared.scheduling(parser)
    parser.add_argument("--after", action="append", default=[], metavar="RUN", help="start when that run succeeded")
    parser.add_argument("--seed", type=int, help=f"the run's seed, 0 to {SEEDS - 1}; default: one is drawn")
    shared.data(parser)
    shared.pinning(parser)
    parser.add_argument("--wait", action="store_true", help="follow the run; exit 0 when it succeeds, 1 when not")
    parser.add_argument("--offline", action="store_true", help="submit though the record cannot be shared first")
    shown = "check and print the plan; start and record nothing"
    parser.add_argument("-n", "--dry-run", action="store_true", help=shown)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def _seconds(text: str) -> int:
    return int(span(text))


def run(args: argparse.Namespace, session: Session) -> int:
    """Plan, start, and with --wait follow."""
    command = shared.command(args, "submit")
    check_seed(args.seed, "--seed")
    if args.array is not None:
        check_array(args.array)
    flags = {**_pinning(args, session), **shared.scheduling_of(args, session.context.settings)}
    context = session.with_flags({"batch_queue": args.queue, "executor": args.executor, **flags})
    shared.warn_unused(session, context.settings, _batch_only(args))
    with ahead.asked(context, args.tag, wanted=not (args.dry_run or args.offline)) as there:
        from git_rvexp.workflow.running import preview, start  # noqa: PLC0415  loaded while the remote is asked

        request = _request(args, command)
        if args.dry_run:
            session.speaker.document("rvexp.plan/1", preview(context, request))
            return 0
        started = start(context, request, ahead=there, offline=args.offline, follow=args.wait)
    try:
        _tell(args, session, started)
        return _follow(context, started, session) if args.wait else 0
    except KeyboardInterrupt as why:
        raise Interrupted.going_on(started.plan.run) from why


def _request(args: argparse.Namespace, command: tuple[str, ...]) -> "Request":
    from git_rvexp.workflow.planning import Request  # noqa: PLC0415  as above

    return Request(
        command=command,
        tag=args.tag,
        env=shared.pairs(args.env),
        secret_env=tuple(args.secret_env),
        resources=shared.resources_of(args),
        timeout=args.timeout,
        attempts=args.attempts,
        array=args.array or 0,
        after=tuple(args.after),
        seed=args.seed,
        inputs=tuple(args.input),
        outputs=tuple(args.output),
        allow_secrets=args.allow_secrets,
    )


def _batch_only(args: argparse.Namespace) -> dict[str, object]:
    asked = {"--queue": args.queue, "--share": args.share, "--priority": args.priority is not None}
    return {**asked, "--job-tag": args.job_tag, "--attempts": args.attempts > 1}


def _pinning(args: argparse.Namespace, session: Session) -> dict[str, str]:
    if not args.pin_inputs:
        return {}
    from git_rvexp.workflow.repeating.pinning import asked  # noqa: PLC0415  as above

    return {"run.pin_inputs": asked(session.context)}


def _follow(context: Context, started: "Started", session: Session) -> int:
    from git_rvexp.workflow.following.follow import verdict, wait_for  # noqa: PLC0415  as above
    from git_rvexp.workflow.looking.custody import to_download  # noqa: PLC0415  as above
    from git_rvexp.workflow.looking.reasons import ending  # noqa: PLC0415  as above
    from git_rvexp.workflow.running import found  # noqa: PLC0415  as above

    state = wait_for(context, found(context, started), sleep=context.ledger.sleep, say_logs=True)
    over = found(context, started).run
    for command in to_download(over):
        session.speaker.say(f"next: {command}")
    if verdict(state):
        word, code, why = ending(over, state)
        run, how = started.plan.run, ", ".join(filter(None, (word, code)))
        session.speaker.error(f"run {run} {how}{why and f': {why}'}", f"git rvexp logs {run}")
    return verdict(state)


def _tell(args: argparse.Namespace, session: Session, started: "Started") -> None:
    plan = started.plan
    if args.json:
        session.speaker.document("rvexp.run/1", {"snapshot": started.snapshot.tag, "job": started.job, **plan.fields()})
        return
    what = started.snapshot.tag or "without a snapshot"
    session.speaker.say(f"submitted {what} to {plan.executor}, job {short_job(started.job)}")
    session.speaker.result(str(plan.run))
    if args.wait:
        return
    if plan.array and plan.executor == "docker":
        session.speaker.say("an engine has no scheduler: further children start while somebody looks")
    session.speaker.say(f"next: git rvexp wait {plan.run}")
