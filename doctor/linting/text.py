"""SQL text in Python source: its constant parts and what is formatted between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_DEPTH = 40
_PERCENT = re.compile(r"%(?:\((?P<name>\w+)\))?[-+ #0]*\d*(?:\.\d+)?(?P<kind>[sdifrFgexX%])")
_BRACES = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]*)\}")

Names = Mapping[str, ast.expr]


@dataclass(frozen=True, slots=True)
class Hole:
    """A value that is formatted into text; ``value`` is None where it is not written there."""

    value: ast.expr | None
    number: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text of which some parts may only be known when the code runs."""

    pieces: tuple[str | Hole, ...]
    node: ast.expr

    @property
    def constant(self) -> str:
        """The constant parts alone."""
        return "".join(one for one in self.pieces if isinstance(one, str))


def text_of(node: ast.expr, names: Names, used: set[int] | None = None) -> Text | None:
    """Return the text that an expression makes, None where it is none.

    ``names`` are those that are bound once, to an expression; ``used`` takes the ids of the
    expressions that became parts of the text.
    """
    pieces = _pieces(node, names, set() if used is None else used, 0)
    return None if pieces is None else Text(tuple(pieces), node)


def constant_text(node: ast.expr | None, names: Names) -> str | None:
    """Return the text of an expression whose value is certain, else None."""
    if node is None:
        return None
    found = text_of(node, names)
    if found is None or any(isinstance(one, Hole) for one in found.pieces):
        return None
    return found.constant


def _pieces(node: ast.expr, names: Names, used: set[int], depth: int) -> list[str | Hole] | None:
    if depth > MOST_DEPTH:
        return None
    found: list[str | Hole] | None = None
    match node:
        case ast.Constant(value=str() as value):
            used.add(id(node))
            found = [value]
        case ast.JoinedStr(values=values):
            used.add(id(node))
            found = [piece for one in values for piece in _of_part(one, names, used, depth)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            found = _sum(left, right, names, used, depth)
        case ast.BinOp(op=ast.Mod(), left=left, right=right):
            pattern = _pieces(left, names, used, depth + 1)
            found = None if pattern is None else _percent(pattern, right, names)
        case ast.Call(func=ast.Attribute(attr="format", value=left)):
            pattern = _pieces(left, names, used, depth + 1)
            found = None if pattern is None else _braces(pattern, node, names)
        case ast.Name(id=name) if name in names and depth:
            found = _pieces(names[name], names, set(), depth + 1)
    return found


def _of_part(node: ast.expr, names: Names, used: set[int], depth: int) -> list[str | Hole]:
    if isinstance(node, ast.Constant):
        used.add(id(node))
        return [str(node.value)]
    if isinstance(node, ast.FormattedValue):
        is_plain = node.conversion == -1 and node.format_spec is None
        return _filled(node.value, names, depth, plain=is_plain)
    return [Hole(node)]


def _filled(node: ast.expr, names: Names, depth: int, *, plain: bool = True) -> list[str | Hole]:
    """Return the constant that stands in a place of a text, else a hole."""
    if plain and isinstance(node, ast.Constant) and isinstance(node.value, (str, int)):
        return [str(node.value)]
    found = _pieces(node, names, set(), depth + 1) if plain else None
    return [Hole(node)] if found is None else found


def _sum(
    left: ast.expr, right: ast.expr, names: Names, used: set[int], depth: int
) -> list[str | Hole] | None:
    parts = [_pieces(one, names, used, depth + 1) for one in (left, right)]
    if parts == [None, None]:
        return None
    found: list[str | Hole] = []
    for part, node in zip(parts, (left, right), strict=True):
        found += [Hole(node)] if part is None else part
    return found


def _percent(pattern: list[str | Hole], values: ast.expr, names: Names) -> list[str | Hole]:
    positional = list(values.elts) if isinstance(values, ast.Tuple) else [values]
    named = _items(values)
    found: list[str | Hole] = []
    for piece in pattern:
        if isinstance(piece, Hole):
            found.append(piece)
            continue
        start = 0
        for match in _PERCENT.finditer(piece):
            found.append(piece[start : match.start()])
            start = match.end()
            if match["kind"] == "%":
                found.append("%")
                continue
            if match["name"] is not None:
                value = named.get(match["name"])
            else:
                value = positional.pop(0) if positional else None
            if value is None:
                found.append(Hole(None))
            elif match["kind"] in "sr":
                found += _filled(value, names, 1, plain=match[0] == "%s")
            else:
                found.append(Hole(value, number=True))
        found.append(piece[start:])
    return found


def _braces(pattern: list[str | Hole], call: ast.Call, names: Names) -> list[str | Hole]:
    named = {one.arg: one.value for one in call.keywords if one.arg is not None}
    counter = iter(range(len(call.args)))
    found: list[str | Hole] = []
    for piece in pattern:
        if isinstance(piece, Hole):
            found.append(piece)
            continue
        start = 0
        for match in _BRACES.finditer(piece):
            found.append(piece[start : match.start()])
            start = match.end()
            if match["field"] is None:
                found.append(match[0][0])
            else:
                found += _field(match["field"], call, named, counter, names)
        found.append(piece[start:])
    return found


def _field(
    field: str,
    call: ast.Call,
    named: Mapping[str, ast.expr],
    counter: Iterator[int],
    names: Names,
) -> list[str | Hole]:
    name = re.split(r"[.\[!:]", field, maxsplit=1)[0]
    if not name or name.isdecimal():
        at = int(name) if name else next(counter, -1)
        value = call.args[at] if 0 <= at < len(call.args) else None
    else:
        value = named.get(name)
    return [Hole(None)] if value is None else _filled(value, names, 1, plain=name == field)


def _items(node: ast.expr) -> dict[str, ast.expr]:
    """Return the values of a dict that is written out, by their keys."""
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
