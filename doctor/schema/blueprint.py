"""Reads what is known about the rows of one table: live schema, models, a sample of rows."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from doctor.errors import SourceError, UsageError
from doctor.model.evidence import Gap
from doctor.model.insertion import Blueprint, Intake
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, CodeTable, LiveForeignKey, LiveTable, Row
from doctor.model.system import System

PROBE = "schema"
MOST_ROWS = 500


def read_blueprint(system: System, name: str) -> Blueprint:
    """Return what is known about the table called ``name``.

    Of its rows at most ``MOST_ROWS`` are read, in the order of their key. Raises UsageError where
    there is no such table or no database, SourceError where the database cannot be read.
    """
    door = system.database
    if door is None:
        raise UsageError("no database is configured", hint="give --database")
    tables = door.tables()
    table = find_table(tables, name)
    gaps: list[Gap] = []
    models = _models(system, gaps)
    code = models.table(name) if models else None
    gaps.extend(_unread(models, table))
    sample = _sample(door, table, gaps)
    return Blueprint(
        table,
        _intake(door, table, gaps),
        code,
        (*table.foreign_keys, *_declared(table, code, tables)),
        sample[:MOST_ROWS],
        len(sample) <= MOST_ROWS,
        frozenset(system.terminal),
        tuple(gaps),
    )


def find_table(tables: Sequence[LiveTable], name: str) -> LiveTable:
    """Return the table; raises UsageError, naming near ones, where it is not there."""
    found = next((one for one in tables if one.name == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [one.name for one in tables], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`doctor init` shows what is found"
        raise UsageError(f"there is no table {name!r}", hint=hint)
    return found


def _models(system: System, gaps: list[Gap]) -> CodeModels | None:
    if system.code is None:
        gaps.append(Gap(PROBE, "no models are configured: their defaults are not known"))
        return None
    try:
        return system.code.models()
    except SourceError as error:
        gaps.append(Gap(PROBE, f"the models: {error.message}"))
        return None


def _unread(models: CodeModels | None, table: LiveTable) -> Iterator[Gap]:
    """Yield what of the table the models do not say, or say of columns that are not there."""
    if models is None:
        return
    code = models.table(table.name)
    if code is None:
        yield Gap(PROBE, f"the models have no table {table.name!r}: their defaults are not known")
    for gap in models.gaps:
        if gap.what.split(".")[0] == table.name:
            yield Gap(PROBE, f"{gap.what} at {gap.where}: {gap.reason}")
    for one in code.columns if code else ():
        if table.column(one.name) is None:
            yield Gap(PROBE, f"the models write {table.name}.{one.name}, which is not there")


def _intake(door: ReadDoor, table: LiveTable, gaps: list[Gap]) -> Intake:
    try:
        return door.intake(table)
    except SourceError as error:
        gaps.append(Gap(PROBE, f"what the database fills by itself: {error.message}"))
        return Intake()


def _sample(door: ReadDoor, table: LiveTable, gaps: list[Gap]) -> tuple[Row, ...]:
    try:
        return door.rows(table, {}, limit=MOST_ROWS + 1)
    except SourceError as error:
        gaps.append(Gap(PROBE, f"the rows that are there: {error.message}"))
        return ()


def _declared(
    table: LiveTable, code: CodeTable | None, tables: Sequence[LiveTable]
) -> Iterator[LiveForeignKey]:
    """Yield references that only the models declare."""
    known = {name for one in table.foreign_keys for name in one.columns}
    names = {one.name for one in tables}
    for column in code.columns if code else ():
        if column.foreign_key and column.name not in known and table.column(column.name):
            target, _, key = column.foreign_key.rpartition(".")
            target = target if target in names else target.rpartition(".")[2]
            yield LiveForeignKey((column.name,), target, (key,))
