"""`doctor repair`: every row of a column, in batches, on three engines."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pymysql
import pytest

from doctor.doctor import Doctor
from doctor.model.tier import Tier
from doctor.repairing import Order
from doctor.settings import load_settings
from tests.support.columns import ENGINES, orders
from tests.support.faults.doors import LostDoor, SplitDoor
from tests.support.soak import PART, sized
from tests.support.terminal import say

BAD = 450
HEALED = {"QUEUED": 457, "RUNNING": 7, "DONE": 6}


@pytest.fixture(params=ENGINES)
def system(request, tmp_path):
    with orders(request.param, tmp_path, bad=BAD) as made:
        yield made


@pytest.fixture
def sqlite(tmp_path):
    with orders("sqlite", tmp_path, bad=BAD) as made:
        yield made


def ask(system, *arguments):
    return say(*arguments, "--config", str(system.config), "--format", "json")


def outcome(done, name="outcome"):
    return getattr(done, name)


def pausing(system):
    """Return what pauses all writes after a batch."""

    def step(done):
        if done == "commit":
            assert ask(system, "pause").code == 0

    return step


@pytest.mark.slow
def test_every_row_of_a_column_is_repaired_and_put_back(system):
    before = system.dump()
    planned = ask(system, "plan", "--column", "orders.state")
    assert planned.code == 3
    assert (planned.json["rows"], planned.json["tier"]) == (BAD, "SAFE")
    assert system.dump() == before
    done = ask(system, "repair", "orders.state")
    assert done.code == 0, done.out
    assert done.json["status"] == "healed"
    assert done.json["plan"] == planned.json["plan"]
    assert system.states() == HEALED
    outcome = done.json["outcome"]
    assert (outcome["result"], outcome["verified"], outcome["done"]) == ("applied", "clear", BAD)
    assert [row[2:] for row in system.dump()] == [row[2:] for row in before]
    again = ask(system, "repair", "orders.state")
    assert (again.code, again.json["status"], again.json["outcome"]) == (0, "healthy", None)
    undone = ask(system, "undo", outcome["fix"])
    assert undone.code == 0, undone.out
    assert system.dump() == before


@pytest.mark.slow
def test_undo_refuses_and_names_the_rows_that_were_edited_since(system):
    fix = ask(system, "repair", "orders.state").json["outcome"]["fix"]
    system.execute("UPDATE orders SET note = 'mine' WHERE number IN (7, 333)")
    edited = system.dump()
    refused = ask(system, "undo", fix)
    assert refused.code == 8
    [error] = refused.json["errors"]
    assert "number=7" in error["message"]
    assert "number=333" in error["message"]
    assert "number=8" not in error["message"]
    assert system.dump() == edited
    system.execute("UPDATE orders SET note = 'order 7' WHERE number = 7")
    system.execute("UPDATE orders SET note = 'order 333' WHERE number = 333")
    assert ask(system, "undo", fix).code == 0
    assert system.states()["READY"] == BAD


@pytest.mark.slow
def test_rows_that_move_on_while_it_works_are_left_alone_and_told(system):
    def step(done):
        if done == "commit" and not moved:
            moved.append(system.execute("UPDATE orders SET state = 'DONE' WHERE number = 440"))
            moved.append(system.execute("DELETE FROM orders WHERE number = 441"))

    moved: list[int] = []
    with Doctor(load_settings(system.config), step=step) as doctor:
        done = doctor.repair("orders.state")
    assert done.status == "healed"
    assert (outcome(done).done, outcome(done).moved) == (BAD, 2)
    assert system.query("SELECT state FROM orders WHERE number = 440") == [("DONE",)]
    assert ask(system, "undo", outcome(done).fix).code == 0
    assert system.query("SELECT state FROM orders WHERE number = 440") == [("DONE",)]
    assert system.states()["READY"] == BAD - 2


@pytest.mark.slow
@pytest.mark.soak
def test_writers_and_a_repair_in_batches_lose_nothing_to_each_other(system, figure):
    rows = sized(1_000, 100_000)
    system.many(
        "INSERT INTO orders VALUES (?, ?, ?, ?)",
        [(10_000 + at, "READY", "more", 0) for at in range(rows)],
    )
    over, taken, counted, failed = threading.Event(), [], [], []

    def write(seed):
        chance = random.Random(seed)
        with closing(system.connect()) as connection:
            cursor = connection.cursor()
            while not over.is_set():
                row = 10_000 + chance.randrange(rows)
                try:
                    if chance.random() < 0.3:
                        cursor.execute(
                            system.said(
                                "UPDATE orders SET state = 'RUNNING'"
                                " WHERE number = ? AND state = 'READY'"
                            ),
                            (row,),
                        )
                        done = [row] * cursor.rowcount
                        connection.commit()
                        taken.extend(done)
                    else:
                        cursor.execute(
                            system.said(
                                "UPDATE orders SET revision = revision + 1 WHERE number = ?"
                            ),
                            (row,),
                        )
                        connection.commit()
                        counted.append(row)
                except (psycopg.Error, pymysql.Error) as error:
                    failed.append(error)
                    connection.rollback()
                over.wait(0.002)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    for one in writers:
        one.start()
    with Doctor(load_settings(system.config)) as doctor:
        planned = doctor.examine_column("orders.state")
        assert outcome(planned, "plan").rows >= rows * 0.9
        done = doctor.repair("orders.state", Order(plan=None, max_tier=Tier.SAFE))
        if done.status == "asked":
            doctor.memory.open_for_writing().approvals.approve(
                outcome(done, "incident"), outcome(done, "plan").hash, "somebody"
            )
            done = doctor.repair("orders.state")
    over.set()
    for one in writers:
        one.join()
    assert failed == []
    assert done.status == "healed", done
    states = {number: state for number, state, *_ in system.dump()}
    assert {row for row, state in states.items() if state == "RUNNING" and row >= 10_000} == set(
        taken
    )
    assert "READY" not in states.values()
    assert sum(revision for *_, revision in system.dump()) == len(counted)
    figure(
        f"{system.engine}: {outcome(done).done} rows in batches beside"
        f" {len(counted) + len(taken)} writes of others: {outcome(done).moved} had moved on,"
        " 0 updates lost"
    )


def test_more_rows_than_a_limit_need_a_human_and_exactly_that_plan(sqlite):
    rows = [(1_000 + at, "READY", "more", 0) for at in range(600)]
    sqlite.many("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    before = sqlite.dump()
    asked = ask(sqlite, "repair", "orders.state")
    assert (asked.code, asked.json["tier"], asked.json["rows"]) == (5, "GUARDED", 1_050)
    assert sqlite.dump() == before
    sqlite.execute("INSERT INTO orders VALUES (9999, 'READY', 'late', 0)")
    with Doctor(load_settings(sqlite.config)) as doctor:
        store = doctor.memory.open_for_writing()
        store.approvals.approve(asked.json["incident"], asked.json["plan"], "somebody")
    done = ask(sqlite, "repair", "orders.state")
    assert done.json["plan"] == asked.json["plan"]
    assert (done.code, done.json["status"]) == (3, "sick")
    assert sqlite.states()["READY"] == 1
    assert ask(sqlite, "repair", "orders.state").code == 0
    assert "READY" not in sqlite.states()


def test_a_plan_that_nobody_made_is_refused(sqlite):
    refused = ask(sqlite, "repair", "orders.state", "--plan", "0" * 32)
    assert refused.code == 2
    assert sqlite.states()["READY"] == BAD


def test_a_value_without_evidence_is_asked_with_its_candidates(sqlite):
    sqlite.execute("UPDATE orders SET state = 'LIMBO' WHERE state = 'READY'")
    asked = ask(sqlite, "repair", "orders.state")
    assert asked.code == 5
    [value] = asked.json["values"]
    assert (value["value"], value["rows"]) == ("LIMBO", BAD)
    assert {one["to"] for one in value["candidates"]} == {"QUEUED", "RUNNING", "DONE"}
    assert all(one["reason"] for one in value["candidates"])
    chosen = ask(sqlite, "repair", "orders.state", "--choose", "LIMBO=QUEUED")
    assert (chosen.code, chosen.json["tier"]) == (5, "GUARDED")
    assert sqlite.states()["LIMBO"] == BAD
    config = ("--config", str(sqlite.config))
    words = say("plan", "--column", "orders.state", "--choose", "LIMBO=QUEUED", *config).out
    assert chosen.json["plan"] in words


def test_a_certain_value_is_repaired_while_another_one_is_open(sqlite):
    sqlite.execute("UPDATE orders SET state = 'LIMBO' WHERE number < 50")
    done = ask(sqlite, "repair", "orders.state")
    assert (done.code, done.json["status"]) == (3, "sick")
    assert done.json["outcome"]["done"] == BAD - 50
    assert sqlite.states() == {"LIMBO": 50, "QUEUED": 407, "RUNNING": 7, "DONE": 6}


@pytest.mark.slow
def test_a_pause_between_two_batches_stops_it_and_recovery_goes_on(system):
    with Doctor(load_settings(system.config), step=pausing(system)) as doctor:
        done = doctor.repair("orders.state")
    assert (done.status, done.exit_code) == ("refused", 6)
    assert "100 of 450 rows" in outcome(done, "decision").reason
    assert system.states()["READY"] == BAD - 100
    assert ask(system, "recover").code == 6
    assert system.states()["READY"] == BAD - 100
    assert ask(system, "resume").code == 0
    assert [one["state"] for one in ask(system, "recover").json["fixes"]] == ["verified"]
    assert system.states() == HEALED


def test_a_stopped_repair_can_be_taken_back_instead(sqlite):
    before = sqlite.dump()
    with Doctor(load_settings(sqlite.config), step=pausing(sqlite)) as doctor:
        done = doctor.repair("orders.state")
    assert ask(sqlite, "resume").code == 0
    assert ask(sqlite, "undo", outcome(done).fix).code == 0
    assert sqlite.dump() == before


def test_a_heal_of_one_run_leaves_a_stopped_repair_alone(sqlite):
    with Doctor(load_settings(sqlite.config), step=pausing(sqlite)) as doctor:
        doctor.repair("orders.state")
    assert ask(sqlite, "resume").code == 0
    assert ask(sqlite, "heal", "449").code == 0
    assert sqlite.states()["READY"] == BAD - 101
    [fix] = ask(sqlite, "recover").json["fixes"]
    assert fix["state"] == "verified"
    assert "READY" not in sqlite.states()


SQLITE = """CREATE TRIGGER act BEFORE UPDATE ON orders WHEN new.number = 300
BEGIN SELECT RAISE(ABORT, 'not this one'); END"""
FUNCTION = """CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF new.number = 300 THEN new.note := 'changed'; END IF; RETURN new; END $$"""
POSTGRESQL = "CREATE TRIGGER act BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION act()"
MARIADB = """CREATE TRIGGER act BEFORE UPDATE ON orders FOR EACH ROW
SET new.note = IF(new.number = 300, 'changed', new.note)"""
TRIGGERS = {"sqlite": [SQLITE], "postgresql": [FUNCTION, POSTGRESQL], "mariadb": [MARIADB]}


@pytest.mark.slow
def test_a_row_that_the_database_changes_otherwise_takes_the_whole_repair_back(system):
    for one in TRIGGERS[system.engine]:
        system.execute(one)
    before = system.dump()
    done = ask(system, "repair", "orders.state")
    assert done.code in (7, 9), done.out
    if done.code == 9:  # the database said no, as it does when it is busy: nobody undoes for that
        assert ask(system, "undo", done.json["outcome"]["fix"]).code == 0
    assert system.dump() == before


class Planted(Doctor):
    """Repairs through a door with a defect."""

    door: Any = staticmethod(SplitDoor)

    def _clinic(self, system, probes, store, door):
        clinic = super()._clinic(system, probes, store, door)
        return replace(clinic, door=self.door(clinic.door))


class Killed(BaseException):
    """Ends a doctor where it stands."""


class KilledBetween(SplitDoor):
    """Marks in a second transaction, and is killed before it, in the second batch."""

    def finish(self, transaction):
        if any(name == "mark_batch" and mark[1].start for name, *mark in transaction.marks):
            raise Killed
        super().finish(transaction)


@pytest.mark.slow
def test_a_marker_in_a_second_transaction_would_be_found(system):
    """The harness of the kills is worth something only if it finds this planted defect."""
    before = system.dump()
    with pytest.raises(Killed), Planted(load_settings(system.config)) as doctor:
        doctor.door = KilledBetween
        doctor.repair("orders.state")
    assert ask(system, "recover").code == 0
    fix = ask(system, "history").json["entries"][-1]["fix"]
    assert ask(system, "undo", fix).code == 0
    assert system.dump() != before


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [True, False] if PART else [True])
def test_a_commit_of_a_batch_whose_report_is_lost_is_asked_for(system, is_done):
    before = system.dump()
    with Planted(load_settings(system.config)) as doctor:
        doctor.door = lambda inner: LostDoor(inner, is_done=is_done, at=3)
        done = doctor.repair("orders.state")
    assert (done.status, outcome(done).moved) == ("healed", 0)
    assert system.states() == HEALED
    assert ask(system, "undo", outcome(done).fix).code == 0
    assert system.dump() == before
