from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest

from doctor.errors import UsageError
from doctor.model.tier import Tier
from doctor.store import Approval, AskedPlan

A = AskedPlan("aaaa", "state dnoe -> DONE", Tier.GUARDED)
B = AskedPlan("bbbb", "state dnoe -> FAILED", Tier.IRREVERSIBLE)
C = AskedPlan("cccc", "nothing \udc80", Tier.SAFE)
HOUR = timedelta(hours=1)


@pytest.fixture
def asked(store):
    return store.approvals.request("I-1", "r1", (A, B), "agent", HOUR)


@pytest.fixture
def approvals(store, asked):
    return store.approvals


def test_a_request_waits_for_its_answer(store, asked, clock):
    assert asked == Approval(
        id="I-1",
        run="r1",
        plans=(A, B),
        requester="agent",
        requested_at=clock.now,
        expires_at=clock.now + HOUR,
        state="pending",
        plan=None,
        decided_by=None,
        decided_at=None,
        used_at=None,
    )
    assert asked.is_alive
    assert store.approvals.get("I-1") == asked
    assert store.approvals.find() == (asked,)
    assert store.approvals.find(run="r1") == (asked,)
    assert store.approvals.find(run="r2") == ()
    assert store.approvals.consume("aaaa", "r1") is None


def test_an_approved_plan_passes_once(approvals, clock, store):
    clock.move(minutes=1)
    approved = approvals.approve("I-1", "bbbb", "ann")
    assert (approved.state, approved.plan, approved.decided_by) == ("approved", "bbbb", "ann")
    assert approved.decided_at == clock.now
    clock.move(minutes=1)
    used = approvals.consume("bbbb", "r1")
    assert used
    assert (used.state, used.used_at, used.is_alive) == ("used", clock.now, False)
    assert approvals.consume("bbbb", "r1") is None
    told = [(entry.kind, entry.incident) for entry in store.journal.entries()]
    assert told == [("asked", "I-1"), ("approved", "I-1"), ("approval_used", "I-1")]


@pytest.mark.parametrize(("plan", "run"), [("aaaa", "r1"), ("cccc", "r1"), ("bbbb", "r2")])
def test_an_approval_lets_nothing_else_pass(approvals, plan, run):
    approvals.approve("I-1", "bbbb", "ann")
    assert approvals.consume(plan, run) is None
    assert approvals.consume("bbbb", "r1")


def test_a_plan_that_was_not_asked_for_cannot_be_approved(approvals):
    with pytest.raises(UsageError, match="'cccc' is not among those of approval I-1: aaaa, bbbb"):
        approvals.approve("I-1", "cccc", "ann")
    with pytest.raises(UsageError, match="there is no approval 'I-9'"):
        approvals.approve("I-9", "aaaa", "ann")


def test_the_plan_that_was_approved_last_counts(approvals, kinds, store):
    approvals.approve("I-1", "aaaa", "ann")
    approvals.approve("I-1", "aaaa", "bob")
    assert approvals.get("I-1").decided_by == "ann"
    approvals.approve("I-1", "bbbb", "bob")
    assert approvals.consume("aaaa", "r1") is None
    assert approvals.consume("bbbb", "r1")
    assert kinds(store) == ["asked", "approved", "approved", "approval_used"]


def test_a_denied_request_stays_denied_until_it_is_asked_again(approvals):
    approvals.approve("I-1", "aaaa", "ann")
    for _ in range(2):
        assert approvals.deny("I-1", "bob").state == "denied"
    assert approvals.consume("aaaa", "r1") is None
    with pytest.raises(UsageError, match="approval I-1 is denied: it must be asked for again"):
        approvals.approve("I-1", "aaaa", "ann")
    again = approvals.request("I-1", "r1", (A,), "agent", HOUR)
    assert (again.state, again.decided_by, again.plan) == ("pending", None, None)
    assert approvals.consume("aaaa", "r1") is None


def test_a_used_approval_can_be_neither_denied_nor_approved(approvals):
    approvals.approve("I-1", "aaaa", "ann")
    approvals.consume("aaaa", "r1")
    with pytest.raises(UsageError, match="approval I-1 is used"):
        approvals.deny("I-1", "bob")
    with pytest.raises(UsageError, match="approval I-1 is used"):
        approvals.approve("I-1", "aaaa", "ann")
    assert approvals.request("I-1", "r1", (A, B), "agent", HOUR).state == "pending"


def test_what_has_expired_is_denied(approvals, clock):
    approvals.approve("I-1", "aaaa", "ann")
    clock.move(hours=1, microseconds=-1)
    assert approvals.get("I-1").state == "approved"
    clock.move(microseconds=1)
    assert approvals.get("I-1").state == "expired"
    assert approvals.consume("aaaa", "r1") is None
    with pytest.raises(UsageError, match="approval I-1 is expired"):
        approvals.approve("I-1", "bbbb", "ann")
    assert approvals.request("I-1", "r1", (A, B), "agent", HOUR).state == "pending"
    assert approvals.deny("I-1", "ann").state == "denied"


