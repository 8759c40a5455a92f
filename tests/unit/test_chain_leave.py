"""Steps that somebody else wrote into the record: none goes where the user's settings do not before they say so."""

import dataclasses
import datetime as dt

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.model import Plan
from git_rvexp.names import RunId
from git_rvexp.record.events import Event, stamp
from git_rvexp.workflow.chain import drive
from git_rvexp.workflow.chain import record as chain_record
from git_rvexp.workflow.chain.record import Chain
from git_rvexp.workflow.repeating.borrowed import Leave
from git_rvexp.workflow.sync import sync
from tests.conftest import Clone
from tests.lab import Lab
from tests.unit.test_chain import planned

EVIL = "evil.example/x@sha256:" + "c" * 64


def resumed(lab: Lab, clone: Clone, leave: Leave) -> Chain:
    """The newest chain after `chain --resume` in a clone."""
    context = lab.context(clone)
    return drive.resume(context, chain_record.chosen(context, ""), lambda _chain, _states: None, leave, follow=False)


def forge(lab: Lab, like: Plan) -> None:
    """A line of the record that adds a step to the chain of a plan, as anybody who may push can."""
    extra = {**like.extra, "step": "evil", "nth": 9}
    plan = dataclasses.replace(like, run=RunId.new(), image=EVIL, after=(), after_each=(), extra=extra)
    ledger = lab.context(lab.one).ledger
    ledger.append(lab.snapshot().oid, ledger.event("planned", plan.fields()))


def test_a_chain_from_elsewhere_needs_my_word_where_my_settings_differ(lab: Lab) -> None:
    """Nothing of it is sent before; with the word all of it is, under new runs, which are then mine."""
    planned(lab, sent=0)
    sync(lab.context(lab.two))
    lab.now += dt.timedelta(minutes=21)
    lab.ecr_repo = "registry.example/mine"
    with pytest.raises(UsageError, match="was recorded elsewhere") as caught:
        resumed(lab, lab.two, Leave())
    assert str(caught.value.hint).startswith("git rvexp chain --resume 0123456789 --trust-record")
    assert lab.double.called("SubmitJob") == []
    resumed(lab, lab.two, Leave(trusted=True))
    assert len(lab.double.called("SubmitJob")) == 4


def test_a_chain_that_is_dated_ahead_does_not_come_before_mine(lab: Lab) -> None:
    """Without a name mine is taken, and the other one told; by its name that one is, and where none is mine."""
    chain = planned(lab, sent=0)
    like = chain.runs["chip"].plan
    plan = dataclasses.replace(like, run=RunId.new(), image=EVIL, extra={**like.extra, "chain": "zzzzzzzzz9"})
    context = lab.context(lab.one)
    ahead = stamp(lab.now + dt.timedelta(days=365))
    context.ledger.append(lab.snapshot().oid, Event(ahead, "planned", plan.fields()))
    assert chain_record.chosen(context, "").name == "0123456789"
    assert "chain zzzzzzzzz9 is newer, but was planned elsewhere: chain 0123456789 is taken" in lab.told[-1]
    assert "git rvexp chain --resume zzzzzzzzz9" in lab.told[-1]
    resumed(lab, lab.one, Leave())
    assert len(lab.double.called("SubmitJob")) == 4
    assert chain_record.chosen(context, "zzzz").name == "zzzzzzzzz9"
    sync(lab.context(lab.two))
    assert chain_record.chosen(lab.context(lab.two), "").name == "zzzzzzzzz9"


def test_a_step_that_was_written_into_my_chain_is_refused_before_anything_is_sent(lab: Lab) -> None:
    """Its plan names my definition and another image."""
    chain = planned(lab, sent=0)
    forge(lab, chain.runs["chip"].plan)
    with pytest.raises(UsageError, match=f"image {EVIL}"):
        resumed(lab, lab.one, Leave())
    assert lab.double.called("SubmitJob") == []


def test_a_step_that_is_written_in_while_the_chain_is_driven_is_not_sent(lab: Lab) -> None:
    """The driver reads the record again and again: what others put there meanwhile is looked at too."""
    planned(lab, sent=0)
    context = lab.context(lab.one)

    def tell(chain: Chain, _states: object) -> None:
        if "evil" not in chain.runs:
            forge(lab, chain.runs["chip"].plan)

    with pytest.raises(UsageError, match=f"image {EVIL}"):
        drive.resume(context, chain_record.chosen(context, ""), tell, Leave(), follow=True)
    assert len(lab.double.called("SubmitJob")) == 4


def test_a_step_that_waits_for_a_run_of_no_step_is_told(lab: Lab) -> None:
    """Nothing is sent of a chain that hangs on something else."""
    chain = planned(lab, sent=0)
    like = chain.runs["train"].plan
    ledger = lab.context(lab.one).ledger
    odd = dataclasses.replace(like, run=RunId.new(), after=("zyzyzyzyz2",), extra={**like.extra, "step": "odd"})
    ledger.append(lab.snapshot().oid, ledger.event("planned", odd.fields()))
    with pytest.raises(UsageError, match="waits for run 'zyzyzyzyz2', which is none of its steps"):
        resumed(lab, lab.one, Leave())
    assert lab.double.called("SubmitJob") == []
