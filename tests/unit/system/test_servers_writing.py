"""The write door on PostgreSQL and MariaDB: compare-and-set, images, marker, refusals."""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing

import pytest

from doctor.errors import DoctorError, LeaseLostError, SourceError, TreatmentError
from doctor.model.change import SetCells
from doctor.model.ports import ChangeImage
from doctor.system.database import open_read_door, open_write_door, server
from tests.support.servers import fresh
from tests.support.soak import sized

pytestmark = pytest.mark.slow

RUNS = "CREATE TABLE runs (id VARCHAR(20) PRIMARY KEY, state VARCHAR(20), note TEXT)"
ROWS = "INSERT INTO runs VALUES ('a', 'REDY', 'n'), ('b', 'READY', NULL)"
TABLES = sized(10, 50)
CHANGE = SetCells("runs", {"id": "a"}, {"state": "REDY"}, {"state": "READY"})


def door(ground):
    return open_write_door(ground.url, create_marker=True)


def apply(ground, change, fix="f1"):
    with door(ground).transaction() as transaction:
        image = transaction.set_cells(change)
        transaction.mark(fix, "applied", [image])
    return image


def rows(ground, table="runs"):
    return sorted(ground.query(f"SELECT * FROM {ground.quoted(table)}"), key=repr)


def markers(ground):
    read = open_read_door(ground.url)
    return read.marker("f1"), read.newest_token()


def refused(ground, change, table="runs"):
    """Apply a change that must fail; return why, after checking that nothing was kept."""
    before = rows(ground, table)
    with pytest.raises(DoctorError) as caught:
        apply(ground, change)
    assert rows(ground, table) == before
    assert markers(ground) == (None, 0)
    return str(caught.value)


@pytest.fixture
def filled(ground):
    ground.execute(RUNS, ROWS)
    return ground


def test_a_cell_that_holds_what_was_expected_is_set_marked_and_put_back(filled):
    before = rows(filled)
    image = apply(filled, CHANGE)
    assert image == ChangeImage(
        {"id": "a", "state": "REDY", "note": "n"}, {"id": "a", "state": "READY", "note": "n"}
    )
    assert rows(filled) == [("a", "READY", "n"), ("b", "READY", None)]
    assert open_read_door(filled.url).marker("f1") == (image,)
    with door(filled).transaction() as transaction:
        assert transaction.is_marked("f1", "applied")
        assert not transaction.is_marked("f1", "undone")
        assert transaction.images("f1") == (image,)
        transaction.restore(CHANGE, image)
        transaction.mark("f1", "undone", ())
    assert rows(filled) == before
    assert [one.name for one in open_read_door(filled.url).tables()] == ["runs"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            SetCells("runs", {"id": "a"}, {"state": "redy"}, {"state": "x"}),
            "runs id='a': state holds 'REDY', not 'redy' as planned",
        ),
        (
            SetCells("runs", {"id": "a"}, {"state": "REDY "}, {"state": "x"}),
            "runs id='a': state holds 'REDY', not 'REDY ' as planned",
        ),
        (
            SetCells("runs", {"id": "A"}, {"state": "REDY"}, {"state": "x"}),
            "runs id='A': 0 rows have this key, not 1",
        ),
        (
            SetCells("runs", {"id": "c"}, {"state": "REDY"}, {"state": "x"}),
            "runs id='c': 0 rows have this key, not 1",
        ),
        (
            SetCells("runs", {"id": "a"}, {"state": "REDY"}, {"state": 5}),
            "runs id='a': the database also changed or refused state",
        ),
        (SetCells("runs", {"id": "a"}, {"gone": "x"}, {"gone": "y"}), "runs has no column 'gone'"),
        (SetCells("none", {"id": "a"}, {"state": "x"}, {"state": "y"}), "there is no table 'none'"),
        (
            SetCells("runs", {"state": "REDY"}, {"note": "n"}, {"note": "y"}),
            "runs has no primary key, or another than the change names",
        ),
        (SetCells("runs", {}, {"note": "n"}, {"note": "y"}), "a change without a key"),
    ],
)
def test_what_is_not_as_planned_is_refused(filled, change, message):
    assert message in refused(filled, change)


