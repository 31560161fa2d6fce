"""Rows compared with what they should be, with the rows that they name, and with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.evidence import Scalar
from doctor.model.layout import Within
from doctor.model.schema import LiveTable, Row
from doctor.system.database.asking import Asker
from doctor.system.database.dialect import Clause, Condition, type_of
from doctor.system.database.relations import names_nothing, shared_values
from doctor.system.database.scans import distinct_values, index_of


class Comparer(Asker):
    """Compares the rows of tables."""

    def rows_not_in(
        self,
        table: LiveTable,
        column: str,
        values: Sequence[str],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows whose ``column`` is not NULL and equals none of ``values``."""
        accepted = {column: values}
        return self.rows_not_in_each(table, accepted, within=within, limit=limit)[column]

    def rows_not_in_each(
        self,
        table: LiveTable,
        accepted: Mapping[str, Sequence[str]],
        *,
        within: Within | None,
        limit: int,
    ) -> Mapping[str, tuple[Row, ...]]:
        """Return what ``rows_not_in`` does, for several columns at once.

        A column with an index is asked through it, and only for what it should not hold. The
        others are asked together where the engine gains by that.
        """
        found: dict[str, tuple[Row, ...]] = {}
        with self._session() as connection:
            clause = self._clause(connection, table)
            bad = {name: self._bad(clause, table, name, some) for name, some in accepted.items()}
            for name in accepted if within is None else ():
                if index_of(self._dialect, table, name):
                    rows = self._by_index(connection, clause, table, name, accepted[name], limit)
                    found |= {} if rows is None else {name: rows}
            rest = {name: one for name, one in bad.items() if name not in found}
            if len(rest) > 1 and self._dialect.asks_together:
                some = self._some(connection, clause, table, [*rest.values()], within, limit)
                if len(some) < limit:  # else one column's rows may have crowded out another's
                    for at, name in enumerate(rest):
                        found[name] = tuple(row for row, meets in some if meets[at])
            for name in rest.keys() - found.keys():
                some = self._some(connection, clause, table, [rest[name]], within, limit)
                found[name] = tuple(row for row, _ in some)
        return found

    def missing_parents(
        self, table: LiveTable, column: str, parent: LiveTable, parent_key: str, *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return values of ``column`` that no row of ``parent`` has, each with its row count."""
        with self._session() as connection:
            child = self._clause(connection, table)
            above = self._clause(connection, parent).alias()
            cell, kind = child.c[column], type_of(table, column)
            parents = type_of(parent, parent_key)
            known = sa.exists().where(self._dialect.alike(above.c[parent_key], parents, cell, kind))
            shown, group = self._dialect.grouped(cell, kind)
            query = (
                sa.select(shown, sa.func.count())
                .where(cell.is_not(None), ~known)
                .group_by(group)
                .order_by(group)
                .limit(limit)
            )
            return tuple((value, int(number)) for value, number in connection.execute(query))

    def orphans(
        self,
        table: LiveTable,
        parent: LiveTable,
        pairs: Sequence[tuple[str, str]],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows whose columns name a row of ``parent`` that is not there."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            orphaned = self._orphaned(connection, table, clause, parent, pairs)
            found = self._some(connection, clause, table, [orphaned], within, limit)
            return tuple(row for row, _ in found)

    def count_orphans(
        self, table: LiveTable, parent: LiveTable, pairs: Sequence[tuple[str, str]]
    ) -> int:
        """Return the number of rows whose columns name a row of ``parent`` that is not there."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = sa.select(sa.func.count()).select_from(clause)
            query = query.where(self._orphaned(connection, table, clause, parent, pairs))
            return int(connection.scalar(query) or 0)

    def duplicates(
        self, table: LiveTable, columns: Sequence[str], *, within: Within | None, limit: int
    ) -> tuple[tuple[tuple[Scalar, ...], int], ...]:
        """Return values of ``columns``, none of them NULL, that several rows have, with a count."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            among = None
            if within is not None:
                other = clause.alias()
                among = other, self._within(connection, other, table, within)
            query = shared_values(self._dialect, table, clause, columns, among).limit(limit)
            return tuple((tuple(values), int(n)) for *values, n in connection.execute(query))

    def _bad(
        self, clause: Clause, table: LiveTable, column: str, values: Sequence[str]
    ) -> Condition:
        accepted = self._dialect.among(clause.c[column], type_of(table, column), values)
        return sa.and_(~accepted, clause.c[column].is_not(None))

    def _by_index(
        self,
        connection: Connection,
        clause: Clause,
        table: LiveTable,
        column: str,
        values: Sequence[str],
        limit: int,
    ) -> tuple[Row, ...] | None:
        """Return rows that hold what the index has beside ``values``; None for too many kinds."""
        held = distinct_values(connection, self._dialect, clause, column)
        if held is None:
            return None
        known, cell, declared = {*values}, clause.c[column], type_of(table, column)
        odd = [self._dialect.equal(cell, declared, one) for one in held if one not in known]
        if not odd:
            return ()
        bad = sa.and_(sa.or_(*odd), self._bad(clause, table, column, values))
        query = self._at_once(clause, table, [bad]).limit(limit)
        return tuple(row for row, _ in self._fetch_with(connection, query, table))

    def _orphaned(
        self,
        connection: Connection,
        table: LiveTable,
        clause: Clause,
        parent: LiveTable,
        pairs: Sequence[tuple[str, str]],
    ) -> Condition:
        above = self._clause(connection, parent).alias()
        return names_nothing(self._dialect, (table, clause), (parent, above), pairs)
