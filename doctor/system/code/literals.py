"""Text in source code: the constants of a file with their lines, and the function they are in."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def texts(content: bytes, within: str | None = None) -> Iterator[tuple[str, int]]:
    """Yield the string constants of a Python file with their lines; () where it does not parse.

    ``within`` names the function at the top of the file that alone is looked at. The constant
    parts of an f-string are yielded as if its values were empty.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    parts: list[ast.stmt] = tree.body
    if within is not None:
        parts = [one for one in parts if isinstance(one, ast.FunctionDef) and one.name == within]
    inner: set[int] = set()
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.JoinedStr):
                inner.update(map(id, node.values))
                said = [one.value for one in node.values if isinstance(one, ast.Constant)]
                yield "".join(str(one) for one in said), node.lineno
            elif _is_text(node) and id(node) not in inner:
                yield str(getattr(node, "value", "")), getattr(node, "lineno", 0)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
