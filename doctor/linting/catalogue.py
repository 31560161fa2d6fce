"""What is known of the tables: from the models, from the database, or from both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doctor.model.insertion import Intake
from doctor.model.schema import (
    CodeColumn,
    CodeModels,
    CodeTable,
    EnumValues,
    LiveColumn,
    LiveTable,
)

if TYPE_CHECKING:
    from doctor.linting.classes import KnownClass

_ORM = "its default is the code's, which SQL does not get"
_NOTHING = "it is NOT NULL and has no default"
_WHOLE = frozenset({"Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT", "SMALLINT"})


@dataclass(frozen=True, slots=True)
class KnownColumn:
    """A column; ``required`` says why an INSERT has to give it, "" where it need not."""

    name: str
    enum: EnumValues | None = None
    required: str = ""


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table; ``whole`` tells that it has no other columns. ``origin`` says who declares it."""

    name: str
    columns: Mapping[str, KnownColumn]
    whole: bool
    origin: str

    def column(self, name: str) -> KnownColumn | None:
        """Return the column called ``name`` in any case, or None."""
        return self.columns.get(name.casefold())


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known tables by their folded names.

    ``whole`` tells that there are no others, but those in ``elsewhere``, which the source
    creates itself; ``live`` that the database was asked. ``classes`` are mapped to tables.
    """

    tables: Mapping[str, KnownTable]
    whole: bool = False
    elsewhere: frozenset[str] = frozenset()
    live: bool = False
    classes: Mapping[str, tuple[KnownClass, ...]] = field(default_factory=dict)

    def table(self, name: str) -> KnownTable | None:
        """Return the table called ``name`` in any case, or None."""
        return self.tables.get(name.casefold())

    def lacks(self, name: str) -> bool:
        """Tell whether there certainly is no such table."""
        folded = name.casefold()
        return self.whole and folded not in self.tables and folded not in self.elsewhere


def catalogue(
    models: CodeModels,
    live: Sequence[tuple[LiveTable, Intake | None]] | None,
    elsewhere: Collection[str],
) -> Catalogue:
    """Return what models and database say together; ``live`` is None where it was not asked.

    What the database does with a new row is None where it could not be read.

    Which columns there are is the database's to say where it was asked; what an enum accepts is
    the code's.
    """
    made = frozenset(one.casefold() for one in elsewhere)
    tables = _of_models(models)
    if live is not None:
        tables = {one.name.casefold(): _of_live(one, intake, models) for one, intake in live}
        return Catalogue(tables, True, made, live=True)  # noqa: FBT003 - the field is named whole
    named = {one.name for one in models.tables}
    whole = bool(tables) and all(_table_of(gap.what, named) for gap in models.gaps)
    return Catalogue(tables, whole, made)


def _of_models(models: CodeModels) -> dict[str, KnownTable]:
    tables: dict[str, KnownTable] = {}
    for table in models.tables:
        folded = table.name.casefold()
        known = _of_code(table, models)
        if folded in tables:  # two tables of one name: which is meant cannot be told
            known = KnownTable(table.name, {}, whole=False, origin=known.origin)
        tables[folded] = known
    return tables


def _of_code(table: CodeTable, models: CodeModels) -> KnownTable:
    whats = {gap.what for gap in models.gaps}
    names = {one.name for one in table.columns}
    missed = {one.rpartition(".")[2] for one in whats if one.startswith(f"{table.name}.")}
    columns = {
        one.name.casefold(): KnownColumn(one.name, _closed(one), _needed(one, table))
        for one in table.columns
    }
    whole = table.name not in whats and missed <= names
    return KnownTable(table.name, columns, whole, table.location)


def _of_live(live: LiveTable, intake: Intake | None, models: CodeModels) -> KnownTable:
    code = models.table(live.name)
    columns = {}
    for one in live.columns:
        declared = code.column(one.name) if code is not None else None
        columns[one.name.casefold()] = KnownColumn(
            one.name,
            _closed(declared) if declared is not None else None,
            _needed_live(one, declared, intake),
        )
    return KnownTable(live.name, columns, whole=True, origin="the database")


def _needed_live(column: LiveColumn, code: CodeColumn | None, intake: Intake | None) -> str:
    """Return why the database refuses a row without the column, "" where it does not."""
    if column.nullable or intake is None:
        return ""
    name = column.name
    if name in intake.defaults or name in intake.numbered or name in intake.computed:
        return ""
    return _ORM if code is not None and code.default is not None else _NOTHING


def _closed(column: CodeColumn) -> EnumValues | None:
    return None if column.enum is None or column.enum.open else column.enum


def _needed(column: CodeColumn, table: CodeTable) -> str:
    """Return why SQL has to give the column a value, "" where it need not or that is unknown."""
    if column.nullable is not False and not column.primary_key:
        return ""
    if column.server_default is not None:
        return ""
    if column.primary_key:
        keys = [one for one in table.columns if one.primary_key]
        counts = len(keys) == 1 and column.foreign_key is None
        if column.type is None or (counts and column.type in _WHOLE):
            return ""
    if column.default is not None:
        return _ORM
    return _NOTHING


def _table_of(what: str, tables: Collection[str]) -> bool:
    return what in tables or what.rpartition(".")[0] in tables
