"""A table of many rows on one engine: filled on the server's side, dropped at the end."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.servers import Ground, fresh

ENGINES = ("sqlite", "postgresql", "mariadb")
STATES = ("WAITING", "QUEUED", "RUNNING", "PAUSED", "FAILED", "DONE")
COLUMNS = ("kind", "level", "place", "mood", "turn", "shade")
_EXACT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
_CELLS = ", ".join(f"{one} VARCHAR(12) {{}} NOT NULL" for one in ("state", *COLUMNS))
_TABLE = f"CREATE TABLE jobs (id INTEGER PRIMARY KEY, {_CELLS}, note VARCHAR(40) NOT NULL)"
_PADDED = "".join(one.ljust(8) for one in STATES)
_FILL = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
    " SELECT n, {words}, 'job number ' || n FROM s",
    "postgresql": "SELECT n, {words}, 'job number ' || n FROM generate_series(1, {rows}) AS s(n)",
    "mariadb": "SELECT n, {words}, concat('job number ', n)"
    " FROM (SELECT seq AS n FROM seq_1_to_{rows}) AS s",
}
_AFTER = {"sqlite": ("ANALYZE",), "postgresql": ("VACUUM ANALYZE jobs",), "mariadb": ()}


@dataclass(frozen=True)
class Jobs:
    """The table, and a way to its database that is not Doctor's."""

    engine: str
    url: str
    place: Path | Ground

    def connect(self) -> Any:
        """Open a connection as the driver has it."""
        if isinstance(self.place, Ground):
            return self.place.connect(autocommit=True)
        return sqlite3.connect(self.place)

    def timed(self, sql: str) -> float:
        """Run one statement to its end on a connection of its own; return its seconds."""
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            started = time.perf_counter()
            cursor.execute(sql)
            cursor.fetchall()
            return time.perf_counter() - started

    def execute(self, *statements: str) -> None:
        """Change the database, each statement for itself."""
        with closing(self.connect()) as connection:
            for one in statements:
                connection.cursor().execute(one)
            connection.commit()


@contextmanager
def jobs(engine: str, rows: int) -> Iterator[Jobs]:
    """Make the table of so many rows with an index on ``state`` and none on the others."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "jobs.db"
            yield _filled(Jobs(engine, f"sqlite:///{path}", path), rows)
        return
    with fresh(engine) as ground:  # type: ignore[arg-type]
        yield _filled(Jobs(engine, ground.url, ground), rows)


def _filled(made: Jobs, rows: int) -> Jobs:
    started = time.perf_counter()
    exact = _EXACT if made.engine == "mariadb" else ""
    words = ", ".join(map(_word, (1, 2, 3, 5, 7, 11, 13)))
    bad = "state = 'READY', kind = 'READY', mood = 'Done'"
    made.execute(
        _TABLE.format(exact, *([""] * len(COLUMNS))),
        f"INSERT INTO jobs {_FILL[made.engine].format(rows=rows, words=words)}",
        f"UPDATE jobs SET {bad} WHERE id = {rows * 3 // 4}",
        "CREATE INDEX jobs_state ON jobs (state)",
        *_AFTER[made.engine],
    )
    print(f"     {made.engine}: {rows:,} rows in {time.perf_counter() - started:.0f} s", flush=True)
    return made


def _word(step: int) -> str:
    """Return the SQL for one of the states, another one every ``step`` rows."""
    place = f"1 + 8 * ((n % {6 * step} - n % {step}) / {step})"
    return f"rtrim(substr('{_PADDED}', {place}, 8))"
