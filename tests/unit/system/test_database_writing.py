from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from doctor.errors import DoctorError, SourceError, TreatmentError
from doctor.model.change import SetCells
from doctor.model.ports import ChangeImage
from doctor.system.database import open_write_door, sqlite
from tests.support.ports import dump, make_database, query

RUNS = "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT, note TEXT)"
ROWS = "INSERT INTO runs VALUES ('a', 'REDY', 'n'), ('b', 'READY', NULL)"
CHANGE = SetCells("runs", {"id": "a"}, {"state": "REDY"}, {"state": "READY"})


def door(path):
    return open_write_door(f"sqlite:///{path}")


def apply(path, change):
    with door(path).transaction() as transaction:
        image = transaction.set_cells(change)
        transaction.mark("f1", "applied", [image])
    return image


def refused(path, change):
    """Apply a change that must fail; return why, after checking that nothing was kept."""
    before = dump(path)
    with pytest.raises(DoctorError) as caught:
        apply(path, change)
    assert dump(path) == before
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return make_database(tmp_path / "a.db", RUNS, ROWS)


def test_a_cell_that_holds_what_was_expected_is_set(path):
    assert apply(path, CHANGE) == ChangeImage(
        {"id": "a", "state": "REDY", "note": "n"}, {"id": "a", "state": "READY", "note": "n"}
    )
    assert query(path, "SELECT * FROM runs") == [("a", "READY", "n"), ("b", "READY", None)]
    assert query(path, "SELECT fix, kind FROM doctor_applied") == [("f1", "applied")]


def test_several_cells_and_null_are_set_at_once(path):
    cells = {"state": "READY", "note": None}
    apply(path, SetCells("runs", {"id": "a"}, {"state": "REDY", "note": "n"}, cells))
    assert query(path, "SELECT * FROM runs WHERE id = 'a'") == [("a", "READY", None)]
    apply_again = SetCells("runs", {"id": "b"}, {"note": None}, {"note": "x"})
    with door(path).transaction() as transaction:
        transaction.set_cells(apply_again)
    assert query(path, "SELECT note FROM runs WHERE id = 'b'") == [("x",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            SetCells("runs", {"id": "a"}, {"state": "redy"}, {"state": "READY"}),
            "runs id='a': state holds 'REDY', not 'redy' as planned",
        ),
        (
            SetCells("runs", {"id": "a"}, {"state": None}, {"state": "READY"}),
            "runs id='a': state holds 'REDY', not None as planned",
        ),
        (
            SetCells("runs", {"id": "A"}, {"state": "REDY"}, {"state": "READY"}),
            "runs id='A': 0 rows have this key, not 1",
        ),
        (
            SetCells("runs", {}, {"state": "REDY"}, {"state": "READY"}),
            "a change without a key or without cells is refused",
        ),
        (
            SetCells("runs", {"id": "a"}, {}, {}),
            "a change without a key or without cells is refused",
        ),
        (
            SetCells("runs", {"id": "a"}, {}, {"state": "READY"}),
            "runs id='a': each cell needs the value that it should hold",
        ),
        (
            SetCells("runs", {"id": "a"}, {"gone": None}, {"gone": "READY"}),
            "runs has no column 'gone'",
        ),
        (
            SetCells("runs", {"gone": "a"}, {"state": "REDY"}, {"state": "READY"}),
            "runs has no column 'gone'",
        ),
        (
            SetCells("gone", {"id": "a"}, {"state": "REDY"}, {"state": "READY"}),
            "the database could not be written: gone",
        ),
        (
            SetCells("runs", {"id": "a"}, {"id": "a"}, {"id": "c"}),
            "runs id='a': 0 rows have this key, not 1",
        ),
        (
            SetCells("runs", {"id": "a"}, {"id": "a"}, {"id": "b"}),
            "the database could not be written: UNIQUE constraint failed: runs.id",
        ),
    ],
)
def test_a_change_that_does_not_fit_is_refused(path, change, message):
    assert refused(path, change) == message


@pytest.mark.parametrize("value", ["\udc80", 2**70])
def test_a_value_that_no_database_holds_is_refused(path, value):
    change = SetCells("runs", {"id": "a"}, {"state": "REDY"}, {"state": value})
    assert refused(path, change).startswith("the database could not be written: ")


