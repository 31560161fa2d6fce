"""Plans and row images as JSON and back, value for value."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from doctor.errors import TreatmentError, UsageError
from doctor.model.change import Change, Key, Plan, Seen, SetCells, SetColumn
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.model.rule import Verify
from doctor.model.tier import Tier
from doctor.redaction import REDACTED, redact, redact_value


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted names, ASCII, no spaces."""
    return json.dumps(
        value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def plan_to_json(plan: Plan) -> str:
    """Return the whole plan as canonical JSON; secrets are left out, its hash stands for them."""
    parts = [part for one in plan.changes for part in (one.key, one.expected, one.to)]
    document = {
        "sealed": None if all(map(is_clean, parts)) else plan.hash,
        "target": _wire(plan.target),
        "run": _wire(plan.run),
        "rules": [_wire(rule) for rule in plan.rules],
        "changes": [_change_to_wire(one) for one in plan.changes],
        "tier": int(plan.tier),
        "cost": plan.cost,
        "verify": [[_wire(one.probe), one.expect_status] for one in plan.verify],
        "notes": [_wire(note) for note in plan.notes],
        "evidence": [_seen_to_wire(one) for one in plan.evidence],
        **({"bulk": [_bulk_to_wire(one) for one in plan.bulk]} if plan.bulk else {}),
    }
    return canonical({**document, "digest": _digest(document)})


def seen_to_json(evidence: Sequence[Seen], now: datetime) -> list[dict[str, object]]:
    """Return what was seen behind a plan, for the journal; what probes see, they see ``now``."""
    return [
        {
            "kind": one.kind,
            "source": one.source,
            "change": one.change,
            "line": one.line,
            "at": _time(one.at if one.at or one.change is None else now),
            "count": one.count,
        }
        for one in evidence
    ]


def plan_from_json(text: str) -> Plan:
    """Return the plan that ``plan_to_json`` wrote; raises UsageError for anything else."""
    try:
        value = json.loads(text)
        if value.pop("digest", None) != _digest(value) and "evidence" in value:
            raise ValueError("digest")
        return Plan(
            target=_text(value["target"]),
            run=_text(value["run"]),
            rules=tuple(_text(rule) for rule in value["rules"]),
            changes=tuple(_change_from_wire(one) for one in value["changes"]),
            tier=Tier(value["tier"]),
            cost=int(value["cost"]),
            verify=tuple(Verify(_text(probe), status) for probe, status in value["verify"]),
            notes=tuple(_text(note) for note in value["notes"]),
            evidence=tuple(_seen_from_wire(one) for one in value.get("evidence", ())),
            sealed=None if value.get("sealed") is None else _text(value["sealed"]),
            bulk=tuple(_bulk_from_wire(one) for one in value.get("bulk", ())),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError("a plan in the store is damaged") from None


def images_to_json(images: Sequence[ChangeImage]) -> str:
    """Return row images as canonical JSON; cells that hold secrets hold ``REDACTED`` there."""
    return canonical([[_shown(one.before), _shown(one.after)] for one in images])


def images_from_json(text: str) -> tuple[ChangeImage, ...]:
    """Return the images that ``images_to_json`` wrote; raises UsageError for anything else."""
    try:
        return tuple(
            ChangeImage(_cells_from_wire(before), _cells_from_wire(after))
            for before, after in json.loads(text)
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError("the row images in the store are damaged") from None


def _digest(document: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical(document).encode()).hexdigest()[:32]


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _seen_to_wire(one: Seen) -> list[object]:
    kept = (_wire(redact(one.kind)), _wire(redact(one.source)))
    return [*kept, one.change, one.line, _time(one.at), one.count]


def _seen_from_wire(value: list[Any]) -> Seen:
    kind, source, change, line, at, count = value
    moment = None if at is None else datetime.fromisoformat(at)
    return Seen(_text(kind), _text(source), change, line, moment, int(count))


def _change_to_wire(change: Change) -> object:
    parts = (change.key, change.expected, change.to)
    return {"set_cells": [_wire(change.table), *(_shown(part) for part in parts)]}


def _change_from_wire(value: dict[str, Any]) -> Change:
    table, *parts = value["set_cells"]
    key, expected, to = (_cells_from_wire(part) for part in parts)
    return SetCells(_text(table), key, expected, to)


def _bulk_to_wire(one: SetColumn) -> list[object]:
    names = [_wire(one.table), [_wire(name) for name in one.key], _wire(one.column)]
    return [*names, _wire(one.expected), _wire(one.to), one.rows, one.pins]


def _bulk_from_wire(value: list[Any]) -> SetColumn:
    table, key, column, expected, to, rows, pins = value
    return SetColumn(
        _text(table),
        tuple(_text(name) for name in key),
        _text(column),
        cast("Scalar", _unwire(expected)),
        cast("Scalar", _unwire(to)),
        int(rows),
        _text(pins),
    )


def keys_to_json(keys: Sequence[Key]) -> str:
    """Return keys of rows as canonical JSON."""
    return canonical([[_wire(value) for value in key] for key in keys])


def keys_from_json(text: str) -> tuple[Key, ...]:
    """Return the keys that ``keys_to_json`` wrote; raises UsageError for anything else."""
    try:
        return tuple(
            tuple(cast("Scalar", _unwire(value)) for value in key) for key in json.loads(text)
        )
    except (ValueError, TypeError):
        raise UsageError("the pinned rows in the store are damaged") from None


def redact_cells(cells: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return cells as they are kept: ``REDACTED`` in place of each that holds a secret."""
    shown = ((name, value, redact_value(value, name)) for name, value in cells.items())
    return {
        name: value if clean is value or clean == value else REDACTED
        for name, value, clean in shown
    }


def is_clean(cells: Mapping[str, Scalar]) -> bool:
    """Tell whether cells are kept exactly as they are."""
    return REDACTED not in redact_cells(cells).values()


def _shown(cells: Mapping[str, Scalar]) -> list[list[object]]:
    return cells_to_wire(redact_cells(cells))


def cells_to_wire(cells: Mapping[str, Scalar]) -> list[list[object]]:
    """Return cells as what JSON can hold; raises TreatmentError for values of other types."""
    return [[_wire(name), _wire(value)] for name, value in cells.items()]


def _cells_from_wire(pairs: list[list[Any]]) -> dict[str, Scalar]:
    return {_text(name): cast("Scalar", _unwire(value)) for name, value in pairs}


def _wire(value: object) -> object:
    """Databases hand over more than JSON has: bytes, unpaired surrogates, infinity."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return value if value.isascii() or _is_unicode(value) else {"text": _pack(value)}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    raise TreatmentError(f"a value of type {type(value).__name__!r} cannot be kept exactly")


def _unwire(value: Any) -> object:
    if not isinstance(value, dict):
        return value
    ((kind, packed),) = value.items()
    if kind == "float":
        return float(packed)
    data = base64.b64decode(packed, validate=True)
    if kind == "text":
        return data.decode("utf-8", "surrogatepass")
    if kind == "bytes":
        return data
    raise ValueError(kind)


def _text(value: object) -> str:
    text = _unwire(value)
    if not isinstance(text, str):
        raise TypeError(text)
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pack(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
