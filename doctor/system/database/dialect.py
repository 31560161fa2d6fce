"""What differs between engines when a row is read, compared and set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.insertion import Intake
from doctor.model.schema import LiveTable, Need, Row

Clause = sa.FromClause
Cell = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


class Dialect(Protocol):
    """The exact questions of one engine. ``declared`` is a column's type as LiveColumn has it.

    Attributes:
        prefix: what stands after UPDATE.
        reads_json: JSON in columns of text has to be read here: the server cannot tell it.
        asks_together: several checks of a table cost little more in one pass than one does.
        leaps: DISTINCT goes from value to value in an index by itself.
        walks_keys: for the order of the first rows found, all rows may be read by their key.
    """

    prefix: str
    reads_json: bool
    asks_together: bool
    leaps: bool
    walks_keys: bool

    def schema(self, connection: Connection) -> str | None:
        """Return the one schema that is looked at, None where the engine has none."""

    def tables(self, connection: Connection) -> tuple[LiveTable, ...]:
        """Return what can be read there, without Doctor's marker, by name."""

    def comments(self, connection: Connection) -> tuple[tuple[str, str, str], ...]:
        """Return tables, columns, "" for the table itself, and the comments on them."""

    def table(self, connection: Connection, change: SetCells) -> LiveTable:
        """Return the table of a change as it is now.

        Raises TreatmentError where a row of it cannot be set and put back with certainty.
        """

    def shown(self, cell: Cell, declared: str) -> Cell:
        """Return what is selected so that the cell comes back exactly as it is stored."""

    def exact(self, cell: Cell, declared: str) -> Cell:
        """Return what two different values never share: no collation folds it."""

    def tells_apart(self, declared: str) -> bool:
        """Tell whether the plain order of a type keeps all that differs in bytes apart."""

    def sorted_as(self, cell: Cell) -> Cell:
        """Return the cell in the order that an index of such a type has."""

    def among(self, cell: Cell, declared: str, values: Collection[str]) -> Condition:
        """Return the condition that the cell, which is not NULL, holds one of these texts."""

    def equal(self, cell: Cell, declared: str, value: Scalar) -> Condition:
        """Return the condition that the cell holds exactly ``value``, which is not None."""

    def one_of(self, cell: Cell, declared: str, values: Sequence[Scalar]) -> Condition:
        """Return the condition that a cell of a key is one of these values, or is taken for one.

        An index serves it; whoever asks compares what comes back.
        """

    def alike(self, one: Cell, declared: str, other: Cell, others: str) -> Condition:
        """Return the condition that two cells hold exactly the same."""

    def grouped(self, cell: Cell, declared: str) -> tuple[Cell, Cell]:
        """Return what is selected of a group, and what it is grouped by."""

    def keeps(self, declared: str, need: Need) -> bool:
        """Tell whether the type of a column leaves no cell, NULL aside, that is not as needed."""

    def unfit(self, cell: Cell, need: Need) -> Condition:
        """Return a condition that holds for every cell, NULL aside, that is not as needed.

        It may hold for more. It is asked only where the type does not keep it.
        """

    def bound(self, value: Scalar) -> sa.BindParameter[Any]:
        """Return a value as it is set."""

    def kept(self, connection: Connection, table: LiveTable) -> tuple[str, ...]:
        """Return the columns that change by themselves unless they are set to what they hold."""

    def count(self, connection: Connection) -> int:
        """Return how many rows this connection changed, those by triggers and references too."""

    def is_plain(self, connection: Connection, table: LiveTable) -> bool:
        """Tell whether nothing but an UPDATE's own SET changes rows of a table.

        No trigger, rule or computed column does.
        """

    def chance(self, share: float) -> Condition:
        """Return a condition that holds for this share of the rows, by chance."""

    def intake(self, connection: Connection, table: LiveTable) -> Intake:
        """Return what the database does by itself with a new row of a table."""

    def make_marker(self, connection: Connection) -> None:
        """Create the table of the marker where it is missing."""


def named_in(cell: Cell, values: Sequence[Scalar]) -> Condition:
    """Return the plain condition that a cell is one of these values, bound without types."""
    bound = sa.bindparam(None, list(values), type_=sa.types.NullType(), expanding=True)
    return cell.in_(bound)


def clause_of(table: LiveTable, schema: str | None) -> sa.TableClause:
    """Return the table without column types, so that no value is converted on its way."""
    return sa.table(table.name, *[sa.column(one.name) for one in table.columns], schema=schema)


def type_of(table: LiveTable, column: str) -> str:
    """Return the type of a column; "" for one that the table does not have."""
    found = table.column(column)
    return "" if found is None else found.type


def selected(dialect: Dialect, clause: Clause, table: LiveTable) -> sa.Select[Any]:
    """Return the question for whole rows."""
    return sa.select(
        *[dialect.shown(clause.c[one.name], one.type).label(one.name) for one in table.columns]
    ).select_from(clause)


def matches(dialect: Dialect, clause: Clause, table: LiveTable, where: Row) -> list[Condition]:
    """Return one exact comparison per column."""
    return [
        clause.c[name].is_(None)
        if value is None
        else dialect.equal(clause.c[name], type_of(table, name), value)
        for name, value in where.items()
    ]


def key_of(dialect: Dialect, clause: Clause, table: LiveTable) -> list[Cell]:
    """Return what rows are ordered by: the same order on every engine and in every locale."""
    return [dialect.exact(clause.c[name], type_of(table, name)) for name in table.primary_key]


def can_be_text(value: str) -> bool:
    """Tell whether a text can be encoded; one that cannot is in no database."""
    return not any("\ud800" <= one <= "\udfff" for one in value)


def row_of(found: sa.Row[Any]) -> dict[str, Scalar]:
    """Return a row as a plain mapping."""
    mapping: Mapping[str, Scalar] = found._mapping  # type: ignore[assignment]  # noqa: SLF001
    return dict(mapping)
