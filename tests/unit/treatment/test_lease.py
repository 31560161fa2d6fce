"""The fence at the target: a token that is not the newest writes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from doctor.errors import LeaseLostError, TreatmentError
from doctor.model.change import SetCells
from doctor.store import BusyError, open_store, pause
from doctor.system.database import open_read_door, open_write_door
from doctor.treatment.lease import FencedDoor, turn
from doctor.treatment.pause import PausedError
from tests.support.moments import START
from tests.support.ports import make_database, query

CHANGE = SetCells("runs", {"id": 1}, {"state": "bad"}, {"state": "good"})


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "state"))
    return make_database(
        tmp_path / "app.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT)",
        "INSERT INTO runs VALUES (1, 'bad')",
    )


@pytest.fixture
def store(tmp_path, path):
    url = f"sqlite:///{tmp_path}/doctor.db"
    with open_store(url, lambda: START, target=f"sqlite:{path}", create=True) as store:
        yield store


@pytest.fixture
def door(path):
    return open_write_door(f"sqlite:///{path}")


def repair(door):
    with door.transaction() as transaction:
        transaction.set_cells(CHANGE)


def cell(path):
    [(state,)] = query(path, "SELECT state FROM runs")
    return state


def test_an_older_token_and_the_same_one_of_another_holder_are_refused(path, door):
    for token, holder in ((3, "ann"), (3, "ann"), (4, "bob")):
        with door.transaction() as transaction:
            transaction.fence(token, holder)
    for token, holder in ((3, "ann"), (4, "ann"), (1, "bob")):
        with pytest.raises(LeaseLostError) as lost, door.transaction() as transaction:
            transaction.fence(token, holder)
            transaction.set_cells(CHANGE)
        assert lost.value.seen == 4
    assert cell(path) == "bad"
    assert open_read_door(f"sqlite:///{path}").newest_token() == 4


def test_where_nobody_was_there_is_no_token(path, door):
    read = open_read_door(f"sqlite:///{path}")
    assert read.newest_token() == 0
    with door.transaction() as transaction:
        transaction.mark("F-1", "applied", ())
    assert read.newest_token() == 0


def test_a_transaction_that_fails_leaves_no_token(path, door):
    with pytest.raises(ZeroDivisionError), door.transaction() as transaction:
        transaction.fence(3, "ann")
        raise ZeroDivisionError
    assert open_read_door(f"sqlite:///{path}").newest_token() == 0


def test_a_damaged_token_lets_nobody_through_and_says_what_to_do(path, door):
    with door.transaction() as transaction:
        transaction.fence(3, "ann")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE doctor_applied SET images = 'x'")
    with pytest.raises(TreatmentError, match="is damaged: 'x'") as damaged:
        repair_as(door, 4)
    assert "delete the row" in str(damaged.value.hint)
    assert cell(path) == "bad"


def repair_as(door, token):
    with door.transaction() as transaction:
        transaction.fence(token, "bob")
        transaction.set_cells(CHANGE)


def test_a_token_from_elsewhere_is_refused_once_and_then_surpassed(path, store, door):
    with door.transaction() as transaction:
        transaction.fence(7, "elsewhere")
    lease = store.leases.take("ann", "", 60)
    with pytest.raises(LeaseLostError, match="token 1 is old, 7 is the newest"):
        repair(FencedDoor(door, store, lease))
    assert cell(path) == "bad"
    lease = store.leases.take("ann", "", 60)
    assert lease.token == 8
    repair(FencedDoor(door, store, lease))
    assert cell(path) == "good"


def test_a_pause_is_looked_for_in_the_transaction(path, store, door):
    lease = store.leases.take("ann", "", 60)
    fenced = FencedDoor(door, store, lease)
    pause(store.target, "ann", "night", START)
    with pytest.raises(PausedError, match="night"):
        repair(fenced)
    assert (cell(path), open_read_door(f"sqlite:///{path}").newest_token()) == ("bad", 0)


def test_a_turn_waits_for_the_lease_and_gives_it_back(store, door):
    def opened():
        return store, door

    other = store.leases.take("bob", "elsewhere", 60)
    with turn("t", opened, lambda: store, 0.15) as mine, pytest.raises(BusyError):
        mine.take()
    store.leases.give_back(other)
    with turn("t", opened, lambda: store, 0.0) as mine:
        assert not mine.is_late
        first = mine.take()
        assert mine.take() == first
        assert not mine.is_late
    assert store.leases.held().is_released
    with turn("t", opened, lambda: store, 0.0) as mine:
        store.leases.give_back(store.leases.take("bob", "", 60))
        mine.take()
        assert mine.is_late
