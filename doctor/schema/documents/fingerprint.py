"""What an entry was made from, as a digest: it changes when what is declared changes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from doctor.model.documentation import Sources
from doctor.model.schema import CodeColumn, LiveColumn, LiveTable

LENGTH = 16
CODE, DATABASE = "code-", "database-"


def fingerprint(sources: Sources, table: LiveTable, column: LiveColumn | None) -> str:
    """Return the digest of what the code says about a table or column, else the database.

    Neither line numbers nor rows are part of it, and a column is no part of its table. It begins
    with who declares it.
    """
    declared = sources.models.table(table.name)
    place = (table.name, column.name if column is not None else "")
    said = sources.words.get(place)
    parts: dict[str, Any] = {"said": said.text if said is not None else None}
    code = declared.column(column.name) if declared and column else None
    comment = sources.comments.get(place)
    if comment is not None:
        parts["comment"] = comment
    if column is None:
        parts["key"] = list(table.primary_key)
    else:
        parts |= _of_database(column) if code is None else _of_code(code)
    schema = sources.schemas.get(place)
    if schema is not None:
        parts["schema"] = schema.text
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    by_code = code is not None or (column is None and declared is not None)
    digest = hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
    return f"{CODE if by_code else DATABASE}{digest}"


def _of_code(column: CodeColumn) -> dict[str, Any]:
    enum = column.enum
    return {
        "type": column.type,
        "nullable": column.nullable,
        "key": column.primary_key,
        "references": column.foreign_key,
        "default": column.default,
        "server_default": column.server_default,
        "enum": None if enum is None else [*enum.values, *enum.aliases],
    }


def _of_database(column: LiveColumn) -> dict[str, Any]:
    return {"type": column.type, "nullable": column.nullable}
