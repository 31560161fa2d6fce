from __future__ import annotations

import hashlib
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest

from doctor.errors import SourceError, UsageError
from doctor.model.change import SetCells
from doctor.model.layout import Within
from doctor.model.ports import ChangeImage
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveTable
from doctor.system.database import open_read_door, open_write_door, sqlite
from tests.support.ports import make_database, read_door

RUNS = "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT COLLATE NOCASE)"


def table(door, name):
    return next(one for one in door.tables() if one.name == name)


def bytes_of(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def raw(path):
    return read_door(path)._engine.raw_connection()


WRITES = [
    "INSERT INTO runs VALUES ('b', 'x')",
    "REPLACE INTO runs VALUES ('a', 'x')",
    "UPDATE runs SET state = 'x'",
    "DELETE FROM runs",
    "CREATE TABLE other (id)",
    "CREATE TEMP TABLE other (id)",
    "CREATE INDEX i ON runs (state)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TRIGGER t AFTER INSERT ON runs BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE v USING fts5(a)",
    "DROP TABLE runs",
    "ALTER TABLE runs ADD COLUMN more TEXT",
    "ALTER TABLE runs RENAME TO others",
    "ATTACH DATABASE ':memory:' AS other",
    "ATTACH DATABASE 'other.db' AS other",
    "DETACH DATABASE main",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 7",
    "PRAGMA journal_mode = WAL",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA read_uncommitted = 1",
    "PRAGMA incremental_vacuum",
    "PRAGMA auto_vacuum = FULL",
    "PRAGMA encoding = 'UTF-16'",
    "PRAGMA optimize",
    "PRAGMA schema_version = 9",
    "SAVEPOINT one",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "BEGIN EXCLUSIVE",
    "SELECT load_extension('evil')",
    "WITH gone AS (SELECT 1) DELETE FROM runs",
    "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, '')",
    "UPDATE runs SET state = 'x' RETURNING id",
]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("statement", WRITES)
def test_the_read_door_refuses_to_write(tmp_path, monkeypatch, mode, statement):
    monkeypatch.chdir(tmp_path)
    path = make_database(tmp_path / "a.db", f"PRAGMA journal_mode={mode}", RUNS)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO runs VALUES ('a', 'READY')")
    before = bytes_of(tmp_path)
    with closing(raw(path)) as connection, pytest.raises(sqlite3.DatabaseError):
        connection.cursor().execute(statement)
    assert bytes_of(tmp_path) == before


def test_tables_are_told_as_the_database_declares_them(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT NOT NULL PRIMARY KEY, state VARCHAR(33), n INT(11) NOT NULL)",
        "CREATE TABLE parts (a INT, b BIGINT, run TEXT REFERENCES runs (id), PRIMARY KEY (b, a))",
        "CREATE TABLE loose (x)",
        "CREATE TABLE doctor_applied (fix TEXT)",
        "CREATE VIEW seen AS SELECT * FROM runs",
    )
    door = read_door(path)
    assert tuple(replace(one, indexes=()) for one in door.tables()) == (
        LiveTable("loose", (LiveColumn("x", "NULL", nullable=True),), (), ()),
        LiveTable(
            "parts",
            (
                LiveColumn("a", "INTEGER", nullable=True),
                LiveColumn("b", "BIGINT", nullable=True),
                LiveColumn("run", "TEXT", nullable=True),
            ),
            ("b", "a"),
            (LiveForeignKey(("run",), "runs", ("id",)),),
        ),
        LiveTable(
            "runs",
            (
                LiveColumn("id", "TEXT", nullable=False),
                LiveColumn("state", "VARCHAR(33)", nullable=True),
                LiveColumn("n", "INTEGER", nullable=False),
            ),
            ("id",),
            (),
        ),
    )
    assert door.tables() is door.tables()
    door.close()


