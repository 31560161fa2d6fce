"""Plans of repairs in batches with the rows that they pin."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from doctor.errors import UsageError
from doctor.model.change import Plan, SetColumn, pins_of
from doctor.model.tier import Tier
from doctor.store import AskedPlan, Window

KEYS = tuple((f"r{at}", at, b"\xff") for at in range(12_000))
LIMITS = {"system": Window(99, 60.0)}


def plan_of(store, keys=KEYS, run="column:runs.state"):
    change = SetColumn("runs", ("id", "n", "b"), "state", "REDY", "READY", len(keys), pins_of(keys))
    return Plan(store.target, run, (), (), Tier.GUARDED, 3, bulk=(change,))


def test_a_plan_comes_back_with_exactly_its_rows(store):
    plan = plan_of(store)
    store.pins.keep(plan, [KEYS])
    assert store.pins.plan(plan.run, [plan.hash]) == plan
    assert store.pins.rows(plan) == (KEYS,)
    assert store.pins.plan("column:other", [plan.hash]) is None
    store.pins.forget(plan.hash)
    assert store.pins.rows(plan) is None
    assert store.pins.plan(plan.run, [plan.hash]) is None


def test_a_new_plan_of_a_column_takes_the_place_of_the_one_before(store):
    first, second = plan_of(store), plan_of(store, KEYS[:5])
    store.pins.keep(first, [KEYS])
    store.pins.keep(second, [KEYS[:5]])
    assert store.pins.rows(first) is None
    assert store.pins.rows(second) == (KEYS[:5],)


def test_what_is_being_carried_out_is_kept(store):
    first, second = plan_of(store), plan_of(store, KEYS[:5])
    store.pins.keep(first, [KEYS])
    store.fixes.intend("F1", first, LIMITS)
    store.pins.keep(second, [KEYS[:5]])
    assert store.pins.rows(first) == (KEYS,)
    assert store.fixes.get("F1").plan == first


def test_rows_that_were_altered_are_refused(store):
    plan = plan_of(store, KEYS[:3])
    store.pins.keep(plan, [KEYS[:3]])
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE pins SET content = replace(content, 'r1', 'r9') WHERE part = 0")
        )
    engine.dispose()
    with pytest.raises(UsageError, match="damaged"):
        store.pins.rows(plan)


def test_rows_of_a_plan_that_nobody_approved_in_time_are_pruned(store, clock):
    plan = plan_of(store, KEYS[:3])
    store.pins.keep(plan, [KEYS[:3]])
    asked = [AskedPlan(plan.hash, "three rows", plan.tier)]
    store.approvals.request("I-1", plan.run, asked, "me", timedelta(hours=1))
    store.retention.prune(timedelta(days=1))
    assert store.pins.rows(plan) is not None
    clock.move(days=3)
    store.retention.prune(timedelta(days=1))
    assert store.pins.rows(plan) is None
