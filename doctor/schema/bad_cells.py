"""Finds cells that the code cannot load or does not expect: NULL, text for numbers, broken JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap, Scalar, Value
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeColumn, CodeModels, CodeTable, LiveTable, Need, Row
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach

KIND = "database.bad_cell"
ROW_LIMIT = 200
_LONGEST = 200
_DECIMAL = ("numeric", "decimal")
_NEEDS: dict[str, Need] = {
    **dict.fromkeys(("Integer", "INTEGER", "INT", "BigInteger", "BIGINT"), "whole number"),
    **dict.fromkeys(("SmallInteger", "SMALLINT"), "whole number"),
    **dict.fromkeys(("Float", "FLOAT", "Double", "DOUBLE", "REAL"), "number"),
    **dict.fromkeys(("Numeric", "NUMERIC", "DECIMAL"), "number"),
    **dict.fromkeys(("DateTime", "DATETIME", "TIMESTAMP"), "date and time"),
    **dict.fromkeys(("Date", "DATE"), "date"),
    **dict.fromkeys(("Time", "TIME"), "time"),
    **dict.fromkeys(("JSON", "JSONB"), "JSON"),
}
_READERS = {
    "date and time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}


def bad_cells(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per cell of a run's rows that is not what the models declare.

    ``run`` None means all runs. A table with more such rows than are looked at is a Gap, and so
    is one that cannot be read.
    """
    reach = Reach(door, layout)
    for member in layout.looked_at(run):
        declared = code.table(member.table.name)
        needs = _needs(door, member, declared) if declared else ()
        if declared is None or not needs:
            continue
        try:
            yield from _of_table(door, member, declared, needs, run, reach)
        except SourceError as error:
            yield Gap(KIND, f"{member.table.name}: {error.message}", (KIND,))


def fits(value: Scalar, need: Need) -> bool:
    """Tell whether a stored value is what is needed; NULL fits everything but ``set``."""
    if value is None or need == "set":
        return (value is None) != (need == "set")
    if need in ("whole number", "number"):
        return isinstance(value, int if need == "whole number" else int | float)
    if need == "JSON":
        return _is_json(value)
    if not isinstance(value, str):
        return False
    try:
        _READERS[need](value)
    except ValueError:
        return False
    return True


def _of_table(
    door: ReadDoor,
    member: Member,
    declared: CodeTable,
    needs: tuple[tuple[str, Need], ...],
    run: str | None,
    reach: Reach,
) -> Iterator[Fact | Gap]:
    table = member.table
    within = None if run is None else rows_of_run(member, run)
    rows = door.rows_unfit(table, needs, within=within, limit=ROW_LIMIT + 1)
    if rows and not table.primary_key:
        yield Gap(KIND, f"{table.name} has no primary key to name its rows by", (KIND,))
        return
    if len(rows) > ROW_LIMIT:
        reason = f"{table.name} has more than {ROW_LIMIT} bad rows; the first are shown"
        yield Gap(KIND, reason, (KIND,))
    for row in rows[:ROW_LIMIT]:
        wrong = [
            (name, need) for name, need in needs if not fits(_number(row[name], table, name), need)
        ]
        owner = run_of(door, member, row) if wrong and run is None else run
        for name, need in wrong:
            column = declared.column(name)
            blast = reach.of(member, row, column.breaks if column else "")
            fact = _fact(member, declared, row, name, need)
            yield replace(fact, fields={**fact.fields, "run": owner or "", "blast": blast})


def _fact(member: Member, declared: CodeTable, row: Row, name: str, need: Need) -> Fact:
    fields: dict[str, Value] = {
        "run": "",
        "role": member.role,
        "table": member.table.name,
        "column": name,
        "key": {each: row[each] for each in member.table.primary_key},
        "value": _shown(row[name]),
        "need": need,
        "declared_at": declared.location,
    }
    return Fact(KIND, fields, "database")


def _number(value: Scalar, table: LiveTable, name: str) -> Scalar:
    """Return what an exact number's own text means: servers hand decimals over as text."""
    column = table.column(name)
    if isinstance(value, str) and column and column.type.lower().startswith(_DECIMAL):
        with suppress(InvalidOperation):
            exact = Decimal(value)
            return int(exact) if exact.is_finite() and exact == exact.to_integral() else 0.5
    return value


def _shown(value: Scalar) -> str:
    text = "NULL" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _needs(door: ReadDoor, member: Member, declared: CodeTable) -> tuple[tuple[str, Need], ...]:
    """Return what cells must be where the database does not see to it by itself."""
    table, found = member.table, []
    for column in declared.columns:
        if table.column(column.name) is not None:
            wanted = [(column.name, one) for one in _needs_of(column)]
            found += [one for one in wanted if not door.keeps(table, *one)]
    return tuple(found)


def _needs_of(column: CodeColumn) -> Iterator[Need]:
    if column.nullable is False and not column.primary_key:
        yield "set"
    kind = _NEEDS.get(column.type or "")
    if kind is not None and column.enum is None:
        yield kind


def _is_json(value: Scalar) -> bool:
    if not isinstance(value, str | bytes):
        return True  # a bare number
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True
