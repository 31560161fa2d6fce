from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing

import pytest

from doctor.errors import UsageError
from doctor.store import Entry, open_store
from doctor.store.journal import _hash

COLUMNS = (
    "at", "kind", "target", "incident", "fix", "run", "summary", "data", "previous", "hash",
)  # fmt: skip


@pytest.fixture
def full(store, clock):
    for number in range(40):
        clock.move(seconds=number)
        store.journal.append("kind", f"summary {number}", fix=f"F-{number % 7}", data={"n": number})
    store.close()
    return store


@pytest.fixture
def tampered(full, url, tmp_path, clock):
    """Change a copy of a full store past its guards and check its journal."""
    copy = tmp_path / "copy.db"

    def tampered(*statements):
        shutil.copy(url.removeprefix("sqlite:///"), copy)
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute("DROP TRIGGER journal_no_update")
            connection.execute("DROP TRIGGER journal_no_delete")
            for statement, *values in statements:
                connection.execute(statement, values)
        with open_store(f"sqlite:///{copy}", clock, target="t", create=True) as store:
            return store.journal.verify()

    return tampered


def test_an_entry_says_what_was_appended(store, clock):
    first = store.journal.append(
        "kind",
        "summary",
        incident="I-1",
        fix="F-1",
        run="r1",
        data={"b": [1, None], "a": "é\udc80"},
    )
    second = store.journal.append("kind", "other")
    assert first == Entry(
        seq=1,
        at=clock.now,
        kind="kind",
        summary="summary",
        incident="I-1",
        fix="F-1",
        run="r1",
        data={"a": "é\udc80", "b": [1, None]},
        previous="0" * 64,
        hash=first.hash,
    )
    assert (second.seq, second.previous, second.data) == (2, first.hash, {})
    assert store.journal.entries() == (first, second)


def test_entries_are_selected_newest_first_and_told_oldest_first(store):
    for number in range(6):
        store.journal.append(
            "even" if number % 2 == 0 else "odd",
            str(number),
            incident=f"I-{number // 3}",
            fix=f"F-{number}",
            run="r1" if number < 4 else "r2",
        )

    def told(*limit, **wanted):
        return "".join(entry.summary for entry in store.journal.entries(*limit, **wanted))

    assert told() == "012345"
    assert told(2) == "45"
    assert told(0) == ""
    assert told(2, kinds=["even"]) == "24"
    assert told(kinds=["even", "odd"], run="r2") == "45"
    assert told(incident="I-0") == "012"
    assert told(fix="F-3", run="r1") == "3"
    assert told(fix="F-9") == ""


def test_text_that_no_database_can_hold_is_escaped_and_still_verifies(store):
    entry = store.journal.append("kind", "a\udc80b\0", run="\ud800")
    assert (entry.summary, entry.run) == ("a\\udc80b\0", "\\ud800")
    assert store.journal.entries(run="\ud800") == (entry,)
    assert store.journal.verify().ok


def test_a_clock_without_a_zone_is_refused(store, clock):
    clock.now = clock.now.replace(tzinfo=None)
    with pytest.raises(ValueError, match="must be aware"):
        store.journal.append("kind", "summary")


def test_the_database_itself_refuses_to_change_the_journal(full, url):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for statement in ("UPDATE journal SET kind='x'", "DELETE FROM journal WHERE seq=3"):
            with pytest.raises(sqlite3.IntegrityError, match="the journal is append-only"):
                connection.execute(statement)


def test_an_untouched_journal_is_whole(tampered, opened):
    check = opened().journal.verify()
    assert (check.ok, check.entries, check.first_bad_seq, check.anchored) == (True, 40, None, True)
    assert tampered() == check