def test_an_approval_that_expired_is_not_revived_by_a_clock_that_jumps_back(approvals, clock):
    approvals.approve("I-1", "aaaa", "ann")
    clock.move(hours=2)
    assert approvals.consume("aaaa", "r1") is None
    clock.move(hours=-2)
    assert approvals.get("I-1").state == "expired"
    assert approvals.consume("aaaa", "r1") is None


def test_a_clock_that_jumps_back_lengthens_no_approval(approvals, clock):
    approvals.approve("I-1", "aaaa", "ann")
    clock.move(minutes=-5)
    assert approvals.get("I-1").state == "approved"
    clock.move(microseconds=-1)
    assert approvals.get("I-1").state == "expired"
    assert approvals.consume("aaaa", "r1") is None


def test_after_a_clock_jumped_ahead_and_was_corrected_approvals_live_as_long_as_ever(
    approvals, clock
):
    clock.move(days=30)
    approvals.deny("I-1", "ann")
    clock.move(days=-30)
    approvals.request("I-1", "r1", (A,), "agent", HOUR)
    approvals.approve("I-1", "aaaa", "ann")
    clock.move(minutes=59)
    assert approvals.get("I-1").state == "approved"
    clock.move(minutes=1)
    assert approvals.get("I-1").state == "expired"


def test_asking_for_the_same_plans_again_changes_nothing(approvals, asked, clock, kinds, store):
    clock.move(minutes=30)
    assert approvals.request("I-1", "r1", (B, A), "other", HOUR) == asked
    approved = approvals.approve("I-1", "aaaa", "ann")
    assert approvals.request("I-1", "r1", (A, B), "agent", HOUR) == approved
    assert kinds(store) == ["asked", "approved"]


def test_asking_for_other_plans_supersedes_the_old_ones(approvals, clock):
    clock.move(minutes=30)
    again = approvals.request("I-1", "r1", (C,), "other", HOUR)
    assert (again.requester, again.expires_at) == ("other", clock.now + HOUR)
    assert [one.hash for one in again.plans] == ["cccc"]
    with pytest.raises(UsageError, match="'aaaa' is not among"):
        approvals.approve("I-1", "aaaa", "ann")


def test_an_approval_is_void_when_its_plan_is_no_longer_asked_for(approvals):
    approvals.approve("I-1", "aaaa", "ann")
    assert approvals.request("I-1", "r1", (B,), "agent", HOUR).state == "pending"
    assert approvals.consume("aaaa", "r1") is None
    assert approvals.request("I-1", "r1", (A, B), "agent", HOUR).state == "pending"
    assert approvals.consume("aaaa", "r1") is None


def test_an_approval_stands_unlengthened_while_its_plan_is_still_asked_for(approvals, clock):
    approved = approvals.approve("I-1", "aaaa", "ann")
    clock.move(minutes=30)
    again = approvals.request("I-1", "r1", (A, C), "agent", HOUR)
    assert (again.state, again.expires_at) == ("approved", approved.expires_at)
    assert [one.hash for one in again.plans] == ["aaaa", "cccc"]
    assert approvals.consume("aaaa", "r1")


def test_a_request_of_another_run_supersedes(approvals):
    approvals.approve("I-1", "aaaa", "ann")
    assert approvals.request("I-1", "r2", (A, B), "agent", HOUR).state == "pending"
    assert approvals.consume("aaaa", "r1") is None


def test_a_request_needs_a_plan(store):
    with pytest.raises(ValueError, match="needs a plan"):
        store.approvals.request("I-1", "r1", (), "agent", HOUR)


def test_whether_somebody_else_answered_is_kept(approvals, asked, store):
    assert not asked.is_separated
    assert not approvals.approve("I-1", "aaaa", "agent").is_separated
    assert approvals.approve("I-1", "bbbb", "ann").is_separated
    kept = [entry.data["separated"] for entry in store.journal.entries(kinds=["approved"])]
    assert kept == [False, True]


def test_a_plan_that_two_requests_approved_passes_once(approvals):
    approvals.request("I-2", "r1", (A,), "agent", HOUR)
    approvals.approve("I-1", "aaaa", "ann")
    approvals.approve("I-2", "aaaa", "ann")
    assert approvals.consume("aaaa", "r1")
    assert approvals.consume("aaaa", "r1") is None
    assert [one.state for one in approvals.find()] == ["used", "used"]


def test_a_double_click_from_eight_threads_is_one_use(approvals):
    with ThreadPoolExecutor(8) as threads:
        for number in range(20):
            incident = f"I-{number}"
            approvals.request(incident, "r1", (A,), "agent", HOUR)
            approvals.approve(incident, "aaaa", "ann")
            used = list(threads.map(lambda _: approvals.consume("aaaa", "r1"), range(8)))
            assert [one.id for one in used if one] == [incident]


@pytest.mark.parametrize("plans", ["", "1", "[[1]]", '[["a","b",9]]'])
def test_a_damaged_request_is_a_clear_error(approvals, url, plans):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE approvals SET plans=?", [plans])
    with pytest.raises(UsageError, match="approval I-1 is damaged"):
        approvals.find()
