"""Finds what is not there: run rows that children name, and tables and columns of the models."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout, as_key
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels

KIND = "database.missing_run"
LIMIT = 200


def missing_runs(door: ReadDoor, layout: Layout, run: str | None) -> Iterator[Fact | Gap]:
    """Yield one fact per child table and run id that the run table does not have.

    ``run`` None means every run id that a child names; more of them than are looked at are a Gap.
    """
    top = layout.run
    if run is not None and door.count(top.table, {top.via: as_key(top.table, top.via, run)}):
        return
    for member in layout.members[1:]:
        if member.parent is not top or not member.names_run:
            continue
        if run is None:
            orphans = door.missing_parents(
                member.table, member.via, top.table, member.parent_key or top.via, limit=LIMIT + 1
            )
        else:
            rows = door.count(member.table, {member.via: as_key(member.table, member.via, run)})
            orphans = ((as_key(top.table, top.via, run), rows),) if rows else ()
        if len(orphans) > LIMIT:
            reason = f"{member.table.name} names more than {LIMIT} missing runs"
            yield Gap(KIND, f"{reason}; the first are shown", (KIND,))
        for value, rows in orphans[:LIMIT]:
            yield Fact(
                KIND,
                {
                    "run": str(value),
                    "table": top.table.name,
                    "column": top.via,
                    "key": {top.via: value},
                    "referenced_by": member.table.name,
                    "rows": rows,
                },
                "database",
            )


def missing_parts(
    door: ReadDoor, code: CodeModels, layout: Layout | None, run: str | None
) -> Iterator[Fact]:
    """Yield one fact per table or column that the models declare and the database lacks.

    For one run only the tables that belong to runs count; a table that is missing cannot be told
    to belong to a run or not, so it counts for every run.
    """
    live = {table.name: table for table in door.tables()}
    members = {member.table.name for member in layout.members} if layout else set()
    for table in code.tables:
        found = live.get(table.name)
        if found is None:
            yield Fact("database.missing_table", _fields(run, table=table.name), "database")
            continue
        if run is not None and members and table.name not in members:
            continue
        for column in table.columns:
            if found.column(column.name) is None:
                fields = _fields(run, table=table.name, column=f"{table.name}.{column.name}")
                yield Fact("database.missing_column", fields, "database")


def _fields(run: str | None, **fields: str) -> dict[str, str]:
    return {"run": run or "", **fields}
