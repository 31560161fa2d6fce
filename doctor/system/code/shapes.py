"""The JSON Schema of a class that a JSON column is annotated with: read, never imported.

Understood are classes of annotated fields (pydantic models, TypedDicts, dataclasses) in one file.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from doctor.model.documentation import Place, Words
from doctor.model.schema import CodeModels
from doctor.system.code.words import SourceFile, SourceFiles

DEEPEST = 12
_PLAIN = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "datetime": {"type": "string"},
    "date": {"type": "string"},
    "UUID": {"type": "string"},
    "dict": {"type": "object"},
    "list": {"type": "array"},
    "Any": {},
}
_BASES = frozenset({"BaseModel", "TypedDict", "RootModel"})
_LISTS = frozenset({"list", "List", "Sequence", "set", "frozenset"})
_MAPS = frozenset({"dict", "Dict", "Mapping"})
Schema = dict[str, Any]


class _UnknownShapeError(Exception):
    """A part that is not understood: nothing is said about the whole."""


def class_schemas(models: CodeModels, files: SourceFiles) -> dict[Place, Words]:
    """Return the schemas of the columns whose values are objects of a class, as text."""
    found: dict[Place, Words] = {}
    for table in models.tables:
        for column in table.columns:
            place = files.at(column.holds)
            node = place[0].statements.get(place[1], (None,))[0] if place is not None else None
            if place is None or not isinstance(node, ast.ClassDef):
                continue
            try:
                schema = _of_class(node, _classes(place[0]), 0)
            except _UnknownShapeError:
                continue
            text = json.dumps(schema, ensure_ascii=False)
            found[table.name, column.name] = Words(text, column.holds)
    return found


def _classes(file: SourceFile) -> Mapping[str, ast.ClassDef]:
    return {one.name: one for one in file.tree.body if isinstance(one, ast.ClassDef)}


def _of_class(node: ast.ClassDef, known: Mapping[str, ast.ClassDef], depth: int) -> Schema:
    if depth > DEEPEST:
        raise _UnknownShapeError
    properties: Schema = {}
    required: list[str] = []
    for base in node.bases:
        name = getattr(base, "attr", getattr(base, "id", ""))
        if name in known and known[name] is not node:
            inner = _of_class(known[name], known, depth + 1)
            properties |= inner["properties"]
            required += inner["required"]
        elif name not in _BASES:
            raise _UnknownShapeError
    if not node.bases and not _is_dataclass(node):
        raise _UnknownShapeError
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            name = one.target.id
            properties[name] = _of_type(one.annotation, known, depth) | _described(one.value)
            if one.value is None or _is_required(one.value):
                required.append(name)
    if not properties or any(_renames(one) for one in ast.walk(node)):
        raise _UnknownShapeError
    return {"type": "object", "properties": properties, "required": required}


def _is_dataclass(node: ast.ClassDef) -> bool:
    names = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return any(getattr(one, "attr", getattr(one, "id", "")) == "dataclass" for one in names)


def _renames(node: ast.AST) -> bool:
    names = {"alias", "serialization_alias", "alias_generator", "total", "exclude"}
    return isinstance(node, ast.keyword) and node.arg in names


def _described(value: ast.expr | None) -> Schema:
    for one in value.keywords if isinstance(value, ast.Call) else ():
        if one.arg == "description" and isinstance(one.value, ast.Constant):
            return {"description": str(one.value.value)}
    return {}


def _is_required(value: ast.expr) -> bool:
    """Tell of ``Field(...)`` without a default."""
    if isinstance(value, ast.Constant):
        return value.value is ...
    if not isinstance(value, ast.Call):
        return False
    first = value.args[0] if value.args else None
    given = {one.arg for one in value.keywords} & {"default", "default_factory"}
    is_open = isinstance(first, ast.Constant) and first.value is ...
    return not given and (first is None or is_open)


def _of_type(node: ast.expr, known: Mapping[str, ast.ClassDef], depth: int) -> Schema:
    if depth > DEEPEST:
        raise _UnknownShapeError
    match node:
        case ast.Constant(value=None):
            return _PLAIN["None"]
        case ast.Constant(value=str() as text):
            return _of_text(text, known, depth)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _any([left, right], known, depth)
        case ast.Subscript(value=value, slice=inner):
            name = getattr(value, "attr", getattr(value, "id", ""))
            return _of_generic(name, inner, known, depth)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name in known:
                return _of_class(known[name], known, depth + 1)
            if name in _PLAIN:
                return dict(_PLAIN[name])
    raise _UnknownShapeError


def _of_text(text: str, known: Mapping[str, ast.ClassDef], depth: int) -> Schema:
    try:
        return _of_type(ast.parse(text, mode="eval").body, known, depth + 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _UnknownShapeError from None


def _of_generic(
    name: str, inner: ast.expr, known: Mapping[str, ast.ClassDef], depth: int
) -> Schema:
    parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional":
        return _any([*parts, ast.Constant(None)], known, depth)
    if name == "Union":
        return _any(parts, known, depth)
    if name in ("Annotated", "Required"):
        return _of_type(parts[0], known, depth + 1)
    if name == "Literal" and all(isinstance(one, ast.Constant) for one in parts):
        return {"enum": [getattr(one, "value", None) for one in parts]}
    if name in _LISTS and len(parts) == 1:
        return {"type": "array", "items": _of_type(parts[0], known, depth + 1)}
    if name in _MAPS and len(parts) > 1:
        return {"type": "object", "additionalProperties": _of_type(parts[1], known, depth + 1)}
    raise _UnknownShapeError


def _any(parts: list[ast.expr], known: Mapping[str, ast.ClassDef], depth: int) -> Schema:
    return {"anyOf": [_of_type(one, known, depth + 1) for one in parts]}
