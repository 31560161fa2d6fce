"""The tables that the models declare, as SQLAlchemy's metadata."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from doctor.model.schema import CodeTable, Made
from doctor.system.structure.making import UnmakeableError, made

Name = tuple[str | None, str]
_KEYS = ("PrimaryKeyConstraint",)


@dataclass
class Declared:
    """What the models declare, and why parts of it cannot be compared.

    ``open`` are reasons by table; ``skipped`` the columns whose definition is not known.
    """

    metadata: list[sa.MetaData] = field(default_factory=list)
    tables: dict[Name, sa.Table] = field(default_factory=dict)
    code: dict[Name, CodeTable] = field(default_factory=dict)
    open: dict[Name, list[str]] = field(default_factory=lambda: defaultdict(list))
    skipped: dict[Name, set[str]] = field(default_factory=lambda: defaultdict(set))


def declared(tables: Iterable[CodeTable], schema: str | None) -> Declared:
    """Return the tables as metadata; ``schema`` is the usual one, which need not be named."""
    found = Declared()
    by_naming: dict[tuple[tuple[str, str], ...], sa.MetaData] = {}
    for code in tables:
        if not code.whole:
            continue
        name = (None if code.schema == schema else code.schema, code.name)
        found.code[name] = code
        found.open[name] += code.unread
        metadata = by_naming.get(code.naming)
        if metadata is None:
            convention = dict(code.naming) or None
            metadata = by_naming[code.naming] = sa.MetaData(naming_convention=convention)
            found.metadata.append(metadata)
        found.tables[name] = _table(found, name, code, metadata)
    for name, table in found.tables.items():
        _resolve(found, name, table, schema)
    return found


def _table(found: Declared, name: Name, code: CodeTable, metadata: sa.MetaData) -> sa.Table:
    keys = {one for each in code.items if _last(each) in _KEYS for one in _names(each)}
    table = sa.Table(code.name, metadata, schema=name[0])
    for column in code.columns:
        try:
            if column.made is None:
                raise UnmakeableError(f"{column.name} is not known completely")
            table.append_column(_column(column.made, is_key=column.name in keys))
        except (UnmakeableError, sa.exc.SQLAlchemyError) as error:
            found.open[name].append(str(error))
            found.skipped[name].add(column.name)
    for item in code.items:
        try:
            _add(table, item)
        except (UnmakeableError, sa.exc.SQLAlchemyError, KeyError) as error:
            found.open[name].append(f"{_last(item)}: {error}")
    return table


def _column(definition: Made, *, is_key: bool) -> sa.Column[Any]:
    name, kind, *items = definition.args
    options = dict(definition.options)
    if is_key:
        options.pop("nullable", None)
    given = [made(one) for one in items]
    if kind is not None:
        given.insert(0, made(kind))
    return sa.Column(str(name), *given, **{key: made(one) for key, one in options.items()})


def _add(table: sa.Table, item: Made) -> None:
    if _last(item) != "Index":
        table.append_constraint(made(item))
        return
    name, *parts = (made(one) for one in item.args)
    options = {key: made(one) for key, one in item.options.items()}
    columns = [table.c[one] if isinstance(one, str) else one for one in parts]
    sa.Index(name, *columns, _table=table, **options)


def _names(item: Made) -> Iterator[str]:
    for one in item.args:
        name = one.args[0] if isinstance(one, Made) else one
        if isinstance(name, str):
            yield name


def _last(item: Made) -> str:
    return item.path.rpartition(".")[2]


def _resolve(found: Declared, name: Name, table: sa.Table, schema: str | None) -> None:
    """Take out the foreign keys to what is not declared: nothing can be said about them."""
    for key in list(table.foreign_key_constraints):
        target = key.elements[0].target_fullname.rpartition(".")[0]
        above, _, other = target.rpartition(".")
        where = (None if above in ("", schema) else above, other)
        try:
            if where not in found.tables:
                raise UnmakeableError(f"the foreign key to {target} leads out of the models")
            for element in key.elements:
                _ = element.column.type
        except (UnmakeableError, sa.exc.SQLAlchemyError) as error:
            found.open[name].append(str(error))
            found.skipped[name] |= {one.name for one in key.columns if _is_untyped(one)}
            table.constraints.discard(key)


def _is_untyped(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.types.NullType)
