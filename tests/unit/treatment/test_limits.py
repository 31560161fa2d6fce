"""Limits that a rule sets on its own repairs, and what its record says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from doctor.model.change import Plan, SetCells
from doctor.model.rule import BlastRadius, Limits, OnceWithin
from doctor.model.tier import Tier
from doctor.store import Evaluations
from doctor.store.fix import Fix
from doctor.treatment.limits import limit_reason
from doctor.treatment.track_record import ON_REQUEST, RuleRecord, failed_in_a_row, rule_records
from tests.unit.inference.build import rule, sel

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def plan(run="r1", rows=1, value="NEW", rules=("t.a@1",)):
    changes = tuple(
        SetCells("jobs", {"id": number}, {"state": value}, {"state": "OPEN"})
        for number in range(rows)
    )
    return Plan("sqlite:x", run, rules, changes, Tier.SAFE, 1)


def fix(state="verified", ago=timedelta(minutes=10), reason="", **parts):
    at = NOW - ago
    return Fix("F-1", plan(**parts), state, reason, None, None, (), at, at)


def limited(**limits):
    return replace(rule("t.a", sel("x", "k")), limits=Limits(**limits))


def reason(one, fixes, *, approved=False, **parts):
    return limit_reason(plan(**parts), {one.id: one}, fixes, NOW, approved=approved)


ONCE = limited(once_within=OnceWithin(HOUR, ("run", "value")))
BLAST = limited(blast_radius=BlastRadius(3, HOUR))


def test_a_rule_without_limits_repairs_as_often_as_the_budget_allows():
    assert reason(limited(), [fix()] * 9) is None
    assert reason(limited(), [], rules=("t.gone@1",)) is None


def test_once_within_refuses_the_second_repair_of_the_same_group():
    told = "rule t.a: at most once within 1:00:00 by run, value, and F-1 did so"
    assert reason(ONCE, [fix()]) == told
    assert reason(ONCE, [fix()], approved=True) == told
    assert reason(ONCE, [fix(run="r2")]) is None
    assert reason(ONCE, [fix(value="OLD")]) is None
    assert reason(ONCE, [fix(ago=HOUR)]) is None
    assert reason(ONCE, [fix(rules=("t.b@1",))]) is None
    assert reason(ONCE, [fix(rules=("t.a@7",))]) == told


@pytest.mark.parametrize("state", ["intended", "applied", "undone", "verify_failed"])
def test_a_repair_counts_from_its_intent_on_whatever_became_of_it(state):
    assert reason(ONCE, [fix(state)]) is not None


def test_a_repair_of_which_nothing_was_applied_does_not_count():
    assert reason(ONCE, [fix("not_applied")]) is None
    assert reason(BLAST, [fix("not_applied", rows=3)]) is None


def test_without_fields_there_is_one_group():
    one = limited(once_within=OnceWithin(HOUR, ()))
    assert reason(one, [fix(run="r2")]) == "rule t.a: at most once within 1:00:00, and F-1 did so"


def test_the_blast_radius_counts_rows_of_all_runs():
    assert reason(BLAST, [fix(rows=2)]) is None
    assert (
        reason(BLAST, [fix(rows=2), fix(run="r2")])
        == "rule t.a: at most 3 rows within 1:00:00, and 3 were changed"
    )
    assert reason(BLAST, [fix(rows=3, ago=HOUR)]) is None
    assert reason(BLAST, [], rows=4) is not None


FAILED = fix("undone", reason="still found")


def test_after_three_failed_repairs_in_a_row_a_rule_only_observes():
    one = limited()
    assert reason(one, [FAILED] * 2) is None
    assert (
        reason(one, [FAILED] * 3)
        == "rule t.a: only observes now: its last 3 repairs were not verified"
    )
    assert reason(one, [FAILED] * 3, approved=True) is None
    assert reason(replace(one, revision=2), [FAILED] * 3, rules=("t.a@2",)) is None


def test_a_verified_repair_ends_the_row_and_an_undo_on_request_is_no_failure():
    one = limited()
    assert failed_in_a_row(one, [FAILED, FAILED, fix(), FAILED]) == 1
    assert failed_in_a_row(one, [FAILED, fix("undone", reason=ON_REQUEST), FAILED]) == 2
    assert failed_in_a_row(one, [fix("verify_failed"), fix("unverified")]) == 1


def test_a_record_says_what_became_of_a_rule():
    one, other = limited(), rule("t.b", sel("x", "k"))
    evaluations = [
        Evaluations("t.a", 1, evaluated=9, matched=4, unknown=1, last_match=NOW),
        Evaluations("t.b", 7, evaluated=9, matched=4),
    ]
    first, second = rule_records([one, other], evaluations, [fix(), FAILED, FAILED, FAILED])
    assert first == RuleRecord("t.a", "T.A", 1, 9, 4, 1, NOW, 1, 3, is_demoted=True)
    assert (first.success, first.never_fired, first.always_unknown) == (0.25, False, False)
    assert second == RuleRecord("t.b", "T.B", 1, 0, 0, 0, None, 0, 0, is_demoted=False)
    assert (second.success, second.never_fired, second.always_unknown) == (None, False, False)


def test_rules_that_never_fire_or_never_know_show():
    asked = [Evaluations("t.a", 1, evaluated=3, unknown=3)]
    (record,) = rule_records([limited()], asked, [])
    assert (record.never_fired, record.always_unknown) == (True, True)
