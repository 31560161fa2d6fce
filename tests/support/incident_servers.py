"""Copies of the corpus incident on database servers: the same schema, the same rows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.support.incident import COLUMNS, DECLARED, HEALED, INCIDENT, RUNS, VALID, expected
from tests.support.paths import REPOSITORY
from tests.support.servers import Ground
from tests.support.ward import Dump, Ward

DRIVERS = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
UNCHECKED = {
    "postgresql": "SET session_replication_role = replica",
    "mariadb": "SET foreign_key_checks = 0",
}
TEXT = 255


@dataclass(frozen=True)
class ServerWard(Ward):
    """The incident on a server."""

    ground: Ground | None = None

    @property
    def url(self) -> str:
        assert self.ground is not None
        return self.ground.url

    def execute(self, statement: str, *values: object) -> None:
        """Change the system behind Doctor's back."""
        assert self.ground is not None
        with closing(self.ground.connect(autocommit=True)) as connection:
            connection.cursor().execute(statement.replace("?", "%s"), values or None)

    def cell(self, run: str) -> str:
        """Return what stands in the run's own enum cell."""
        assert self.ground is not None
        [(value,)] = self.ground.query("SELECT state FROM runs WHERE id = %s", run)
        return str(value)

    def cell_of(self, column: str) -> str:
        """Return what stands in a cell of the run where all three are sick."""
        assert self.ground is not None
        table, _, name = column.partition(".")
        key = "id" if table == "runs" else "run_id"
        query = f"SELECT {name} FROM {table} WHERE {key} = %s"
        [(value,)] = self.ground.query(query, self.runs["all"])
        return str(value)

    def copy_run(self, name: str, number: int) -> None:
        """Add runs ``copy-0`` and so on that have the illness of another."""
        engine, tables = _engine(self.ground), sa.MetaData()
        runs = sa.Table("runs", tables, autoload_with=engine)
        with engine.begin() as connection:
            query = sa.select(runs).where(runs.c.id == self.runs[name])
            row = dict(connection.execute(query).mappings().one())
            rows = [{**row, "id": f"copy-{one}"} for one in range(number)]
            connection.execute(sa.insert(runs), rows)
        engine.dispose()

    def dump(self) -> Dump:
        """Return every cell of every user table with its type."""
        engine = _engine(self.ground)
        try:
            tables = sa.MetaData()
            tables.reflect(engine)
            found: Dump = {}
            with engine.connect() as connection:
                for table in tables.sorted_tables:
                    if table.name != "doctor_applied":
                        query = sa.select(table).order_by(*table.primary_key)
                        found[table.name] = [
                            {name: (value, type(value).__name__) for name, value in row.items()}
                            for row in connection.execute(query).mappings()
                        ]
        finally:
            engine.dispose()
        assert found
        return found


def _engine(ground: Ground | None) -> sa.Engine:
    assert ground is not None
    return sa.create_engine(ground.place.set(drivername=DRIVERS[ground.engine]))


def copy_incident(ground: Ground) -> None:
    """Copy schema and rows of the incident, the orphans too, into an empty database."""
    source, target = sa.create_engine(f"sqlite:///{INCIDENT / 'incident.db'}"), _engine(ground)
    tables = sa.MetaData()

    @sa.event.listens_for(tables, "column_reflect")
    def generic(_inspector: Any, _table: Any, column: Any) -> None:
        kind = column["type"].as_generic()
        # SQLite keeps no length: what stands there must fit.
        column["type"] = sa.String(TEXT) if type(kind) is sa.String else kind

    tables.reflect(source)
    with target.begin() as there, source.connect() as here:
        there.exec_driver_sql(UNCHECKED[ground.engine])
        tables.create_all(there)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in here.execute(sa.select(table)).mappings()]
            if rows:
                there.execute(sa.insert(table), rows)
    source.dispose()
    target.dispose()


def copied(ground: Ground, folder: Path, api: str = "") -> ServerWard:
    """Copy the incident to a server."""
    copy_incident(ground)
    for name in ("models.py", "api.py"):
        shutil.copyfile(INCIDENT / name, folder / name)
    return ServerWard(
        folder=folder,
        database=folder / "none.db",
        models=folder / "models.py",
        api=api,
        columns=COLUMNS,
        valid=VALID,
        runs=RUNS,
        values={
            one: str(row["run_state"])
            for one, run in RUNS.items()
            for row in expected()
            if row["run_id"] == run
        },
        declared=DECLARED,
        healed=HEALED,
        ground=ground,
    )


@contextmanager
def server_ward(ground: Ground, folder: Path) -> Iterator[ServerWard]:
    """Copy the incident to a server, and serve it."""
    ward = copied(ground, folder)
    program = REPOSITORY / "tests" / "support" / "incident_api.py"
    place = ground.place.set(drivername=DRIVERS[ground.engine]).render_as_string(False)
    command = [sys.executable, str(program), place]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield replace(ward, api=server.stdout.readline().strip())
        finally:
            server.kill()
