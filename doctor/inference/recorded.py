"""Evidence as a JSON document, so that rules can be tried on what was once observed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from doctor.errors import UsageError
from doctor.model.evidence import Evidence, Fact, Gap, Scalar, Value

SCHEMA_VERSION = 1


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """Return the document; bytes become text."""
    return {
        "schema_version": SCHEMA_VERSION,
        "facts": [_fact(one) for one in evidence.facts],
        "gaps": [
            {"probe": one.probe, "reason": one.reason, "kinds": list(one.kinds)}
            for one in evidence.gaps
        ],
    }


def evidence_from_json(text: str, name: str) -> Evidence:
    """Return the evidence of a document called ``name``; raises UsageError for any other text."""
    try:
        data = json.loads(text)
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {data['schema_version']!r} is not known")
        facts = tuple(_fact_from(one) for one in data["facts"])
        gaps = tuple(
            Gap(str(one["probe"]), str(one["reason"]), tuple(map(str, one["kinds"])))
            for one in data.get("gaps", ())
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        shown = f"{type(error).__name__}: {error}"
        raise UsageError(
            f"{name!r} is no recorded evidence: {shown}",
            hint="doctor rules replay LOG --record FILE writes some",
        ) from None
    return Evidence(facts, gaps)


def _fact(one: Fact) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "fields": {name: _plain(value) for name, value in one.fields.items()},
        "source": one.source,
        "at": one.at.isoformat() if one.at else None,
        "line": one.line,
        "order": one.order,
    }


def _plain(value: Value) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _fact_from(data: Any) -> Fact:
    line = data.get("line")
    at = data.get("at")
    return Fact(
        str(data["kind"]),
        {str(name): _value(one) for name, one in data["fields"].items()},
        str(data.get("source", "recorded")),
        None if at is None else datetime.fromisoformat(at),
        None if line is None else int(line),
        float(data.get("order", 0.0)),
    )


def _value(data: Any) -> Value:
    if isinstance(data, list):
        return tuple(map(str, data))
    if isinstance(data, dict):
        return {str(name): _scalar(one) for name, one in data.items()}
    return _scalar(data)


def _scalar(data: Any) -> Scalar:
    if data is None or isinstance(data, str | int | float):
        return data
    raise TypeError(f"{type(data).__name__} is no value of a field")
