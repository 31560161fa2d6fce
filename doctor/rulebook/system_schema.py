"""The part of the JSON Schema that describes somebody's system."""

from __future__ import annotations

from typing import Any

from doctor.rulebook.system_grammar import COLUMN, ENUM, HOLDS, NAME, NULL, OPERATION, STORED

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "uniqueItems": True, "minItems": 1}
_VALUES: Schema = {
    "type": "array",
    "items": {"type": ["string", "number", "boolean"]},
    "minItems": 1,
}


def system_schema() -> Schema:
    """Return the schema of a document of kind ``system``."""
    column = _object(
        {
            "enum": _shaped(ENUM.pattern),
            "stored": {"enum": list(STORED)},
            "values": _VALUES,
            "open": {"type": "boolean"},
            "nulls": {"enum": list(NULL)},
            "terminal": _VALUES,
            "holds": {"enum": list(HOLDS)},
            "schema": {"type": "object"},
            "breaks": _TEXT,
        }
    )
    return _object(
        {
            "format": {"const": "doctor/1"},
            "system": _shaped(NAME.pattern),
            "about": _object({"homepage": _TEXT, "package": _TEXT}),
            "tables": _object({"runs": _object({"table": _TEXT, "key": _TEXT}, "table")}, "runs"),
            "columns": {
                "type": "object",
                "patternProperties": {f"^(?:{COLUMN.pattern})$": column},
                "additionalProperties": False,
            },
            "requires": {"type": "array", "items": _requirement()},
            "never": {"type": "array", "items": _contradiction()},
            "also_stored": {"type": "array", "items": _copy()},
            "api": _object({"one": _operation(), "health": _operation()}),
            "logs": _TEXTS,
            "reading": _object({"destroys": _TEXT}, "destroys"),
        },
        "format",
        "system",
    )


def _requirement() -> Schema:
    found = _object(
        {
            "table": _TEXT,
            "when": {"type": "object", "additionalProperties": _VALUES},
            "set": _TEXTS,
            "rows": _TEXT,
            "as_many_as": _TEXT,
            "breaks": _TEXT,
        },
        "table",
        "when",
    )
    return {**found, "oneOf": [{"required": ["set"]}, {"required": ["rows"]}]}


def _contradiction() -> Schema:
    some: Schema = {"type": "object", "additionalProperties": _VALUES, "minProperties": 1}
    fields = {"table": _TEXT, "when": some, "rows": _TEXT, "holding": some, "breaks": _TEXT}
    return _object(fields, "table", "when", "rows", "holding")


def _copy() -> Schema:
    column = _shaped(COLUMN.pattern)
    fields = {"column": column, "inside": column, "path": _TEXTS, "prefix": _TEXT}
    return _object(fields, "column", "inside", "path")


def _operation() -> Schema:
    return _shaped(OPERATION.pattern)


def _shaped(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _object(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }
