"""Who may let a plan pass."""

from __future__ import annotations

import pytest

from doctor.model.change import Decision, Plan, SetCells
from doctor.model.tier import Tier
from doctor.treatment.planning import Prescription
from doctor.treatment.policy import Authority, decide


def plan(tier=Tier.SAFE, to="OPEN"):
    change = SetCells("jobs", {"id": 1}, {"state": "NEW"}, {"state": to})
    return Plan("sqlite:x", "r1", ("t.a@1",), (change,), tier, 1)


def prescribed(*plans, complete=True):
    known = {one.hash: one for one in plans}
    return Prescription(
        (), plans[0] if complete else None, known, () if complete else ("jobs.state",)
    )


ATTENDED = Authority(Tier.SAFE, attended=True)


def test_a_safe_plan_passes():
    one = plan()
    assert decide(prescribed(one), ATTENDED) == (
        Decision("approve", "SAFE and within the policy"),
        one,
    )


@pytest.mark.parametrize("tier", [Tier.GUARDED, Tier.IRREVERSIBLE])
@pytest.mark.parametrize("allowed", list(Tier))
@pytest.mark.parametrize("attended", [True, False])
def test_a_plan_above_safe_always_needs_a_human(tier, allowed, attended):
    decision, _ = decide(prescribed(plan(tier)), Authority(allowed, attended=attended))
    assert decision.ruling == "ask"


def test_an_open_cell_is_asked_even_where_every_tier_is_allowed():
    decision, chosen = decide(
        prescribed(plan(), plan(to="DONE"), complete=False),
        Authority(Tier.IRREVERSIBLE, attended=True),
    )
    assert decision == Decision("ask", "what should stand in jobs.state is for a human to say")
    assert chosen is None


def test_an_approved_plan_passes_whatever_its_tier():
    one, other = plan(Tier.GUARDED), plan(Tier.GUARDED, to="DONE")
    authority = Authority(Tier.ADVISE, attended=False, approved=(other.hash,))
    assert decide(prescribed(one, other, complete=False), authority) == (
        Decision("approve", "a human approved exactly this plan"),
        other,
    )


def test_an_approval_of_another_plan_counts_for_nothing():
    authority = Authority(Tier.SAFE, attended=True, approved=("0" * 32,))
    assert decide(prescribed(plan(Tier.GUARDED)), authority)[0].ruling == "ask"


def test_a_pause_beats_an_approval():
    one = plan()
    authority = Authority(Tier.SAFE, attended=True, approved=(one.hash,), paused="night (ann)")
    assert decide(prescribed(one), authority) == (
        Decision("refuse", "writes are paused: night (ann)"),
        None,
    )


def test_unattended_healing_is_off_at_advise():
    decision, _ = decide(prescribed(plan()), Authority(Tier.ADVISE, attended=False))
    assert decision == Decision("ask", "unattended healing is off: [hook] max_tier is ADVISE")


def test_an_attended_limit_below_safe_is_named():
    decision, _ = decide(prescribed(plan()), Authority(Tier.ADVISE, attended=True))
    assert decision == Decision("ask", "the plan is SAFE, and only ADVISE is allowed")


def test_without_a_second_engine_nothing_is_written_unattended():
    alone = Authority(Tier.SAFE, attended=False, alone="durable cannot be imported")
    assert decide(prescribed(plan()), alone)[0].ruling == "refuse"
    by_hand = Authority(Tier.SAFE, attended=True, alone="durable cannot be imported")
    assert decide(prescribed(plan()), by_hand)[0].ruling == "approve"


def test_a_cell_that_breaks_again_after_two_repairs_has_an_active_writer():
    again = Authority(Tier.SAFE, attended=True, repaired=2)
    decision, _ = decide(prescribed(plan()), again)
    assert decision.ruling == "ask"
    assert decision.reason.startswith("writer still active")
    assert decide(prescribed(plan()), Authority(Tier.SAFE, attended=True, repaired=1))[
        0
    ].ruling == ("approve")