def test_an_empty_journal_is_whole(store):
    check = store.journal.verify()
    assert (check.ok, check.entries, check.anchored) == (True, 0, False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_random_changes_are_all_found(tampered, seed):
    choose = random.Random(seed)
    for number in range(100):
        statements, first_bad = _change(choose, ("edit", "delete", "insert", "reorder")[number % 4])
        check = tampered(*statements)
        assert (check.ok, check.first_bad_seq) == (False, first_bad), (statements, check)


def _change(choose, kind):
    one, other = sorted(choose.sample(range(1, 41), 2))
    if kind == "edit":
        value = choose.choice(["x", b"\0", "\0", 7, "0" * 63, "é"])
        return [(f"UPDATE journal SET {choose.choice(COLUMNS)}=? WHERE seq=?", value, one)], one
    if kind == "delete":
        return [
            ("DELETE FROM journal WHERE seq BETWEEN ? AND ?", one, choose.choice([one, other]))
        ], one
    columns = ", ".join(COLUMNS)
    copy = f"INSERT INTO journal SELECT ?, {columns} FROM journal WHERE seq=?"
    if kind == "insert":
        make_room = [
            ("UPDATE journal SET seq=seq+1000 WHERE seq>?", one),
            ("UPDATE journal SET seq=seq-999 WHERE seq>1000",),
        ]
        return [*make_room, (copy, one + 1, choose.randint(1, one))], one + 1
    swap = "UPDATE journal SET seq=? WHERE seq=?"
    return [(swap, 0, one), (swap, one, other), (swap, other, 0)], one


@pytest.mark.parametrize(
    ("statements", "first_bad", "reason"),
    [
        ([("UPDATE meta SET value='[39,\"x\"]' WHERE name='head'",)], 41, "ends at entry 40"),
        ([("DELETE FROM meta WHERE name='head'",)], 41, "ends at entry 40"),
        ([("UPDATE meta SET value='{}' WHERE name='head'",)], 41, "ends at entry 40"),
        ([("DELETE FROM journal",)], 1, "ends at entry 0"),
        ([("UPDATE journal SET seq=-1 WHERE seq=1",)], 1, "entry 1 is missing"),
        ([("UPDATE journal SET summary=CAST(x'ff' AS TEXT) WHERE seq=9",)], 9, "cannot be read"),
    ],
)
def test_what_is_wrong_is_told(tampered, statements, first_bad, reason):
    check = tampered(*statements)
    assert (check.ok, check.first_bad_seq) == (False, first_bad)
    assert reason in check.reason


def _shortened(full, url, keep):
    """Cut the journal and move the store's own head with it, as a careful forger would."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DROP TRIGGER journal_no_delete")
        connection.execute("DELETE FROM journal WHERE seq>?", [keep])
        head = connection.execute("SELECT seq, hash FROM journal WHERE seq=?", [keep]).fetchone()
        seq, digest = head or (0, "0" * 64)
        value = f'[{seq},"{digest}"]'
        connection.execute("UPDATE meta SET value=? WHERE name='head'", [value])


@pytest.mark.parametrize("keep", [0, 1, 39])
def test_a_journal_shortened_together_with_its_store_is_found_by_the_anchor(
    full, url, opened, keep
):
    _shortened(full, url, keep)
    check = opened().journal.verify()
    assert (check.ok, check.first_bad_seq, check.anchored) == (False, keep + 1, True)
    assert "shortened or rewritten" in check.reason


def test_a_journal_rewritten_at_the_same_length_is_found_by_the_anchor(full, url, opened):
    _shortened(full, url, 35)
    store = opened()
    for _ in range(5):
        store.journal.append("kind", "forged")
    check = store.journal.verify()
    assert (check.ok, check.first_bad_seq, check.anchored) == (False, 40, True)


def test_without_an_anchor_a_shortened_journal_is_told_to_be_unanchored(full, url, opened, state):
    _shortened(full, url, 39)
    for anchor in (state / "heads").iterdir():
        anchor.write_text("{")
    check = opened().journal.verify()
    assert (check.ok, check.entries, check.anchored) == (True, 39, False)


def test_an_anchor_that_cannot_be_written_stops_nothing(opened, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "file"))
    store = opened()
    store.journal.append("kind", "summary")
    check = store.journal.verify()
    assert (check.ok, check.entries, check.anchored) == (True, 1, False)


def test_an_anchor_that_lags_behind_is_accepted(opened, state):
    store = opened()
    store.journal.append("kind", "one")
    (anchor,) = (state / "heads").iterdir()
    behind = anchor.read_text()
    store.journal.append("kind", "two")
    anchor.write_text(behind)
    check = store.journal.verify()
    assert (check.ok, check.entries, check.anchored) == (True, 2, True)


@pytest.mark.parametrize("data", ["{", "[" * 100_000, "null"])
def test_a_damaged_entry_is_a_clear_error_for_readers(full, url, opened, data):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DROP TRIGGER journal_no_update")
        connection.execute("UPDATE journal SET data=? WHERE seq=9", [data])
    with pytest.raises(UsageError, match="entry 9 of the journal is damaged"):
        opened().journal.entries()


def test_nothing_is_appended_to_a_journal_without_a_head(full, url, opened):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DELETE FROM meta WHERE name='head'")
    with pytest.raises(UsageError, match="its journal has no head"):
        opened().journal.append("kind", "summary")


def test_a_journal_of_an_older_version_is_read_proven_and_continued(opened, url, clock):
    store = opened()
    store.close()
    values = {"seq": 1, "at": "2026-01-01T00:00:00.000000+00:00", "kind": "kind", "target": "t"}
    values |= {"incident": None, "fix": None, "run": "r", "summary": "old", "data": '{"a":1}'}
    values["previous"] = "0" * 64
    values["hash"] = _hash(values)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as old, old:
        old.execute("DROP TABLE bodies")
        old.execute("UPDATE meta SET value='2' WHERE name='doctor_schema'")
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        old.execute(f"INSERT INTO journal ({names}) VALUES ({marks})", values)
        head = json.dumps([1, values["hash"]])
        old.execute("UPDATE meta SET value=? WHERE name='head'", [head])
    reader = open_store(url, clock, target="t", create=False)
    assert reader is not None
    with reader:
        assert [(one.summary, one.data) for one in reader.journal.entries()] == [("old", {"a": 1})]
        assert reader.journal.verify().ok
    upgraded = opened("t")
    upgraded.journal.append("kind", "new", data={"b": 2})
    assert [one.summary for one in upgraded.journal.entries()] == ["old", "new"]
    assert upgraded.journal.verify().ok
