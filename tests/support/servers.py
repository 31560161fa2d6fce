"""Real PostgreSQL and MariaDB servers: a fresh database for each test, dropped at its end.

Where a server is comes from DOCTOR_TEST_POSTGRESQL and DOCTOR_TEST_MARIADB. In CI a server that is
not there fails the test; elsewhere the test is skipped, with the reason.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
import pymysql
import pytest
from sqlalchemy.engine import URL, make_url

Engine = Literal["postgresql", "mariadb"]
ENGINES: tuple[Engine, ...] = ("postgresql", "mariadb")
PLACES = {
    "postgresql": ("DOCTOR_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test"),
    "mariadb": ("DOCTOR_TEST_MARIADB", "mariadb://root@127.0.0.1:3306/test"),
}
QUOTES = {"postgresql": '"', "mariadb": "`"}


@dataclass(frozen=True)
class Ground:
    """A database of its own on a server."""

    engine: Engine
    place: URL

    @property
    def url(self) -> str:
        return self.place.render_as_string(hide_password=False)

    def connect(self, **more: Any) -> Any:
        """Open a connection as the driver has it."""
        return connect(self.engine, self.place, **more)

    def execute(self, *statements: str) -> None:
        """Change the database, each statement for itself."""
        with closing(self.connect(autocommit=True)) as connection:
            for one in statements:
                connection.cursor().execute(one)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database directly."""
        with closing(self.connect(autocommit=True)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql, values or None)
            return [tuple(row) for row in cursor.fetchall()]

    def quoted(self, name: str) -> str:
        """Return an identifier as the engine's SQL writes it."""
        mark = QUOTES[self.engine]
        return mark + name.replace(mark, mark * 2) + mark

    def of(self, **texts: str) -> str:
        """Return what is written for this engine."""
        return texts[self.engine]

    def as_user(self, name: str, password: str) -> str:
        """Return the URL of another account."""
        return self.place.set(username=name, password=password).render_as_string(False)

    @property
    def name(self) -> str:
        return str(self.place.database)

    def with_query(self, **more: str) -> str:
        """Return the URL with more behind its question mark."""
        return self.place.update_query_dict(more).render_as_string(False)


def connect(engine: Engine, place: URL, **more: Any) -> Any:
    """Open a connection as the driver has it."""
    if engine == "postgresql":
        return psycopg.connect(
            host=place.host,
            port=place.port,
            user=place.username,
            password=place.password,
            dbname=place.database,
            connect_timeout=5,
            **more,
        )
    return pymysql.connect(
        host=place.host,
        port=place.port or 3306,
        user=place.username,
        password=place.password or "",
        database=place.database,
        connect_timeout=5,
        charset="utf8mb4",
        **more,
    )


def home(engine: Engine) -> URL:
    """Return where the server is."""
    variable, default = PLACES[engine]
    return make_url(os.environ.get(variable) or default)


@contextmanager
def fresh(engine: Engine) -> Iterator[Ground]:
    """Make a database of its own, and drop it."""
    place = home(engine)
    name = f"doctor_test_{secrets.token_hex(6)}"
    try:
        connection = connect(engine, place, autocommit=True)
    except (psycopg.OperationalError, pymysql.OperationalError) as error:
        reason = f"no {engine} server ({PLACES[engine][0]}): {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with closing(connection):
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield Ground(engine, place.set(database=name))
        finally:
            force = " WITH (FORCE)" if engine == "postgresql" else ""
            cursor.execute(f"DROP DATABASE {name}{force}")


@pytest.fixture
def postgresql() -> Iterator[Ground]:
    """Return a PostgreSQL database of the test's own."""
    with fresh("postgresql") as ground:
        yield ground


@pytest.fixture
def mariadb() -> Iterator[Ground]:
    """Return a MariaDB database of the test's own."""
    with fresh("mariadb") as ground:
        yield ground


@pytest.fixture(params=ENGINES)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Return a database of the test's own on each server in turn."""
    with fresh(request.param) as found:
        yield found
