"""Repairs in batches against a hand-written loop with the same journal; the locks they hold."""

from __future__ import annotations

import gc
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from doctor.model.change import Plan, SetColumn, pins_of
from doctor.model.ports import WriteDoor, WriteTransaction
from doctor.model.tier import Tier
from doctor.store import Fix, Store
from doctor.system.database import open_write_door
from doctor.treatment.batches import apply_batches
from tests.bench.figure import Figure
from tests.support.columns import ENGINES, Orders, orders

ROWS = 60_000
ROUNDS = 3
BATCH = 1_000  # of the hand-written loop
SLOWER, LOCK_MS = 1.25, 150.0
JOURNAL = "CREATE TABLE journal (batch INTEGER PRIMARY KEY, images {text} NOT NULL)"


class TimedDoor:
    """A write door that knows how long its transactions were open."""

    def __init__(self, inner: WriteDoor):
        self._inner = inner
        self.seconds: list[float] = []

    @contextmanager
    def transaction(self) -> Iterator[WriteTransaction]:
        with self._inner.transaction() as transaction:
            started = time.perf_counter()
            yield transaction
        self.seconds.append(time.perf_counter() - started)

    @contextmanager
    def kept(self) -> Iterator[WriteDoor]:
        with self._inner.kept() as door:
            self._inner = door
            yield self


def measure() -> Iterator[Figure]:
    """Yield, per engine, how much slower Doctor is, and its median and longest lock."""
    gc.set_threshold(50_000, 20, 20)  # as the command line has it; for both sides
    for engine in ENGINES:
        with (
            tempfile.TemporaryDirectory() as folder,
            orders(engine, Path(folder), bad=ROWS, good=0) as system,
        ):
            yield from _engine(system)


def _engine(system: Orders) -> Iterator[Figure]:
    ratios, locks = [], []
    text = "LONGTEXT" if system.engine == "mariadb" else "TEXT"
    system.execute(JOURNAL.format(text=text))
    for _ in range(ROUNDS):
        by_hand = _by_hand(system)
        _back(system)
        ours, seconds = _by_doctor(system)
        _back(system)
        ratios.append(ours / by_hand)
        locks += seconds
    name = f"batches {system.engine}"
    print(
        f"     {name}: {ROWS / ours:,.0f} rows/s, by hand {ROWS / by_hand:,.0f};"
        f" a batch {statistics.median(locks) * 1000:.0f} ms, at most {max(locks) * 1000:.0f}"
    )
    yield Figure(f"{name}: time against a hand-written loop", statistics.median(ratios), SLOWER)
    worst = statistics.quantiles(locks, n=20)[-1] * 1000
    yield Figure(f"{name}: lock of a batch, p95, ms", worst, LOCK_MS)


def _by_hand(system: Orders) -> float:
    mark = "?" if system.ground is None else "%s"
    lock = "" if system.ground is None else " FOR UPDATE"
    with closing(system.connect()) as connection:
        cursor: Any = connection.cursor()
        cursor.execute("SELECT number FROM orders WHERE state = 'READY' ORDER BY number")
        keys = [number for (number,) in cursor.fetchall()]
        connection.commit()
        started = time.perf_counter()
        for at in range(0, len(keys), BATCH):
            some = keys[at : at + BATCH]
            among = f"number IN ({', '.join([mark] * len(some))})"
            if system.ground is None:
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(f"SELECT * FROM orders WHERE {among} ORDER BY number{lock}", some)
            before = cursor.fetchall()
            cursor.execute(
                f"UPDATE orders SET state = 'QUEUED' WHERE {among} AND state = 'READY'", some
            )
            assert cursor.rowcount == len(some)
            cursor.execute(f"INSERT INTO journal VALUES ({mark}, {mark})", (at, json.dumps(before)))
            connection.commit()
        return time.perf_counter() - started


def _by_doctor(system: Orders) -> tuple[float, list[float]]:
    keys = tuple((number,) for (number,) in system.query("SELECT number FROM orders ORDER BY 1"))
    change = SetColumn("orders", ("number",), "state", "READY", "QUEUED", len(keys), pins_of(keys))
    plan = Plan("bench", "column:orders.state", (), (), Tier.SAFE, 1, bulk=(change,))
    fix = cast("Fix", SimpleNamespace(id="F1", plan=plan))
    noted = SimpleNamespace(record_applied=lambda *_: None, confirm=lambda: None)
    store = cast("Store", SimpleNamespace(fixes=noted))
    door = TimedDoor(open_write_door(system.url, create_marker=True))
    started = time.perf_counter()
    done = apply_batches(fix, [keys], door, store, lambda _: None, lambda *_: None)
    assert (done.done, done.moved) == (ROWS, 0)
    return time.perf_counter() - started, door.seconds[1:]


def _back(system: Orders) -> None:
    assert system.states() == {"QUEUED": ROWS}
    system.execute("UPDATE orders SET state = 'READY'")
    for table in ("journal", "doctor_applied"):
        if table == "journal" or system.has_marker():
            system.execute(f"DELETE FROM {table}")
    if system.engine == "postgresql":
        with closing(system.ground.connect(autocommit=True)) as connection:  # type: ignore[union-attr]
            connection.execute("VACUUM ANALYZE orders")
