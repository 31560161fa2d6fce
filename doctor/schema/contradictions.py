"""Finds rows whose state cannot be while a row above them has the state that it has."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.errors import SourceError
from doctor.model.description import Contradiction
from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout, Member, rows_below, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, Row
from doctor.schema.owner import row_above, run_of
from doctor.schema.reach import Reach
from doctor.schema.told import pairs_told

KIND = "database.contradiction"
ROW_LIMIT = 200


def contradictions(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per row that contradicts the row above it; ``run`` None means all runs."""
    members = {one.table.name: one for one in layout.looked_at(run)}
    reach = Reach(door, layout)
    for one in code.never:
        top, member = members.get(one.table), members.get(one.rows)
        if top is None or member is None:  # their rows belong to no run
            continue
        try:
            yield from _of_table(door, one, top, member, reach, run)
        except SourceError as error:
            yield Gap(KIND, f"{one.rows}: {error.message}", (KIND,))


def _of_table(
    door: ReadDoor,
    one: Contradiction,
    top: Member,
    member: Member,
    reach: Reach,
    run: str | None,
) -> Iterator[Fact | Gap]:
    below = rows_below(member, top, one.when)
    if below is None:
        raise SourceError(f"no reference leads from {one.rows!r} to {one.table!r}")
    within = None if run is None else rows_of_run(member, run)
    limit = ROW_LIMIT + 1
    rows = door.rows_holding(member.table, one.holding, below, within=within, limit=limit)
    if rows and not member.table.primary_key:
        yield Gap(KIND, f"{one.rows} has no primary key to name its rows by", (KIND,))
        return
    if len(rows) > ROW_LIMIT:
        reason = f"more than {ROW_LIMIT} rows of {one.rows} contradict {one.table}"
        yield Gap(KIND, f"{reason}; the first are shown", (KIND,))
    for row in rows[:ROW_LIMIT]:
        owner = run if run is not None else run_of(door, member, row)
        yield _fact(one, top, member, row, owner, _above(door, one, top, member, row), reach)


def _above(door: ReadDoor, one: Contradiction, top: Member, member: Member, row: Row) -> str:
    """Return what the row above holds, in words."""
    found = row_above(door, member, row, top)
    held = {name: found[name] for name in one.when} if found is not None else {}
    return f"{one.table} has {pairs_told(held)}"


def _fact(
    one: Contradiction, top: Member, member: Member, row: Row, owner: str, above: str, reach: Reach
) -> Fact:
    column = next(iter(one.holding))
    return Fact(
        KIND,
        {
            "run": owner,
            "role": member.role,
            "table": member.table.name,
            "column": column,
            "key": {name: row[name] for name in member.table.primary_key},
            "value": pairs_told({name: row[name] for name in one.holding}),
            "above": above,
            "above_column": f"{top.table.name}.{next(iter(one.when))}",
            "declared_at": one.origin,
            "blast": reach.of(member, row, one.breaks),
        },
        "database",
    )
