"""The drift zoo: a database that a random package of models made, and its twin full of plants."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.support.zoo_models import write_models


@dataclass(frozen=True, order=True)
class Plant:
    """One drift that was planted: its kind, its table, and the column or name it shows."""

    drift: str
    table: str
    about: str


@contextmanager
def declared(folder: Path, seed: int, count: int) -> Iterator[tuple[Path, sa.MetaData]]:
    """Write a package of models; yield it with the metadata that importing it gives."""
    package = write_models(folder, seed, count)
    sys.path.insert(0, str(folder))
    try:
        base = import_module(f"{package.name}.base")
        for number in range(count):
            import_module(f"{package.name}.schema_{number}")
        yield package, base.Base.metadata
    finally:
        sys.path.remove(str(folder))
        for name in [one for one in sys.modules if one.partition(".")[0] == package.name]:
            del sys.modules[name]


def planted(clean: sa.MetaData, count: int, engine: str) -> tuple[sa.MetaData, list[Plant]]:
    """Return a copy of the metadata with one plant of every kind in every schema, and the list."""
    metadata = sa.MetaData(naming_convention=clean.naming_convention)
    for table in clean.sorted_tables:
        table.to_metadata(metadata)
    plants: list[Plant] = []
    for number in range(count):
        for plant in PLANTS:
            found = plant(metadata, number)
            plants += found if isinstance(found, list) else [found]
        if engine != "sqlite":
            plants += _labels(metadata, number, engine)
    return metadata, plants


def afterwards(plants: list[Plant], engine: str) -> list[str]:
    """Return the statements for what no metadata can say: labels of PostgreSQL's enums."""
    if engine != "postgresql":
        return []
    numbers = [
        one.table.rpartition(" ")[2].rpartition("_")[2] for one in plants if one.about == "PINK"
    ]
    return [f"ALTER TYPE state_{one} RENAME VALUE 'BLUE' TO 'PINK'" for one in numbers]


def _main(metadata: sa.MetaData, i: int) -> sa.Table:
    names = (f"planted_{i}", f"Planted Table {i}")
    return next(metadata.tables[one] for one in names if one in metadata.tables)


def _child(metadata: sa.MetaData, i: int) -> sa.Table:
    return metadata.tables[f"child_{i}"]


def _missing_table(metadata: sa.MetaData, i: int) -> Plant:
    metadata.remove(metadata.tables[f"gone_{i}"])
    return Plant("missing_table", f"gone_{i}", "")


def _extra_table(metadata: sa.MetaData, i: int) -> Plant:
    sa.Table(f"extra_{i}", metadata, sa.Column("id", sa.Integer, primary_key=True))
    return Plant("extra_table", f"extra_{i}", "")


def _columns(metadata: sa.MetaData, i: int) -> list[Plant]:
    table = _main(metadata, i)
    columns: Any = table._columns
    columns.remove(table.c.gone)
    table.append_column(sa.Column("extra", sa.String(5)))
    table.append_column(sa.Column("required", sa.Integer, nullable=False))
    table.c.other_type.type = sa.String(30)
    table.c.shorter.type = sa.String(20)
    table.c.refuses.nullable = False
    table.c.allows.nullable = True
    table.c.default_differs.server_default = sa.DefaultClause("5")
    table.c.default_gone.server_default = None
    kinds = {
        "missing_column": "gone",
        "extra_column": "extra",
        "extra_required_column": "required",
        "type": "other_type",
        "type_size": "shorter",
        "null_refused": "refuses",
        "null_allowed": "allows",
        "server_default": "default_differs",
        "missing_server_default": "default_gone",
    }
    return [Plant(drift, table.name, column) for drift, column in kinds.items()]


def _indexes(metadata: sa.MetaData, i: int) -> list[Plant]:
    table = _main(metadata, i)
    by_name = {str(one.name): one for one in table.indexes}
    table.indexes -= {by_name[f"ix_gone_{i}"], by_name[f"ix_moved_{i}"]}
    sa.Index(f"ix_moved_{i}", table.c.n2, table.c.word)
    sa.Index(f"ix_extra_{i}", table.c.word)
    return [
        Plant("missing_index", table.name, f"ix_gone_{i}"),
        Plant("missing_index", table.name, f"ix_moved_{i}"),
        Plant("extra_index", table.name, f"ix_extra_{i}"),
    ]


def _uniques(metadata: sa.MetaData, i: int) -> list[Plant]:
    table, child = _main(metadata, i), _child(metadata, i)
    _drop(table, f"uq_gone_{i}")
    child.append_constraint(sa.UniqueConstraint(child.c.plain, name=f"uq_extra_{i}"))
    return [
        Plant("missing_unique", table.name, f"uq_gone_{i}"),
        Plant("extra_unique", child.name, f"uq_extra_{i}"),
    ]


def _references(metadata: sa.MetaData, i: int) -> list[Plant]:
    child, main = _child(metadata, i), _main(metadata, i)
    for one in list(child.foreign_key_constraints):
        if one.column_keys == ["gone_id"]:
            child.constraints.discard(one)
            child.foreign_keys.difference_update(one.elements)
            child.c.gone_id.foreign_keys.clear()
    child.append_constraint(
        sa.ForeignKeyConstraint([child.c.free_id], [main.c.id], name=f"fk_extra_{i}")
    )
    return [
        Plant("missing_foreign_key", child.name, "gone_id"),
        Plant("extra_foreign_key", child.name, "free_id"),
    ]


def _checks(metadata: sa.MetaData, i: int) -> list[Plant]:
    table = _main(metadata, i)
    _drop(table, f"ck_gone_{i}")
    _drop(table, f"ck_differs_{i}")
    table.append_constraint(sa.CheckConstraint("n2 > 5", name=f"ck_differs_{i}"))
    table.append_constraint(sa.CheckConstraint("n1 < 77", name=f"ck_extra_{i}"))
    return [
        Plant("missing_check", table.name, f"ck_gone_{i}"),
        Plant("check", table.name, f"ck_differs_{i}"),
        Plant("extra_check", table.name, f"ck_extra_{i}"),
    ]


def _keys(metadata: sa.MetaData, i: int) -> list[Plant]:
    keyed, bare = metadata.tables[f"keyed_{i}"], metadata.tables[f"bare_{i}"]
    metadata.remove(keyed)
    metadata.remove(bare)
    sa.Table(
        keyed.name, metadata,
        sa.Column("first", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("second", sa.Integer, nullable=False),
        sa.Column("third", sa.Integer, primary_key=True, autoincrement=False),
    )  # fmt: skip
    sa.Table(
        bare.name, metadata, sa.Column("id", sa.Integer, nullable=False), sa.Column("a", sa.Integer)
    )
    return [Plant("primary_key", keyed.name, ""), Plant("no_primary_key", bare.name, "")]


def _labels(metadata: sa.MetaData, i: int, engine: str) -> list[Plant]:
    table = _main(metadata, i)
    if engine == "mariadb":
        table.c.state.type = sa.Enum("RED", "GREEN", "PINK", name=f"state_{i}")
    return [
        Plant("missing_label", table.name, "BLUE"),
        Plant("extra_label", table.name, "PINK"),
    ]


def _drop(table: sa.Table, name: str) -> None:
    table.constraints -= {one for one in table.constraints if one.name == name}


PLANTS: tuple[Callable[[sa.MetaData, int], Plant | list[Plant]], ...] = (
    _missing_table,
    _extra_table,
    _columns,
    _indexes,
    _uniques,
    _references,
    _checks,
    _keys,
)
