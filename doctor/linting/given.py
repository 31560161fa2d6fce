"""The values that stand beside a statement, as far as they are written out there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.linting.slots import Bound, Slot
from doctor.linting.text import Names, constant_text

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Written:
    """A value that is certain: its text (None for NULL), and where it is written.

    ``at`` is a place in the statement, or the expression beside it.
    """

    value: str | None
    at: int | ast.expr


@dataclass(frozen=True, slots=True)
class Given:
    """What the calls of a statement bind: each a tuple, a dict or a list of them, with its names.

    ``names`` are those in sight of the statement itself.
    """

    names: Names
    calls: tuple[tuple[ast.expr, Names], ...] = ()

    def values(self, slot: Slot | None) -> Iterator[Written]:
        """Yield the certain values of a slot; nothing where they are known only at run time."""
        if not isinstance(slot, Bound):
            return
        for argument, names in self.calls:
            for row in _rows(argument, names):
                found = _of_row(row, slot.key)
                if found is not None:
                    yield from written(found, names)


def _rows(argument: ast.expr, names: Names) -> Iterator[ast.expr]:
    argument = _behind(argument, names)
    if isinstance(argument, (ast.List, ast.Tuple)):
        inner = [_behind(one, names) for one in argument.elts[:MOST_ROWS]]
        if inner and all(isinstance(one, (ast.Tuple, ast.Dict, ast.List)) for one in inner):
            yield from inner
            return
    yield argument


def _behind(node: ast.expr, names: Names) -> ast.expr:
    return names.get(node.id, node) if isinstance(node, ast.Name) else node


def _of_row(row: ast.expr, key: int | str) -> ast.expr | None:
    if isinstance(row, ast.Call) and isinstance(row.func, ast.Name) and row.func.id == "dict":
        return next((one.value for one in row.keywords if one.arg == key), None)
    if isinstance(row, ast.Dict) and isinstance(key, str):
        for name, value in zip(row.keys, row.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key:
                return value
    if isinstance(row, (ast.Tuple, ast.List)) and isinstance(key, int):
        before = row.elts[: key + 1]
        if len(before) == key + 1 and not any(isinstance(one, ast.Starred) for one in before):
            return before[key]
    return None


def written(node: ast.expr, names: Names) -> Iterator[Written]:
    """Yield the values that an expression can have, as far as they are certain."""
    if isinstance(node, ast.IfExp):
        yield from written(node.body, names)
        yield from written(node.orelse, names)
        return
    inner = _behind(node, names)
    if isinstance(inner, ast.Constant):
        if inner.value is None:
            yield Written(None, node)
        elif isinstance(inner.value, (str, int, float)) and not isinstance(inner.value, bool):
            yield Written(str(inner.value), node)
        return
    text = constant_text(node, names) or constant_text(inner, names)
    if text is not None:
        yield Written(text, node)