def test_a_value_that_does_not_fit_is_refused_and_never_cut(filled):
    change = SetCells("runs", {"id": "a"}, {"state": "REDY"}, {"state": "x" * 21})
    assert "too long" in refused(filled, change)


def test_only_one_of_four_spellings_is_changed(ground):
    if ground.engine == "postgresql":
        folds = "(provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
        ground.execute(f"CREATE COLLATION folds {folds}")
    folded = ground.of(postgresql="COLLATE folds", mariadb="COLLATE utf8mb4_general_ci")
    ground.execute(
        f"CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(20) {folded})",
        "INSERT INTO runs VALUES (1, 'ready'), (2, 'READY '), (3, 'READY'), (4, 'RÉADY')",
    )
    change = SetCells("runs", {"id": 1}, {"state": "READY"}, {"state": "QUEUED"})
    assert "holds 'ready'" in refused(ground, change)
    apply(ground, SetCells("runs", {"id": 3}, {"state": "READY"}, {"state": "ready"}))
    assert rows(ground) == [(1, "ready"), (2, "READY "), (3, "ready"), (4, "RÉADY")]


def test_any_exception_inside_rolls_everything_back(filled):
    before = rows(filled)

    def interrupted() -> None:
        with door(filled).transaction() as transaction:
            transaction.fence(7, "me")
            transaction.mark("f1", "applied", [transaction.set_cells(CHANGE)])
            assert transaction.is_marked("f1", "applied")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert rows(filled) == before
    assert markers(filled) == (None, 0)


def test_a_marker_is_written_once(filled):
    with door(filled).transaction() as transaction:
        transaction.mark("f1", "applied", [])
    with pytest.raises(SourceError, match="(?i)duplicate"), door(filled).transaction() as other:
        other.mark("f1", "applied", [])


def test_an_older_token_writes_nothing(filled):
    for token, holder in ((3, "me"), (3, "me"), (5, "she")):
        with door(filled).transaction() as transaction:
            transaction.fence(token, holder)
    before = rows(filled)
    for token, holder in ((4, "me"), (5, "me")):
        with (
            pytest.raises(LeaseLostError) as caught,
            door(filled).transaction() as transaction,
        ):
            transaction.fence(token, holder)
            transaction.set_cells(CHANGE)
        assert caught.value.seen == 5
    assert rows(filled) == before
    assert open_read_door(filled.url).newest_token() == 5


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE runs SET state = 'RUNNING'", "moved on since the repair: state changed"),
        ("UPDATE runs SET note = NULL, state = 'x'", "moved on since the repair: note, state"),
        ("UPDATE runs SET state = 'ready'", "moved on since the repair: state changed"),
        ("UPDATE runs SET note = 'N'", "moved on since the repair: note changed"),
        ("ALTER TABLE runs ADD COLUMN more INT", "moved on since the repair: more changed"),
        ("ALTER TABLE runs DROP COLUMN note", "moved on since the repair: note changed"),
        ("DELETE FROM runs", "0 rows have this key, not 1"),
    ],
)
def test_a_row_that_moved_on_is_not_put_back(filled, statement, message):
    image = apply(filled, CHANGE)
    filled.execute(statement)
    before = rows(filled)
    with pytest.raises(TreatmentError) as caught, door(filled).transaction() as transaction:
        transaction.restore(CHANGE, image)
    assert message in str(caught.value)
    assert rows(filled) == before


def test_a_table_without_a_primary_key_is_refused(ground):
    ground.execute(
        "CREATE TABLE runs (id INT, state VARCHAR(9))", "INSERT INTO runs VALUES (1, 'x')"
    )
    change = SetCells("runs", {"id": 1}, {"state": "x"}, {"state": "y"})
    assert "runs has no primary key" in refused(ground, change)


def test_a_view_is_refused(ground):
    ground.execute(RUNS, ROWS, "CREATE VIEW seen AS SELECT * FROM runs")
    change = SetCells("seen", {"id": "a"}, {"state": "REDY"}, {"state": "READY"})
    assert "seen is a view" in refused(ground, change, "seen")


