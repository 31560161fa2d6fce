"""The read door on SQLAlchemy Core: bounded questions, exact comparison, raw stored values."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import SourceError
from doctor.model.change import Key
from doctor.model.documentation import DocEntry
from doctor.model.drift import Comparison
from doctor.model.evidence import Scalar
from doctor.model.insertion import Intake
from doctor.model.layout import Within
from doctor.model.ports import ChangeImage
from doctor.model.schema import CodeModels, Counted, LiveTable, Need, Row, Want
from doctor.system.database.asking import bounded
from doctor.system.database.comparing import Comparer
from doctor.system.database.dialect import (
    Cell,
    Clause,
    Condition,
    key_of,
    matches,
    row_of,
    selected,
    type_of,
)
from doctor.system.database.documentation import read_documentation
from doctor.system.database.documents import has_no_json
from doctor.system.database.marker import marked_images, noted_token

_READ_AT_ONCE = 500
READ_SECONDS = 10.0
_FEW = 50
CUT = 300
"""How much of a text a sample holds: more than any id."""
_UNCHECKED = ("set", "pickle")


class CoreReadDoor(Comparer):
    """Answers questions about one database. Values come back exactly as they are stored."""

    def rows(self, table: LiveTable, where: Row, *, limit: int) -> tuple[Row, ...]:
        """Return at most ``limit`` whole rows whose columns equal ``where`` exactly."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = selected(self._dialect, clause, table).limit(limit)
            query = query.where(*matches(self._dialect, clause, table, where))
            return self._fetch(connection, query.order_by(*key_of(self._dialect, clause, table)))

    def keeps(self, table: LiveTable, column: str, need: Need) -> bool:
        """Tell whether the column's own type leaves no cell that is not what is needed."""
        return need not in _UNCHECKED and self._dialect.keeps(type_of(table, column), need)

    def rows_unfit(
        self,
        table: LiveTable,
        needs: Sequence[tuple[str, Need]],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows with a cell that is not what is needed of its column, in one pass."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = selected(self._dialect, clause, table)
            query = query.order_by(*key_of(self._dialect, clause, table))
            if within is not None:
                query = query.where(self._within(connection, clause, table, within))
                every = self._fetch(connection, query.limit(min(_FEW, limit)))
                if len(every) < min(_FEW, limit):  # to hand them all over is quicker than to ask
                    return every
            judged = [name for name, need in needs if need == "JSON" and self._dialect.reads_json]
            conditions = [
                self._unfit(clause.c[name], need) for name, need in needs if name not in judged
            ]
            found: tuple[Row, ...] = ()
            if judged:
                found = self._read_json(connection, query, clause, judged, limit)
            if conditions and len(found) < limit:
                some = self._some(connection, clause, table, conditions, within, limit)
                found += tuple(row for row, _ in some)
            return tuple({repr(one): one for one in found}.values())[:limit]

    def rows_holding(
        self,
        table: LiveTable,
        holding: Mapping[str, tuple[str, ...]],
        below: Within,
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows that have one of the values in each column, and are in ``below``."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            held = [
                self._dialect.among(clause.c[name], type_of(table, name), values)
                for name, values in holding.items()
            ]
            held.append(self._within(connection, clause, table, below))
            found = self._some(connection, clause, table, [sa.and_(*held)], within, limit)
            return tuple(row for row, _ in found)

    def rows_wanting(
        self, table: LiveTable, want: Want, *, within: Within | None, limit: int
    ) -> tuple[Row, ...]:
        """Return whole rows that lack what they should have by now."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = selected(self._dialect, clause, table)
            for name, values in want.when.items():
                query = query.where(
                    self._dialect.among(clause.c[name], type_of(table, name), values)
                )
            lacks: list[Condition] = [clause.c[name].is_(None) for name in want.unset]
            if want.rows is not None:
                have = self._counted(connection, clause, table, want.rows)
                due = self._counted(connection, clause, table, want.as_many_as)
                lacks.append(have < due)
            query = query.where(sa.or_(*lacks))
            if within is not None:
                query = query.where(self._within(connection, clause, table, within))
            query = query.order_by(*key_of(self._dialect, clause, table)).limit(limit)
            return self._fetch(connection, query)

    def count(self, table: LiveTable, where: Row) -> int:
        """Return the number of rows whose columns equal ``where`` exactly."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            query = sa.select(sa.func.count()).select_from(clause)
            query = query.where(*matches(self._dialect, clause, table, where))
            return int(connection.scalar(query) or 0)

    def values_not_in(
        self, table: LiveTable, column: str, values: Sequence[str], *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return what else than ``values`` and NULL a column holds, each with its row count."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            cell, kind = clause.c[column], type_of(table, column)
            shown, group = self._dialect.grouped(cell, kind)
            query = (
                sa.select(shown, sa.func.count())
                .where(cell.is_not(None), ~self._dialect.among(cell, kind, values))
                .group_by(group)
                .order_by(group)
                .limit(limit)
            )
            return tuple((value, int(number)) for value, number in connection.execute(query))

    def keys(self, table: LiveTable, where: Row, *, limit: int) -> tuple[Key, ...]:
        """Return the primary keys of rows whose columns equal ``where`` exactly, in their order."""
        with self._session() as connection:
            clause = self._clause(connection, table)
            cells = [
                self._dialect.shown(clause.c[name], type_of(table, name))
                for name in table.primary_key
            ]
            query = sa.select(*cells).select_from(clause).limit(limit)
            query = query.where(*matches(self._dialect, clause, table, where))
            query = query.order_by(*key_of(self._dialect, clause, table))
            return tuple(tuple(row) for row in connection.execute(query))

    def sample(
        self, table: LiveTable, columns: Sequence[str], texts: Sequence[str], *, limit: int
    ) -> tuple[tuple[Row, ...], int]:
        """Return rows, by chance where there are more than ``limit``, and how many there are."""
        total = self.count(table, {})
        with self._session() as connection:
            clause = self._clause(connection, table)
            cells = [
                sa.func.substr(clause.c[name], 1, CUT).label(name)
                if name in texts
                else self._dialect.shown(clause.c[name], type_of(table, name)).label(name)
                for name in columns
            ]
            query = sa.select(*cells).select_from(clause).limit(limit)
            if total > limit:
                query = query.where(self._dialect.chance(limit / total))
            return self._fetch(connection, query), total

    def intake(self, table: LiveTable) -> Intake:
        """Return what the database does by itself with a new row of a table."""
        with self._session() as connection:
            return self._dialect.intake(connection, table)

    def compare(self, models: CodeModels) -> Comparison:
        """Return how the structure of the database differs from what the models declare."""
        from doctor.system.structure import compare

        with self._structure() as connection:
            return compare(connection, models, self._dialect.schema(connection))

    def marker(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the images that the fix left beside the data, or None if it never committed."""
        with self._session() as connection:
            return marked_images(connection, self._dialect.schema(connection), fix)

    def newest_token(self) -> int:
        """Return the newest token of a lease that was noted beside the data, 0 for none."""
        with self._session() as connection:
            return noted_token(connection, self._dialect.schema(connection))

    def comments(self) -> tuple[tuple[str, str, str], ...]:
        """Return tables, columns, "" for the table itself, and the database's comments on them."""
        with self._session() as connection:
            return self._dialect.comments(connection)

    def documentation(self) -> tuple[DocEntry, ...] | None:
        """Return the documentation that stands in the database, None where it has none."""
        with self._session() as connection:
            return read_documentation(connection, self._dialect.schema(connection))

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def _read_json(
        self,
        connection: Connection,
        query: sa.Select[Any],
        clause: Clause,
        names: Sequence[str],
        limit: int,
    ) -> tuple[Row, ...]:
        """Return rows whose text is no JSON: all are read where the server cannot tell."""
        is_set = sa.or_(*[clause.c[name].is_not(None) for name in names])
        streamed = connection.execution_options(yield_per=_READ_AT_ONCE)
        with streamed.execute(query.where(is_set)) as result:
            bad = (row for row in map(row_of, _in_time(result)) if has_no_json(row, names))
            return tuple(bounded(islice(bad, limit)))

    def _counted(
        self, connection: Connection, clause: Clause, table: LiveTable, what: Counted | None
    ) -> sa.ColumnElement[int]:
        if what is None:
            return sa.literal(1)
        other = self._clause(connection, what.table).alias()
        kinds = type_of(what.table, what.column), type_of(table, what.own)
        same = self._dialect.alike(other.c[what.column], kinds[0], clause.c[what.own], kinds[1])
        found = sa.select(sa.func.count()).select_from(other).where(same)
        return found.scalar_subquery()

    def _unfit(self, cell: Cell, need: Need) -> Condition:
        if need == "pickle":  # only whoever reads it can tell
            return cell.is_not(None)
        return cell.is_(None) if need == "set" else self._dialect.unfit(cell, need)


def _in_time(result: Iterable[sa.Row[Any]]) -> Iterator[sa.Row[Any]]:
    until = time.monotonic() + READ_SECONDS
    for number, row in enumerate(result):
        if time.monotonic() > until:
            raise SourceError(f"only {number:,} rows could be read within {READ_SECONDS:g} s")
        yield row
