"""Structural drift as facts: how the live database differs from what the models declare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from doctor.model.drift import Difference
from doctor.model.evidence import Fact, Gap, Value
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels

KIND = "schema.drift"


def structural_drift(
    door: ReadDoor, code: CodeModels, project: Path | None = None
) -> Iterator[Fact | Gap]:
    """Yield one fact per difference, and a Gap for each part that could not be compared.

    ``project`` is the folder whose migrations and listeners are read as well.
    """
    found = door.compare(code)
    for one in found.differences:
        yield _fact(one)
    for table, reason in found.open:
        yield Gap(KIND, f"{table}: {reason}" if table else reason, (KIND,))
    if project is None:
        return
    from doctor.schema.migrated import migration_drift, unenforced

    if all(one.schema is None for one in door.tables()):
        yield from map(_fact, unenforced(code, project))
    try:
        yield from [_fact(one) for one in migration_drift(door, project)]
    except ValueError as error:
        yield Gap(KIND, f"the migrations were not compared: {error}", (KIND,))


def _fact(one: Difference) -> Fact:
    fields: dict[str, Value] = {
        "run": "",
        "drift": one.drift,
        "table": one.table,
        "column": one.column,
        "name": one.name,
        "code": one.code,
        "database": one.database,
        "statement": one.statement,
        "line": one.line,
        "declared_at": one.place,
    }
    return Fact(KIND, fields, "database")
