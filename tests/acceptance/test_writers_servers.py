"""Repairs beside writers that go on working: no update is lost, theirs or Doctor's."""

from __future__ import annotations

import random
import threading
from contextlib import closing

import psycopg
import pymysql
import pytest

from doctor.errors import TreatmentError
from doctor.model.change import SetCells
from doctor.system.database import open_read_door, open_write_door
from tests.support.soak import sized

pytestmark = [pytest.mark.slow, pytest.mark.soak]
REPAIRS = sized(500, 10_000)
WRITERS = 2


def test_writers_and_repairs_lose_nothing_to_each_other(ground, figure):
    ground.execute("CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(9), n INT)")
    with closing(ground.connect()) as connection:
        rows = [(number, "REDY", 0) for number in range(REPAIRS)]
        connection.cursor().executemany("INSERT INTO runs VALUES (%s, %s, %s)", rows)
        connection.commit()
    over, taken, counted, failed = threading.Event(), [], [], []

    def write(seed):
        chance = random.Random(seed)
        with closing(ground.connect(autocommit=True)) as connection:
            cursor = connection.cursor()
            while not over.is_set():
                row = chance.randrange(REPAIRS)
                try:
                    if chance.random() < 0.2:
                        cursor.execute(
                            "UPDATE runs SET state = 'TAKEN' WHERE id = %s AND state = 'REDY'",
                            (row,),
                        )
                        taken.extend([row] * cursor.rowcount)
                    else:
                        cursor.execute("UPDATE runs SET n = n + 1 WHERE id = %s", (row,))
                        counted.append(row)
                except (psycopg.Error, pymysql.Error) as error:
                    failed.append(error)
                over.wait(0.02)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(WRITERS)]
    for one in writers:
        one.start()
    repaired, refused = [], []
    door = open_write_door(ground.url, create_marker=True)
    for row in range(REPAIRS):
        change = SetCells("runs", {"id": row}, {"state": "REDY"}, {"state": "READY"})
        try:
            with door.transaction() as transaction:
                transaction.mark(f"f{row}", "applied", [transaction.set_cells(change)])
            repaired.append(row)
        except TreatmentError:
            refused.append(row)
    over.set()
    for one in writers:
        one.join()
    states = {row: (state, n) for row, state, n in ground.query("SELECT * FROM runs")}
    assert failed == []
    assert {row for row, (state, _) in states.items() if state == "READY"} == set(repaired)
    assert {row for row, (state, _) in states.items() if state == "TAKEN"} == set(taken)
    assert sorted(refused) == sorted(taken)
    assert sum(n for _, n in states.values()) == len(counted)
    read = open_read_door(ground.url)
    assert all(
        (read.marker(f"f{row}") is not None) for row in random.Random(1).sample(repaired, 20)
    )
    assert refused
    figure(
        f"{ground.engine}: {REPAIRS} repairs beside {len(counted) + len(taken)} writes of others:"
        f" {len(repaired)} applied, {len(refused)} refused, 0 updates lost"
    )
