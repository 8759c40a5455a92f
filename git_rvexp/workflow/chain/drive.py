"""Drive a chain: hand over each step when its turn comes, follow to the end, and resume after a crash or a failure.

An executor that schedules (Batch) gets all steps at once, each with the jobs it waits for. An engine does not, so there
the chain is driven from here: a step is handed over when its parents have succeeded, and whoever stops driving leaves
what runs alone. Each hand-over is the protocol of `submit`; what is planned is in the record before the first of them.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

from git_rvexp.errors import CredentialsError, Interrupted, PendingError, RvexpError
from git_rvexp.executors.protocol import Executor
from git_rvexp.forbearance import Forbearance
from git_rvexp.model import JobState, Phase, Plan, Snapshot
from git_rvexp.names import RunId
from git_rvexp.record.runs import runs
from git_rvexp.workflow.chain import doubt
from git_rvexp.workflow.chain import leave as leaves
from git_rvexp.workflow.chain.hold import Hold, held
from git_rvexp.workflow.chain.plan import Options, again, drafts
from git_rvexp.workflow.chain.record import Chain, load, reread
from git_rvexp.workflow.chain.steps import Step, below
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.following.asking import Executors
from git_rvexp.workflow.following.harvest import Look, refresh
from git_rvexp.workflow.parents import waits_of
from git_rvexp.workflow.reconcile import FRESH, settle_and_tell
from git_rvexp.workflow.repeating.borrowed import Leave
from git_rvexp.workflow.running import checked, prepared
from git_rvexp.workflow.storing.sharing import share_record
from git_rvexp.workflow.submit import announce, send

Tell = Callable[[Chain, Mapping[str, JobState]], None]

_LONGEST = {True: 30.0, False: 3.0}  # seconds between looks, where the executor schedules and where we do


def start(context: Context, steps: Sequence[Step], tag: str, options: Options, tell: Tell, *, follow: bool) -> Chain:
    """Plan all steps, record them, hand them over; with `follow`, or where we drive, until the end. `tell` hears of it.

    Nothing is recorded when any check of any step fails.
    """
    name = str(RunId.new())
    ready = prepared(context, tag, drafts(context, name, steps, tag, options), verb="chain")
    for plan in ready.plans:
        checked(ready.executor, plan)
    with held(context.repo, name) as hold:
        _take_over(context, ready.snapshot, name, hold, options.file)
        announce(context, ready.snapshot, ready.plans)
        chain = load(context, ready.snapshot, name)
        return _driven(context, chain, ready.executor, hold, tell, follow=follow)


def resume(context: Context, chain: Chain, tell: Tell, leave: Leave, *, follow: bool) -> Chain:
    """Go on with a chain: submit what never got a job, and new runs of what failed and of all that waits for it.

    UsageError when somebody else planned one of these and `leave` does not cover what it asks for; AmbiguousError while
    a job may exist that nobody knows. The record has to be up to date for that: GitError when the experiments remote
    cannot be reached.
    """
    context.connect()
    share_record(context)
    executors = Executors(context)
    executor = executors.of(next(iter(chain.runs.values())).plan)
    with held(context.repo, chain.name) as hold:
        settle_and_tell(context, [chain.snapshot], executors)
        look = refresh(context, reread(context, chain).found, _only(context, executor))
        chain = reread(context, chain)
        doubt.refuse_untraced(chain, executor, hold, context.ledger.now())
        redo = _redo(chain)
        due = [run.plan for name, run in chain.runs.items() if run.phase.open or name in redo]
        leaves.check(context, chain.name, due, executor, leave)
        _take_over(context, chain.snapshot, chain.name, hold)
        chain = _redone(context, chain, executor, look, redo)
        return _driven(context, chain, executor, hold, tell, follow=follow)


def _driven(context: Context, chain: Chain, executor: Executor, hold: Hold, tell: Tell, *, follow: bool) -> Chain:
    """The chain as it stands at the end. Interrupted, by Ctrl-C, says how to go on."""
    try:
        return _going(context, chain, executor, hold, tell, follow=follow)
    except KeyboardInterrupt as why:
        raise Interrupted(chain.left) from why


def _going(context: Context, chain: Chain, executor: Executor, hold: Hold, tell: Tell, *, follow: bool) -> Chain:
    chain = _handed_over(context, chain, executor, hold)
    tell(chain, {})
    if not follow and executor.schedules:
        return chain
    pauses = _pauses(executor)
    borne, told = Forbearance(context.warn), chain.told({})
    while not chain.over:
        pause = next(pauses)
        context.ledger.sleep(pause)
        look = refresh(context, chain.found, _only(context, executor))
        seen = _handed_over(context, reread(context, chain), executor, hold)
        _bear(seen, look, borne, pause)
        tell(seen, look.states)
        if seen.told(look.states) != told:
            pauses = _pauses(executor)
        chain, told = seen, seen.told(look.states)
    return chain


def _handed_over(context: Context, chain: Chain, executor: Executor, hold: Hold) -> Chain:
    """The chain after every step whose turn it is was handed over, and those that cannot start were marked so.

    What somebody else called not found meanwhile is handed over too: nobody but us can have sent it, and we have not.
    """
    for name in chain.runs:
        run, parents = chain.runs[name], chain.parents(name)
        if not run.phase.open and run.phase is not Phase.NOTFOUND:
            continue
        failed = [p for p in parents if p.phase.over and p.phase is not Phase.SUCCEEDED]
        if failed and run.phase.open:
            why = f"step {chain.step_of[failed[0].run]} did not succeed"
            fields = {"run": run.run, "why": f"{why}, so this one was not started"}
            context.ledger.append(chain.snapshot.oid, context.ledger.event("refused", fields))
        elif not failed and (executor.schedules or all(p.phase is Phase.SUCCEEDED for p in parents)):
            _hand_over(context, chain, name, executor, hold)
        else:
            continue
        chain = reread(context, chain)
    return chain


def _hand_over(context: Context, chain: Chain, name: str, executor: Executor, hold: Hold) -> None:
    run = chain.runs[name]
    # Others may have written this step since the driver looked.
    leaves.check(context, chain.name, [run.plan], executor, Leave())
    if executor.schedules:
        chain = _told_anew(context, chain, name)
    waits = waits_of(run.plan, {p.run: p for p in chain.parents(name)}.__getitem__)
    hold.leave_word(run.run)
    send(context, chain.snapshot, run.plan, executor, waits=waits)


def _told_anew(context: Context, chain: Chain, name: str) -> Chain:
    """The chain after it is on record, where others see it, that a step planned a while ago is sent now.

    They count from then until they call it not found. PendingError when it has got another run meanwhile.
    """
    run = chain.runs[name]
    if run.phase.open and context.ledger.now() - run.planned.moment < FRESH:
        return chain
    context.ledger.append(chain.snapshot.oid, context.ledger.event("sending", {"run": run.run}))
    share_record(context)
    now = reread(context, chain)
    if now.runs[name].run != run.run:
        raise PendingError(f"chain {chain.name} was resumed in another clone", hint="git rvexp status")
    return now


def _redo(chain: Chain) -> set[str]:
    """The steps that need a new run: what failed, and what waits for it."""
    failed = [name for name, run in chain.runs.items() if run.phase.over and run.phase is not Phase.SUCCEEDED]
    return below(chain.steps, failed)


def _redone(context: Context, chain: Chain, executor: Executor, look: Look, redo: set[str]) -> Chain:
    """The chain with new runs, recorded and not yet handed over, for the steps `redo`."""
    doubt.refuse_unended(chain, look, redo)
    if not redo:
        return chain
    plans = again(context, chain, redo)
    for plan in plans:
        checked(executor, plan)
    announce(context, chain.snapshot, plans)
    left = [chain.runs[name] for name in redo if chain.runs[name].phase.open]
    told = ({"run": run.run, "why": f"chain {chain.name} was resumed with another run"} for run in left)
    context.ledger.append(chain.snapshot.oid, *(context.ledger.event("refused", fields) for fields in told))
    _refuse_rival(context, chain, plans)
    return reread(context, chain)


def _take_over(context: Context, snapshot: Snapshot, name: str, hold: Hold, file: str = "") -> None:
    """Record that this clone drives the chain, and of a new one where its file is; it is shared with the next push."""
    told = {"chain": name, "driver": hold.driver, **({"file": file} if file else {})}
    context.ledger.append(snapshot.oid, context.ledger.event("driving", told))


def _refuse_rival(context: Context, chain: Chain, plans: Sequence[Plan]) -> None:
    """Withdraw our new runs when another clone's are there: of two pushes the second sees what the first one wrote."""
    ours = {str(plan.run): plan.extra["resumes"] for plan in plans}
    record = context.ledger.record(chain.snapshot.oid)
    rivals = [r for r in runs(record) if r.planned.get("resumes") in ours.values() and r.run not in ours]
    if not any(r.phase is not Phase.REFUSED for r in rivals):
        return
    told = ({"run": run, "why": "another clone resumed the chain first"} for run in ours)
    context.ledger.append(chain.snapshot.oid, *(context.ledger.event("refused", fields) for fields in told))
    raise PendingError(f"chain {chain.name} is being resumed in another clone", hint="git rvexp status")


def _only(context: Context, executor: Executor) -> Executors:
    return Executors(context, lambda *_: executor)


def _pauses(executor: Executor) -> Iterator[float]:
    longest = _LONGEST[executor.schedules]
    return (min(0.5 * 1.4**n, longest) for n in itertools.count())


def _bear(chain: Chain, look: Look, borne: Forbearance, pause: float) -> None:
    """PendingError when the executor has not answered, or not shown a job, for too long; CredentialsError at once."""
    try:
        borne.met(look.trouble(look.untold))
    except CredentialsError:
        raise
    except RvexpError as why:
        raise _cannot_follow(chain, str(why)) from why
    waiting = [r for r in chain.runs.values() if r.phase is Phase.SUBMITTED]
    hidden = [r for r in waiting if r.run not in look.states and r.run not in look.untold]
    if borne.missed(pause if hidden else 0):
        raise _cannot_follow(chain, f"the executor does not show job {hidden[0].job} of run {hidden[0].run}")


def _cannot_follow(chain: Chain, why: str) -> PendingError:
    return PendingError(f"chain {chain.name} cannot be followed: {why}", hint=f"git rvexp chain --resume {chain.name}")