@pytest.mark.parametrize("module", ["fts5(a)", "rtree(i, a, b)"])
def test_a_virtual_table_hides_no_other(tmp_path, module):
    path = make_database(tmp_path / "a.db", RUNS, f"CREATE VIRTUAL TABLE odd USING {module}")
    names = [one.name for one in read_door(path).tables()]
    assert "runs" in names
    assert "odd" not in names


def test_text_is_compared_by_its_bytes_even_where_the_column_folds_case(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT COLLATE NOCASE PRIMARY KEY, state TEXT COLLATE NOCASE)",
        "INSERT INTO runs VALUES ('a', 'READY'), ('b', 'ready'), ('c', 'READY ')",
    )
    door = read_door(path)
    runs = table(door, "runs")
    assert door.rows(runs, {"state": "READY"}, limit=9) == ({"id": "a", "state": "READY"},)
    assert door.count(runs, {"state": "ready"}) == 1
    assert door.count(runs, {"id": "A"}) == 0
    assert door.rows_not_in(runs, "state", ["READY"], within=None, limit=9) == (
        {"id": "b", "state": "ready"},
        {"id": "c", "state": "READY "},
    )


def test_values_come_back_as_they_are_stored(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, day DATETIME, flag BOOLEAN, data JSON, any)",
        "INSERT INTO t VALUES (1, 'no day', 7, '{', 5), (2, 3.5, 'x', NULL, '5'),"
        " (3, NULL, NULL, x'00ff', CAST(x'ff41' AS TEXT)), (4, 1, 1, 1, 1.5)",
    )
    door = read_door(path)
    assert door.rows(table(door, "t"), {}, limit=9) == (
        {"id": 1, "day": "no day", "flag": 7, "data": "{", "any": 5},
        {"id": 2, "day": 3.5, "flag": "x", "data": None, "any": "5"},
        {"id": 3, "day": None, "flag": None, "data": b"\x00\xff", "any": b"\xffA"},
        {"id": 4, "day": 1, "flag": 1, "data": 1, "any": 1.5},
    )


def test_a_value_of_another_type_is_not_in_the_enum_and_null_is_not_asked_about(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, state)",
        "INSERT INTO t VALUES (1, 'A'), (2, 5), (3, x'41'), (4, NULL), (5, CAST(x'ff' AS TEXT)),"
        " (6, ''), (7, 'A' || char(0))",
    )
    door = read_door(path)
    found = door.rows_not_in(table(door, "t"), "state", ["A", "5"], within=None, limit=9)
    assert [row["id"] for row in found] == [2, 3, 5, 6, 7]
    every = door.rows_not_in(table(door, "t"), "state", [], within=None, limit=3)
    assert [row["id"] for row in every] == [1, 2, 3]
    assert door.count(table(door, "t"), {"state": None}) == 1
    assert door.count(table(door, "t"), {"state": b"A"}) == 1
    assert door.count(table(door, "t"), {"state": "A\0"}) == 1


FAMILY = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT)",
    "CREATE TABLE tiers (id TEXT COLLATE NOCASE PRIMARY KEY, run TEXT, state TEXT)",
    "CREATE TABLE phases (id INTEGER PRIMARY KEY, tier TEXT COLLATE NOCASE, state TEXT)",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, phase INTEGER, state TEXT)",
    "INSERT INTO runs VALUES ('r1', 'bad'), ('r2', 'bad')",
    "INSERT INTO tiers VALUES ('t1', 'r1', 'bad'), ('t2', 'r2', 'bad'), ('t3', 'r1', 'good')",
    """INSERT INTO phases VALUES (1, 't1', 'bad'), (2, 't2', 'bad'), (3, 'T1', 'bad'),
    (4, 't3', 'bad')""",
    "INSERT INTO tasks VALUES (1, 1, 'bad'), (2, 2, 'bad'), (3, 4, 'bad')",
)


