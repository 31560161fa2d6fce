"""Structural drift as facts: how the live database differs from what the models declare."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.model.drift import Difference
from doctor.model.evidence import Fact, Gap, Value
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels

KIND = "schema.drift"


def structural_drift(door: ReadDoor, code: CodeModels) -> Iterator[Fact | Gap]:
    """Yield one fact per difference, and a Gap for each part that could not be compared."""
    found = door.compare(code)
    for one in found.differences:
        yield _fact(one)
    for table, reason in found.open:
        yield Gap(KIND, f"{table}: {reason}" if table else reason, (KIND,))


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