def test_a_composite_key_names_one_row(ground):
    ground.execute(
        "CREATE TABLE t (a INT, b VARCHAR(9), v VARCHAR(9), PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES (1, 'x', 'o'), (1, 'y', 'o'), (2, 'x', 'o')",
    )
    apply(ground, SetCells("t", {"a": 1, "b": "x"}, {"v": "o"}, {"v": "n"}))
    assert rows(ground, "t") == [(1, "x", "n"), (1, "y", "o"), (2, "x", "o")]
    change = SetCells("t", {"a": 1}, {"v": "n"}, {"v": "o"})
    with pytest.raises(TreatmentError, match="another than the change names"):
        apply(ground, change, "f2")


TRIGGERS = {
    "the cell itself": {
        "postgresql": "new.state := 'other'; RETURN new",
        "mariadb": "BEFORE UPDATE ON runs FOR EACH ROW SET new.state = 'other'",
    },
    "another cell": {
        "postgresql": "new.note := 'by a trigger'; RETURN new",
        "mariadb": "BEFORE UPDATE ON runs FOR EACH ROW SET new.note = 'by a trigger'",
    },
    "another table": {
        "postgresql": "INSERT INTO log VALUES ('x'); RETURN new",
        "mariadb": "AFTER UPDATE ON runs FOR EACH ROW INSERT INTO log VALUES ('x')",
    },
    "another table by a function": {
        "postgresql": "PERFORM note_it(); RETURN new",
        "mariadb": "AFTER UPDATE ON runs FOR EACH ROW SET @x = note_it()",
    },
    "only what undoes": {
        "postgresql": "IF new.state = 'REDY' THEN new.note := 'x'; END IF; RETURN new",
        "mariadb": "BEFORE UPDATE ON runs FOR EACH ROW "
        "SET new.note = IF(new.state = 'REDY', 'x', new.note)",
    },
}
FUNCTIONS = {
    "postgresql": "CREATE FUNCTION note_it() RETURNS void LANGUAGE sql AS"
    " $$ INSERT INTO log VALUES ('by a function') $$",
    "mariadb": "CREATE FUNCTION note_it() RETURNS INT MODIFIES SQL DATA BEGIN"
    " INSERT INTO log VALUES ('by a function'); RETURN 1; END",
}


@pytest.mark.parametrize("what", TRIGGERS)
def test_what_a_trigger_changes_with_it_is_refused(filled, what):
    body = TRIGGERS[what][filled.engine]
    filled.execute("CREATE TABLE log (x VARCHAR(20))", FUNCTIONS[filled.engine])
    if filled.engine == "postgresql":
        filled.execute(
            f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$",
            "CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION act()",
        )
    else:
        filled.execute(f"CREATE TRIGGER act {body}")
    reason = refused(filled, CHANGE)
    assert "also changed" in reason or "other rows" in reason
    assert rows(filled, "log") == []


def test_a_trigger_that_changes_nothing_is_no_obstacle(filled):
    if filled.engine == "postgresql":
        filled.execute(
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$",
            "CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION act()",
        )
    else:
        filled.execute("CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW SET @x = 1")
    apply(filled, CHANGE)
    assert rows(filled)[0] == ("a", "READY", "n")


def test_a_constraint_trigger_that_waits_for_the_commit_is_seen_before_it(postgresql):
    postgresql.execute(
        RUNS,
        ROWS,
        "CREATE TABLE log (x TEXT)",
        "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO log VALUES ('late'); RETURN null; END $$",
        "CREATE CONSTRAINT TRIGGER act AFTER UPDATE ON runs DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION act()",
    )
    assert ": 1 other rows would change with it" in refused(postgresql, CHANGE)
    assert rows(postgresql, "log") == []


def test_rows_that_follow_a_key_are_refused(ground):
    ground.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, code VARCHAR(9) UNIQUE)",
        "CREATE TABLE parts (id INT PRIMARY KEY, code VARCHAR(9),"
        " FOREIGN KEY (code) REFERENCES runs (code) ON UPDATE CASCADE)",
        "INSERT INTO runs VALUES (1, 'x')",
        "INSERT INTO parts VALUES (1, 'x'), (2, 'x')",
    )
    change = SetCells("runs", {"id": 1}, {"code": "x"}, {"code": "y"})
    reason = refused(ground, change)
    assert ": 2 other rows would change with it" in reason or "whose rows would follow" in reason
    assert rows(ground, "parts") == [(1, "x"), (2, "x")]