def test_a_key_that_names_two_rows_is_refused(tmp_path):
    path = make_database(
        tmp_path / "a.db", "CREATE TABLE t (k TEXT, v)", "INSERT INTO t VALUES ('a', 1), ('a', 1)"
    )
    change = SetCells("t", {"k": "a"}, {"v": 1}, {"v": 2})
    assert refused(path, change) == "t k='a': 2 rows have this key, not 1"


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        (
            "AFTER UPDATE ON runs BEGIN UPDATE runs SET note = 'x' WHERE id = NEW.id; END",
            "runs id='a': the database also changed or refused note",
        ),
        (
            "AFTER UPDATE ON runs BEGIN UPDATE runs SET state = 'z' WHERE id = NEW.id; END",
            "runs id='a': the database also changed or refused state",
        ),
        (
            "BEFORE UPDATE ON runs BEGIN SELECT RAISE(IGNORE); END",
            "runs id='a': 0 rows would change, not 1 as planned",
        ),
        (
            "BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'not so'); END",
            "the database could not be written: not so",
        ),
        (
            "BEFORE UPDATE ON runs BEGIN SELECT RAISE(ROLLBACK, 'not so'); END",
            "the database could not be written: not so",
        ),
        (
            "AFTER UPDATE ON runs BEGIN DELETE FROM runs WHERE id = NEW.id; END",
            "runs id='a': 0 rows have this key, not 1",
        ),
        (
            "AFTER UPDATE ON runs BEGIN UPDATE runs SET note = note WHERE id = 'b'; END",
            "runs id='a': 1 other rows would change with it",
        ),
        (
            "BEFORE UPDATE ON runs WHEN OLD.state = 'READY' BEGIN SELECT RAISE(IGNORE); END",
            "the change could not be undone: runs id='a': 0 rows would change, not 1 as planned",
        ),
    ],
)
def test_a_trigger_that_does_more_or_less_rolls_everything_back(tmp_path, trigger, message):
    path = make_database(tmp_path / "a.db", RUNS, ROWS, f"CREATE TRIGGER t {trigger}")
    assert refused(path, CHANGE) == message


def test_a_row_that_the_schema_would_replace_is_kept(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT UNIQUE ON CONFLICT REPLACE)",
        "INSERT INTO runs VALUES ('a', 'REDY'), ('b', 'READY')",
    )
    assert refused(path, CHANGE) == (
        "the database could not be written: UNIQUE constraint failed: runs.state"
    )


def test_a_check_that_refuses_is_named(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT CHECK (state <> 'READY'))",
        "INSERT INTO runs VALUES ('a', 'REDY')",
    )
    message = refused(path, CHANGE)
    assert message == "the database could not be written: CHECK constraint failed: state <> 'READY'"


@pytest.mark.parametrize(
    ("kind", "to"),
    [("INTEGER", "5"), ("TEXT", 5), ("REAL", 5), ("", True), ("", False), ("NUMERIC", "1e3")],
)
def test_a_value_that_the_column_would_convert_is_refused(tmp_path, kind, to):
    path = make_database(
        tmp_path / "a.db",
        f"CREATE TABLE t (k INTEGER PRIMARY KEY, v {kind})",
        "INSERT INTO t VALUES (1, NULL)",
    )
    change = SetCells("t", {"k": 1}, {"v": None}, {"v": to})
    assert refused(path, change) == "t k=1: the database also changed or refused v"


@pytest.mark.parametrize("held", ["1", 1, 1.0, b"1"])
@pytest.mark.parametrize("expected", ["1", 1, 1.0, True, b"1"])
def test_what_is_expected_must_have_the_type_of_what_is_held(tmp_path, held, expected):
    path = make_database(tmp_path / "a.db", "CREATE TABLE t (k INTEGER PRIMARY KEY, v)")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO t VALUES (1, ?)", [held])
    change = SetCells("t", {"k": 1}, {"v": expected}, {"v": "new"})
    if type(held) is type(expected):
        apply(path, change)
        assert query(path, "SELECT v FROM t") == [("new",)]
    else:
        assert refused(path, change) == f"t k=1: v holds {held!r}, not {expected!r} as planned"


def test_text_that_is_no_utf_8_is_never_taken_for_bytes(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE t (k INTEGER PRIMARY KEY, v)",
        "INSERT INTO t VALUES (1, CAST(x'ff' AS TEXT))",
    )
    change = SetCells("t", {"k": 1}, {"v": b"\xff"}, {"v": "new"})
    assert refused(path, change) == "t k=1: 0 rows would change, not 1 as planned"


def test_declared_types_with_odd_lengths_are_no_obstacle(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id INTEGER(11) PRIMARY KEY, state TEXT)",
        "INSERT INTO runs VALUES (7, 'REDY')",
    )
    apply(path, SetCells("runs", {"id": 7}, {"state": "REDY"}, {"state": "READY"}))
    assert query(path, "SELECT * FROM runs") == [(7, "READY")]


def test_any_exception_inside_rolls_back_the_marker_table_too(path):
    before = dump(path)

    def interrupted() -> None:
        with door(path).transaction() as transaction:
            image = transaction.set_cells(CHANGE)
            transaction.mark("f1", "applied", [image])
            assert transaction.is_marked("f1", "applied")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert dump(path) == before


def test_a_marker_is_told_by_fix_and_kind_and_written_once(path):
    with door(path).transaction() as transaction:
        assert not transaction.is_marked("f1", "applied")
        transaction.mark("f1", "applied", [])
        transaction.mark("f1", "undone", [])
    with door(path).transaction() as transaction:
        assert transaction.is_marked("f1", "applied")
        assert transaction.is_marked("f1", "undone")
        assert not transaction.is_marked("f2", "applied")
    with pytest.raises(SourceError, match="UNIQUE"), door(path).transaction() as transaction:
        transaction.mark("f1", "applied", [])


