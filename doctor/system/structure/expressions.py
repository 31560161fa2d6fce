"""SQL expressions in one spelling, by sqlglot: without the casts and quotes that engines add."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import Dialect

_DIALECTS = {"mariadb": "mysql", "mysql": "mysql", "postgresql": "postgres", "sqlite": "sqlite"}
_LONGEST = 10_000
_OCTETS = re.compile(r"\boctet_length\s*\(", re.IGNORECASE)


def written(clause: Any, dialect: Dialect) -> str:
    """Return an expression as the engine would be sent it, with its values."""
    options = {"literal_binds": True, "include_table": False}
    text = str(clause.compile(dialect=dialect, compile_kwargs=options))
    doubles = dialect.paramstyle in {"format", "pyformat"}
    return text.replace("%%", "%") if doubles else text


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


def same_words(text: str, engine: str) -> str | None:
    """Return the form of a condition in one spelling, None where it cannot be read."""
    tree = _tree(text, engine)
    return None if tree is None else repr(tree)


def may_mean_the_same(first: str, second: str, engine: str) -> bool:
    """Tell whether two conditions call functions, and differ in nothing but how.

    Engines write some functions under other names: that is no proof of a difference.
    """
    trees = _tree(first, engine), _tree(second, engine)
    if None in trees or not any(map(_calls, trees)):
        return False
    return _leaves(trees[0]) == _leaves(trees[1])


def _tree(text: str, engine: str) -> Any:
    from sqlglot import parse_one
    from sqlglot.errors import SqlglotError

    if len(text) > _LONGEST:
        return None
    if engine in ("mariadb", "mysql"):
        text = _OCTETS.sub("length(", text)
    try:
        tree: Any = parse_one(text, read=_DIALECTS.get(engine))
    except (SqlglotError, RecursionError, ValueError):
        return None
    for step in (_without_cast, _as_list, _without_cast, _without_not, _as_range, _one_name):
        tree = tree.transform(step)
    return tree


def _calls(tree: Any) -> bool:
    from sqlglot import exp

    return any(not isinstance(one, exp.Connector) for one in tree.find_all(exp.Func))


def _leaves(tree: Any) -> list[str]:
    from sqlglot import exp

    return sorted(one.sql() for one in tree.find_all(exp.Column, exp.Literal))


def _without_cast(node: Any) -> Any:
    """A server adds casts and parentheses to what it was given."""
    from sqlglot import exp

    while isinstance(node, (exp.Cast, exp.Paren)):
        is_number = isinstance(node, exp.Cast) and node.to.this in exp.DataType.NUMERIC_TYPES
        node = node.this
        if is_number and isinstance(node, exp.Literal) and node.is_string:
            sign, digits = node.this[:1] == "-", node.this.lstrip("-")
            number = exp.Literal.number(digits)
            node = exp.Neg(this=number) if sign else number
    return node


def _as_list(node: Any) -> Any:
    """PostgreSQL writes IN as ``= ANY (ARRAY[...])``, and NOT IN as ``<> ALL (ARRAY[...])``."""
    from sqlglot import exp

    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        inner = _without_cast(node.expression.this)
        if isinstance(inner, exp.Array):
            return _is_one_of(node.this, inner.expressions)
    if isinstance(node, exp.NEQ) and isinstance(node.expression, exp.Anonymous):
        inner = [_without_cast(one) for one in node.expression.expressions]
        if str(node.expression.this).upper() == "ALL" and isinstance(inner[0], exp.Array):
            return exp.Not(this=_is_one_of(node.this, inner[0].expressions))
    if isinstance(node, exp.In) and len(node.expressions) == 1 and not node.args.get("query"):
        return _is_one_of(node.this, node.expressions)
    return node


def _is_one_of(value: Any, among: list[Any]) -> Any:
    from sqlglot import exp

    if len(among) == 1:
        return exp.EQ(this=value, expression=among[0])
    return exp.In(this=value, expressions=list(among))


def _without_not(node: Any) -> Any:
    """``NOT a = b`` and ``a <> b`` are the same, and so on."""
    from sqlglot import exp

    if not isinstance(node, exp.Not):
        return node
    inner = node.this
    opposite = {
        exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.GT: exp.LTE, exp.LTE: exp.GT, exp.LT: exp.GTE,
        exp.GTE: exp.LT,
    }.get(type(inner))  # fmt: skip
    if opposite is not None:
        return opposite(this=inner.this, expression=inner.expression)
    if isinstance(inner, exp.Between):
        below = exp.LT(this=inner.this.copy(), expression=inner.args["low"])
        above = exp.GT(this=inner.this.copy(), expression=inner.args["high"])
        return exp.Or(this=below, expression=above)
    return node


def _as_range(node: Any) -> Any:
    """``a >= x AND a <= y`` is how PostgreSQL writes ``a BETWEEN x AND y``."""
    from sqlglot import exp

    if isinstance(node, exp.Between):
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"])
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"])
        return exp.And(this=low, expression=high)
    return node


def _one_name(node: Any) -> Any:
    from sqlglot import exp

    if isinstance(node, exp.Column):
        return exp.column(node.name.lower())
    if isinstance(node, exp.Anonymous):
        return exp.Anonymous(this=str(node.this).upper(), expressions=node.expressions)
    return node
