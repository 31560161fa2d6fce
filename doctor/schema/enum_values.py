"""Finds stored values that the code's enums do not have, in every table that belongs to a run."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeColumn, CodeModels, EnumValues
from doctor.schema.owner import run_of

KIND = "database.invalid_value"
PROBE = KIND
ROW_LIMIT = 200


def invalid_values(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per cell whose value its enum does not have; ``run`` None means all runs.

    An enum that was not read completely, and a column with more bad rows than are looked at,
    are Gaps: what is unknown is never called clean.
    """
    yield from _unread(code, layout)
    for member in layout.members:
        declared = code.table(member.table.name)
        for column in declared.columns if declared else ():
            if column.enum is None or member.table.column(column.name) is None:
                continue
            yield from _column_facts(door, code, member, column, column.enum, run)


def _unread(code: CodeModels, layout: Layout) -> Iterator[Gap]:
    others = {table.name for table in code.tables} - {one.table.name for one in layout.members}
    for gap in code.gaps:
        if gap.what.rpartition(".")[0] not in others:
            yield Gap(PROBE, f"{gap.what} at {gap.where}: {gap.reason}", (KIND,))


def _column_facts(
    door: ReadDoor,
    code: CodeModels,
    member: Member,
    column: CodeColumn,
    enum: EnumValues,
    run: str | None,
) -> Iterator[Fact | Gap]:
    table = member.table
    accepted = (*enum.values, *enum.aliases)
    within = None if run is None else rows_of_run(member, run)
    try:
        rows = door.rows_not_in(table, column.name, accepted, within=within, limit=ROW_LIMIT + 1)
    except SourceError as error:
        yield Gap(PROBE, f"{table.name}.{column.name}: {error.message}", (KIND,))
        return
    if len(rows) > ROW_LIMIT:
        reason = (
            f"{table.name}.{column.name} has more than {ROW_LIMIT} bad rows; the first are shown"
        )
        yield Gap(PROBE, reason, (KIND,))
    if rows and not table.primary_key:
        yield Gap(PROBE, f"{table.name} has no primary key to name its rows by", (KIND,))
        return
    siblings = _siblings(code, member.table.name, column.name)
    for row in rows[:ROW_LIMIT]:
        owner = run if run is not None else run_of(door, member, row)
        fields: dict[str, object] = {
            "run": owner,
            "role": member.role,
            "table": table.name,
            "column": column.name,
            "key": {name: row[name] for name in table.primary_key},
            "value": row[column.name],
            "valid": enum.values,
            "enum": enum.name,
            "enum_location": enum.location,
        }
        sibling = siblings.get(str(row[column.name]))
        fields["elsewhere"] = f", but {sibling} does" if sibling else ""
        yield Fact(KIND, fields, "database")  # type: ignore[arg-type]


def _siblings(code: CodeModels, table: str, column: str) -> dict[str, str]:
    """Return values of the system's other enums, each with the column that accepts it."""
    found: dict[str, str] = {}
    for other in code.tables:
        for one in other.columns:
            if one.enum and (other.name, one.name) != (table, column):
                for value in one.enum.values:
                    found.setdefault(value, f"{other.name}.{one.name}")
    return found