def test_rows_belong_to_a_run_directly_or_through_their_parents(tmp_path):
    door = read_door(make_database(tmp_path / "a.db", *FAMILY))
    runs, tiers, phases, tasks = (table(door, one) for one in ("runs", "tiers", "phases", "tasks"))
    of_tier = Within("run", "r1")
    of_phase = Within("tier", parent=tiers, parent_key="id", parent_within=of_tier)
    of_task = Within("phase", parent=phases, parent_key="id", parent_within=of_phase)
    of_any_tier = Within("tier", parent=tiers, parent_key="id")

    def ids(one, within):
        return [
            row["id"] for row in door.rows_not_in(one, "state", ["good"], within=within, limit=9)
        ]

    assert ids(runs, Within("id", "r1")) == ["r1"]
    assert ids(tiers, of_tier) == ["t1"]
    assert ids(phases, of_phase) == [1, 4]
    assert ids(tasks, of_task) == [1, 3]
    assert ids(phases, of_any_tier) == [1, 2, 4]


def test_values_without_a_parent_are_counted(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        RUNS,
        "CREATE TABLE tiers (id INTEGER PRIMARY KEY, run)",
        "INSERT INTO runs VALUES ('a', ''), ('b', '')",
        "INSERT INTO tiers (run) VALUES ('a'), ('x'), ('x'), (NULL), ('y'), (5)",
    )
    door = read_door(path)
    child, parent = table(door, "tiers"), table(door, "runs")
    assert door.missing_parents(child, "run", parent, "id", limit=9) == ((5, 1), ("x", 2), ("y", 1))
    assert door.missing_parents(child, "run", parent, "id", limit=1) == ((5, 1),)


HOSTILE = [
    'a"b',
    "a'b",
    "a b",
    "a;DROP TABLE runs;--",
    "ключ",
    "select",
    "a`b",
    "[a]",
    "a%sb",
    ":a",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_tables_and_columns_are_only_names(tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    path = make_database(
        tmp_path / "a.db",
        f'CREATE TABLE {quoted} ({quoted} TEXT PRIMARY KEY, "c {name.replace(chr(34), "")}" TEXT)',
        f"INSERT INTO {quoted} VALUES ('k', 'v')",
    )
    door = read_door(path)
    (only,) = door.tables()
    assert only.name == name
    assert only.primary_key == (name,)
    row = {name: "k", only.columns[1].name: "v"}
    assert door.rows(only, {name: "k"}, limit=2) == (row,)
    assert door.rows_not_in(only, name, ["x"], within=Within(name, "k"), limit=2) == (row,)
    assert door.missing_parents(only, only.columns[1].name, only, name, limit=2) == (("v", 1),)


def test_tables_without_a_key_and_with_many_keys_are_read(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE loose (a)",
        "CREATE TABLE pair (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID",
        "INSERT INTO loose VALUES (2), (1)",
        "INSERT INTO pair VALUES (1, 2), (2, 1), (1, 1)",
    )
    door = read_door(path)
    assert door.rows(table(door, "loose"), {}, limit=9) == ({"a": 2}, {"a": 1})
    assert door.rows(table(door, "pair"), {}, limit=2) == ({"a": 1, "b": 1}, {"a": 2, "b": 1})


def test_a_locked_database_is_given_up_within_the_busy_timeout(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    path = make_database(tmp_path / "a.db", RUNS)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        before = time.monotonic()
        with pytest.raises(SourceError) as caught:
            read_door(path).tables()
        took = time.monotonic() - before
    assert str(caught.value) == "the database could not be read: database is locked"
    assert (
        caught.value.hint == "another process holds the lock: end its transaction, then try again"
    )
    assert 0.15 < took < 1


def test_the_busy_timeout_is_two_seconds():
    assert (sqlite.BUSY_SECONDS, sqlite.READ_SECONDS) == (2.0, 10.0)


def test_a_lock_that_ends_in_time_is_waited_for(tmp_path):
    path = make_database(tmp_path / "a.db", RUNS)
    locked = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked.set()
            time.sleep(0.2)
            other.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(5)
    assert [one.name for one in read_door(path).tables()] == ["runs"]
    holder.join()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 4000])
def test_an_empty_file_is_an_empty_database_and_a_corrupt_one_is_not(tmp_path, content):
    path = tmp_path / "a.db"
    path.write_bytes(content)
    if not content:
        assert read_door(path).tables() == ()
        return
    with pytest.raises(SourceError) as caught:
        read_door(path).tables()
    assert caught.value.hint == "restore the file from a backup, or try `sqlite3 FILE .recover`"


def test_a_database_with_a_broken_page_says_so(tmp_path):
    path = make_database(tmp_path / "a.db", RUNS, "INSERT INTO runs VALUES ('a', 'x')")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    door = read_door(path)
    with pytest.raises(SourceError, match="malformed"):
        door.count(table(door, "runs"), {})


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///{}/none.db", "there is no database file '{}/none.db'"),
        ("sqlite:///{}", "'{}' is not a file"),
        ("sqlite:///{}/text.db", "'{}/text.db' is not a SQLite database"),
        ("sqlite:///{}/short.db", "'{}/short.db' is not a SQLite database"),
        ("sqlite:///{}/a\0b", "there is no database file '{}/a\\x00b'"),
        ("sqlite://", "a database in memory cannot be examined from another process"),
        ("sqlite:///:memory:", "a database in memory cannot be examined from another process"),
        ("oracle://u:p@h/d", "databases of kind 'oracle' are not supported"),
        ("postgresql://u:secret@h:9", "'postgresql://u:[redacted]@h:9' names no database"),
        ("mariadb://u:secret@h?x=secret", "'mariadb://u:[redacted]@h' names no database"),
        ("app.db", "'app.db' is not a database URL"),
        ("", "'' is not a database URL"),
        ("sqlite://u:secret@h:x/a", "'sqlite://h:x/a' is not a database URL"),
    ],
)
def test_what_is_no_database_is_refused_when_the_door_opens(tmp_path, url, message):
    (tmp_path / "text.db").write_text("only a text, and longer than a header")
    (tmp_path / "short.db").write_text("x")
    for opened in (open_read_door, open_write_door):
        with pytest.raises(UsageError) as caught:
            opened(url.replace("{}", str(tmp_path)))
        assert str(caught.value) == message.replace("{}", str(tmp_path))


