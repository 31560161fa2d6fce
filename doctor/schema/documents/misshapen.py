"""Finds documents that are not as the code that reads them says: a class, or a described schema."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout, Member, rows_of_run
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels, CodeTable, Row
from doctor.redaction import REDACTED
from doctor.schema.documents.entries import document, is_json
from doctor.schema.documents.examples import is_sensitive
from doctor.schema.documents.fits import LENIENT, UnknownWordError, misfit
from doctor.schema.owner import run_of
from doctor.schema.reach import Reach
from doctor.system.code.shapes import class_schemas
from doctor.system.code.words import SourceFiles

KIND = "database.misshapen_document"
MOST_ROWS = 10_000
MOST_SECONDS = 5.0
MOST_FOUND = 200
Schemas = Mapping[tuple[str, str], tuple[Any, str]]


def misshapen_documents(
    door: ReadDoor, code: CodeModels, layout: Layout, run: str | None
) -> Iterator[Fact | Gap]:
    """Yield one fact per document that does not fit, with the first place in it that does not.

    ``run`` None means all runs. What is too much to be looked at, and a schema that says what is
    not understood, are Gaps. A document that is no JSON is told of elsewhere.
    """
    members = [one for one in layout.looked_at(run) if code.table(one.table.name)]
    schemas = _schemas(code)
    reach = Reach(door, layout)
    for member in members:
        declared = code.table(member.table.name)
        for column in member.table.columns:
            known = schemas.get((member.table.name, column.name))
            said = declared.column(column.name) if declared else None
            if declared is None or known is None or not is_json(column, said):
                continue
            try:
                yield from _of_column(door, member, declared, column.name, known, reach, run)
            except (SourceError, UnknownWordError) as error:
                yield Gap(KIND, f"{member.table.name}.{column.name}: {error}", (KIND,))


def _schemas(code: CodeModels) -> Schemas:
    """Return the schemas of columns, each with what says so; descriptions beat classes."""
    found: dict[tuple[str, str], tuple[Any, str]] = {
        (place[0], place[1]): (_lenient(json.loads(one.text)), one.origin)
        for place, one in class_schemas(code, SourceFiles()).items()
    }
    for table in code.tables:
        for column in table.columns:
            if column.shape is not None:
                found[table.name, column.name] = (json.loads(column.shape.text), column.shape.at)
    return found


def _lenient(schema: Any) -> Any:
    """Return a schema that also takes what a class is made from: a number as text, and so on."""
    if isinstance(schema, list):
        return [_lenient(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _lenient(one) for name, one in schema.items()}
    return found | {LENIENT: True} if isinstance(found.get("type"), str) else found


def _of_column(
    door: ReadDoor,
    member: Member,
    declared: CodeTable,
    name: str,
    known: tuple[Any, str],
    reach: Reach,
    run: str | None,
) -> Iterator[Fact | Gap]:
    table, (schema, source) = member.table, known
    within = None if run is None else rows_of_run(member, run)
    until = time.monotonic() + MOST_SECONDS
    rows = door.rows_unfit(table, [(name, "pickle")], within=within, limit=MOST_ROWS + 1)
    number = 0
    for at, row in enumerate(rows):
        if at >= MOST_ROWS or time.monotonic() > until or number >= MOST_FOUND:
            reason = f"only the first {at:,} documents were looked at"
            yield Gap(KIND, f"{table.name}.{name}: {reason}", (KIND,))
            return
        problem = _problem(row, name, schema)
        if problem is not None:
            number += 1
            fact = _fact(member, row, name, problem, source or declared.location)
            column = declared.column(name)
            owner = run_of(door, member, row) if run is None else run
            more = {"run": owner, "blast": reach.of(member, row, column.breaks if column else "")}
            yield Fact(fact.kind, {**fact.fields, **more}, fact.source)


def _problem(row: Row, name: str, schema: Any) -> str | None:
    stored = document(row[name]) if row[name] is not None else None
    return None if stored is None else misfit(stored[0], schema)


def _fact(member: Member, row: Row, name: str, problem: str, source: str) -> Fact:
    return Fact(
        KIND,
        {
            "role": member.role,
            "table": member.table.name,
            "column": name,
            "key": {one: row[one] for one in member.table.primary_key},
            "problem": REDACTED if is_sensitive(name) else problem,
            "declared_at": source,
        },
        "database",
    )
