"""CodeModels as JSON and back, for the child process that imports models."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from doctor.model.schema import (
    CodeColumn,
    CodeFill,
    CodeGap,
    CodeLink,
    CodeModels,
    CodeTable,
    CodeUnique,
    EnumValues,
    Made,
    MadeValue,
    Many,
)


def to_json(models: CodeModels) -> str:
    """Return ``models`` as one line of JSON."""
    return json.dumps(asdict(models))


def from_json(line: str) -> CodeModels:
    """Return the models in one line of JSON; raises ValueError or TypeError where it is none."""
    found = json.loads(line)
    return CodeModels(
        tables=tuple(_table(one) for one in found["tables"]),
        gaps=tuple(CodeGap(**one) for one in found["gaps"]),
    )


def _table(found: dict[str, Any]) -> CodeTable:
    parts: dict[str, tuple[Any, ...]] = {
        "columns": tuple(_column(one) for one in found["columns"]),
        "links": tuple(
            CodeLink(tuple(one["columns"]), one["table"], tuple(one["references"]))
            for one in found["links"]
        ),
        "uniques": tuple(
            CodeUnique(tuple(one["columns"]), one["name"]) for one in found["uniques"]
        ),
    }
    parts["unread"] = tuple(found["unread"])
    parts["items"] = tuple(_made(one) for one in found["items"])
    parts["naming"] = tuple((kind, words) for kind, words in found["naming"])
    return CodeTable(**{**found, **parts})


def _column(found: dict[str, Any]) -> CodeColumn:
    enum, fill, whole = found["enum"], found["fill"], found["made"]
    made = {
        "enum": None if enum is None else _enum(enum),
        "fill": None if fill is None else CodeFill(**fill),
        "made": None if whole is None else _made(whole),
    }
    return CodeColumn(**{**found, **made})


def _enum(found: dict[str, Any]) -> EnumValues:
    lists = {name: tuple(found[name]) for name in ("values", "aliases")}
    return EnumValues(**{**found, **lists})


def _made(found: dict[str, Any]) -> Made:
    options = {name: _value(one) for name, one in found["options"].items()}
    return Made(found["path"], tuple(_value(one) for one in found["args"]), options)


def _value(found: Any) -> MadeValue:
    if not isinstance(found, dict):
        return found  # type: ignore[no-any-return]
    if "path" in found:
        return _made(found)
    return Many(tuple(_value(one) for one in found["values"]))
