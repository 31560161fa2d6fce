"""Where in a file a word of a text stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

_IGNORED = re.compile(r"doctor:\s*ignore(?:\[(?P<codes>[\w,\s]+)\])?")
_WORD = re.compile(r"\w+")


def place_in_text(text: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column of an offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def place_of_node(node: ast.expr, lines: Sequence[bytes]) -> tuple[int, int]:
    """Return the 1-based line and column of an expression."""
    before = lines[node.lineno - 1][: node.col_offset]
    return node.lineno, len(before.decode("utf-8", "replace")) + 1


def place_of_word(node: ast.expr, lines: Sequence[bytes], sql: str, offset: int) -> tuple[int, int]:
    """Return where the word at an offset of a text stands in the expression that makes it.

    It is told by counting: the n-th such word of the text is the n-th one in the source. Where
    the source does not have it so often, it is where the expression begins.
    """
    begin = place_of_node(node, lines)
    word = _WORD.search(sql, offset)
    if word is None:
        return begin
    pattern = re.compile(rf"\b{re.escape(word[0])}\b")
    count = len(pattern.findall(sql, 0, word.start()))
    segment = _segment(node, lines)
    for at, match in enumerate(pattern.finditer(segment)):
        if at == count:
            line, column = place_in_text(segment, match.start())
            return node.lineno + line - 1, column + (begin[1] - 1 if line == 1 else 0)
    return begin


def is_ignored(line: bytes, code: str) -> bool:
    """Tell whether a line says that findings of it are not wanted."""
    match = _IGNORED.search(line.decode("utf-8", "replace")) if b"doctor" in line else None
    if match is None:
        return False
    return match["codes"] is None or code in match["codes"].replace(",", " ").split()


def _segment(node: ast.expr, lines: Sequence[bytes]) -> str:
    end_line = node.end_lineno or node.lineno
    rows = list(lines[node.lineno - 1 : end_line])
    if node.end_col_offset is not None and rows:
        rows[-1] = rows[-1][: node.end_col_offset]
    rows[0] = rows[0][node.col_offset :]
    return b"\n".join(rows).decode("utf-8", "replace")