def test_a_generated_column_that_follows_the_cell_is_refused(ground):
    ground.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(9), note VARCHAR(9),"
        " made INT GENERATED ALWAYS AS (length(state)) STORED)",
        "INSERT INTO runs (id, state, note) VALUES (1, 'x', 'n')",
    )
    change = SetCells("runs", {"id": 1}, {"state": "x"}, {"state": "yy"})
    assert "also changed or refused made" in refused(ground, change)
    apply(ground, SetCells("runs", {"id": 1}, {"note": "n"}, {"note": "m"}))
    assert rows(ground) == [(1, "x", "m", 1)]


def test_a_column_that_takes_the_time_by_itself_keeps_its_own(mariadb):
    mariadb.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(9), at TIMESTAMP(6)"
        " DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
        "INSERT INTO runs VALUES (1, 'x', '2026-01-02 03:04:05.678')",
    )
    before = rows(mariadb)
    change = SetCells("runs", {"id": 1}, {"state": "x"}, {"state": "y"})
    image = apply(mariadb, change)
    assert rows(mariadb) == [(1, "y", before[0][2])]
    with door(mariadb).transaction() as transaction:
        transaction.restore(change, image)
    assert rows(mariadb) == before


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_tables_that_cannot_roll_back_are_refused(mariadb, engine):
    mariadb.execute(f"{RUNS.replace('TEXT', 'VARCHAR(9)')} ENGINE={engine}", ROWS)
    assert f"is kept by {engine}, which cannot roll back" in refused(mariadb, CHANGE)


def test_a_marker_that_cannot_roll_back_is_refused(mariadb):
    mariadb.execute(
        RUNS,
        ROWS,
        "CREATE TABLE doctor_applied (fix VARCHAR(64), kind VARCHAR(16), images LONGTEXT,"
        " PRIMARY KEY (fix, kind)) ENGINE=MyISAM",
    )
    assert "doctor_applied is kept by MyISAM" in refused(mariadb, CHANGE)
    assert rows(mariadb, "doctor_applied") == []


def test_a_trigger_into_a_table_that_cannot_roll_back_is_refused_before_it_fires(mariadb):
    mariadb.execute(
        RUNS,
        ROWS,
        "CREATE TABLE log (x VARCHAR(20)) ENGINE=MyISAM",
        "CREATE TRIGGER act AFTER UPDATE ON runs FOR EACH ROW INSERT INTO log VALUES ('x')",
    )
    assert "has a trigger 'act' that may change other rows" in refused(mariadb, CHANGE)
    assert rows(mariadb, "log") == []


def test_a_table_that_keeps_its_own_history_is_refused(mariadb):
    mariadb.execute(f"{RUNS} WITH SYSTEM VERSIONING", ROWS)
    assert "runs keeps its own history" in refused(mariadb, CHANGE)
    assert mariadb.query("SELECT count(*) FROM runs FOR SYSTEM_TIME ALL") == [(2,)]


def test_a_marker_that_a_crash_would_empty_is_refused(postgresql):
    postgresql.execute(
        RUNS,
        ROWS,
        "CREATE UNLOGGED TABLE doctor_applied (fix VARCHAR(64), kind VARCHAR(16), images TEXT,"
        " PRIMARY KEY (fix, kind))",
    )
    assert "outlives a crash" in refused(postgresql, CHANGE)


def test_tables_that_share_rows_or_lie_elsewhere_are_refused(postgresql):
    postgresql.execute(
        RUNS,
        ROWS,
        "CREATE TABLE more (x TEXT) INHERITS (runs)",
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE FOREIGN TABLE distant (id TEXT, state TEXT) SERVER far",
    )
    assert "runs has tables that inherit from it" in refused(postgresql, CHANGE)
    change = SetCells("distant", {"id": "a"}, {"state": "x"}, {"state": "y"})
    with pytest.raises(TreatmentError, match="lies on another server"):
        apply(postgresql, change)


