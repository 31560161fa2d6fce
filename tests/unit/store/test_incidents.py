from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from doctor.errors import UsageError
from doctor.model.diagnosis import Subject
from doctor.store import Incident, subject_fingerprint


def test_an_incident_is_opened_once_and_counted_after_that(store, clock, kinds):
    first = store.incidents.open_or_get("r1", "bad_state", "cell", "run r1 is stuck", ["p1"])
    opened_at = clock.now
    assert first == Incident(
        id="I-1",
        run="r1",
        cause="bad_state",
        subject="cell",
        state="open",
        title="run r1 is stuck",
        plans=("p1",),
        opened_at=opened_at,
        updated_at=opened_at,
        count=1,
    )
    clock.move(minutes=5)
    again = store.incidents.open_or_get("r1", "bad_state", "cell", "told otherwise")
    assert (again.id, again.count, again.title, again.plans) == (first.id, 2, first.title, ("p1",))
    assert (again.opened_at, again.updated_at) == (opened_at, clock.now)
    assert store.incidents.open_or_get("r1", "bad_state", "cell", "", ["p2"]).plans == ("p2",)
    assert kinds(store) == ["incident"]


def test_another_run_cause_or_subject_is_another_incident(store):
    of = store.incidents.open_or_get
    ids = {of("r1", "a", "x", "").id, of("r2", "a", "x", "").id, of("r1", "b", "x", "").id}
    ids |= {of("r1", "a", "y", "").id, of("r1", "a", "x", "").id, of("r\udc80", "a", "x", "").id}
    assert len(ids) == 5
    assert of("r\udc80", "a", "x", "").count == 2


def test_what_was_closed_and_comes_back_is_a_new_incident(store):
    first = store.incidents.open_or_get("r1", "a", "x", "t")
    assert store.incidents.move(first.id, "closed", "healthy").state == "closed"
    again = store.incidents.open_or_get("r1", "a", "x", "t")
    assert again.id != first.id
    assert again.count == 1


def test_an_incident_moves_and_the_journal_tells(store):
    incident = store.incidents.open_or_get("r1", "a", "x", "t").id
    for state in ("asked", "asked", "treated", "open", "treated", "closed", "closed"):
        assert store.incidents.move(incident, state, "because").state == state
    told = [entry.summary for entry in store.journal.entries(incident=incident)]
    assert told == [
        "opened: t",
        "open -> asked: because",
        "asked -> treated: because",
        "treated -> open: because",
        "open -> treated: because",
        "treated -> closed: because",
    ]


def test_a_closed_incident_stays_closed(store):
    incident = store.incidents.open_or_get("r1", "a", "x", "t").id
    store.incidents.move(incident, "closed", "healthy")
    with pytest.raises(UsageError, match="is closed, it cannot become open"):
        store.incidents.move(incident, "open", "again")


def test_an_unknown_incident_is_a_clear_error(store):
    with pytest.raises(UsageError, match="there is no incident 'I-9'"):
        store.incidents.get("I-9")
    with pytest.raises(UsageError, match="there is no incident 'I-9'"):
        store.incidents.move("I-9", "closed", "x")


def test_incidents_are_found_by_run_and_state_oldest_first(store, clock):
    ids: list[str] = []
    for run in ("r1", "r2", "r1"):
        clock.move(seconds=1)
        ids.append(store.incidents.open_or_get(run, f"cause {len(ids)}", "", "t").id)
    store.incidents.move(ids[0], "asked", "x")

    def found(**wanted):
        return [incident.id for incident in store.incidents.find(**wanted)]

    assert found() == ids
    assert found(run="r1") == [ids[0], ids[2]]
    assert found(run="r1", states=["asked", "treated"]) == [ids[0]]
    assert found(states=["open"]) == ids[1:]
    assert store.incidents.get(ids[2]).run == "r1"


def test_an_id_that_is_taken_is_not_given_again(opened):
    ids = iter(["I-a", "I-a", "I-a", "I-b"])
    store = opened(new_id=lambda _: next(ids))
    assert store.incidents.open_or_get("r1", "a", "", "").id == "I-a"
    assert store.incidents.open_or_get("r2", "a", "", "").id == "I-b"


def test_ids_are_short_and_random(opened):
    store = opened()
    one = store.incidents.open_or_get("r1", "a", "", "").id
    assert one.startswith("I-")
    assert len(one) == 10
    assert one != store.incidents.open_or_get("r2", "a", "", "").id


def test_a_subject_is_the_cell_whatever_it_holds():
    one = Subject("runs", "state", {"id": 1, "b": b"\0"}, "READY")
    assert subject_fingerprint(one) == subject_fingerprint(
        Subject("runs", "state", {"b": b"\0", "id": 1}, "OTHER", ("A",))
    )
    others = [
        None,
        Subject("tasks", "state", {"id": 1, "b": b"\0"}, "READY"),
        Subject("runs", "other", {"id": 1, "b": b"\0"}, "READY"),
        Subject("runs", "state", {"id": "1", "b": b"\0"}, "READY"),
    ]
    prints = {subject_fingerprint(other) for other in others}
    assert len(prints) == 4
    assert subject_fingerprint(one) not in prints


@pytest.mark.parametrize(
    ("column", "message"),
    [("plans", "incident I-1 is damaged"), ("opened_at", "'x' is not a time")],
)
def test_a_damaged_incident_is_a_clear_error(store, url, column, message):
    store.incidents.open_or_get("r1", "a", "", "")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(f"UPDATE incidents SET {column}='x'")
    with pytest.raises(UsageError, match=message):
        store.incidents.find()
