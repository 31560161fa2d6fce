"""The documentation of a database as a JSON document and as a page of markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from doctor.model.documentation import DocEntry, Documentation
from doctor.model.schema import LiveTable
from doctor.redaction import redact_value

_WORD = re.compile(r"\W+")


def documentation_json(found: Documentation) -> dict[str, Any]:
    """Return what ``doctor schema document --format json`` prints."""
    return {
        "coverage": round(found.coverage, 4),
        "missing": [one.name for one in found.missing],
        "entries": [_entry(one) for one in found.entries],
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in found.gaps],
    }


def documentation_markdown(found: Documentation) -> str:
    """Return a page: a picture of the tables and their references, then a section for each."""
    lines = ["# Schema", "", *_coverage(found), "", *_picture(found)]
    columns: dict[str, list[DocEntry]] = {}
    about: dict[str, DocEntry] = {}
    for one in found.entries:
        if one.column:
            columns.setdefault(one.table, []).append(one)
        else:
            about[one.table] = one
    for table in found.tables:
        lines += ["", f"## {_cell(table.name)}", "", _cell(about[table.name].description) or "-"]
        lines += ["", "| column | type | description | example |", "|---|---|---|---|"]
        lines += [_row(table, one) for one in columns.get(table.name, ())]
        for one in columns.get(table.name, ()):
            if '"anyOf"' in one.schema or '"properties"' in one.schema:
                lines += ["", f"JSON Schema of `{one.column}`:", "", "```json"]
                lines += [json.dumps(json.loads(one.schema), indent=2), "```"]
    return "\n".join(lines)


def _entry(one: DocEntry) -> dict[str, Any]:
    return {
        "table": one.table,
        "column": one.column or None,
        "description": one.description or None,
        "example": one.example or None,
        "schema": json.loads(one.schema) if one.schema else None,
        "origin": one.origin or None,
        "fingerprint": one.fingerprint,
    }


def _coverage(found: Documentation) -> Iterator[str]:
    done = len(found.entries) - len(found.missing)
    yield f"{done} of {len(found.entries)} tables and columns are described."


def _picture(found: Documentation) -> Iterator[str]:
    """Yield an entity relationship diagram for mermaid."""
    yield "```mermaid"
    yield "erDiagram"
    for table in found.tables:
        yield f"  {_name(table.name)} {{"
        for column in table.columns:
            mark = " PK" if column.name in table.primary_key else ""
            if not mark and any(column.name in one for one, _ in _references(found, table)):
                mark = " FK"
            yield f"    {_name(column.type.partition(' COLLATE ')[0])} {_name(column.name)}{mark}"
        yield "  }"
    for table in found.tables:
        for columns, other in _references(found, table):
            yield f'  {_name(other)} ||--o{{ {_name(table.name)} : "{", ".join(columns)}"'
    yield "```"


def _references(found: Documentation, table: LiveTable) -> list[tuple[tuple[str, ...], str]]:
    """Return the references of a table, as the database or the models declare them."""
    known = {one.name for one in found.tables}
    pairs = {one.columns: one.table for one in table.foreign_keys}
    declared = found.models.table(table.name)
    for column in declared.columns if declared is not None else ():
        if column.foreign_key:
            target = column.foreign_key.rpartition(".")[0].rpartition(".")[2]
            pairs.setdefault((column.name,), target)
    return [(columns, other) for columns, other in pairs.items() if other in known]


def _name(text: str) -> str:
    return _WORD.sub("_", text).strip("_") or "unnamed"


def _row(table: LiveTable, one: DocEntry) -> str:
    column = table.column(one.column)
    kind = column.type.partition(" COLLATE ")[0] if column is not None else ""
    need = "" if column is None or column.nullable else ", required"
    example = redact_value(one.example, one.column)
    shown = f"`{_cell(example).replace('`', chr(39))}`" if example else ""
    return f"| {_cell(one.column)} | {_cell(kind)}{need} | {_cell(one.description)} | {shown} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
