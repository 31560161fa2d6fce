"""Finds rows that are equal in what the models call unique and the database does not keep so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap, Value
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, Row
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach
from doctor.schema.references import Unenforced, unenforced_uniques
from doctor.schema.statement import quoted_name
from doctor.schema.told import MOST_KEYS, keys_told, pairs_told

KIND = "database.duplicate"
GROUP_LIMIT = 50


def duplicate_rows(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None, *, target: str = ""
) -> Iterator[Fact | Gap]:
    """Yield one fact per run and values that several rows share; ``run`` None means all runs.

    ``target`` names the engine, for statements.
    """
    reach = Reach(door, layout)
    for member in layout.looked_at(run):
        declared = code.table(member.table.name)
        for one in unenforced_uniques(member.table, declared) if declared else ():
            what = f"{member.table.name}.{', '.join(one.columns) or one.name}"
            if not one.columns:
                reason = "which rows it makes unique only the database can say, and it is not there"
                yield Gap(KIND, f"{what}: {reason}", (KIND,))
                continue
            try:
                yield from _of_columns(door, member, one, run, reach, target)
            except SourceError as error:
                yield Gap(KIND, f"{what}: {error.message}", (KIND,))


def _of_columns(
    door: ReadDoor,
    member: Member,
    one: Unenforced,
    run: str | None,
    reach: Reach,
    target: str,
) -> Iterator[Fact | Gap]:
    table = member.table
    within = None if run is None else rows_of_run(member, run)
    found = door.duplicates(table, one.columns, within=within, limit=GROUP_LIMIT + 1)
    if len(found) > GROUP_LIMIT:
        what = f"{table.name}.{', '.join(one.columns)}"
        reason = f"{what}: more than {GROUP_LIMIT} values stand in several rows"
        yield Gap(KIND, f"{reason}; the first are shown", (KIND,))
    for values, number in found[:GROUP_LIMIT]:
        where = dict(zip(one.columns, values, strict=True))
        rows = door.rows(table, where, limit=MOST_KEYS + 1)
        for owner, row in _owners(door, member, rows, run).items():
            statement = _statement(one, table.name, target)
            fact = _fact(member, one, pairs_told(where), owner, row)
            more: dict[str, Value] = {
                "rows": number,
                "keys": _keys(member, rows, number),
                "statement": statement,
            }
            more["blast"] = reach.of(member, row)
            yield Fact(fact.kind, {**fact.fields, **more}, fact.source)


def _owners(door: ReadDoor, member: Member, rows: Sequence[Row], run: str | None) -> dict[str, Row]:
    """Return the runs that the rows belong to, each with its first row; or only the one asked."""
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(run_of(door, member, row), row)
    if run is not None and rows:
        return {run: found.get(run, rows[0])}
    return found


def _fact(member: Member, one: Unenforced, value: str, owner: str, row: Row) -> Fact:
    return Fact(
        KIND,
        {
            "run": owner,
            "role": member.role,
            "table": member.table.name,
            "column": ", ".join(one.columns),
            "key": {name: row[name] for name in member.table.primary_key},
            "value": value,
            "declared_at": one.declared_at,
        },
        "database",
    )


def _keys(member: Member, rows: Sequence[Row], number: int) -> str:
    told = keys_told(member.table, rows[:MOST_KEYS])
    return told if number <= MOST_KEYS else f"{told}; and {number - MOST_KEYS} more"


def _statement(one: Unenforced, table: str, target: str) -> str:
    """Return what would keep it from happening again once the rows differ, for reading."""
    name = one.name.replace(" ", "_") or f"{table}_{'_'.join(one.columns)}_unique"
    columns = ", ".join(quoted_name(each, target) for each in one.columns)
    index, of = quoted_name(name, target), quoted_name(table, target)
    return f"CREATE UNIQUE INDEX {index} ON {of} ({columns})"
