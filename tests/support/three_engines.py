"""A database of a test's own on each of the three engines in turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import Ground, fresh

ENGINES = ("sqlite", "postgresql", "mariadb")


@dataclass(frozen=True)
class Base:
    """One database: its URL, and how to look behind Doctor's back."""

    engine: str
    url: str
    place: Path | Ground

    def execute(self, *statements: str) -> None:
        """Change the database, each statement for itself."""
        if isinstance(self.place, Ground):
            self.place.execute(*statements)
            return
        with closing(sqlite3.connect(self.place)) as connection, connection:
            for one in statements:
                connection.execute(one)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database directly."""
        if isinstance(self.place, Ground):
            return self.place.query(sql)
        with closing(sqlite3.connect(self.place)) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(params=ENGINES)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    """Return an empty database on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "base.db"
        sqlite3.connect(path).close()
        yield Base("sqlite", f"sqlite:///{path}", path)
        return
    with fresh(request.param) as ground:
        yield Base(request.param, ground.url, ground)
