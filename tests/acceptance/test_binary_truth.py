"""What a collation folds stays apart, and what was not looked at to its end is never clean."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from doctor.system.database import sqlite
from tests.support.ports import make_database
from tests.support.terminal import say

SYSTEM = """\
format: doctor/1
system: small
tables: {runs: {table: runs, key: id}}
columns: {runs.state: {values: [OPEN, DONE], nulls: refused}}
"""
SPELLINGS = {1: "ready", 2: "READY ", 3: "READY", 4: "RÉADY"}


@pytest.fixture
def preflight(tmp_path):
    """Return a function that looks at a database with a description of the team's own."""

    def look(url, text=SYSTEM):
        rules = tmp_path / "small.yaml"
        rules.write_text(text, encoding="utf-8")
        options = ["--database", url, "--system", "small", "--rules", str(rules)]
        return say("preflight", *options, "--format", "json")

    return look


@pytest.mark.parametrize("collation", ["latin1_swedish_ci", "utf8mb4_general_ci"])
def test_four_spellings_under_a_folding_collation_are_four_findings(mariadb, preflight, collation):
    charset = collation.partition("_")[0]
    mariadb.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY,"
        f" state VARCHAR(20) CHARACTER SET {charset} COLLATE {collation}, INDEX (state))"
    )
    with closing(mariadb.connect(autocommit=True)) as connection:
        rows = [*SPELLINGS.items(), (5, "OPEN")]
        connection.cursor().executemany("INSERT INTO runs VALUES (%s, %s)", rows)
    said = preflight(mariadb.url)
    found = {
        int(one["run"]): each["subject"]["value"]
        for one in said.json["sick"]
        for each in one["diagnoses"]
    }
    assert (said.code, found) == (3, SPELLINGS)
    said = preflight(mariadb.url, SYSTEM.replace("OPEN", "READY"))
    assert {one["run"] for one in said.json["sick"]} == {"1", "2", "4", "5"}


def test_a_scan_that_ran_out_of_time_is_unknown(tmp_path, preflight, monkeypatch):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT)",
        "INSERT INTO runs WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 20000) SELECT i, 'OPEN' FROM n",
    )
    url = f"sqlite:///{path}"
    assert preflight(url).code == 0
    monkeypatch.setattr(sqlite, "READ_SECONDS", -1.0)
    said = preflight(url)
    assert (said.code, said.json["status"]) == (9, "unknown")
    assert any("no answer within" in one["reason"] for one in said.json["gaps"])


@pytest.mark.slow
def test_a_table_that_somebody_holds_is_unknown(ground, preflight):
    ground.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(9))",
        "INSERT INTO runs VALUES (1, 'OPEN')",
    )
    assert preflight(ground.url).code == 0
    lock = ground.of(
        postgresql="LOCK TABLE runs IN ACCESS EXCLUSIVE MODE", mariadb="LOCK TABLES runs WRITE"
    )
    with closing(ground.connect()) as connection:
        connection.cursor().execute(lock)
        said = preflight(ground.url)
        connection.rollback()
    assert (said.code, said.json["status"]) == (9, "unknown")
    assert said.json["gaps"]


def test_a_description_of_the_team_needs_no_models(tmp_path, preflight):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT)",
        "INSERT INTO runs VALUES ('a', 'open'), ('b', 'DONE'), ('c', NULL)",
    )
    said = preflight(f"sqlite:///{Path(path)}")
    found = [(one["run"], [each["code"] for each in one["diagnoses"]]) for one in said.json["sick"]]
    assert (said.code, sorted(found)) == (3, [("a", ["DB001"]), ("c", ["DB008"])])
