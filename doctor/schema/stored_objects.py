"""Finds stored objects that cannot be unpacked, by their form: they are never unpacked."""

from __future__ import annotations

import os
import pickletools
import time
from collections.abc import Iterator

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap, Scalar
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, CodeTable
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach

KIND = "database.unreadable_object"
MOST_ROWS = 2_000
MOST_BYTES = 1 << 20
MOST_SECONDS = 5.0
_SHOWN = 120


def unreadable_objects(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per cell that should hold a pickle and holds none that is whole.

    ``run`` None means all runs. What is too much to look at is a Gap.
    """
    reach = Reach(door, layout)
    for member in layout.looked_at(run):
        declared = code.table(member.table.name)
        for column in declared.columns if declared else ():
            if declared and column.type == "pickle" and member.table.column(column.name):
                try:
                    yield from _of_column(door, member, declared, column.name, reach, run)
                except SourceError as error:
                    yield Gap(KIND, f"{member.table.name}.{column.name}: {error.message}", (KIND,))


def flaw(value: Scalar) -> str | None:
    """Return what is wrong with the form of a pickle, None where nothing is.

    Nothing is executed or made: opcodes, their arguments and the depth of the stack are read.
    """
    if not isinstance(value, bytes):
        return f"it is {type(value).__name__}, not bytes"
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
            pickletools.dis(value, out=nowhere)
    except Exception as error:  # noqa: BLE001 - bytes that anybody wrote may fail in any way
        return str(error)[:_SHOWN] or type(error).__name__
    return None


def _of_column(
    door: ReadDoor,
    member: Member,
    declared: CodeTable,
    name: str,
    reach: Reach,
    run: str | None,
) -> Iterator[Fact | Gap]:
    table = member.table
    what = f"{table.name}.{name}"
    within = None if run is None else rows_of_run(member, run)
    until = time.monotonic() + MOST_SECONDS
    rows = door.rows_unfit(table, [(name, "pickle")], within=within, limit=MOST_ROWS + 1)
    column = declared.column(name)
    for number, row in enumerate(rows):
        if number >= MOST_ROWS or time.monotonic() > until:
            yield Gap(KIND, f"{what}: only the first {number:,} objects were looked at", (KIND,))
            return
        value = row[name]
        if value is None:
            continue
        if isinstance(value, bytes) and len(value) > MOST_BYTES:
            yield Gap(KIND, f"{what}: an object of {len(value):,} bytes was not looked at", (KIND,))
            continue
        reason = flaw(value)
        if reason is not None:
            size = len(value) if isinstance(value, str | bytes) else 0
            yield Fact(
                KIND,
                {
                    "run": run_of(door, member, row) if run is None else run,
                    "role": member.role,
                    "table": table.name,
                    "column": name,
                    "key": {each: row[each] for each in table.primary_key},
                    "size": size,
                    "reason": reason,
                    "declared_at": declared.location,
                    "blast": reach.of(member, row, column.breaks if column else ""),
                },
                "database",
            )
