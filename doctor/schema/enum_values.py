"""Finds stored values that the code's enums do not have, in every table that belongs to a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeColumn, CodeModels, Row
from doctor.schema.copies import copied
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach

KIND = "database.invalid_value"
UNUSUAL = "database.unusual_value"
PROBE = KIND
ROW_LIMIT = 200
_BY_IMPORT = "; --import-models reads what is hidden, in a process of its own"


def invalid_values(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per cell whose value its enum does not have; ``run`` None means all runs.

    An enum that was not read completely, and a column with more bad rows than are looked at,
    are Gaps: what is unknown is never called clean. Where other values are legal too, the facts
    are of the kind ``UNUSUAL``.
    """
    yield from _unread(code, layout.looked_at(run))
    reach = Reach(door, layout)
    for member in layout.looked_at(run):
        declared = code.table(member.table.name)
        columns = [
            one
            for one in (declared.columns if declared else ())
            if one.enum is not None and member.table.column(one.name) is not None
        ]
        if columns:
            yield from _table_facts(door, code, member, columns, reach, run)


def _unread(code: CodeModels, members: tuple[Member, ...]) -> Iterator[Gap]:
    others = {table.name for table in code.tables} - {one.table.name for one in members}
    hint = _BY_IMPORT
    for gap in code.gaps:
        if gap.what.rpartition(".")[0] not in others:
            more = hint if gap.by_import else ""
            hint = "" if more else hint  # once is enough
            yield Gap(PROBE, f"{gap.what} at {gap.where}: {gap.reason}{more}", (KIND,))


def _table_facts(
    door: ReadDoor,
    code: CodeModels,
    member: Member,
    columns: Sequence[CodeColumn],
    reach: Reach,
    run: str | None,
) -> Iterator[Fact | Gap]:
    table = member.table
    accepted = {
        one.name: (*one.enum.values, *one.enum.aliases) for one in columns if one.enum is not None
    }
    within = None if run is None else rows_of_run(member, run)
    try:
        found = door.rows_not_in_each(table, accepted, within=within, limit=ROW_LIMIT + 1)
    except SourceError as error:
        for name in accepted:
            yield Gap(PROBE, f"{table.name}.{name}: {error.message}", (KIND,))
        return
    for column in columns:
        yield from _column_facts(door, code, member, column, found[column.name], reach, run)


def _column_facts(
    door: ReadDoor,
    code: CodeModels,
    member: Member,
    column: CodeColumn,
    rows: Sequence[Row],
    reach: Reach,
    run: str | None,
) -> Iterator[Fact | Gap]:
    table = member.table
    if len(rows) > ROW_LIMIT:
        name = f"{table.name}.{column.name}"
        reason = f"{name} has more than {ROW_LIMIT} bad rows; the first are shown"
        reason += f" (all: doctor plan --column {name})"
        yield Gap(PROBE, reason, (KIND,))
    if rows and not table.primary_key:
        yield Gap(PROBE, f"{table.name} has no primary key to name its rows by", (KIND,))
        return
    siblings = siblings_of(code, member.table.name, column.name)
    for row in rows[:ROW_LIMIT]:
        owner = run if run is not None else run_of(door, member, row)
        fact = invalid_value(member, column, row, owner, siblings)
        more = {"blast": reach.of(member, row, column.breaks)}
        more |= copied(code, table.name, column, row)
        yield Fact(fact.kind, {**fact.fields, **more}, fact.source)


def invalid_value(
    member: Member, column: CodeColumn, row: Row, owner: str, siblings: Mapping[str, str]
) -> Fact:
    """Return the fact that a cell of a row holds what the enum of its column does not have."""
    table, enum = member.table, column.enum
    sibling = siblings.get(str(row[column.name]))
    fields: dict[str, object] = {
        "run": owner,
        "role": member.role,
        "table": table.name,
        "column": column.name,
        "key": {name: row[name] for name in table.primary_key},
        "value": row[column.name],
        "valid": enum.values if enum else (),
        "enum": enum.name if enum else "",
        "enum_location": enum.location if enum else "",
        "elsewhere": f", but {sibling} does" if sibling else "",
    }
    kind = UNUSUAL if enum and enum.open else KIND
    return Fact(kind, fields, "database")  # type: ignore[arg-type]


def siblings_of(code: CodeModels, table: str, column: str) -> dict[str, str]:
    """Return values of the system's other enums, each with the column that accepts it."""
    found: dict[str, str] = {}
    for other in code.tables:
        for one in other.columns:
            if one.enum and (other.name, one.name) != (table, column):
                for value in one.enum.values:
                    found.setdefault(value, f"{other.name}.{one.name}")
    return found
