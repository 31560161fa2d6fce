"""Finds rows that lack what their state requires: cells, or rows in other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from doctor.errors import SourceError
from doctor.model.description import Requirement
from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, Counted, Row, Want
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach

KIND = "database.unmet_requirement"
ROW_LIMIT = 200


def unmet_requirements(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per row that lacks what is required of it; ``run`` None means all runs."""
    members = {one.table.name: one for one in layout.looked_at(run)}
    reach = Reach(door, layout)
    for one in code.requires:
        member = members.get(one.table)
        if member is None:  # its rows belong to no run
            continue
        try:
            yield from _of_table(door, one, member, members, reach, run)
        except SourceError as error:
            yield Gap(KIND, f"{one.table}: {error.message}", (KIND,))


def _of_table(
    door: ReadDoor,
    one: Requirement,
    member: Member,
    members: Mapping[str, Member],
    reach: Reach,
    run: str | None,
) -> Iterator[Fact | Gap]:
    want = Want(
        one.when,
        one.set,
        _related(member, members.get(one.rows or ""), one.rows),
        _related(member, members.get(one.as_many_as or ""), one.as_many_as),
    )
    within = None if run is None else rows_of_run(member, run)
    rows = door.rows_wanting(member.table, want, within=within, limit=ROW_LIMIT + 1)
    if rows and not member.table.primary_key:
        yield Gap(KIND, f"{one.table} has no primary key to name its rows by", (KIND,))
        return
    if len(rows) > ROW_LIMIT:
        reason = f"{one.table} has more than {ROW_LIMIT} rows that lack something"
        yield Gap(KIND, f"{reason}; the first are shown", (KIND,))
    for row in rows[:ROW_LIMIT]:
        owner = run if run is not None else run_of(door, member, row)
        yield _fact(one, member, row, owner, reach.of(member, row, one.breaks))


def _fact(one: Requirement, member: Member, row: Row, owner: str, blast: str) -> Fact:
    column = next((name for name in one.set if row[name] is None), next(iter(one.when), ""))
    if one.as_many_as:
        lacks = f"{one.rows} has fewer rows for it than {one.as_many_as}"
    else:
        lacks = f"{one.rows} has no row for it" if one.rows else f"{column} is NULL"
    return Fact(
        KIND,
        {
            "run": owner,
            "role": member.role,
            "table": member.table.name,
            "column": column,
            "key": {each: row[each] for each in member.table.primary_key},
            "value": row[column] if column else None,
            "while": ", ".join(f"{name} is {row[name]!r}" for name in one.when),
            "lacks": lacks,
            "declared_at": one.origin,
            "blast": blast,
        },
        "database",
    )


def _related(member: Member, other: Member | None, name: str | None) -> Counted | None:
    """Return how rows of ``other`` belong to rows of ``member``, None where there is no other.

    Raises SourceError where no reference leads from one to the other.
    """
    if name is None:
        return None
    found = _link(member, other) if other is not None else None
    if other is None or found is None:
        raise SourceError(f"no reference leads from {member.table.name!r} to {name!r}")
    return Counted(other.table, *found)


def _link(member: Member, other: Member) -> tuple[str, str] | None:
    """Return the column of ``other`` and the one of ``member`` that are equal."""
    above = other.parent
    if above is None or other.more:
        return None
    key = other.parent_key or ""
    if above is member:
        return other.via, key
    if above is member.parent and key == member.parent_key:  # both belong to the same row
        return other.via, member.via
    if above.parent is member and key == above.via and not above.more:
        return other.via, above.parent_key or ""
    return None
