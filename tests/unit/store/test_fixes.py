from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from doctor.errors import TreatmentError, UsageError
from doctor.model.change import Plan, SetCells
from doctor.model.ports import ChangeImage
from doctor.model.tier import Tier
from doctor.store import AskedPlan, Fix, Refused
from doctor.store.fix import NEXT, PENDING

IMAGES = (ChangeImage({"id": 1, "state": b"\0"}, {"id": 1, "state": None}),)
PATHS = {
    "intended": [],
    "not_applied": ["not_applied"],
    "applied": ["applied"],
    "verified": ["applied", "verified"],
    "verify_failed": ["applied", "verify_failed"],
    "unverified": ["applied", "unverified"],
    "undoing": ["applied", "undoing"],
    "undone": ["applied", "undoing", "undone"],
    "undo_failed": ["applied", "undoing", "undo_failed"],
}


@pytest.fixture
def fixes(store):
    return store.fixes


@pytest.fixture
def step(fixes):
    steps = {
        "not_applied": lambda fix: fixes.record_not_applied(fix, "row moved on"),
        "applied": lambda fix: fixes.record_applied(fix, IMAGES),
        "verified": lambda fix: fixes.record_verified(fix, "clear", "probe agrees"),
        "verify_failed": lambda fix: fixes.record_verified(fix, "failed", "still found"),
        "unverified": lambda fix: fixes.record_verified(fix, "could_not_run", "api down"),
        "undoing": lambda fix: fixes.record_undoing(fix, "verify failed"),
        "undone": lambda fix: fixes.record_undone(fix, "rows are back"),
        "undo_failed": lambda fix: fixes.record_undo_failed(fix, "row moved on"),
    }
    return lambda fix, state: steps[state](fix)


@pytest.fixture
def brought(fixes, plan, step):
    """Bring a new fix into a state."""

    def brought(state, fix="F-1", **plan_parts):
        fixes.intend(fix, plan(**plan_parts), {}, incident="I-1")
        for name in PATHS[state]:
            step(fix, name)
        return fix

    return brought


def test_an_intent_keeps_the_whole_plan_and_pays_for_it(store, plan, limits, clock):
    fix = store.fixes.intend("F-1", plan(), limits, incident="I-1")
    assert fix == Fix(
        id="F-1",
        plan=plan(),
        state="intended",
        reason="",
        incident="I-1",
        approval=None,
        images=(),
        intended_at=clock.now,
        updated_at=clock.now,
    )
    assert fix.state in PENDING
    assert store.fixes.get("F-1") == fix
    assert store.budget.spent(limits, "r1")[0].spent == 2
    (entry,) = store.journal.entries()
    assert (entry.kind, entry.fix, entry.incident, entry.run) == ("intent", "F-1", "I-1", "r1")
    assert entry.data == {"plan": plan().hash, "points": 2, "approval": None, "evidence": []}


def test_intending_the_same_fix_again_changes_nothing(store, plan, limits):
    first = store.fixes.intend("F-1", plan(), limits)
    assert store.fixes.intend("F-1", plan(), limits) == first
    assert store.fixes.intend_approved("F-1", plan(), limits) == first
    assert store.budget.spent(limits, "r1")[0].spent == 2
    assert len(store.journal.entries()) == 1
    with pytest.raises(UsageError, match="fix F-1 has another plan"):
        store.fixes.intend("F-1", plan(to="FAILED"), limits)


@pytest.mark.parametrize("how", ["intend", "intend_approved"])
def test_without_points_nothing_is_recorded_and_no_approval_is_used(store, plan, limits, how):
    dear = plan(cost=7)
    store.approvals.request(
        "I-1", "r1", [AskedPlan(dear.hash, "", Tier.GUARDED)], "agent", timedelta(1)
    )
    store.approvals.approve("I-1", dear.hash, "ann")
    refused = getattr(store.fixes, how)("F-1", dear, limits)
    assert isinstance(refused, Refused)
    assert refused.by == "run"
    assert store.fixes.find() == ()
    assert store.approvals.get("I-1").state == "approved"


def test_without_an_approval_nothing_is_recorded_and_no_points_are_taken(store, plan, limits):
    refused = store.fixes.intend_approved("F-1", plan(), limits)
    assert refused == Refused("approval", f"no approval stands for plan {plan().hash}")
    assert store.fixes.find() == ()
    assert store.budget.spent(limits, "r1")[0].spent == 0
    assert store.journal.entries() == ()


def test_an_approved_intent_uses_its_approval_up(store, plan, limits, kinds):
    asked = [AskedPlan(plan().hash, "", Tier.GUARDED)]
    store.approvals.request("I-1", "r1", asked, "agent", timedelta(1))
    store.approvals.approve("I-1", plan().hash, "ann")
    fix = store.fixes.intend_approved("F-1", plan(), limits, incident="I-1")
    assert isinstance(fix, Fix)
    assert (fix.approval, store.approvals.get("I-1").state) == ("I-1", "used")
    assert kinds(store) == ["asked", "approved", "approval_used", "intent"]
    again = store.fixes.intend_approved("F-2", plan(), limits, incident="I-1")
    assert isinstance(again, Refused)
    assert again.by == "approval"


