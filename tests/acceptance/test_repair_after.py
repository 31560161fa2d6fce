"""After a repair: who writes the value again, and what keeps it out."""

from __future__ import annotations

import sqlite3

import psycopg
import pymysql
import pytest

from doctor.doctor import Doctor
from doctor.settings import load_settings
from tests.support.columns import ENGINES, orders
from tests.support.jobs import jobs_ward, reply
from tests.support.terminal import say

REFUSED = (sqlite3.IntegrityError, psycopg.errors.CheckViolation, pymysql.OperationalError)
WRITER = """
def create(cursor, number):
    cursor.execute(f"INSERT INTO orders VALUES ({number}, 'READY', 'made by hand', 0)")
"""


@pytest.fixture
def sqlite(tmp_path):
    with orders("sqlite", tmp_path, bad=5) as made:
        yield made


def ask(system, *arguments):
    return say(*arguments, "--config", str(system.config), "--format", "json")


def test_a_value_that_comes_back_is_told_with_the_line_that_writes_it(sqlite):
    (sqlite.folder / "fallback.py").write_text(WRITER, encoding="utf-8")

    def step(done):
        if done == "result":
            sqlite.execute("INSERT INTO orders VALUES (777, 'READY', 'again', 0)")

    with Doctor(load_settings(sqlite.config), step=step) as doctor:
        done = doctor.repair("orders.state")
    assert (done.status, done.exit_code) == ("sick", 3)
    assert done.decision is not None
    assert done.decision.reason.startswith("writer still active: 'READY' in 1 rows")
    assert done.writers == (f"{sqlite.folder}/fallback.py:3: SQL that sets 'READY' in orders",)


def test_after_the_second_repair_of_a_value_a_human_decides(sqlite):
    (sqlite.folder / "fallback.py").write_text(WRITER, encoding="utf-8")
    for _ in range(2):
        assert ask(sqlite, "repair", "orders.state").code == 0
        sqlite.execute("UPDATE orders SET state = 'READY' WHERE number = 2")
    asked = ask(sqlite, "repair", "orders.state")
    assert asked.code == 5
    assert "writer still active" in asked.json["decision"]["reason"]
    assert "fallback.py:3" in asked.json["writers"][0]
    assert sqlite.states()["READY"] == 1
    words = say("repair", "orders.state", "--config", str(sqlite.config)).out
    assert "fallback.py:3" in words


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_the_statements_that_are_offered_keep_the_value_out_and_let_go_again(engine, tmp_path):
    with orders(engine, tmp_path, bad=30) as system:
        done = ask(system, "repair", "orders.state")
        assert done.code == 0
        offered = done.json["prevention"]
        assert "validate_strings=True" in offered["code"]
        assert "models.py:8" in offered["code"]
        made = next(text for name, text in offered.items() if name.split()[0] in MADE)
        undo = next(text for name, text in offered.items() if name.endswith("undo"))
        if engine == "mariadb":
            assert any("IRREVERSIBLE" in name for name in offered)
        insert = "INSERT INTO orders VALUES (999, '{}', 'new', 0)"
        for one in statements(made):
            system.execute(one)
        for bad in ("READY", "queued"):
            with pytest.raises(REFUSED):
                system.execute(insert.format(bad))
            with pytest.raises(REFUSED):
                system.execute(f"UPDATE orders SET state = '{bad}' WHERE number = 1")
        system.execute(insert.format("DONE"))
        for one in statements(undo):
            system.execute(one)
        system.execute("UPDATE orders SET state = 'READY' WHERE number = 1")


def test_folds_are_repaired_the_runs_answer_again_and_the_rest_is_asked(jobs):
    """The made-up team's column holds folds, a typo, a foreign value and none at all."""
    done = say("repair", "jobs.status", *jobs.options(), "--format", "json")
    assert (done.code, done.json["status"]) == (3, "sick")
    healed = {one["expected"]: one["to"] for one in done.json["changes"]}
    assert healed == dict.fromkeys(("WAITING", "waiting ", "JobStatus.WAITING"), "waiting")
    assert done.json["outcome"]["verified"] == "clear"
    assert "answers 200" in done.json["outcome"]["reason"]
    left = {one["value"] for one in done.json["values"]}
    assert left == {"PAUSED", "RUNNING", "", "verifing"}
    assert say("undo", done.json["outcome"]["fix"], *jobs.options()).code == 0


def broken(handler):
    """Answer 500 whatever is asked for, but say which routes there are."""
    if handler.path == "/openapi.json":
        return False
    reply(handler, 500, "Internal Server Error")
    return True


def test_a_repair_after_which_the_runs_do_not_answer_is_taken_back(tmp_path):
    with jobs_ward(tmp_path, broken) as jobs:
        before = jobs.dump()
        done = say("repair", "jobs.status", *jobs.options(), "--format", "json")
        assert (done.code, done.json["status"]) == (7, "undone")
        assert done.json["outcome"]["result"] == "undone"
        assert "answers 500" in done.json["outcome"]["reason"]
        assert jobs.dump() == before


MADE = ("constraint", "triggers")


def statements(text):
    """Return single statements; a trigger's own body ends with END."""
    found, part = [], ""
    for piece in text.split(";"):
        part += piece + ";"
        if sqlite3.complete_statement(part):
            found.append(part.strip().rstrip(";") if "TRIGGER" not in part else part.strip())
            part = ""
    return [one for one in found if one.strip(" ;")]
