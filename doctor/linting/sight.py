"""What a check saw, before its place in the file is known."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from doctor.linting.catalogue import Catalogue
from doctor.linting.given import Given
from doctor.linting.slots import Statement


@dataclass(frozen=True, slots=True)
class Sight:
    """A mistake; ``at`` is an offset in the statement's text, or an expression of the source."""

    code: str
    at: int | ast.expr
    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Case:
    """A text with one or more statements, and what is known about its values and tables."""

    statement: Statement
    trees: tuple[exp.Expression, ...]
    given: Given
    catalogue: Catalogue


def offset_of(node: exp.Expression) -> int:
    """Return where a part of a statement begins in its text, 0 where that is not known."""
    for one in node.walk():
        start = one.meta.get("start")
        if start is not None:
            return int(start)
    return 0
