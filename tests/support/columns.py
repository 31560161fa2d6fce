"""A system whose run table holds a bad value in many rows, on any of the three engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.servers import Ground, fresh

ENGINES = ("sqlite", "postgresql", "mariadb")
MODELS = """
import enum
from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class State(enum.Enum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"

class Order(Base):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[State] = mapped_column(Enum(State, native_enum=False, length=20))
    note: Mapped[str]
    revision: Mapped[int]
"""
TABLE = (
    "CREATE TABLE orders (number INTEGER NOT NULL PRIMARY KEY, state VARCHAR(20) NOT NULL,"
    " note VARCHAR(200) NOT NULL, revision INTEGER NOT NULL)"
)


@dataclass(frozen=True)
class Orders:
    """The system: where its database is, and how to look behind Doctor's back."""

    engine: str
    folder: Path
    url: str
    ground: Ground | None = None

    def execute(self, statement: str, *values: object) -> int:
        """Change the database; return how many rows."""
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(self.said(statement), values)
            connection.commit()
            return int(cursor.rowcount)

    def many(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        """Change the database once per row."""
        with closing(self.connect()) as connection:
            connection.cursor().executemany(self.said(statement), rows)
            connection.commit()

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(self.said(statement), values)
            return [tuple(row) for row in cursor.fetchall()]

    def connect(self) -> Any:
        """Open a connection as the driver has it."""
        if self.ground is not None:
            return self.ground.connect()
        return sqlite3.connect(self.folder / "orders.db", timeout=10)

    def said(self, statement: str) -> str:
        """Return a statement with the driver's own placeholders."""
        return statement if self.ground is None else statement.replace("?", "%s")

    def dump(self) -> list[tuple[Any, ...]]:
        """Return all rows in order."""
        return self.query("SELECT number, state, note, revision FROM orders ORDER BY number")

    def states(self) -> dict[str, int]:
        """Return how many rows hold each state."""
        found: dict[str, int] = {}
        for _, state, *_ in self.dump():
            found[state] = found.get(state, 0) + 1
        return found

    def has_marker(self) -> bool:
        """Tell whether the marker's table is there."""
        where = "information_schema.tables WHERE table_name = 'doctor_applied'"
        places = {
            "sqlite": "sqlite_master WHERE name = 'doctor_applied'",
            "postgresql": f"{where} AND table_schema = 'public'",
            "mariadb": f"{where} AND table_schema = database()",
        }
        return bool(self.query(f"SELECT 1 FROM {places[self.engine]}"))

    def kinds(self) -> list[str]:
        """Return the kinds of all markers but the fence."""
        return sorted(
            kind for (kind,) in self.query("SELECT kind FROM doctor_applied") if kind != "fence"
        )

    @property
    def config(self) -> Path:
        return self.folder / "doctor.toml"

    def configure(self, **more: str) -> Path:
        """Write the configuration, with the owner's word about what READY means."""
        mapping = self.folder / "mapping.yaml"
        mapping.write_text(
            "format: doctor/1\nmapping: orders.state\nowner: team\nreason: T-1\n"
            "values: {READY: QUEUED}\n",
            encoding="utf-8",
        )
        (self.folder / "models.py").write_text(MODELS, encoding="utf-8")
        extra = "".join(f"{name} = {value}\n" for name, value in more.items())
        self.config.write_text(
            f'engine = "reference"\n[system]\ndatabase = "{self.url}"\ncreate_marker = true\n'
            f'models = "{self.folder}/models.py"\n{extra}'
            f'[system.runs]\ntable = "orders"\n[rules]\npaths = ["{mapping}"]\n'
            f'[store]\nurl = "sqlite:///{self.folder}/doctor.db"\n'
            '[budget]\nrun = {points = 999, per = "1h"}\nsystem = {points = 999, per = "1h"}\n',
            encoding="utf-8",
        )
        return self.config


@contextmanager
def orders(engine: str, folder: Path, bad: int, good: int = 20) -> Iterator[Orders]:
    """Make the system with ``bad`` rows that hold READY and ``good`` that hold valid states."""
    folder = folder / "orders"
    folder.mkdir()
    if engine == "sqlite":
        yield _filled(Orders(engine, folder, f"sqlite:///{folder}/orders.db"), bad, good)
        return
    with fresh(engine) as ground:  # type: ignore[arg-type]
        yield _filled(Orders(engine, folder, ground.url, ground), bad, good)


def _filled(made: Orders, bad: int, good: int) -> Orders:
    made.execute(TABLE)
    states = ("QUEUED", "RUNNING", "DONE")
    rows: list[tuple[object, ...]] = [(at, "READY", f"order {at}", 0) for at in range(bad)]
    rows += [(bad + at, states[at % 3], "good", 0) for at in range(good)]
    made.many("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    made.configure()
    return made
