"""What rows must name, and what no two of them may share: as the models say, or the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doctor.model.schema import CodeModels, CodeTable, LiveForeignKey, LiveTable

IN_DATABASE = "the database"
Tables = Mapping[str, LiveTable]


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns of a row of ``table`` that name a row of ``parent``.

    ``pairs`` are its columns and those of ``parent``; ``declared_at`` is file:line, or says that
    the database declares it.
    """

    table: LiveTable
    parent: LiveTable
    pairs: tuple[tuple[str, str], ...]
    declared_at: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in ``table``."""
        return tuple(own for own, _ in self.pairs)


@dataclass(frozen=True, slots=True)
class Unenforced:
    """Columns that the models call unique while no index of the database sees to it.

    ``columns`` is () where only the code knows which rows are meant.
    """

    columns: tuple[str, ...]
    name: str
    declared_at: str


def references_of(table: LiveTable, tables: Tables, code: CodeModels) -> tuple[Reference, ...]:
    """Return what the rows of a table name, each once; the database is heard first.

    What leads to a table that is not there is none of these: that table is missed by itself.
    """
    found: dict[frozenset[tuple[str, ...]], Reference] = {}
    links = [(one, IN_DATABASE) for one in table.foreign_keys]
    declared = code.table(table.name)
    if declared is not None:
        links += [(one, declared.location) for one in declared_links(declared)]
    for link, place in links:
        parent = _named(link.table, tables)
        pairs = _pairs(link, table, parent) if parent else ()
        if parent is not None and pairs:
            known = frozenset((parent.name, *pair) for pair in pairs)
            found.setdefault(known, Reference(table, parent, pairs, place))
    return tuple(found.values())


def unenforced_uniques(table: LiveTable, declared: CodeTable) -> tuple[Unenforced, ...]:
    """Return what the models call unique, and no unique index or key of the database covers."""
    kept = [set(table.primary_key)] if table.primary_key else []
    kept += [set(one.columns) for one in table.indexes if one.unique and one.columns]
    names = {one.name for one in table.indexes if one.unique}
    key = tuple(one.name for one in declared.columns if one.primary_key)
    said = [(key, "primary key")] if key else []
    said += [(one.columns, one.name or "") for one in declared.uniques]
    found: dict[frozenset[str], Unenforced] = {}
    for columns, name in said:
        is_there = all(table.column(one) for one in columns)
        if is_there and name not in names and not any(one <= set(columns) for one in kept):
            one = Unenforced(columns, name, declared.location)
            found.setdefault(frozenset(columns or (name,)), one)
    return tuple(found.values())


def declared_links(table: CodeTable) -> Iterator[LiveForeignKey]:
    """Yield what a table of the models refers to, each reference once."""
    for link in table.links:
        yield LiveForeignKey(link.columns, link.table, link.references)
    several = {name for one in table.links if len(one.columns) > 1 for name in one.columns}
    for column in table.columns:
        if column.foreign_key and column.name not in several:
            target, _, key = column.foreign_key.rpartition(".")
            yield LiveForeignKey((column.name,), target, (key,))


def _named(name: str, tables: Tables) -> LiveTable | None:
    """Return the table called so, with its schema in front or in another case."""
    for one in (name, name.rpartition(".")[2]):
        if one in tables:
            return tables[one]
    alike = [one for one in tables if one.casefold() == name.casefold()]
    return tables[alike[0]] if len(alike) == 1 else None


def _pairs(
    link: LiveForeignKey, table: LiveTable, parent: LiveTable
) -> tuple[tuple[str, str], ...]:
    theirs = link.references or parent.primary_key
    is_whole = len(theirs) == len(link.columns) and all(map(parent.column, theirs))
    is_whole = is_whole and all(map(table.column, link.columns))
    return tuple(zip(link.columns, theirs, strict=True)) if is_whole else ()