def test_a_path_that_cannot_be_looked_at_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: File name too long"):
        open_read_door(f"sqlite:///{tmp_path}/{'x' * 300}")


def test_a_database_that_vanishes_is_a_source_error(tmp_path):
    path = make_database(tmp_path / "a.db", RUNS)
    door = read_door(path)
    path.unlink()
    with pytest.raises(SourceError, match=r"the database could not be read: .*No such file"):
        door.tables()


@pytest.mark.parametrize("name", ["a?b.db", "a#b.db", "a%20b.db", "ü ü.db", "a&mode=rwc.db"])
def test_a_file_may_have_any_name(tmp_path, name):
    path = make_database(tmp_path / name, RUNS)
    assert [one.name for one in sqlite.read_door(str(path)).tables()] == ["runs"]


def test_a_database_at_rest_in_wal_mode_is_read_and_left_as_it_was(tmp_path):
    path = make_database(tmp_path / "a.db", "PRAGMA journal_mode=WAL", RUNS)
    before = bytes_of(tmp_path)
    door = read_door(path)
    assert door.count(table(door, "runs"), {}) == 0
    assert bytes_of(tmp_path) == before
    assert list(before) == ["a.db"]


def test_a_database_in_use_in_wal_mode_shows_what_is_committed(tmp_path):
    path = make_database(tmp_path / "a.db", "PRAGMA journal_mode=WAL", RUNS)
    door = read_door(path)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO runs VALUES ('a', 'x')")
        writer.commit()
        writer.execute("INSERT INTO runs VALUES ('b', 'x')")
        main = path.read_bytes()
        assert door.count(table(door, "runs"), {}) == 1
        assert path.read_bytes() == main
        writer.commit()
    assert door.count(table(door, "runs"), {}) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.db"]


