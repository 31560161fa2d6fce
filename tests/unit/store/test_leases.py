"""One holder at a time, and whoever comes late is held off."""

from __future__ import annotations

import pytest

from doctor.errors import LeaseLostError
from doctor.store import Window
from doctor.store.leases import Holding

LIMITS = {"system": Window(10, 3600)}


def test_a_lease_is_free_when_it_was_given_back_or_has_expired(store, clock):
    first = store.leases.take("ann", "", 60)
    assert first.token == 1
    assert store.leases.take("bob", "", 60) is None
    assert store.leases.held() == Holding("ann", 1, is_released=False, has_expired=False)
    store.leases.give_back(first)
    second = store.leases.take("bob", "", 60)
    assert (second.holder, second.token) == ("bob", 2)
    clock.move(seconds=59)
    assert store.leases.take("ann", "", 60) is None
    clock.move(seconds=1)
    assert store.leases.held().has_expired
    assert store.leases.take("ann", "", 60).token == 3


def test_whoever_holds_the_lock_of_a_place_takes_the_lease_of_the_one_before(store, kinds):
    store.leases.take("ann", "m1:/lock", 60)
    assert store.leases.take("bob", "m2:/lock", 60) is None
    assert store.leases.take("bob", "m1:/lock", 60).token == 2
    assert kinds(store) == ["took_over"]


def test_each_target_has_a_lease_of_its_own(opened):
    assert opened("sqlite:/one.db").leases.take("ann", "", 60).token == 1
    assert opened("sqlite:/two.db").leases.held() is None
    assert opened("sqlite:/two.db").leases.take("bob", "", 60).token == 1


def test_every_write_of_a_fix_is_refused_once_another_has_taken_over(store, clock, plan):
    lease = store.leases.take("ann", "", 60)
    mine = store.under(lease)
    for name in ("F-1", "F-2"):
        mine.fixes.intend(name, plan(), LIMITS)
    mine.fixes.record_applied("F-1", ())
    clock.move(seconds=61)
    assert store.leases.take("bob", "", 60).token == 2
    before = store.journal.entries()
    writes = (
        lambda: mine.fixes.intend("F-3", plan(), LIMITS),
        lambda: mine.fixes.intend_approved("F-3", plan(), LIMITS),
        lambda: mine.fixes.record_applied("F-2", ()),
        lambda: mine.fixes.record_not_applied("F-2", ""),
        lambda: mine.fixes.record_verified("F-1", "clear", ""),
        lambda: mine.fixes.record_undoing("F-1", ""),
        lambda: mine.fixes.record_undone("F-1", ""),
        lambda: mine.fixes.record_undo_failed("F-1", ""),
    )
    for write in writes:
        with pytest.raises(LeaseLostError, match="token 1 is old, 2 is the newest") as lost:
            write()
        assert lost.value.exit_code == 6
    assert store.journal.entries() == before
    mine.leases.give_back(lease)
    assert store.leases.held() == Holding("bob", 2, is_released=False, has_expired=False)


def test_a_write_puts_the_end_off_and_an_expired_lease_that_nobody_took_is_good(store, clock, plan):
    mine = store.under(store.leases.take("ann", "", 60))
    clock.move(seconds=50)
    mine.fixes.intend("F-1", plan(), LIMITS)
    clock.move(seconds=50)
    assert not store.leases.held().has_expired
    clock.move(days=1)
    assert mine.fixes.record_applied("F-1", ()).state == "applied"
    assert store.leases.take("bob", "", 60) is None


def test_a_token_that_the_target_knows_from_elsewhere_is_never_handed_out_again(store):
    lease = store.leases.take("ann", "", 60)
    store.leases.overtake(7)
    with pytest.raises(LeaseLostError):
        store.under(lease).fixes.record_applied("F-1", ())
    assert store.leases.take("bob", "", 60).token == 8
    store.leases.overtake(3)
    assert store.leases.held().token == 8


def test_the_lease_of_a_store_that_never_had_one_cannot_be_confirmed(store, opened):
    lease = store.leases.take("ann", "", 60)
    with pytest.raises(LeaseLostError, match="token 1 is old"):
        opened("sqlite:/other.db").under(lease).fixes.record_applied("F-1", ())


def test_a_clock_that_jumps_back_does_not_keep_a_lease_for_ever(opened, clock, uptime):
    store = opened(uptime=uptime)
    store.leases.take("ann", "", 60)
    clock.move(days=-30)
    uptime.seconds += 61
    assert store.leases.take("bob", "", 60).token == 2


def test_a_token_that_was_learned_is_nobodys_lease(store, kinds):
    store.leases.overtake(0)
    assert store.leases.take("ann", "", 60).token == 1
    assert kinds(store) == []
