"""What other rows say about a new one: references that lead nowhere, values that are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from doctor.errors import SourceError
from doctor.model.evidence import Gap
from doctor.model.insertion import Blueprint, RowProblem
from doctor.model.ports import ReadDoor
from doctor.model.schema import LiveForeignKey, LiveTable, Row

PROBE = "schema"


def lookup_problems(door: ReadDoor, blueprint: Blueprint, row: Row) -> Iterator[RowProblem | Gap]:
    """Yield a problem per reference without its row, and per unique value that another row has."""
    tables = {one.name: one for one in door.tables()}
    for link in blueprint.links:
        try:
            yield from _of_link(door, blueprint, link, tables, row)
        except SourceError as error:
            yield Gap(PROBE, f"{', '.join(link.columns)}: {error.message}")
    for name, number in blueprint.intake.following.items():
        if (name,) in blueprint.intake.unique and name not in row:
            yield from _of_number(door, blueprint, name, number)
    for columns in dict.fromkeys((blueprint.table.primary_key, *blueprint.intake.unique)):
        try:
            yield from _of_unique(door, blueprint, columns, row)
        except SourceError as error:
            yield Gap(PROBE, f"{', '.join(columns)}: {error.message}")


def _of_link(
    door: ReadDoor,
    blueprint: Blueprint,
    link: LiveForeignKey,
    tables: Mapping[str, LiveTable],
    row: Row,
) -> Iterator[RowProblem | Gap]:
    values = [row.get(name) for name in link.columns]
    if any(one is None for one in values):  # missing, or NULL: it refers to nothing
        return
    other = tables.get(link.table)
    theirs = link.references or (other.primary_key if other else ())
    if other is None or len(theirs) != len(values) or not all(map(other.column, theirs)):
        yield Gap(PROBE, f"{link.table}, which {', '.join(link.columns)} references, is not there")
        return
    if not door.count(other, dict(zip(theirs, values, strict=True))):
        name = link.columns[0]
        words = f"{blueprint.table.name}.{name} refers to {row[name]!r}"
        right = f"a value that stands in {other.name} ({', '.join(theirs)}); add that row first"
        yield RowProblem(name, "reference", words, right)


def _of_number(
    door: ReadDoor, blueprint: Blueprint, name: str, number: int
) -> Iterator[RowProblem]:
    if door.count(blueprint.table, {name: number}):
        words = f"the database would number {blueprint.table.name}.{name} {number}, which is taken"
        yield RowProblem(name, "unique", words, "a sequence that stands above all rows")


def _of_unique(
    door: ReadDoor, blueprint: Blueprint, columns: tuple[str, ...], row: Row
) -> Iterator[RowProblem]:
    where = {name: row.get(name) for name in columns}
    if not where or any(value is None for value in where.values()):
        return
    if door.count(blueprint.table, where):
        shown = ", ".join(f"{name} {value!r}" for name, value in where.items())
        words = f"another row of {blueprint.table.name} has {shown}"
        yield RowProblem(columns[0], "unique", words, "a value that no row has")