def test_a_plan_that_cannot_be_kept_leaves_nothing(store, plan, limits):
    odd = SetCells("runs", {"id": 1}, {"state": object()}, {"state": "x"})  # type: ignore[dict-item]
    broken = Plan("t", "r1", (), (odd,), Tier.SAFE, 1)
    with pytest.raises(TreatmentError, match="cannot be kept exactly"):
        store.fixes.intend("F-1", broken, limits)
    assert store.fixes.find() == ()
    assert store.budget.spent(limits, "r1")[0].spent == 0


@pytest.mark.parametrize("after", sorted(NEXT))
@pytest.mark.parametrize("before", sorted(NEXT))
def test_every_step_follows_repeats_or_is_refused(store, brought, step, before, after):
    fix = brought(before)
    steps = len(store.journal.entries())
    if after == "intended":
        return
    if after == before or after in NEXT[before]:
        assert step(fix, after).state == after
        assert len(store.journal.entries()) == steps + (after != before)
        assert step(fix, after).state == after
        assert len(store.journal.entries()) == steps + (after != before)
    else:
        with pytest.raises(UsageError, match=f"fix F-1 is {before}, it cannot become {after}"):
            step(fix, after)
        assert store.fixes.get(fix).state == before
        assert len(store.journal.entries()) == steps


@pytest.mark.parametrize("state", sorted(PATHS))
def test_recovery_finds_what_has_no_outcome(store, brought, state):
    fix = brought(state)
    assert [one.id for one in store.fixes.pending()] == ([fix] if state in PENDING else [])


@pytest.mark.parametrize("state", sorted(PATHS))
def test_only_what_changed_nothing_returns_its_points(store, plan, limits, step, state):
    store.fixes.intend("F-1", plan(), limits)
    for name in PATHS[state]:
        step("F-1", name)
    assert store.budget.spent(limits, "r1")[0].spent == (0 if state == "not_applied" else 2)
    store.budget.give_back("F-1")
    spent = store.budget.spent(limits, "r1")[0].spent
    assert spent == (0 if state in {"intended", "not_applied"} else 2)


def test_a_step_is_told_with_its_reason_and_keeps_the_images(store, brought, clock):
    fix = brought("applied")
    clock.move(seconds=1)
    verified = store.fixes.record_verified(fix, "clear", "probe agrees")
    assert (verified.reason, verified.images) == ("probe agrees", IMAGES)
    assert verified.updated_at == clock.now == verified.intended_at + timedelta(seconds=1)
    last = store.journal.entries(1)[0]
    assert (last.kind, last.summary, last.incident, last.fix, last.run) == (
        "verified",
        "probe agrees",
        "I-1",
        "F-1",
        "r1",
    )
    assert last.data == {"from": "applied", "plan": verified.plan.hash}


def test_fixes_are_found_by_run_and_incident_oldest_first(store, plan, clock):
    for number, run in enumerate(["r1", "r2", "r1"]):
        clock.move(seconds=1)
        store.fixes.intend(f"F-{9 - number}", plan(run), {}, incident=f"I-{number}")

    def found(**wanted):
        return [fix.id for fix in store.fixes.find(**wanted)]

    assert found() == ["F-9", "F-8", "F-7"]
    assert found(run="r1") == ["F-9", "F-7"]
    assert found(incident="I-1") == ["F-8"]
    assert found(run="r1", incident="I-1") == []


def test_a_cell_that_was_repaired_before_is_recognised(store, brought):
    for number, state in enumerate(sorted(PATHS)):
        brought(state, f"F-{state}", key=1, to=f"S{number}")
    brought("verified", "F-other-key", key=2)
    brought("verified", "F-other-run", run="r2")
    found = {fix.state for fix in store.fixes.repairs("r1", "runs", "state", {"id": 1})}
    assert found == set(PATHS) - {"intended", "not_applied"}
    assert store.fixes.repairs("r1", "runs", "name", {"id": 1}) == ()
    assert store.fixes.repairs("r1", "tasks", "state", {"id": 1}) == ()
    assert store.fixes.repairs("r1", "runs", "state", {"id": "1"}) == ()
    assert len(store.fixes.repairs("r1", "runs", "state", {"id": 2})) == 1


def test_an_id_is_new(opened, plan):
    ids = iter(["F-a", "F-a", "F-b"])
    store = opened(new_id=lambda _: next(ids))
    store.fixes.intend(store.fixes.new_id(), plan(), {})
    assert opened("other", new_id=lambda _: next(ids)).fixes.new_id() == "F-b"


def test_an_unknown_fix_is_a_clear_error(fixes):
    with pytest.raises(UsageError, match="there is no fix 'F-9'"):
        fixes.get("F-9")
    with pytest.raises(UsageError, match="there is no fix 'F-9'"):
        fixes.record_undone("F-9", "x")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("plan_hash='x'", "fix F-1 is damaged"),
        ("state='odd'", "fix F-1 is damaged"),
        ("plan='{}'", "a plan in the store is damaged"),
        ("plan=replace(plan, 'DONE', 'GONE')", "a plan in the store is damaged"),
        ("plan=replace(plan, 'a note', 'another')", "a plan in the store is damaged"),
        ("images='x'", "the row images in the store are damaged"),
    ],
)
def test_a_fix_that_was_tampered_with_is_never_handed_out(store, brought, url, damage, message):
    fix = brought("applied")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(f"UPDATE fixes SET {damage}")
    with pytest.raises(UsageError, match=message):
        store.fixes.get(fix)