def test_an_untouched_row_is_put_back(path):
    before = query(path, "SELECT * FROM runs")
    image = apply(path, CHANGE)
    with door(path).transaction() as transaction:
        transaction.restore(CHANGE, image)
    assert query(path, "SELECT * FROM runs") == before


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE runs SET state = 'RUNNING'",
            "runs id='a' moved on since the repair: state changed",
        ),
        (
            "UPDATE runs SET note = NULL, state = 'x'",
            "runs id='a' moved on since the repair: note, state changed",
        ),
        (
            "UPDATE runs SET note = CAST(note AS BLOB)",
            "runs id='a' moved on since the repair: note changed",
        ),
        (
            "ALTER TABLE runs ADD COLUMN more TEXT",
            "runs id='a' moved on since the repair: more changed",
        ),
        (
            "ALTER TABLE runs DROP COLUMN note",
            "runs id='a' moved on since the repair: note changed",
        ),
        ("DELETE FROM runs", "runs id='a': 0 rows have this key, not 1"),
    ],
)
def test_a_row_that_moved_on_is_not_put_back(path, statement, message):
    image = apply(path, CHANGE)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    before = dump(path)
    with pytest.raises(TreatmentError) as caught, door(path).transaction() as transaction:
        transaction.restore(CHANGE, image)
    assert str(caught.value) == message
    assert dump(path) == before


def test_a_transaction_holds_the_lock_from_its_begin(path):
    with door(path).transaction(), closing(sqlite3.connect(path, timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE runs SET note = 'x'")
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_a_second_transaction_waits_for_the_first(path):
    begun, order = threading.Event(), []

    def second() -> None:
        begun.wait(5)
        with door(path).transaction() as transaction:
            order.append("second")
            with pytest.raises(TreatmentError, match="holds 'READY', not 'REDY'"):
                transaction.set_cells(CHANGE)

    thread = threading.Thread(target=second)
    thread.start()
    with door(path).transaction() as transaction:
        begun.set()
        time.sleep(0.2)
        transaction.set_cells(CHANGE)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_that_does_not_end_is_given_up(path, monkeypatch):
    monkeypatch.setattr(sqlite, "WRITE_BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SourceError, match="written: database is locked"):
            apply(path, CHANGE)


def test_a_database_that_may_not_be_written_names_the_remedy():
    error = sqlite._source_error("attempt to write a readonly database", "write")
    assert error.hint == "let the user that runs Doctor write the file and its folder"


def test_composite_and_null_keys_name_one_row(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE t (a, b, v, PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES (1, 'x', 0), (1, 'y', 0), (1, NULL, 0)",
    )
    apply(path, SetCells("t", {"a": 1, "b": "x"}, {"v": 0}, {"v": 1}))
    with door(path).transaction() as transaction:
        transaction.set_cells(SetCells("t", {"a": 1, "b": None}, {"v": 0}, {"v": 2}))
    assert query(path, "SELECT b, v FROM t ORDER BY v") == [("y", 0), ("x", 1), (None, 2)]


NAMES = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=8
) | st.sampled_from(['"', "''", "a;--", "select", "a b", ":x", "%s", "?", "\\", "[x]", "`"])
CELLS = (
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
    | st.binary(max_size=6)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.none()
    | st.sampled_from(["'; DROP TABLE t; --", '"', "\0", "''", ":x", "%(x)s", "\ud7ff"])
)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@given(names=st.lists(NAMES, min_size=4, max_size=4), cells=st.lists(CELLS, min_size=5, max_size=5))
@settings(max_examples=300, deadline=None)
@pytest.mark.slow
def test_only_the_declared_cell_changes_whatever_the_names_and_values(names, cells):
    table, *columns = names
    folded = [one.lower() for one in columns]
    assume(len(set(folded)) == 3 and not table.lower().startswith("sqlite_"))
    assume(all(one.upper().lower() == one.lower() for one in columns))
    key, held, to, other, more = cells
    assume(key is not None)
    with tempfile.TemporaryDirectory() as folder:
        path = make_database(
            Path(folder) / "a.db",
            f"CREATE TABLE {_quoted(table)} ({', '.join(map(_quoted, columns))})",
        )
        with closing(sqlite3.connect(path)) as connection, connection:
            rows = [(key, held, other), ("another key", held, more)]
            statement = f"INSERT INTO {_quoted(table)} VALUES (?, ?, ?)"
            connection.executemany(statement, rows)
        assume(key != "another key")
        change = SetCells(table, {columns[0]: key}, {columns[1]: held}, {columns[1]: to})
        with door(path).transaction() as transaction:
            image = transaction.set_cells(change)
        assert query(path, f"SELECT * FROM {_quoted(table)}") == [(key, to, other), rows[1]]
        assert len(query(path, "SELECT * FROM sqlite_master")) == 1
        with door(path).transaction() as transaction:
            transaction.restore(change, image)
        assert query(path, f"SELECT * FROM {_quoted(table)}") == rows
