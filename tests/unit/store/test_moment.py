"""Time that no jump of a clock moves."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from doctor.errors import UsageError
from doctor.model.tier import Tier
from doctor.store import AskedPlan, Refused, Reserved, Uptime, Window, machine_uptime
from doctor.store.meta import get_meta, put_meta

LIMITS = {"run": Window(6, 1800), "system": Window(99, 3600)}
DAY = timedelta(days=1)


def reserve(store, name, points=6):
    return isinstance(store.budget.reserve("r1", points, LIMITS, name), Reserved)


@pytest.mark.parametrize("days", [-30, 30])
def test_a_jump_frees_nothing_and_blocks_nothing(opened, clock, uptime, days):
    store = opened(uptime=uptime)
    assert reserve(store, "F-1")
    clock.move(days=days)
    assert not reserve(store, "F-2")
    uptime.seconds += 1799
    assert not reserve(store, "F-3")
    uptime.seconds += 1
    assert reserve(store, "F-4")
    assert store.budget.spent(LIMITS, "r1")[0].spent == 6


def test_a_clock_that_jumps_to_and_fro_neither_frees_nor_blocks(opened, clock, uptime):
    store = opened(uptime=uptime)
    granted = 0
    for number in range(40):
        clock.move(days=30 if number % 2 else -30)
        uptime.seconds += 180
        granted += reserve(store, f"F-{number}")
    assert granted == 4, "7,200 s have passed: one window each 1,800 s"


def test_after_a_restart_the_clock_is_believed_as_far_as_it_is_not_behind(opened, clock, uptime):
    assert reserve(opened(uptime=uptime), "F-1")
    uptime.boot, uptime.seconds = "second", 5.0
    clock.move(days=-30)
    again = opened(uptime=uptime)
    assert not reserve(again, "F-2")
    uptime.seconds += 1800
    assert reserve(again, "F-3"), "no longer than the window, even so"
    uptime.boot, uptime.seconds = "third", 5.0
    clock.move(days=31)
    assert reserve(opened(uptime=uptime), "F-4")


def test_two_machines_each_know_how_much_time_went_by(opened, clock, uptime):
    other = type(uptime)("other")
    one, two = opened(uptime=uptime), opened(uptime=other)
    assert reserve(one, "F-0")
    assert not reserve(two, "F-1")
    clock.move(days=-30)
    for number in range(17):
        uptime.seconds += 100
        other.seconds += 100
        assert not reserve(two if number % 2 else one, f"G-{number}")
    uptime.seconds += 100
    assert reserve(one, "F-2")


def test_only_the_newest_starts_are_kept_and_a_smaller_uptime_is_no_evidence(opened, clock, uptime):
    store = opened(uptime=uptime)
    for number in range(40):
        uptime.boot = f"boot-{number}"
        reserve(store, f"F-{number}", 0)
    with store._session.reading() as connection:
        latest, starts = json.loads(get_meta(connection, "time") or "")
    assert [one[0] for one in starts] == [f"boot-{number}" for number in range(24, 40)]
    uptime.seconds -= 50
    assert reserve(store, "G-1")
    assert latest == clock().isoformat(timespec="microseconds")


def test_the_time_of_an_older_store_goes_on(opened, clock):
    store = opened()
    late = clock() + DAY
    with store._session.writing() as connection:
        put_meta(connection, "latest", late.isoformat(timespec="microseconds"))
    assert reserve(store, "F-1")
    clock.move(days=1, seconds=1799)
    assert not reserve(store, "F-2"), "it was reserved at the store's time, not the clock's"


def test_damaged_time_is_a_clear_error(opened, url):
    store = opened()
    reserve(store, "F-1")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        file.execute("UPDATE meta SET value = '[1' WHERE name = 'time'")
    with pytest.raises(UsageError, match="its time cannot be read"):
        reserve(store, "F-2")


@pytest.mark.parametrize("days", [-30, 30])
def test_an_approval_lives_no_longer_by_a_jump_and_can_be_asked_again(opened, clock, uptime, days):
    store = opened(uptime=uptime)
    asked = [AskedPlan("h1", "a plan", Tier.GUARDED)]
    store.approvals.request("I-1", "r1", asked, "ann", DAY)
    store.approvals.approve("I-1", "h1", "bob")
    clock.move(days=days)
    assert store.approvals.consume("h1", "r1") is None, "who cannot tell the time does not pass"
    store.approvals.request("I-1", "r1", asked, "ann", DAY)
    store.approvals.approve("I-1", "h1", "bob")
    uptime.seconds += 3600
    clock.move(hours=1)
    assert store.approvals.consume("h1", "r1")
    store.approvals.request("I-2", "r2", asked, "ann", DAY)
    store.approvals.approve("I-2", "h1", "bob")
    uptime.seconds += DAY.total_seconds()
    assert store.approvals.consume("h1", "r2") is None, "though the clock stood still"


def test_trusting_the_clock_starts_anew_from_it(opened, clock, uptime):
    store = opened(uptime=uptime)
    clock.move(days=30)
    assert reserve(store, "F-1")
    clock.move(days=-30)
    store.budget.trust_clock("ann")
    assert isinstance(store.budget.reserve("r1", 1, LIMITS, "F-2"), Refused)
    uptime.seconds += 1800
    assert reserve(store, "F-3")


def test_this_machine_tells_its_uptime():
    first = machine_uptime()
    assert first is None or (isinstance(first, Uptime) and first.seconds > 0)
    again = machine_uptime()
    assert (first and first.boot) == (again and again.boot)