def test_a_row_of_a_partition_is_set_through_its_table(postgresql):
    postgresql.execute(
        "CREATE TABLE days (day INT PRIMARY KEY, state TEXT) PARTITION BY RANGE (day)",
        "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (9)",
        "INSERT INTO days VALUES (1, 'x')",
    )
    change = SetCells("days", {"day": 1}, {"state": "x"}, {"state": "y"})
    image = apply(postgresql, change)
    assert rows(postgresql, "days_1") == [(1, "y")]
    with door(postgresql).transaction() as transaction:
        transaction.restore(change, image)
    assert rows(postgresql, "days") == [(1, "x")]


def test_a_table_of_another_schema_is_left_alone(postgresql):
    postgresql.execute(
        "CREATE SCHEMA late",
        "CREATE TABLE late.runs (id TEXT PRIMARY KEY, state TEXT, note TEXT)",
        "INSERT INTO late.runs VALUES ('a', 'REDY', 'n')",
    )
    path = postgresql.with_query(options="-csearch_path=public,late")
    with (
        pytest.raises(TreatmentError, match="there is no table 'runs'"),
        open_write_door(path, create_marker=True).transaction() as transaction,
    ):
        transaction.set_cells(CHANGE)
    postgresql.execute(RUNS, ROWS)
    with open_write_door(path, create_marker=True).transaction() as transaction:
        transaction.set_cells(CHANGE)
    assert rows(postgresql)[0] == ("a", "READY", "n")
    assert postgresql.query("SELECT state FROM late.runs") == [("REDY",)]


def test_rows_that_a_policy_guards_are_an_error(postgresql):
    postgresql.execute(
        RUNS,
        ROWS,
        "ALTER TABLE runs ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY part ON runs USING (true)",
        f"CREATE ROLE {postgresql.name} LOGIN",
        f"GRANT ALL ON runs TO {postgresql.name}",
        f"GRANT CREATE ON SCHEMA public TO {postgresql.name}",
    )
    try:
        url = postgresql.as_user(postgresql.name, "")
        with (
            pytest.raises(SourceError, match="row-level security policy"),
            open_write_door(url, create_marker=True).transaction() as transaction,
        ):
            transaction.set_cells(CHANGE)
        assert rows(postgresql)[0] == ("a", "REDY", "n")
    finally:
        postgresql.execute(f"DROP OWNED BY {postgresql.name}", f"DROP ROLE {postgresql.name}")


def test_without_statistics_nothing_is_changed(postgresql):
    postgresql.execute(RUNS, ROWS, f"ALTER DATABASE {postgresql.name} SET track_counts = off")
    assert "track_counts is off" in refused(postgresql, CHANGE)


def test_native_enums_are_set_and_an_unknown_label_is_refused(ground):
    if ground.engine == "postgresql":
        ground.execute("CREATE TYPE mood AS ENUM ('A', 'B')")
    kind = ground.of(postgresql="mood", mariadb="ENUM('A', 'B')")
    ground.execute(
        f"CREATE TABLE runs (id INT PRIMARY KEY, state {kind})", "INSERT INTO runs VALUES (1, 'A')"
    )
    change = SetCells("runs", {"id": 1}, {"state": "A"}, {"state": "no label"})
    assert "the database could not be written" in refused(ground, change)
    apply(ground, SetCells("runs", {"id": 1}, {"state": "A"}, {"state": "B"}))
    assert rows(ground) == [(1, "B")]


def test_a_second_transaction_waits_for_the_first(filled):
    begun, order = threading.Event(), []

    def second() -> None:
        begun.wait(5)
        with door(filled).transaction() as transaction:
            order.append("second")
            with pytest.raises(TreatmentError, match="holds 'READY', not 'REDY'"):
                transaction.set_cells(CHANGE)

    thread = threading.Thread(target=second)
    thread.start()
    with door(filled).transaction() as transaction:
        begun.set()
        time.sleep(0.3)
        transaction.set_cells(CHANGE)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("what", ["row", "table", "doctor"])
