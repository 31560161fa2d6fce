"""The read door on PostgreSQL and MariaDB: the answers of SQLite; no collation hides a value."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import pytest
import sqlalchemy as sa

from doctor.errors import SourceError
from doctor.model.layout import Within
from doctor.model.schema import LiveColumn, LiveForeignKey, LiveTable
from doctor.system.database import asking, open_read_door, server

pytestmark = pytest.mark.slow

RUNS = "CREATE TABLE runs (id VARCHAR(20) PRIMARY KEY, state VARCHAR(20))"


def door(ground):
    return open_read_door(ground.url)


def table(read, name):
    return next(one for one in read.tables() if one.name == name)


def ids(rows):
    return [row["id"] for row in rows]


WRITES = [
    "INSERT INTO runs VALUES ('b', 'x')",
    "UPDATE runs SET state = 'x'",
    "DELETE FROM runs",
    "CREATE TABLE other (id INT)",
    "CREATE TEMPORARY TABLE other (id INT)",
    "CREATE INDEX i ON runs (state)",
    "CREATE VIEW v AS SELECT 1",
    "DROP TABLE runs",
    "ALTER TABLE runs ADD COLUMN more INT",
    "TRUNCATE TABLE runs",
]
WRITES_OF = {
    "postgresql": [
        *("COPY runs FROM STDIN", "SELECT nextval('numbers')", "SELECT setval('numbers', 7)"),
        *("GRANT SELECT ON runs TO public", "COMMENT ON TABLE runs IS 'x'", "VACUUM runs"),
        "SELECT * FROM runs FOR UPDATE",
        "WITH gone AS (DELETE FROM runs RETURNING 1) SELECT * FROM gone",
        *("SET TRANSACTION READ WRITE", "CREATE SCHEMA other"),
    ],
    "mariadb": [
        *("REPLACE INTO runs VALUES ('a', 'x')", "RENAME TABLE runs TO others"),
        *("CREATE TRIGGER t AFTER INSERT ON runs FOR EACH ROW SET @x = 1", "CREATE DATABASE other"),
        *("OPTIMIZE TABLE runs", "INSERT INTO kept VALUES (1)", "SELECT NEXT VALUE FOR numbers"),
    ],
}


def test_the_read_door_refuses_to_write(ground):
    ground.execute(RUNS, "INSERT INTO runs VALUES ('a', 'READY')", "CREATE SEQUENCE numbers")
    if ground.engine == "mariadb":
        ground.execute("CREATE TABLE kept (id INT) ENGINE=MyISAM")
    before = ground.query("SELECT * FROM runs")
    for statement in (*WRITES, *WRITES_OF[ground.engine]):
        with door(ground)._session() as connection:
            connection.exec_driver_sql("SELECT 1")
            with pytest.raises(sa.exc.DBAPIError, match="(?i)read.only|cannot|must be"):
                connection.exec_driver_sql(statement)
                pytest.fail(statement)
    assert ground.query("SELECT * FROM runs") == before
    assert [one.name for one in door(ground).tables() if one.name != "kept"] == ["runs"]


def test_tables_are_told_as_postgresql_declares_them(postgresql):
    postgresql.execute(
        "CREATE TYPE mood AS ENUM ('A', 'B')",
        "CREATE DOMAIN code AS varchar(7) NOT NULL",
        "CREATE SCHEMA other",
        "CREATE TABLE other.elsewhere (id INT PRIMARY KEY)",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state VARCHAR(33), m mood, c code,"
        " n INT NOT NULL)",
        """CREATE TABLE parts (a INT, b BIGINT, run TEXT COLLATE "C" REFERENCES runs (id),
        far INT REFERENCES other.elsewhere, PRIMARY KEY (b, a))""",
        "CREATE TABLE doctor_applied (fix TEXT)",
        "CREATE VIEW seen AS SELECT id FROM runs",
        "CREATE TABLE days (day INT PRIMARY KEY) PARTITION BY RANGE (day)",
        "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (9)",
    )
    read = door(postgresql)
    assert {one.schema for one in read.tables()} == {"public"}
    assert tuple(replace(one, schema=None, indexes=()) for one in read.tables()) == (
        LiveTable("days", (LiveColumn("day", "integer", nullable=False),), ("day",), ()),
        LiveTable(
            "parts",
            (
                LiveColumn("a", "integer", nullable=False),
                LiveColumn("b", "bigint", nullable=False),
                LiveColumn("run", "text COLLATE C", nullable=True),
                LiveColumn("far", "integer", nullable=True),
            ),
            ("b", "a"),
            (
                LiveForeignKey(("far",), "other.elsewhere", ("id",)),
                LiveForeignKey(("run",), "runs", ("id",)),
            ),
        ),
        LiveTable(
            "runs",
            (
                LiveColumn("id", "text", nullable=False),
                LiveColumn("state", "character varying(33)", nullable=True),
                LiveColumn("m", "mood", nullable=True),
                LiveColumn("c", "character varying(7)", nullable=True),
                LiveColumn("n", "integer", nullable=False),
            ),
            ("id",),
            (),
        ),
        LiveTable("seen", (LiveColumn("id", "text", nullable=True),), (), ()),
    )
    assert read.tables() is read.tables()


def test_tables_are_told_as_mariadb_declares_them(mariadb):
    mariadb.execute(
        """CREATE TABLE runs (id VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY,
        state ENUM('A', 'B') CHARACTER SET latin1, n INT(11) NOT NULL)""",
        """CREATE TABLE parts (a INT, b BIGINT, run VARCHAR(9) COLLATE utf8mb4_bin,
        PRIMARY KEY (b, a), FOREIGN KEY (run) REFERENCES runs (id))""",
        "CREATE TABLE doctor_applied (fix INT)",
        "CREATE VIEW seen AS SELECT n FROM runs",
    )
    assert {one.schema for one in door(mariadb).tables()} == {mariadb.name}
    told = tuple(replace(one, schema=None, indexes=()) for one in door(mariadb).tables())
    assert told == (
        LiveTable(
            "parts",
            (
                LiveColumn("a", "int(11)", nullable=False),
                LiveColumn("b", "bigint(20)", nullable=False),
                LiveColumn("run", "varchar(9) COLLATE utf8mb4_bin", nullable=True),
            ),
            ("b", "a"),
            (LiveForeignKey(("run",), "runs", ("id",)),),
        ),
        LiveTable(
            "runs",
            (
                LiveColumn("id", "varchar(9) COLLATE utf8mb4_bin", nullable=False),
                LiveColumn("state", "enum('A','B') COLLATE latin1_swedish_ci", nullable=True),
                LiveColumn("n", "int(11)", nullable=False),
            ),
            ("id",),
            (),
        ),
        LiveTable("seen", (LiveColumn("n", "int(11)", nullable=False),), (), ()),
    )


SPELLINGS = ("ready", "READY ", "READY", "RÉADY")
FOLDING = {
    "postgresql": (
        (
            "CREATE COLLATION folds"
            " (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
        ),
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(20) COLLATE folds)",
        "CREATE TABLE parts (id INT PRIMARY KEY, state VARCHAR(20) COLLATE folds)",
    ),
    "mariadb": (
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(20)) COLLATE latin1_swedish_ci",
        "CREATE TABLE parts (id INT PRIMARY KEY, state VARCHAR(20)) COLLATE latin1_swedish_ci",
    ),
}


def test_four_spellings_under_a_folding_collation_are_four_values(ground):
    rows = ", ".join(f"({number}, '{one}')" for number, one in enumerate(SPELLINGS))
    ground.execute(*FOLDING[ground.engine], f"INSERT INTO runs VALUES {rows}")
    ground.execute("INSERT INTO parts VALUES (7, 'READY')")
    assert ground.query("SELECT count(*) FROM runs WHERE state = 'READY'")[0][0] > 1
    read = door(ground)
    runs, parts = table(read, "runs"), table(read, "parts")
    for number, one in enumerate(SPELLINGS):
        assert ids(read.rows(runs, {"state": one}, limit=9)) == [number]
        assert read.count(runs, {"state": one}) == 1
    assert ids(read.rows_not_in(runs, "state", ["READY"], within=None, limit=9)) == [0, 1, 3]
    inside = Within("state", parent=parts, parent_key="state")
    assert ids(read.rows_not_in(runs, "state", ["x"], within=inside, limit=9)) == [2]
    assert read.missing_parents(runs, "state", parts, "state", limit=9) == (
        *(("READY ", 1), ("RÉADY", 1), ("ready", 1)),
    )


def test_texts_of_two_collations_are_compared_by_their_bytes(ground):
    other = ground.of(postgresql='COLLATE "C"', mariadb="COLLATE utf8mb4_unicode_ci")
    ground.execute(
        "CREATE TABLE runs (id VARCHAR(9) PRIMARY KEY)",
        f"CREATE TABLE parts (id INT PRIMARY KEY, run VARCHAR(9) {other}, state VARCHAR(9))",
        "INSERT INTO runs VALUES ('a'), ('ü'), ('ß')",
        "INSERT INTO parts VALUES (1, 'a', 'x'), (2, 'A', 'x'), (3, 'ü', 'x')",
    )
    read = door(ground)
    runs, parts = table(read, "runs"), table(read, "parts")
    assert [read.count(runs, {"id": one}) for one in ("a", "A", "a ", "ü", "Ü", "u", "ss")] == [
        *(1, 0, 0, 1, 0, 0, 0)
    ]
    inside = Within("run", parent=runs, parent_key="id", parent_within=Within("id", "ü"))
    assert ids(read.rows_not_in(parts, "state", ["y"], within=inside, limit=9)) == [3]
    assert read.missing_parents(parts, "run", runs, "id", limit=9) == (("A", 1),)


def test_blanks_and_case_of_fixed_and_folding_types_are_kept_in_postgresql(postgresql):
    postgresql.execute(
        "CREATE EXTENSION IF NOT EXISTS citext",
        "CREATE TABLE t (id INT PRIMARY KEY, c CHAR(5), i CITEXT, e TEXT)",
        "INSERT INTO t VALUES (1, 'A', 'Ready', 'x'), (2, 'A ', 'READY', 'y')",
    )
    read = door(postgresql)
    t = table(read, "t")
    assert read.rows(t, {"c": "A    "}, limit=1) == (
        {"id": 1, "c": "A    ", "i": "Ready", "e": "x"},
    )
    assert read.count(t, {"c": "A"}) == 0
    assert ids(read.rows_not_in(t, "c", ["A"], within=None, limit=9)) == [1, 2]
    assert ids(read.rows(t, {"i": "READY"}, limit=9)) == [2]
    assert ids(read.rows_not_in(t, "i", ["READY"], within=None, limit=9)) == [1]


def test_native_enums_are_read_by_their_labels(ground):
    if ground.engine == "postgresql":
        ground.execute("CREATE TYPE mood AS ENUM ('A', 'a', 'READY')")
        kind = "mood"
    else:
        kind = "ENUM('A', 'B', 'READY')"
    ground.execute(
        f"CREATE TABLE t (id INT PRIMARY KEY, state {kind})",
        "INSERT INTO t VALUES (1, 'A'), (2, 'READY'), (3, NULL)",
    )
    read = door(ground)
    t = table(read, "t")
    assert read.rows(t, {"state": "READY"}, limit=9) == ({"id": 2, "state": "READY"},)
    assert read.count(t, {"state": "no such label"}) == 0
    assert ids(read.rows_not_in(t, "state", ["A", "other"], within=None, limit=9)) == [2]


def test_an_enum_that_was_stored_as_nothing_is_found_in_mariadb(mariadb):
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY, state ENUM('A', 'B'))")
    with closing(mariadb.connect(autocommit=True)) as connection:
        cursor = connection.cursor()
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute("INSERT IGNORE INTO t VALUES (1, 'A'), (2, 'no such label')")
    read = door(mariadb)
    t = table(read, "t")
    assert read.rows_not_in(t, "state", ["A", "B"], within=None, limit=9) == (
        {"id": 2, "state": ""},
    )


ROW_OF = {
    "postgresql": (
        """CREATE TABLE t (id INT PRIMARY KEY, b BOOLEAN, f REAL, g DOUBLE PRECISION,
        n NUMERIC(9,2), d TIMESTAMPTZ, y BYTEA, j JSONB, a INT[], u UUID, s BIGINT, m MONEY,
        i INTERVAL, r INT4RANGE)""",
        r"""INSERT INTO t VALUES (1, true, 0.1, 'NaN', 1.5, '2026-01-02 03:04:05.678+02', '\x00ff',
        '{"a": 1}', '{1,2}', '00000000-0000-0000-0000-00000000000a', 9223372036854775807, 3,
        '1 day 2 hours', '[1,5)')""",
        {
            "id": 1,
            "b": True,
            "f": 0.1,
            "g": "NaN",
            "n": "1.50",
            "y": b"\0\xff",
            "d": "2026-01-02 01:04:05.678+00",
            "j": '{"a": 1}',
            "a": "{1,2}",
            "s": 2**63 - 1,
            "u": "00000000-0000-0000-0000-00000000000a",
            "m": "$3.00",
            "r": "[1,5)",
            "i": "1 day 02:00:00",
        },
    ),
    "mariadb": (
        """CREATE TABLE t (id INT PRIMARY KEY, b BOOLEAN, f FLOAT, g DOUBLE, n DECIMAL(9,2),
        d DATETIME(3), ts TIMESTAMP NULL, y VARBINARY(9), z BINARY(3), j JSON, u UUID, h BIT(9),
        s SET('x', 'y'), x BIGINT UNSIGNED, ti TIME, ye YEAR)""",
        """INSERT INTO t VALUES (1, true, 0.1, 0.1, 1.5, '2026-01-02 03:04:05.678',
        '2026-01-02 03:04:05', x'00ff', 'a', '[1]', '00000000-0000-0000-0000-00000000000a', 257,
        'x,y', 18446744073709551615, '-01:02:03', 2026)""",
        {
            "id": 1,
            "b": 1,
            "f": 0.10000000149011612,
            "g": 0.1,
            "n": "1.50",
            "y": b"\0\xff",
            "d": "2026-01-02 03:04:05.678",
            "ts": "2026-01-02 03:04:05",
            "z": b"a\0\0",
            "j": "[1]",
            "u": "00000000-0000-0000-0000-00000000000a",
            "h": b"\1\1",
            "s": "x,y",
            "x": 2**64 - 1,
            "ti": "-01:02:03",
            "ye": 2026,
        },
    ),
}


def test_values_come_back_as_they_are_stored_and_are_found_by_them(ground):
    create, insert, row = ROW_OF[ground.engine]
    ground.execute(create)
    with closing(ground.connect(autocommit=True)) as connection:
        if ground.engine == "mariadb":
            connection.cursor().execute("SET SESSION time_zone = '+00:00'")
        connection.cursor().execute(insert)
    read = door(ground)
    t = table(read, "t")
    assert read.rows(t, {}, limit=9) == (row,)
    assert {name for name, value in row.items() if read.count(t, {name: value}) != 1} == set()


@pytest.mark.parametrize("value", ["1", 1, True, 1.0, b"1", "abc", "1\0", "\ud800", 2**70, None])
def test_a_value_of_another_type_matches_nothing_and_breaks_nothing(ground, value):
    flag = ground.of(postgresql="BOOLEAN", mariadb="DOUBLE")
    raw = ground.of(postgresql="BYTEA", mariadb="BLOB")
    number = ground.of(postgresql="UUID", mariadb="DECIMAL(5)")
    ground.execute(
        f"CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(9), f {flag}, y {raw}, u {number})",
        "INSERT INTO t (id, s) VALUES (1, '1abc')",
    )
    read = door(ground)
    t = table(read, "t")
    found = {one.name: read.count(t, {one.name: value}) for one in t.columns}
    if value is None:
        assert found == {"id": 0, "s": 0, "f": 1, "y": 1, "u": 1}
    else:
        assert found == {"id": int(value.__class__ is int and value == 1)} | dict.fromkeys(
            "sfyu", 0
        )


FAMILY = (
    "CREATE TABLE runs (id VARCHAR(9) PRIMARY KEY, state VARCHAR(9))",
    "CREATE TABLE tiers (id VARCHAR(9) PRIMARY KEY, run VARCHAR(9), state VARCHAR(9))",
    "CREATE TABLE phases (id INT PRIMARY KEY, tier VARCHAR(9), state VARCHAR(9))",
    "CREATE TABLE tasks (id INT PRIMARY KEY, phase BIGINT, state VARCHAR(9))",
    "INSERT INTO runs VALUES ('r1', 'bad'), ('r2', 'bad')",
    "INSERT INTO tiers VALUES ('t1', 'r1', 'bad'), ('t2', 'r2', 'bad'), ('t3', 'r1', 'good')",
    """INSERT INTO phases VALUES (1, 't1', 'bad'), (2, 't2', 'bad'), (3, 'T1', 'bad'),
    (4, 't3', 'bad')""",
    "INSERT INTO tasks VALUES (1, 1, 'bad'), (2, 2, 'bad'), (3, 4, 'bad')",
)


def test_rows_belong_to_a_run_directly_or_through_their_parents(ground):
    ground.execute(*FAMILY)
    read = door(ground)
    runs, tiers, phases, tasks = (table(read, one) for one in ("runs", "tiers", "phases", "tasks"))
    of_tier = Within("run", "r1")
    of_phase = Within("tier", parent=tiers, parent_key="id", parent_within=of_tier)
    of_task = Within("phase", parent=phases, parent_key="id", parent_within=of_phase)
    of_any_tier = Within("tier", parent=tiers, parent_key="id")

    def found(one, within):
        return ids(read.rows_not_in(one, "state", ["good"], within=within, limit=9))

    assert found(runs, Within("id", "r1")) == ["r1"]
    assert found(tiers, of_tier) == ["t1"]
    assert found(phases, of_phase) == [1, 4]
    assert found(tasks, of_task) == [1, 3]
    assert found(phases, of_any_tier) == [1, 2, 4]
    assert read.missing_parents(phases, "tier", tiers, "id", limit=9) == (("T1", 1),)
    assert read.missing_parents(tasks, "phase", phases, "id", limit=9) == ()


def test_no_accepted_value_means_every_row(ground):
    ground.execute(RUNS, "INSERT INTO runs VALUES ('a', 'x'), ('b', NULL), ('c', '')")
    read = door(ground)
    found = read.rows_not_in(table(read, "runs"), "state", [], within=None, limit=9)
    assert ids(found) == ["a", "c"]


def test_rows_are_bounded_by_number_and_by_size(ground, monkeypatch):
    ground.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, x TEXT)",
        "INSERT INTO t VALUES (1, 'aaaa'), (2, 'aaaa'), (3, 'aaaa')",
    )
    read = door(ground)
    t = table(read, "t")
    assert ids(read.rows(t, {}, limit=2)) == [1, 2]
    monkeypatch.setattr(asking, "MOST_BYTES", 9)
    assert ids(read.rows(t, {}, limit=2)) == [1, 2]
    with pytest.raises(SourceError, match="more than 0 MB in one answer"):
        read.rows(t, {}, limit=3)


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


@pytest.mark.parametrize("name", [*HOSTILE, "%(x)s", "a\\b", "{x}", "a.b"])
def test_hostile_names_of_tables_and_columns_are_only_names(ground, name):
    quoted = ground.quoted(name)
    other = ground.quoted(f"c {name}")
    escaped = quoted.replace("%", "%%") if ground.engine == "mariadb" else quoted
    assert escaped
    ground.execute(
        f"CREATE TABLE {quoted} ({quoted} VARCHAR(9) PRIMARY KEY, {other} VARCHAR(9))",
        f"INSERT INTO {quoted} VALUES ('k', 'v')",
    )
    read = door(ground)
    (only,) = read.tables()
    assert (only.name, only.primary_key) == (name, (name,))
    row = {name: "k", f"c {name}": "v"}
    assert read.rows(only, {name: "k"}, limit=2) == (row,)
    assert read.rows_not_in(only, name, ["x"], within=Within(name, "k"), limit=2) == (row,)
    assert read.missing_parents(only, f"c {name}", only, name, limit=2) == (("v", 1),)


def test_only_the_first_schema_of_the_search_path_is_looked_at(postgresql):
    postgresql.execute(
        "CREATE SCHEMA app",
        "CREATE SCHEMA late",
        "CREATE TABLE app.runs (id INT PRIMARY KEY, state TEXT)",
        "CREATE TABLE late.runs (id INT PRIMARY KEY, state TEXT)",
        "CREATE TABLE late.more (id INT PRIMARY KEY)",
        "INSERT INTO app.runs VALUES (1, 'of app')",
        "INSERT INTO late.runs VALUES (1, 'of late')",
    )
    read = open_read_door(postgresql.with_query(options="-csearch_path=app,late"))
    (runs,) = read.tables()
    assert read.rows(runs, {}, limit=9) == ({"id": 1, "state": "of app"},)
    gone = open_read_door(postgresql.with_query(options="-csearch_path=nowhere"))
    with pytest.raises(SourceError, match="no schema of the search path is there"):
        gone.tables()


def test_rows_that_a_policy_hides_are_an_error_and_never_clean(postgresql):
    postgresql.execute(
        RUNS,
        "ALTER TABLE runs ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY part ON runs USING (id = 'a')",
        f"CREATE ROLE {postgresql.name} LOGIN",
        f"GRANT SELECT ON runs TO {postgresql.name}",
    )
    try:
        read = open_read_door(postgresql.as_user(postgresql.name, ""))
        with pytest.raises(SourceError, match="row-level security policy"):
            read.count(table(read, "runs"), {})
    finally:
        postgresql.execute(f"DROP OWNED BY {postgresql.name}", f"DROP ROLE {postgresql.name}")


def test_a_locked_table_is_given_up_in_time(ground, monkeypatch):
    monkeypatch.setattr(server, "READ_LOCK_SECONDS", 1.0)
    ground.execute(RUNS)
    read = door(ground)
    runs = table(read, "runs")
    with closing(ground.connect()) as other:
        mode = "LOCK TABLE runs IN ACCESS EXCLUSIVE MODE"
        other.cursor().execute(ground.of(postgresql=mode, mariadb="LOCK TABLES runs WRITE"))
        before = time.monotonic()
        with pytest.raises(SourceError, match="(?i)lock") as caught:
            read.count(runs, {})
        took = time.monotonic() - before
    assert caught.value.hint == server.LOCKED
    assert 0.5 < took < 4


def test_a_question_that_takes_too_long_is_given_up(ground, monkeypatch):
    monkeypatch.setattr(server, "READ_SECONDS", 1.0)
    ground.execute(
        RUNS,
        ground.of(
            postgresql="CREATE VIEW slow AS SELECT pg_sleep(20)::text AS x, id FROM runs",
            mariadb="CREATE VIEW slow AS SELECT sleep(20) AS x, id FROM runs",
        ),
        "INSERT INTO runs VALUES ('a', 'x')",
    )
    read = door(ground)
    before = time.monotonic()
    with pytest.raises(SourceError) as caught:
        read.rows(table(read, "slow"), {}, limit=1)
    assert caught.value.hint == server.TOO_LONG
    assert time.monotonic() - before < 5


def test_no_connection_outlives_a_question(ground):
    ground.execute(RUNS)
    read = door(ground)
    read.count(table(read, "runs"), {})
    ask = ground.of(
        postgresql="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
        mariadb="SELECT count(*) FROM information_schema.processlist WHERE db = database()",
    )
    until = time.monotonic() + 5
    while ground.query(ask) != [(1,)] and time.monotonic() < until:
        time.sleep(0.05)
    assert ground.query(ask) == [(1,)]
