"""Whether a document fits its JSON Schema, for the words that Doctor itself writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doctor.rulebook.problem import brief
from doctor.schema.documents.shapes import kind_of

DEEPEST = 60
_SAID = frozenset({"title", "description", "default", "examples", "$schema", "$id", "$defs"})
_SAID |= {"$comment", "deprecated"}
LENIENT = "x-lenient"
_TRUTHS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", "y", "n"})
_CHECKED = frozenset({"type", "const", "enum", "properties", "required", "additionalProperties"})
_CHECKED |= {"items", "anyOf", "oneOf", "$ref"}
Schema = Mapping[str, Any]


class UnknownWordError(Exception):
    """A schema uses a word that is not checked here, so nothing fits it for certain."""


def misfit(document: Any, schema: Schema) -> str | None:
    """Return the first thing that does not fit, with its path, or None.

    Raises UnknownWordError where that cannot be told.
    """
    return _misfit(document, schema, schema, "$", 0)


def _misfit(value: Any, schema: Any, root: Schema, path: str, depth: int) -> str | None:
    if schema is True or schema == {}:
        return None
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        raise UnknownWordError("the schema is none, or nested too deeply")
    words = [one for one in schema if one not in _SAID and not one.startswith("x-")]
    unknown = next((one for one in words if one not in _CHECKED), None)
    if unknown is not None:
        raise UnknownWordError(f"the schema says {unknown!r}, which is not checked")
    if "$ref" in schema:
        return _misfit(value, _referred(schema["$ref"], root), root, path, depth + 1)
    return (
        _wrong_kind(value, schema, path)
        or _wrong_value(value, schema, path)
        or _wrong_object(value, schema, root, path, depth)
        or _wrong_items(value, schema, root, path, depth)
        or _wrong_choice(value, schema, root, path, depth)
    )


def _referred(name: Any, root: Schema) -> Any:
    found = root.get("$defs", {}).get(str(name).removeprefix("#/$defs/"))
    if found is None:
        raise UnknownWordError(f"the schema refers to {name!r}, which it does not have")
    return found


def _wrong_kind(value: Any, schema: Schema, path: str) -> str | None:
    wanted = schema.get("type")
    if wanted is None:
        return None
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    kind = kind_of(value)
    is_whole = isinstance(value, float) and value.is_integer()
    if kind in kinds or (kind == "integer" and "number" in kinds):
        return None
    if is_whole and "integer" in kinds:
        return None
    if schema.get(LENIENT) and _can_be(value, wanted):
        return None
    return f"{path} is {_kind_text(kind)}, not {' or '.join(_kind_text(one) for one in kinds)}"


def _can_be(value: Any, wanted: Any) -> bool:
    """Tell whether pydantic makes what is wanted of a value, as it does unless it is strict."""
    if wanted == "boolean":
        return str(value).lower() in _TRUTHS and not isinstance(value, float)
    if wanted not in ("integer", "number") or not isinstance(value, str | bool):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return wanted == "number" or number.is_integer()


def _kind_text(kind: str) -> str:
    if kind == "null":
        return kind
    return f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def _wrong_value(value: Any, schema: Schema, path: str) -> str | None:
    if "const" in schema and not _same(value, schema["const"]):
        return f"{path} is {brief(value)}, not {brief(schema['const'])}"
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return f"{path} is {brief(value)}, none of the {len(schema['enum'])} that there are"
    return None


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _wrong_object(value: Any, schema: Schema, root: Schema, path: str, depth: int) -> str | None:
    if not isinstance(value, Mapping):
        return None
    missing = next((one for one in schema.get("required", ()) if one not in value), None)
    if missing is not None:
        return f"{path} has no {missing!r}"
    properties: Mapping[str, Any] = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    for key, one in value.items():
        inner = properties.get(key, more)
        if inner is False:
            return f"{path} has {key!r}, which nobody described"
        problem = _misfit(one, inner, root, f"{path}.{key}", depth + 1)
        if problem is not None:
            return problem
    return None


def _wrong_items(value: Any, schema: Schema, root: Schema, path: str, depth: int) -> str | None:
    if not isinstance(value, list) or "items" not in schema:
        return None
    found = (
        _misfit(one, schema["items"], root, f"{path}[{at}]", depth + 1)
        for at, one in enumerate(value)
    )
    return next((one for one in found if one is not None), None)


def _wrong_choice(value: Any, schema: Schema, root: Schema, path: str, depth: int) -> str | None:
    choices: Sequence[Any] = schema.get("anyOf") or schema.get("oneOf") or ()
    if not choices:
        return None
    problems = [_misfit(value, one, root, path, depth + 1) for one in choices]
    fitting = problems.count(None)
    if fitting and ("anyOf" in schema or fitting == 1):
        return None
    if fitting:
        return f"{path} fits {fitting} of {len(choices)} shapes, not one"
    meant = [
        problem
        for one, problem in zip(choices, problems, strict=True)
        if problem is not None and _is_meant(value, one)
    ]
    if len(meant) == 1:
        return meant[0]
    return f"{path} fits none of {len(choices)} shapes"


def _is_meant(value: Any, schema: Any) -> bool:
    """Tell whether a shape is the one that a constant in the document names."""
    if not isinstance(value, Mapping) or not isinstance(schema, Mapping):
        return False
    told = {
        key: one["const"]
        for key, one in schema.get("properties", {}).items()
        if isinstance(one, Mapping) and "const" in one
    }
    return bool(told) and all(value.get(key) == one for key, one in told.items())
