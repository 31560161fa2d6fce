"""Questions to one database, as they are put: bounded, within a run or over a whole table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.errors import SourceError
from doctor.model.evidence import Scalar
from doctor.model.layout import Within
from doctor.model.schema import LiveTable, Row
from doctor.system.database.dialect import (
    Clause,
    Condition,
    Dialect,
    clause_of,
    key_of,
    matches,
    row_of,
    selected,
    type_of,
)
from doctor.system.database.documentation import is_documentation
from doctor.system.database.scans import keys_where, rows_at

Session = Callable[[], AbstractContextManager[Connection]]
MOST_BYTES = 64 * 2**20
_FETCHED = 16


class Asker:
    """Puts questions to one database."""

    def __init__(
        self,
        engine: Engine,
        *,
        session: Session,
        dialect: Dialect,
        structure: Session | None = None,
    ):
        self._structure = structure or session
        self._engine = engine
        self._session = session
        self._dialect = dialect
        self._tables: tuple[LiveTable, ...] | None = None

    def tables(self) -> tuple[LiveTable, ...]:
        """Return every user table, without Doctor's marker and documentation; read once."""
        if self._tables is None:
            with self._session() as connection:
                found = self._dialect.tables(connection)
            self._tables = tuple(one for one in found if not is_documentation(one))
        return self._tables

    def _clause(self, connection: Connection, table: LiveTable) -> sa.TableClause:
        return clause_of(table, self._dialect.schema(connection))

    def _within(
        self, connection: Connection, clause: Clause, table: LiveTable, within: Within
    ) -> sa.ColumnElement[bool]:
        if within.parent is None:
            return matches(self._dialect, clause, table, {within.column: within.value})[0]
        above = self._clause(connection, within.parent).alias()
        key = within.parent_key or ""
        condition = self._dialect.alike(
            above.c[key],
            type_of(within.parent, key),
            clause.c[within.column],
            type_of(table, within.column),
        )
        for own, theirs in within.more:
            kinds = type_of(within.parent, theirs), type_of(table, own)
            pair = self._dialect.alike(above.c[theirs], kinds[0], clause.c[own], kinds[1])
            condition = sa.and_(condition, pair)
        for name, values in within.holding.items():
            declared = type_of(within.parent, name)
            held = self._dialect.among(above.c[name], declared, values)
            condition = sa.and_(condition, held)
        if within.parent_within is not None:
            inner = self._within(connection, above, within.parent, within.parent_within)
            condition = sa.and_(condition, inner)
        return sa.exists().where(condition)

    def _some(
        self,
        connection: Connection,
        clause: Clause,
        table: LiveTable,
        conditions: Sequence[Condition],
        within: Within | None,
        limit: int,
    ) -> tuple[tuple[Row, tuple[bool, ...]], ...]:
        """Return the first rows that meet one of the conditions, and which of them they meet."""
        if within is None and table.primary_key:
            some = sa.or_(*conditions)
            keys = keys_where(connection, self._dialect, table, clause, some, limit)
            if not keys:
                return ()
            query = rows_at(self._dialect, table, clause, keys, conditions)
        else:
            query = self._at_once(clause, table, conditions).limit(limit)
            if within is not None:
                query = query.where(self._within(connection, clause, table, within))
        return self._fetch_with(connection, query, table)

    def _at_once(
        self, clause: Clause, table: LiveTable, conditions: Sequence[Condition]
    ) -> sa.Select[Any]:
        """Return the question for whole rows that meet a condition, and which of them they meet."""
        query = selected(self._dialect, clause, table).add_columns(*conditions)
        query = query.where(sa.or_(*conditions))
        return query.order_by(*key_of(self._dialect, clause, table))

    def _fetch_with(
        self, connection: Connection, query: sa.Select[Any], table: LiveTable
    ) -> tuple[tuple[Row, tuple[bool, ...]], ...]:
        names = [one.name for one in table.columns]
        streamed = connection.execution_options(yield_per=_FETCHED)
        with streamed.execute(query) as result:
            meets: list[tuple[bool, ...]] = []

            def rows() -> Iterator[dict[str, Scalar]]:
                for one in result:
                    meets.append(tuple(bool(each) for each in one[len(names) :]))
                    yield dict(zip(names, one, strict=False))

            return tuple(zip(tuple(bounded(rows())), meets, strict=True))

    def _fetch(self, connection: Connection, query: sa.Select[Any]) -> tuple[Row, ...]:
        streamed = connection.execution_options(yield_per=_FETCHED)
        with streamed.execute(query) as result:
            return tuple(bounded(row_of(one) for one in result))


def bounded(rows: Iterable[dict[str, Scalar]]) -> Iterable[dict[str, Scalar]]:
    """Yield rows; raises SourceError where they are too large together to be kept."""
    size = 0
    for row in rows:
        size += sum(len(one) for one in row.values() if isinstance(one, str | bytes))
        if size > MOST_BYTES:
            raise SourceError(
                f"the database could not be read: more than {MOST_BYTES >> 20} MB in one answer"
            )
        yield row
