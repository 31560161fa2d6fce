"""Rows that are tried and taken back: nothing stays, and what could stay is not tried."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import pytest

from doctor.errors import SourceError
from doctor.system.database import open_read_door, open_trial_door
from tests.support.ports import make_database


def table_of(url, name="runs"):
    return next(one for one in open_read_door(url).tables() if one.name == name)


def tried(url, row, name="runs"):
    return open_trial_door(url).refusal(table_of(url, name), row)


def refused(url, row, name="runs"):
    with pytest.raises(SourceError) as caught:
        tried(url, row, name)
    return caught.value.message


def test_a_file_is_the_same_byte_for_byte_with_triggers_and_counters(tmp_path):
    make_database(
        tmp_path / "a.db",
        "CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT)",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL,"
        " parent INTEGER REFERENCES runs (id), CHECK (state <> 'no'))",
        "CREATE TRIGGER t AFTER INSERT ON runs BEGIN INSERT INTO log (what) VALUES ('x'); END",
        "CREATE TRIGGER u BEFORE INSERT ON runs WHEN new.state = 'odd'"
        " BEGIN SELECT RAISE(ABORT, 'no odd ones'); END",
        "INSERT INTO runs (state) VALUES ('x')",
    )
    url = f"sqlite:///{tmp_path / 'a.db'}"
    before = hashlib.sha256((tmp_path / "a.db").read_bytes()).hexdigest()
    assert tried(url, {"state": "x"}) is None
    assert tried(url, {"state": None}) == "NOT NULL constraint failed: runs.state"
    assert tried(url, {"state": "no"}).startswith("CHECK constraint failed")
    assert tried(url, {"state": "odd"}) == "no odd ones"
    assert tried(url, {"state": "x", "parent": 7}) == "FOREIGN KEY constraint failed"
    assert tried(url, {"id": 1, "state": "x"}) == "UNIQUE constraint failed: runs.id"
    assert hashlib.sha256((tmp_path / "a.db").read_bytes()).hexdigest() == before


def test_a_locked_file_is_not_a_refusal_of_the_row(tmp_path, monkeypatch):
    monkeypatch.setattr("doctor.system.database.sqlite.WRITE_BUSY_SECONDS", 0.1)
    make_database(tmp_path / "a.db", "CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT)")
    with closing(sqlite3.connect(tmp_path / "a.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in refused(f"sqlite:///{tmp_path / 'a.db'}", {"state": "x"})


def test_numbers_of_sequences_and_identities_are_not_used_up(postgresql):
    postgresql.execute(
        "CREATE SEQUENCE other",
        "CREATE TABLE runs (id SERIAL PRIMARY KEY, state TEXT NOT NULL, place INT NOT NULL"
        " DEFAULT nextval('other'), CHECK (state <> 'no'))",
        "CREATE TABLE steps (id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state TEXT,"
        " twice TEXT GENERATED ALWAYS AS (state || state) STORED)",
    )
    assert tried(postgresql.url, {"state": "x"}) is None
    assert "runs_state_check" in tried(postgresql.url, {"state": "no"})
    assert "null value" in tried(postgresql.url, {"state": None})
    assert tried(postgresql.url, {"state": "x"}, "steps") is None
    postgresql.execute(
        "INSERT INTO runs (state) VALUES ('x')", "INSERT INTO steps VALUES (DEFAULT)"
    )
    assert postgresql.query("SELECT id, place FROM runs") == [(1, 1)]
    assert postgresql.query("SELECT id FROM steps") == [(1,)]


def test_what_a_rollback_does_not_reach_is_not_tried_on_postgresql(postgresql):
    postgresql.execute(
        "CREATE SEQUENCE seen",
        "CREATE TABLE runs (id INT PRIMARY KEY, state TEXT, at TIMESTAMP)",
        "CREATE TABLE names (id TEXT PRIMARY KEY DEFAULT 'R' || nextval('seen'))",
        "CREATE TABLE ruled (id INT PRIMARY KEY)",
        "CREATE RULE aside AS ON INSERT TO ruled DO ALSO SELECT nextval('seen')",
        "CREATE FUNCTION costly() RETURNS INT LANGUAGE sql AS $$ SELECT nextval('seen')::int $$",
        "CREATE TABLE priced (id INT PRIMARY KEY, cost INT DEFAULT costly())",
        "CREATE VIEW seen_runs AS SELECT id FROM runs",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.at := now(); RETURN NEW; END $$",
        "CREATE TRIGGER stamps BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION stamp()",
    )
    url = postgresql.url
    assert tried(url, {"id": 1}) is None  # it only sets a column of its own row
    assert "takes a number that is never given back" in refused(url, {}, "names")
    assert "the rule 'aside'" in refused(url, {"id": 1}, "ruled")
    assert "the function 'costly'" in refused(url, {"id": 1}, "priced")
    assert "is a view" in refused(url, {"id": 1}, "seen_runs")
    postgresql.execute(
        "CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.id := nextval('seen'); RETURN NEW; END $$",
        "CREATE TRIGGER counted BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION counts()",
    )
    assert "the trigger 'counted'" in refused(url, {"id": 1})
    assert postgresql.query("SELECT is_called FROM seen") == [(False,)]


def test_counters_of_mariadb_are_not_moved(mariadb):
    mariadb.execute(
        "CREATE TABLE runs (id INT AUTO_INCREMENT PRIMARY KEY, state VARCHAR(5) NOT NULL,"
        " CHECK (state <> 'no')) ENGINE=InnoDB",
        "CREATE TABLE steps (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, n INT) ENGINE=InnoDB",
        "INSERT INTO runs (state) VALUES ('x'), ('y')",
        "INSERT INTO steps VALUES (1, 1), (2, 1), (5, 1)",
    )
    url = mariadb.url
    assert tried(url, {"state": "x"}) is None
    assert "CONSTRAINT" in tried(url, {"state": "no"})
    assert "state" in tried(url, {})
    assert "too long" in tried(url, {"state": "much longer"})
    assert tried(url, {"n": 1}, "steps") is None
    mariadb.execute("INSERT INTO runs (state) VALUES ('z')", "INSERT INTO steps (n) VALUES (7)")
    assert mariadb.query("SELECT max(id) FROM runs") == [(3,)]
    assert mariadb.query("SELECT id FROM steps WHERE n = 7") == [(6,)]
    mariadb.execute("DELETE FROM steps", "INSERT INTO steps VALUES (1, 1)")
    assert "would use a number up" in refused(url, {"n": 1}, "steps")


def test_what_a_rollback_does_not_reach_is_not_tried_on_mariadb(mariadb):
    mariadb.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(5)) ENGINE=InnoDB",
        "CREATE TABLE kept (id INT PRIMARY KEY) ENGINE=MyISAM",
        "CREATE TRIGGER sets BEFORE INSERT ON runs FOR EACH ROW SET NEW.state = 'x'",
    )
    assert tried(mariadb.url, {"id": 1}) is None
    assert "MyISAM cannot roll back" in refused(mariadb.url, {"id": 1}, "kept")
    mariadb.execute(
        "CREATE TRIGGER notes AFTER INSERT ON runs FOR EACH ROW INSERT INTO kept VALUES (NEW.id)"
    )
    assert "the trigger 'notes'" in refused(mariadb.url, {"id": 1})
    assert mariadb.query("SELECT count(*) FROM kept") == [(0,)]


def test_an_account_that_sees_no_triggers_tries_nothing(mariadb):
    name = mariadb.name[:30]
    mariadb.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY) ENGINE=InnoDB",
        f"CREATE USER {name} IDENTIFIED BY 'pw'",
        f"GRANT SELECT, INSERT ON {mariadb.name}.* TO {name}",
    )
    try:
        url = mariadb.as_user(name, "pw")
        assert "grant it TRIGGER" in refused(url, {"id": 1})
        mariadb.execute(f"GRANT TRIGGER ON {mariadb.name}.* TO {name}")
        assert tried(url, {"id": 1}) is None
    finally:
        mariadb.execute(f"DROP USER {name}")
