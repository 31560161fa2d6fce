"""SQL expressions in one spelling, by sqlglot: without the casts and quotes that engines add."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

_DIALECTS = {"mariadb": "mysql", "mysql": "mysql", "postgresql": "postgres", "sqlite": "sqlite"}
_LONGEST = 10_000


@lru_cache(maxsize=4096)
def parsed(text: str, engine: str) -> tuple[str, str] | None:
    """Return what an expression is (constant, null, expression) and its words.

    None where it cannot be read.
    """
    from sqlglot import exp

    tree = _tree(text, engine)
    if tree is None:
        return None
    if isinstance(tree, exp.Null):
        return "null", ""
    if isinstance(tree, exp.Literal):
        return "constant", str(tree.this)
    if isinstance(tree, exp.Boolean):
        return "constant", "1" if tree.this else "0"
    if isinstance(tree, exp.Neg) and isinstance(tree.this, exp.Literal):
        return "constant", f"-{tree.this.this}"
    return "expression", tree.sql(dialect="sqlite")


def _tree(text: str, engine: str) -> Any:
    from sqlglot import parse_one
    from sqlglot.errors import SqlglotError

    if len(text) > _LONGEST:
        return None
    try:
        tree: Any = parse_one(text, read=_DIALECTS.get(engine))
    except (SqlglotError, RecursionError, ValueError):
        return None
    for step in _STEPS:
        tree = tree.transform(step)
    return tree


def _without_cast(node: object) -> object:
    """A server adds casts to what it was given, and says what it did."""
    from sqlglot import exp

    while isinstance(node, (exp.Cast, exp.Paren)):
        node = node.this
    return node


def _one_name(node: object) -> object:
    from sqlglot import exp

    if isinstance(node, exp.Column):
        return exp.column(node.name.lower())
    if isinstance(node, exp.Identifier):
        return exp.to_identifier(node.name.lower())
    return node


def _as_list(node: object) -> object:
    """``x = ANY (ARRAY['a', 'b'])`` is how PostgreSQL writes ``x IN ('a', 'b')``."""
    from sqlglot import exp

    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        inner = _without_cast(node.expression.this)
        if isinstance(inner, exp.Array):
            return exp.In(this=node.this, expressions=list(inner.expressions))
    if isinstance(node, exp.In) and len(node.expressions) == 1 and not node.args.get("query"):
        return exp.EQ(this=node.this, expression=node.expressions[0])
    return node


def _as_range(node: object) -> object:
    """``a >= x AND a <= y`` is how PostgreSQL writes ``a BETWEEN x AND y``."""
    from sqlglot import exp

    if isinstance(node, exp.Between):
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"])
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"])
        return exp.And(this=low, expression=high)
    return node


def _as_sign(node: object) -> object:
    """``NOT a IN`` and ``a NOT IN`` are the same; so are ``!=`` and ``<>``, ``~~`` and ``LIKE``."""
    from sqlglot import exp

    if isinstance(node, exp.NEQ) and isinstance(node.expression, exp.All):
        inner = _without_cast(node.expression.this)
        if isinstance(inner, exp.Array):
            return exp.Not(this=exp.In(this=node.this, expressions=list(inner.expressions)))
    return node


_STEPS: tuple[Callable[..., object], ...] = (
    _without_cast,
    _as_sign,
    _as_list,
    _as_range,
    _without_cast,
    _one_name,
)


def same_words(text: str, engine: str) -> str | None:
    """Return a condition in one spelling, None where it cannot be read."""
    found = parsed(text, engine)
    return None if found is None else " ".join(found[1].split()).lower()
