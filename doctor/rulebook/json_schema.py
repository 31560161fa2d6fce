"""The rule format as JSON Schema (draft-07), for editors: completion, and most mistakes as typed.

Made from the words of the grammar and of what is installed, so it cannot name what does not exist.
What only the reader knows (conditions, patterns, names across files) stays with `rules lint`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from doctor.model.evidence import FactKind
from doctor.model.rule import LEVELS
from doctor.model.tier import Tier
from doctor.rulebook.example_grammar import VERDICTS
from doctor.rulebook.exception_grammar import EXCEPTION_NAME
from doctor.rulebook.grammar import FORMAT
from doctor.rulebook.match_grammar import MODIFIERS, SELECTION_NAME
from doctor.rulebook.override_grammar import APPENDED, COUNTED, DATE, REPLACED, STATUSES
from doctor.rulebook.remedy_grammar import CONFIRM, GROUPS, LARGEST, ON_VERIFY_FAIL, REMEDY_ID
from doctor.rulebook.rule_grammar import CAUSE, RULE_CODE, RULE_ID
from doctor.rulebook.scalars import DURATION
from doctor.rulebook.signature_grammar import CAPTURED_TYPES, CLASS, KIND
from doctor.rulebook.system_schema import system_schema

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "uniqueItems": True}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_RETRYABLE: Schema = {"enum": [True, False, "unknown"]}


def rule_schema(
    catalogue: Mapping[str, FactKind], probes: Collection[str], fixers: Collection[str]
) -> Schema:
    """Return the schema of one document of a rule file."""
    documents = {
        "rule": _rule(),
        "signatures": _signatures(),
        "mapping": _mapping(),
        "override": _override(),
        "system": system_schema(),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Doctor rules",
        "type": "object",
        "required": ["format"],
        "properties": {"format": {"const": FORMAT}},
        "oneOf": [{"allOf": [{"required": [name]}, _ref(name)]} for name in documents],
        "definitions": {
            **documents,
            "factKind": {"anyOf": [{"enum": sorted(catalogue)}, _shaped(KIND)]},
            "probe": {"enum": sorted(probes)},
            "fixer": {"enum": sorted(fixers)},
            "duration": _shaped(DURATION),
            "selection": _selection(),
            "remedy": _remedy(),
            "limits": _limits(),
            "test": _test(),
            "givenFact": _given_fact(catalogue),
        },
    }


def _rule() -> Schema:
    diagnosis = _object(
        {
            "cause": _shaped(CAUSE),
            "message": _TEXT,
            "hint": _TEXT,
            "subject": _shaped(SELECTION_NAME),
        },
        optional=("subject",),
    )
    explanation = _object(
        {"what": _TEXT, "why": _TEXT, "fix_safety": _TEXT, "references": _TEXTS},
        optional=("fix_safety", "references"),
    )
    match: Schema = {
        "type": "object",
        "required": ["condition"],
        "properties": {"condition": _TEXT},
        "patternProperties": {
            f"^(?!condition$){SELECTION_NAME.pattern}$": _ref("selection"),
        },
        "additionalProperties": False,
    }
    exception = _object(
        {"selection": _TEXT, "fields": {**_TEXTS, "minItems": 1}, "values": _rows()},
        optional=("values",),
    )
    return _document(
        {
            "rule": _shaped(RULE_ID),
            "code": _shaped(RULE_CODE),
            "revision": _integer(1),
            "title": _TEXT,
            "status": {"enum": list(STATUSES)},
            "level": {"enum": list(LEVELS)},
            "owner": _TEXT,
            "retryable": _RETRYABLE,
            "needs": {**_TEXTS, "items": _ref("factKind")},
            "match": match,
            "join": _TEXTS,
            "explains": {**_TEXTS, "items": _shaped(RULE_ID)},
            "confirm": _object({"probe": _ref("probe")}),
            "exceptions": _named(EXCEPTION_NAME, exception),
            "diagnosis": diagnosis,
            "remedies": {"type": "array", "items": _ref("remedy")},
            "limits": _ref("limits"),
            "explanation": explanation,
            "tests": {"type": "array", "items": _ref("test")},
        },
        optional=(
            *("needs", "join", "explains", "confirm", "exceptions"),
            *("remedies", "limits", "tests"),
        ),
    )


def _selection() -> Schema:
    modified = {
        "gte": {"type": "number"},
        "lt": {"type": "number"},
        "in": {"type": "array", "items": _SCALAR, "minItems": 1},
        "exists": {"type": "boolean"},
    }
    facts: Schema = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": _ref("factKind")},
        "patternProperties": {
            "^(?!kind$)[^|]+$": _SCALAR,
            **{rf"^[^|]+\|{name}$": modified[name] for name in MODIFIERS},
        },
        "additionalProperties": False,
    }
    count = _object(
        {
            "count_of": _TEXT,
            "group_by": _TEXTS,
            "within": _ref("duration"),
            "gte": _integer(1),
        }
    )
    return {"if": {"required": ["count_of"]}, "then": count, "else": facts}


def _remedy() -> Schema:
    verify: Schema = {
        "type": "object",
        "oneOf": [{"required": ["rerun"]}, {"required": ["probe"]}],
        "required": ["expect"],
        "properties": {
            "rerun": {"const": CONFIRM},
            "probe": _ref("probe"),
            "expect": {"anyOf": [{"const": "clear"}, _object({"status": _integer(100, 599)})]},
        },
        "additionalProperties": False,
    }
    expect = _object({"rows": _integer(1), "columns": _TEXTS}, optional=("rows", "columns"))
    return _object(
        {
            "id": _shaped(REMEDY_ID),
            "fixer": _ref("fixer"),
            "tier": {"enum": list(Tier.__members__)},
            "verify": {"type": "array", "items": verify},
            "expect": expect,
            "on_verify_fail": {"enum": list(ON_VERIFY_FAIL)},
            "timeout": _ref("duration"),
        },
        optional=("verify", "expect", "on_verify_fail", "timeout"),
    )


def _limits() -> Schema:
    groups: Schema = {"type": "array", "items": {"enum": list(GROUPS)}, "uniqueItems": True}
    return _object(
        {
            "cost": _integer(0),
            "once_within": _object({"period": _ref("duration"), "group_by": groups}),
            "blast_radius": _object({"rows": _integer(1), "window": _ref("duration")}),
        },
        optional=("cost", "once_within", "blast_radius"),
    )


def _test() -> Schema:
    gap = _object(
        {
            "probe": _ref("probe"),
            "reason": _TEXT,
            "kinds": {**_TEXTS, "items": _ref("factKind")},
        }
    )
    given = _object(
        {
            "facts": {"type": "array", "items": _ref("givenFact")},
            "gaps": {"type": "array", "items": gap},
        },
        optional=("facts", "gaps"),
    )
    expect = _object({"verdict": {"enum": list(VERDICTS)}, "remedy": _TEXT}, optional=("remedy",))
    return _object({"name": _TEXT, "given": given, "expect": expect})


def _given_fact(catalogue: Mapping[str, FactKind]) -> Schema:
    fields = sorted({field.name for kind in catalogue.values() for field in kind.fields})
    value: Schema = {"type": ["string", "number", "boolean", "null", "array", "object"]}
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {
            **dict.fromkeys(fields, value),
            "kind": _ref("factKind"),
            "source": _TEXT,
            "at": {"anyOf": [{"type": "number", "minimum": 0}, _ref("duration")]},
            "times": _integer(1),
            "every": _ref("duration"),
        },
    }


def _signatures() -> Schema:
    symptom = _object(
        {
            "class": _shaped(CLASS),
            "noise": {"type": "boolean"},
            "retryable": _RETRYABLE,
            "wait": _ref("duration"),
        },
        optional=("noise", "retryable", "wait"),
    )
    signature = _object(
        {
            "kind": _shaped(KIND),
            "pattern": _TEXT,
            "fields": {
                "type": "object",
                "additionalProperties": {"enum": list(CAPTURED_TYPES)},
            },
            "tests": _TEXTS,
            "silent": _TEXTS,
            "symptom": symptom,
        },
        optional=("fields", "tests", "silent", "symptom"),
    )
    items: Schema = {"type": "array", "items": signature, "minItems": 1}
    return _document({"signatures": items})


def _mapping() -> Schema:
    values: Schema = {"type": "object", "minProperties": 1, "additionalProperties": _SCALAR}
    return _document(
        {"mapping": {"type": "string", "pattern": r"\."}, "owner": _TEXT, "reason": _TEXT}
        | {"values": values}
    )


def _override() -> Schema:
    kinds: Mapping[str, Schema] = {
        "level": {"enum": list(LEVELS)},
        "status": {"enum": list(STATUSES)},
        "retryable": _RETRYABLE,
        "limits.cost": _integer(0),
        "limits.blast_radius.rows": _integer(1),
        "limits.blast_radius.window": _ref("duration"),
        "limits.once_within.period": _ref("duration"),
    }
    replace: Schema = {
        "type": "object",
        "properties": {path: kinds.get(path, _TEXT) for path in REPLACED},
        "patternProperties": {f"^{COUNTED.pattern}$": {"type": ["integer", "string"]}},
        "additionalProperties": False,
    }
    return {
        **_document(
            {
                "override": _shaped(RULE_ID),
                "expects_revision": _integer(1),
                "owner": _TEXT,
                "reason": _TEXT,
                "expires": _shaped(DATE),
                "append": _named(APPENDED, _rows()),
                "replace": replace,
            },
            optional=("append", "replace"),
        ),
        "anyOf": [{"required": ["append"]}, {"required": ["replace"]}],
    }


def _document(properties: Schema, optional: Collection[str] = ()) -> Schema:
    return _object({"format": {"const": FORMAT}, **properties}, optional)


def _object(properties: Schema, optional: Collection[str] = ()) -> Schema:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
        "additionalProperties": False,
    }


def _named(pattern: re.Pattern[str], value: Schema) -> Schema:
    named = {f"^(?:{pattern.pattern})$": value}
    return {"type": "object", "patternProperties": named, "additionalProperties": False}


def _rows() -> Schema:
    return {"type": "array", "items": {"type": "array", "items": _SCALAR}}


def _integer(least: int, most: int = LARGEST) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _shaped(pattern: re.Pattern[str]) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}
