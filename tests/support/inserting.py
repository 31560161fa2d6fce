"""A person who adds rows: by asking first, or by trying until the database is content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import sqlalchemy as sa

NAMED = re.compile(r"NOT NULL constraint failed: \w+\.(\w+)|column \"(\w+)\"|[Ff]ield '(\w+)'")
SAMPLES = ("x", 0, "2026-01-02 03:04:05")


def engine_of(url: str) -> sa.Engine:
    """Return an engine for a URL as Doctor takes it."""
    place = sa.make_url(url)
    drivers = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
    return sa.create_engine(place.set(drivername=drivers.get(place.drivername, place.drivername)))


def insert(engine: sa.Engine, name: str, row: Mapping[str, Any]) -> str | None:
    """Add a row for good; return the database's words where it refuses it."""
    table = sa.Table(name, sa.MetaData(), autoload_with=engine)
    quoted = ", ".join(engine.dialect.identifier_preparer.quote(one) for one in row)
    marks = ", ".join(f":{number}_" for number in range(len(row))).replace(":", ":p")
    text = sa.text(f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})")
    values = {f"p{number}_": value for number, value in enumerate(row.values())}
    with engine.connect() as connection:
        try:
            connection.execute(text, values)
        except sa.exc.DBAPIError as error:
            return " ".join(str(error.orig).split())
        connection.commit()
    return None


def by_trial(engine: sa.Engine, name: str, known: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Add a row by reading what each refusal asks for; return how many INSERTs were refused.

    The person guesses each type right at once: this counts as few refusals as there can be.
    """
    table = sa.Table(name, sa.MetaData(), autoload_with=engine)
    row, refused = dict(known), 0
    while (words := insert(engine, name, row)) is not None:
        refused += 1
        found = NAMED.search(words)
        assert found, words
        column = next(one for one in found.groups() if one)
        assert column not in row, words
        row[column] = _guess(table.c[column].type)
    return refused, row


def _guess(kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(kind, sa.DateTime):
        return "2026-01-02 03:04:05"
    if isinstance(kind, sa.Boolean):
        return False
    return 0 if isinstance(kind, sa.Integer) else "x"


def dumped(engine: sa.Engine) -> dict[str, list[Any]]:
    """Return every row of every table."""
    tables = sa.MetaData()
    with closing(engine.connect()) as connection:
        tables.reflect(connection)
        return {
            one.name: [tuple(row) for row in connection.execute(sa.select(one)).all()]
            for one in tables.sorted_tables
        }
