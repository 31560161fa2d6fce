from __future__ import annotations

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from doctor.errors import SourceError, UsageError
from doctor.store import open_store, resolve_store


def _fill(store):
    with store._session.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        for _ in range(100):
            store.journal.append("kind", "lost" * 1000)


def _fill_regardless(store):
    with store.transaction():
        with pytest.raises(SourceError, match="database or disk is full"):
            _fill(store)
        with pytest.raises(SourceError, match="undid what was being written"):
            store.journal.append("kind", "alone")
        with pytest.raises(SourceError, match="undid what was being written"):
            store.journal.entries()


@pytest.mark.parametrize(
    ("fill", "message"), [(_fill, "disk is full"), (_fill_regardless, "undid what was being")]
)
def test_a_full_disk_is_a_clear_error_and_keeps_all_or_nothing(store, fill, message):
    store.journal.append("kind", "kept")
    with pytest.raises(SourceError, match=message):
        fill(store)
    assert [entry.summary for entry in store.journal.entries()] == ["kept"]
    assert store.journal.verify().ok


def _append_and_fail(store):
    with store.transaction():
        store.journal.append("kind", "undone")
        raise ZeroDivisionError


def test_a_write_inside_a_transaction_that_fails_is_undone_alone(store, kinds):
    with store.transaction():
        store.journal.append("one", "kept")
        with pytest.raises(ZeroDivisionError):
            _append_and_fail(store)
        store.journal.append("three", "kept")
        assert len(store.journal.entries()) == 2
    assert kinds(store) == ["one", "three"]
    assert store.journal.verify().ok


def test_a_transaction_that_fails_leaves_nothing(store, kinds):
    with pytest.raises(ZeroDivisionError):
        _append_and_fail(store)
    assert kinds(store) == []
    assert store.journal.append("one", "kept").seq == 1
    assert store.journal.verify().ok


def test_an_error_of_another_database_is_not_taken_for_the_stores(store, kinds):
    other = create_engine("sqlite://")
    with (
        other.connect() as connection,
        pytest.raises(OperationalError, match="no such table: runs"),
    ):
        _append_and_ask(store, connection)
    other.dispose()
    assert kinds(store) == []


def _append_and_ask(store, connection):
    with store.transaction():
        store.journal.append("kind", "undone")
        connection.exec_driver_sql("SELECT * FROM runs")


def test_a_name_that_no_database_can_hold_is_unknown_not_an_accident(store):
    odd = "\udcff"
    for call in (store.fixes.get, store.incidents.get, store.approvals.get, store.budget.settle):
        with pytest.raises(UsageError, match=r"there is no|no points are reserved"):
            call(odd)
    assert store.journal.entries(fix=odd, incident=odd, run=odd) == ()
    entry = store.journal.append("kind", odd, fix=odd, incident=odd, run=odd)
    assert store.journal.entries(fix=odd, incident=odd, run=odd) == (entry,)
    assert store.journal.verify().ok


def test_a_store_may_lie_under_a_name_that_is_no_text(tmp_path, clock):
    url = f"sqlite:///{tmp_path}/\udcff.db"
    with pytest.raises(UsageError, match="is not UTF-8"):
        resolve_store("t", url, None)
    with open_store(url, clock, target="t\udcff", create=True) as store:
        store.journal.append("kind", "summary")
        assert len(store.journal.entries()) == 1


def test_targets_that_share_a_store_do_not_see_each_other(opened, limits, plan):
    one, two = opened("one"), opened("two")
    incident = one.incidents.open_or_get("r1", "cause", "", "title")
    assert two.incidents.open_or_get("r1", "cause", "", "title").id != incident.id
    one.budget.reserve("r1", 6, limits, "F-1")
    two.budget.reserve("r1", 6, limits, "F-2")
    assert [entry.fix for entry in one.journal.entries(kinds=["reserved"])] == ["F-1"]
    one.fixes.intend("F-3", plan(cost=0), {})
    assert two.fixes.find() == ()
    with pytest.raises(UsageError, match="there is no incident"):
        two.incidents.get(incident.id)
    check = two.journal.verify()
    assert (check.ok, check.entries) == (True, 5)