def test_a_lock_that_does_not_end_is_given_up(filled, monkeypatch, what):
    monkeypatch.setattr(server, "WRITE_LOCK_SECONDS", 1.0)
    before = rows(filled)
    if what == "doctor":
        with door(filled).transaction(), pytest.raises(SourceError, match="(?i)lock") as caught:
            apply(filled, CHANGE)
    else:
        lock = filled.of(
            postgresql="LOCK TABLE runs IN ACCESS EXCLUSIVE MODE", mariadb="LOCK TABLES runs WRITE"
        )
        with closing(filled.connect()) as other:
            statement = "UPDATE runs SET note = 'mine' WHERE id = 'a'"
            other.cursor().execute(lock if what == "table" else statement)
            started = time.monotonic()
            with pytest.raises(SourceError, match="(?i)lock") as caught:
                apply(filled, CHANGE)
            assert time.monotonic() - started < 5
            other.rollback()
    assert caught.value.hint == server.LOCKED
    assert rows(filled) == before


def test_rows_beside_the_one_that_is_changed_are_not_locked(filled):
    with door(filled).transaction() as transaction:
        transaction.set_cells(CHANGE)
        filled.execute(
            "UPDATE runs SET note = 'by another' WHERE id = 'b'",
            "INSERT INTO runs VALUES ('c', 'x', 'y')",
        )
    assert rows(filled) == [("a", "READY", "n"), ("b", "READY", "by another"), ("c", "x", "y")]


def test_a_statement_that_takes_too_long_is_given_up(filled, monkeypatch):
    monkeypatch.setattr(server, "WRITE_SECONDS", 1.0)
    if filled.engine == "postgresql":
        filled.execute(
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(9); RETURN new; END $$",
            "CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION act()",
        )
    else:
        filled.execute("CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW SET @x = sleep(9)")
    started = time.monotonic()
    assert refused(filled, CHANGE)
    assert time.monotonic() - started < 8


@pytest.mark.soak
def test_hostile_names_and_values_are_only_names_and_values(figure):
    """Random names and values on both servers: only the declared cell changes, and comes back."""
    random_ = random.Random(20261123)
    pieces = (
        *('"', "'", "`", ";", "--", "%s", "%(x)s", ":x", "\\", "{}", "DROP TABLE t", "é", "日"),
        *(" ", "$$", "/*", "\n", "?", "x'00'", "NULL", "select", "\t", "%%", "\\'", "0"),
    )

    def text(most: int) -> str:
        return "".join(random_.choice(pieces) for _ in range(random_.randint(1, most)))

    def name(number: int) -> str:
        return f"{text(4)[:40].rstrip()}{number}"

    done = 0
    for engine in ("postgresql", "mariadb"):
        with fresh(engine) as ground:
            for number in range(TABLES):
                table, key, cell, other = (name(number * 10 + one) for one in range(4))
                columns = ", ".join(f"{ground.quoted(one)} TEXT" for one in (cell, other))
                create = f"CREATE TABLE {ground.quoted(table)} ({ground.quoted(key)} VARCHAR(90)"
                if engine == "mariadb":
                    create += " COLLATE utf8mb4_bin"
                ground.execute(f"{create} PRIMARY KEY, {columns})")
                insert = f"INSERT INTO {ground.quoted(table)} VALUES (%s, %s, %s)"
                values = [(f"{text(4)}{n}", f"{text(5)}{n}", text(5)) for n in range(10)]
                with closing(ground.connect(autocommit=True)) as connection:
                    escaped = insert.replace("%", "%%").replace("(%%s, %%s, %%s)", "(%s, %s, %s)")
                    connection.cursor().executemany(escaped, values)
                before = rows(ground, table)
                assert before == sorted(values, key=repr)
                with door(ground).transaction() as transaction:
                    made = []
                    for mine, held, _ in values:
                        change = SetCells(table, {key: mine}, {cell: held}, {cell: text(6)})
                        made.append((change, transaction.set_cells(change)))
                after = {one[0]: one for one in rows(ground, table)}
                for (change, image), (mine, _, rest) in zip(made, values, strict=True):
                    assert after[mine] == (mine, change.to[cell], rest)
                    assert image.after == {key: mine, cell: change.to[cell], other: rest}
                with door(ground).transaction() as transaction:
                    for change, image in made:
                        transaction.restore(change, image)
                assert rows(ground, table) == before
                done += len(values)
    assert done == 2 * 10 * TABLES
    figure(f"{done} hostile identifiers and values: only the declared cells changed, all restored")