def test_what_a_killed_writer_left_in_its_wal_is_read_and_left_there(tmp_path):
    path = make_database(tmp_path / "a.db", "PRAGMA journal_mode=WAL", RUNS)
    copy = tmp_path / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO runs VALUES ('a', 'x')")
        writer.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy / 'a.db'}{suffix}")
    before = bytes_of(copy)
    door = read_door(copy / "a.db")
    assert door.count(table(door, "runs"), {}) == 1
    after = bytes_of(copy)
    assert {name: after[name] for name in before} == before


def test_what_a_killed_writer_left_in_its_journal_is_not_rolled_back_by_reading(tmp_path):
    path = make_database(tmp_path / "a.db", RUNS)
    copy = tmp_path / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        rows = [(f"{number:0100}", "x") for number in range(2000)]
        writer.executemany("INSERT INTO runs VALUES (?, ?)", rows)
        for suffix in ("", "-journal"):
            shutil.copy(f"{path}{suffix}", f"{copy / 'a.db'}{suffix}")
        writer.rollback()
    before = bytes_of(copy)
    with pytest.raises(SourceError) as caught:
        read_door(copy / "a.db").tables()
    assert caught.value.hint == (
        "a killed writer left a journal: let the system open its database once, or copy it"
    )
    assert bytes_of(copy) == before


def test_a_folder_that_a_wal_database_cannot_use_is_explained():
    error = sqlite._source_error("unable to open database file", "read")
    assert (error.message, error.hint) == (
        "the database could not be read: unable to open database file",
        "a database in WAL mode needs a folder that can be written: copy it elsewhere",
    )


def test_a_question_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    path = make_database(tmp_path / "a.db", RUNS, "CREATE TABLE tiers (run TEXT)")
    with closing(sqlite3.connect(path)) as connection, connection:
        many = [(str(number),) for number in range(20_000)]
        connection.executemany("INSERT INTO tiers VALUES (?)", many)
        connection.execute("CREATE TABLE other AS SELECT 'x' || run AS run FROM tiers")
    door = read_door(path)
    monkeypatch.setattr(sqlite, "READ_SECONDS", 30.0)
    tiers, other = table(door, "tiers"), table(door, "other")
    monkeypatch.setattr(sqlite, "READ_SECONDS", 0.1)
    before = time.monotonic()
    with pytest.raises(SourceError) as caught:
        door.missing_parents(tiers, "run", other, "run", limit=9)
    assert str(caught.value) == "the database could not be read: no answer within 0.1 s"
    assert time.monotonic() - before < 1
    assert door.count(tiers, {}) == 20_000


@pytest.mark.parametrize(("value", "word"), [(2**70, "too large"), ("\udc80", "surrogates")])
def test_a_value_that_no_database_holds_is_a_source_error(tmp_path, value, word):
    door = read_door(make_database(tmp_path / "a.db", RUNS))
    with pytest.raises(SourceError, match=word):
        door.count(table(door, "runs"), {"id": value})


def test_a_table_that_is_gone_is_a_source_error(tmp_path):
    path = make_database(tmp_path / "a.db", RUNS)
    door = read_door(path)
    runs = table(door, "runs")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE runs")
    with pytest.raises(SourceError, match="no such table: runs"):
        door.count(runs, {})


def test_the_marker_of_a_fix_is_found_by_its_name(tmp_path):
    path = make_database(tmp_path / "a.db", RUNS, "INSERT INTO runs VALUES ('a', x'ff')")
    door = read_door(path)
    assert door.marker("f1") is None
    image = ChangeImage({"id": "a", "state": b"\xff"}, {"id": "a", "state": "x"})
    with open_write_door(f"sqlite:///{path}").transaction() as transaction:
        done = transaction.set_cells(
            SetCells("runs", {"id": "a"}, {"state": b"\xff"}, {"state": "x"})
        )
        transaction.mark("f1", "applied", [done])
        transaction.mark("f2", "undone", [])
    assert door.marker("f1") == (image,)
    assert door.marker("f2") is None
    assert [one.name for one in read_door(path).tables()] == ["runs"]
