"""Whole tables in one pass: keys first, then their rows, so that nothing else is carried along.

A server reads a table in parallel, and of each row only what is asked, as long as no cursor is
open and no whole row is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import SourceError
from doctor.model.evidence import Scalar
from doctor.model.schema import LiveTable
from doctor.system.database.dialect import (
    Clause,
    Condition,
    Dialect,
    key_of,
    matches,
    selected,
    type_of,
)

MOST_DISTINCT = 200
MOST_KEY_BYTES = 16 * 2**20
_Values = tuple[Scalar, ...]


def keys_where(
    connection: Connection,
    dialect: Dialect,
    table: LiveTable,
    clause: Clause,
    condition: Condition,
    limit: int,
) -> tuple[_Values, ...]:
    """Return the primary keys of the first rows that meet a condition, in their order."""
    found_in = clause
    if dialect.walks_keys:
        found_in = _apart(table, clause, condition)
    cells = [dialect.shown(found_in.c[name], type_of(table, name)) for name in table.primary_key]
    query = sa.select(*cells).select_from(found_in)
    if found_in is clause:
        query = query.where(condition)
    query = query.order_by(*key_of(dialect, found_in, table)).limit(limit)
    found: list[_Values] = []
    size = 0
    for row in connection.execute(query):
        size += sum(len(one) for one in row if isinstance(one, str | bytes))
        if size > MOST_KEY_BYTES:
            raise SourceError("the keys of the rows found are too large to be read")
        found.append(tuple(row))
    return tuple(found)


def _apart(table: LiveTable, clause: Clause, condition: Condition) -> sa.Subquery:
    """Return the keys found as a question of its own, which an OFFSET makes it.

    A comparison of two numbers is expected to hold rarely. Else a condition that seems to hold for
    many rows makes a plan that has one process read them all by their keys, to stop early.
    """
    rare = sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0"))
    names = [clause.c[name] for name in table.primary_key]
    query = sa.select(*names).where(rare == sa.literal_column("1"))
    return query.offset(0).subquery("found")


def rows_at(
    dialect: Dialect,
    table: LiveTable,
    clause: Clause,
    keys: Sequence[_Values],
    conditions: Sequence[Condition],
) -> sa.Select[Any]:
    """Return the question for whole rows by their keys, each with which conditions it meets."""
    named = [
        sa.and_(*matches(dialect, clause, table, dict(zip(table.primary_key, key, strict=True))))
        for key in keys
    ]
    query = selected(dialect, clause, table).add_columns(*conditions)
    query = query.where(sa.or_(*named), sa.or_(*conditions))
    return query.order_by(*key_of(dialect, clause, table))


def index_of(dialect: Dialect, table: LiveTable, column: str) -> bool:
    """Tell whether an index leads through the values of a column, each told from all others."""
    is_led = any(one.columns[:1] == (column,) and one.exact for one in table.indexes)
    return is_led and dialect.tells_apart(type_of(table, column))


def distinct_values(
    connection: Connection, dialect: Dialect, clause: Clause, column: str
) -> tuple[Scalar, ...] | None:
    """Return what a column holds, NULL aside, each once; None where that is too much.

    One step in the index per value: each asks for the next one above the last. Source: "loose
    index scan", as the wiki of PostgreSQL has it.
    """
    if dialect.leaps:
        query = sa.select(clause.c[column]).distinct().where(clause.c[column].is_not(None))
    else:
        query = _stepping(dialect, clause, column)
    found = tuple(connection.execute(query.limit(MOST_DISTINCT + 1)).scalars())
    return found if len(found) <= MOST_DISTINCT else None


def _stepping(dialect: Dialect, clause: Clause, column: str) -> sa.Select[Any]:
    start, other = clause.alias("first"), clause.alias("other")
    lowest = dialect.sorted_as(start.c[column])
    first = sa.select(start.c[column]).where(start.c[column].is_not(None)).order_by(lowest)
    seen = sa.select(
        first.limit(1).scalar_subquery().label("value"), sa.literal(1).label("number")
    ).cte("seen", recursive=True)
    cell = dialect.sorted_as(other.c[column])
    above = sa.select(other.c[column]).where(cell > seen.c.value).order_by(cell).limit(1)
    seen = seen.union_all(
        sa.select(above.scalar_subquery(), seen.c.number + 1).where(
            seen.c.value.is_not(None), seen.c.number <= MOST_DISTINCT
        )
    )
    return sa.select(seen.c.value).where(seen.c.value.is_not(None))
