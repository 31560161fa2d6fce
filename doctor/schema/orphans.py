"""Finds rows that name a row of another table that is not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from doctor.errors import SourceError
from doctor.model.change import SetCells
from doctor.model.evidence import Fact, Gap, Scalar
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, LiveTable, Row
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach
from doctor.schema.references import IN_DATABASE, Reference, references_of
from doctor.schema.statement import quoted_name, update_statement
from doctor.schema.told import keys_told, pairs_told

KIND = "database.orphan"
ROW_LIMIT = 200


def orphan_rows(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None, *, target: str = ""
) -> Iterator[Fact | Gap]:
    """Yield one fact per run and missing row, with the rows that name it; None: of all runs.

    A run that is missing itself is told of elsewhere. ``target`` names the engine, for statements.
    """
    tables = {one.name: one for one in door.tables()}
    reach = Reach(door, layout)
    for member in layout.looked_at(run):
        for one in references_of(member.table, tables, code):
            if _names_run(member, one):
                continue
            try:
                yield from _of_reference(door, member, one, run, reach, target)
            except SourceError as error:
                what = f"{one.table.name}.{', '.join(one.columns)}"
                yield Gap(KIND, f"{what}: {error.message}", (KIND,))


def _names_run(member: Member, one: Reference) -> bool:
    above = member.parent
    is_up = above is not None and above.table == one.parent and member.names_run
    return is_up and one.pairs == ((member.via, member.parent_key),)


def _of_reference(
    door: ReadDoor,
    member: Member,
    one: Reference,
    run: str | None,
    reach: Reach,
    target: str,
) -> Iterator[Fact | Gap]:
    within = None if run is None else rows_of_run(member, run)
    rows = door.orphans(one.table, one.parent, one.pairs, within=within, limit=ROW_LIMIT + 1)
    if len(rows) > ROW_LIMIT:
        every = door.count_orphans(one.table, one.parent, one.pairs)
        what = f"{one.table.name}.{', '.join(one.columns)}"
        reason = f"{every:,} rows of {what} name rows of {one.parent.name} that are not there"
        yield Gap(KIND, f"{reason}; the first {ROW_LIMIT} are shown", (KIND,))
        rows = rows[:ROW_LIMIT]
    for owner, some in _by_owner_and_value(door, member, one, rows, run).items():
        blast = reach.of(member, some[0])
        yield _fact(member, one, some, owner[0], blast, target)


def _by_owner_and_value(
    door: ReadDoor, member: Member, one: Reference, rows: Sequence[Row], run: str | None
) -> Mapping[tuple[str, tuple[Scalar, ...]], list[Row]]:
    found: dict[tuple[str, tuple[Scalar, ...]], list[Row]] = defaultdict(list)
    for row in rows:
        owner = run if run is not None else run_of(door, member, row)
        found[owner, tuple(row[name] for name in one.columns)].append(row)
    return found


def _fact(
    member: Member, one: Reference, rows: Sequence[Row], owner: str, blast: str, target: str
) -> Fact:
    table, first = one.table, rows[0]
    values = {name: first[name] for name in one.columns}
    return Fact(
        KIND,
        {
            "run": owner,
            "role": member.role,
            "table": table.name,
            "column": ", ".join(one.columns),
            "key": {name: first[name] for name in table.primary_key},
            "value": pairs_told(values),
            "parent": one.parent.name,
            "missing": pairs_told({theirs: first[own] for own, theirs in one.pairs}),
            "rows": len(rows),
            "keys": keys_told(table, rows),
            "declared_at": one.declared_at,
            "enforced": "" if one.declared_at == IN_DATABASE else ", not by the database",
            "statement": _statement(one, table, values, target),
            "blast": blast,
        },
        "database",
    )


def _statement(one: Reference, table: LiveTable, values: Mapping[str, Scalar], target: str) -> str:
    """Return what would part these rows from what is not there, for reading."""
    columns = [table.column(name) for name in one.columns]
    free = next((each.name for each in columns if each is not None and each.nullable), None)
    if free is not None and free not in table.primary_key:
        return update_statement(SetCells(table.name, {}, values, {free: None}), target)
    shown = update_statement(SetCells(table.name, {}, values, values), target)
    where = shown[shown.index(" WHERE ") :]
    return f"DELETE FROM {quoted_name(table.name, target)}{where}"  # noqa: S608 - never executed
