"""A JSON Schema of documents that nobody described: families of shapes, optional keys, support.

Objects are told apart by a text that each has and that goes with other keys (``kind: a``), else by
how many keys they share. A shape takes no keys that were never seen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

DEEPEST = 20
MOST_FAMILIES = 8
MOST_KEYS = 60
ALIKE = 0.5
SUPPORT = "x-support"
Schema = dict[str, Any]


def infer_schema(documents: Sequence[Any]) -> Schema:
    """Return a schema that accepts every one of ``documents``; {} for none, which accepts all."""
    return _schema(documents, 0)


def _schema(values: Sequence[Any], depth: int) -> Schema:
    if not values or depth > DEEPEST:
        return {}
    kinds: dict[str, list[Any]] = defaultdict(list)
    for one in values:
        kinds[kind_of(one)].append(one)
    simple = sorted(set(kinds) - {"object", "array"})
    if "number" in simple and "integer" in simple:
        simple.remove("integer")
    parts: list[Schema] = []
    if simple:
        parts.append({"type": simple[0] if len(simple) == 1 else simple})
    if "array" in kinds:
        items = [item for one in kinds["array"] for item in one]
        inner = _schema(items, depth + 1)
        parts.append({"type": "array", "items": inner} if inner else {"type": "array"})
    parts += _objects(kinds["object"], depth) if "object" in kinds else []
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def kind_of(value: Any) -> str:
    """Return the JSON type of a value as Python reads it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _objects(found: Sequence[Mapping[str, Any]], depth: int) -> list[Schema]:
    if len({key for one in found for key in one}) > MOST_KEYS:  # keys are data
        values = [value for one in found for value in one.values()]
        return [{"type": "object", "additionalProperties": _schema(values, depth + 1)}]
    key = _telling_key(found)
    if key is not None:
        by_value: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for one in found:
            by_value[one[key]].append(one)
        return [_shape(many, depth, (key, value)) for value, many in sorted(by_value.items())]
    return [_shape(many, depth) for many in _families(found)]


def _telling_key(found: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the key whose text tells families apart, None where none does."""
    for key in sorted(set(found[0]).intersection(*found[1:])):
        values = [one[key] for one in found]
        if not all(isinstance(one, str) for one in values):
            continue
        counts = Counter(values)
        if not 1 < len(counts) <= MOST_FAMILIES or min(counts.values()) == 1:
            continue
        always = {value: frozenset(_always(found, key, value)) for value in counts}
        if len(set(always.values())) == len(counts):
            return key
    return None


def _always(found: Sequence[Mapping[str, Any]], key: str, value: str) -> set[str]:
    many = [set(one) for one in found if one[key] == value]
    return many[0].intersection(*many[1:])


def _families(found: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return objects that share at least half of their keys together, the commonest first."""
    counts = Counter(frozenset(one) for one in found)
    families: list[set[str]] = []
    place: dict[frozenset[str], int] = {}
    for keys in sorted(counts, key=lambda one: (-counts[one], sorted(one))):
        at = next((at for at, one in enumerate(families) if _alike(keys, one)), None)
        if at is None:
            families.append(set(keys))
            at = len(families) - 1
        families[at] |= keys
        place[keys] = at
    if len(families) > MOST_FAMILIES:
        return [list(found)]
    return [[one for one in found if place[frozenset(one)] == at] for at in range(len(families))]


def _alike(keys: frozenset[str], family: set[str]) -> bool:
    both = keys | family
    return len(keys & family) >= ALIKE * len(both)


def _shape(
    many: Sequence[Mapping[str, Any]], depth: int, told_by: tuple[str, str] | None = None
) -> Schema:
    values: dict[str, list[Any]] = defaultdict(list)
    for one in many:
        for key, value in one.items():
            values[key].append(value)
    properties = {key: _schema(each, depth + 1) for key, each in sorted(values.items())}
    if told_by is not None:
        properties[told_by[0]] = {"const": told_by[1]}
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if len(values[key]) == len(many)],
        "additionalProperties": False,
        SUPPORT: len(many),
    }
