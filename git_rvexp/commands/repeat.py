"""Run the same again, from the record alone, and say whether the result is the same.

TAG means its newest run that succeeded. Image, command, environment, resources, seed and inputs are the recorded ones;
neither the work tree nor today's settings of images play a part. With --wait the verdict is printed, and written when
the run ends in any case. Exit codes with --wait: 0 the same, 1 it differs, 3 not comparable. stdout is the run's id,
then the verdict.
"""

import argparse
import math

from git_rvexp.commands import TARGET
from git_rvexp.commands import arguments as shared
from git_rvexp.commands.session import Session
from git_rvexp.errors import CANNOT_TELL, DONE, NO, Interrupted, UsageError
from git_rvexp.model import Json
from git_rvexp.names import short_job
from git_rvexp.output import printable
from git_rvexp.rules import not_negative
from git_rvexp.workflow.choose import Found
from git_rvexp.workflow.following.follow import wait_for
from git_rvexp.workflow.repeating import repeat, series
from git_rvexp.workflow.repeating.verdict import DIFFERS, NOT_COMPARABLE, summary
from git_rvexp.workflow.running import Started, found

_CODES = {DIFFERS: NO, NOT_COMPARABLE: CANNOT_TELL}
_CAUSES = {
    "drift": "the repeats agree with each other: something has changed since the original",
    "nondeterminism": "the repeats differ among themselves: the run is not deterministic",
}

READS_RECORD = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("what", metavar="TAG|RUN", nargs="?", default="@", help=TARGET)
    another = "another executor than the original's"
    parser.add_argument("--executor", choices=("docker", "batch"), default="", help=another)
    parser.add_argument("--queue", default="", help="another job queue than the original's")
    named = "a variable of yours that somebody else's run on docker may have"
    shared.secret_environment(parser, named)
    stands = "somebody else's run: use its image, queue and roles, though your settings name others"
    parser.add_argument("--trust-record", action="store_true", help=stands)
    shown = "check and print the plan; start and record nothing"
    parser.add_argument("-n", "--dry-run", action="store_true", help=shown)
    parser.add_argument("--times", type=int, default=1, metavar="N", help="one after the other; waits for each")
    parser.add_argument("--wait", action="store_true", help="follow the run and print the verdict")
    parser.add_argument("--rebuild", action="store_true", help="build the image again where it is gone")
    parser.add_argument("--allow-data-drift", action="store_true", help="run though the inputs have changed")
    pin = "run over the recorded versions of the S3 inputs, whatever stands there now"
    parser.add_argument("--pin-inputs", action="store_true", help=pin)
    off = "how far numbers in JSON and CSV outputs may be off; default: as when the original was submitted"
    parser.add_argument("--tolerance", type=_tolerance, metavar="T", help=off)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def _tolerance(text: str) -> float:
    """The number, by the rule of the setting `run.tolerance`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if wrong := not_negative(number):
        raise argparse.ArgumentTypeError(f"{wrong}, not {text}")
    return number


def run(args: argparse.Namespace, session: Session) -> int:
    """Look at everything, start, and with --wait or --times compare."""
    if args.times < 1:
        raise UsageError("--times must be 1 or more")
    context = session.context
    original = repeat.original(context, args.what)
    asked = repeat.Asked(
        executor=args.executor,
        queue=args.queue,
        secrets=tuple(args.secret_env),
        trusted=args.trust_record,
        rebuild=args.rebuild,
        allow_drift=args.allow_data_drift,
        tolerance=args.tolerance,
        pin=args.pin_inputs,
    )
    if args.dry_run:
        session.speaker.document("rvexp.plan/1", repeat.preview(context, original, asked))
        return DONE
    started = []
    for _ in range(args.times):
        one = repeat.start(context, repeat.prepared(context, original, asked))
        started.append(one)
        try:
            _tell_start(args, session, original, one)
            if not (args.wait or args.times > 1):
                return DONE
            wait_for(context, found(context, one), sleep=context.ledger.sleep, say_logs=True)
        except KeyboardInterrupt as why:
            raise Interrupted.going_on(one.plan.run) from why
    told = series.verdicts(context, original, [str(one.plan.run) for one in started])
    whole = series.concluded(context, original, told)
    _tell_verdicts(args, session, told, whole)
    return _CODES.get(str(whole["result"]), DONE)


def _tell_start(args: argparse.Namespace, session: Session, original: Found, one: Started) -> None:
    plan = one.plan
    session.speaker.say(f"repeating {original.run.run} on {plan.executor}, job {short_job(one.job)}")
    if args.json:
        if not args.wait and args.times == 1:
            session.speaker.document("rvexp.run/1", {"snapshot": one.snapshot.tag, "job": one.job, **plan.fields()})
        return
    session.speaker.result(str(plan.run))
    if not args.wait and args.times == 1:
        session.speaker.say(f"next: git rvexp wait {plan.run}, then git rvexp show {plan.run} tells the verdict")


def _tell_verdicts(
    args: argparse.Namespace, session: Session, told: list[dict[str, Json]], whole: dict[str, Json]
) -> None:
    if args.json:
        session.speaker.document("rvexp.repeat/1", {**whole, "verdicts": told})
        return
    for fields in told:
        before = f"{fields['run']}\t" if len(told) > 1 else ""
        session.speaker.result(before + printable(summary(fields)))
    if whole.get("cause"):
        session.speaker.result(f"{whole['cause']}\t{_CAUSES[str(whole['cause'])]}")
