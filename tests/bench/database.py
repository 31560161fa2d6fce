"""Checks of a table of many rows against the engine's own count, in pairs in one run.

``DOCTOR_BENCH_ROWS`` says how many rows, else 10 million.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

from doctor.system.database import open_read_door
from tests.bench import batches, drift
from tests.bench.figure import Figure
from tests.bench.tables import COLUMNS, ENGINES, STATES, Jobs, jobs

ROWS = int(os.environ.get("DOCTOR_BENCH_ROWS") or 10_000_000)
ROUNDS = 5
INDEXED_MS, WITHOUT, PASSES = 20.0, 1.5, 2.0
_OWN = "SELECT count(*) FROM jobs WHERE {} NOT IN ({})"
_WORDS = ", ".join(f"'{one}'" for one in STATES)


def measure() -> Iterator[Figure]:
    """Yield the figures of checks per engine, then those of repairs."""
    for engine in ENGINES:
        with jobs(engine, ROWS) as table:
            yield from _checks(table)
    yield from batches.measure()
    yield from drift.measure()


def _checks(table: Jobs) -> Iterator[Figure]:
    with closing(open_read_door(table.url)) as door:  # type: ignore[type-var]
        (live,) = door.tables()

        def check(*columns: str) -> Mapping[str, Sequence[object]]:
            accepted = dict.fromkeys(columns, STATES)
            return door.rows_not_in_each(live, accepted, within=None, limit=201)

        indexed = [_timed(lambda: check("state"), 1) for _ in range(ROUNDS)]
        name = f"database {table.engine}"
        yield Figure(f"{name}: column with an index, ms", 1000 * _median(indexed), INDEXED_MS)
        pairs = [(_own(table, "kind"), _timed(lambda: check("kind"), 1)) for _ in range(ROUNDS)]
        yield Figure(f"{name}: column without one against NOT IN", _ratio(pairs), WITHOUT)
        print(f"     {name}: NOT IN {_median([own for own, _ in pairs]):.2f} s", flush=True)
        if table.engine == "postgresql":
            six = [(_passes(table), _timed(lambda: check(*COLUMNS), 2)) for _ in range(ROUNDS)]
            yield Figure(f"{name}: six checks, in passes of NOT IN", _ratio(six), PASSES)


def _timed(check: Callable[[], Mapping[str, Sequence[object]]], found: int) -> float:
    started = time.perf_counter()
    rows = check()
    seconds = time.perf_counter() - started
    assert sum(map(len, rows.values())) == found
    return seconds


def _own(table: Jobs, column: str) -> float:
    return table.timed(_OWN.format(column, _WORDS))


def _passes(table: Jobs) -> float:
    """Return how long one of the same columns takes the engine, on average."""
    return statistics.mean(_own(table, one) for one in COLUMNS)


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return _median([ours / own for own, ours in pairs])


def _median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds)
