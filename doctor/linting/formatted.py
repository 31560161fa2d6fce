"""Values that are formatted into the text of a statement instead of being bound."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sqlglot import exp

from doctor.linting.sight import Case, Sight, offset_of
from doctor.linting.slots import MARK, slot_in
from doctor.linting.text import Hole, Names

_HINT = "bind it: put a placeholder there and give the value beside the statement"
# Names of what is SQL itself, not a value.
_SQL = re.compile(
    r"sql|quer|clause|where|cond|filter|order|sort|join|select|column|\bcols?\b|field|table|schema"
    r"|place|mark|param|bind|expr|limit|offset|quot|escap|ident|literal|dialect|name|key|type|func"
    r"|predicate|criteri|fragment|stmt|statement|template|prefix|suffix|alias|default|slots?\b|now",
    re.IGNORECASE,
)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)
_DEEPEST = 5
_SAFE_CALLS = frozenset({"int", "float", "len", "bool", "hex", "abs", "round", "min", "max", "sum"})


def check_formatted(case: Case, tree: exp.Expression) -> Iterator[Sight]:
    """Yield every value that is certainly formatted into a statement that reads or writes rows.

    A part that may be SQL itself, such as a name, a list of placeholders or a condition, is
    silent, and so are numbers.
    """
    if not isinstance(tree, (exp.Query, exp.Insert, exp.Update, exp.Delete)):
        return
    names = case.given.names
    for literal in tree.find_all(exp.Literal):
        if literal.is_string:
            for match in MARK.finditer(literal.name):
                slot = slot_in(match[0], case.statement)
                if isinstance(slot, Hole) and not _is_safe(slot, names):
                    yield _sight(slot, offset_of(literal))
                    break
    for column in tree.find_all(exp.Column):
        slot = slot_in(column.name, case.statement)
        if not isinstance(slot, Hole) or column.table or not _is_value(column):
            continue
        if not _is_safe(slot, names) and not _may_be_sql(slot, names):
            yield _sight(slot, offset_of(column))


def _sight(slot: Hole, at: int) -> Sight:
    shown = "a value" if slot.value is None else repr(ast.unparse(slot.value)[:60])
    message = f"{shown} is formatted into the text of this statement"
    return Sight("LINT005", at if slot.value is None else slot.value, message, _HINT, "warning")


def _is_value(column: exp.Column) -> bool:
    """Tell whether a column stands where only a value, or an expression, can stand."""
    parent = column.parent
    if isinstance(parent, exp.Tuple):
        return isinstance(parent.parent, (exp.Values, exp.In))
    if isinstance(parent, _COMPARISONS):
        return parent.expression is column and isinstance(parent.this, exp.Column)
    return False


def _is_safe(slot: Hole, names: Names) -> bool:
    """Tell whether a value cannot hold anything but a number or a constant."""
    if slot.number:
        return True
    return slot.value is not None and _is_number(slot.value, names, 0)


def _is_number(node: ast.expr, names: Names, depth: int) -> bool:
    """Tell whether an expression is certainly a number or a constant, also by its name."""
    parts: tuple[ast.expr, ...] = ()
    match node:
        case ast.Name(id=name) if name in names:
            parts = (names[name],)
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            parts = (left, right)
        case ast.Call(func=ast.Name(id=name)):
            return name in _SAFE_CALLS
        case ast.Call(func=ast.Attribute(attr="replace"), args=[ast.Constant(value="'"), _]):
            return True  # quotes are doubled
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper()
    if not parts or depth > _DEEPEST:
        return isinstance(node, ast.Constant)
    return all(_is_number(one, names, depth + 1) for one in parts)


def _may_be_sql(slot: Hole, names: Names) -> bool:
    """Tell whether what is formatted may be a part of SQL: by its name, or by how it is made."""
    node = slot.value
    if isinstance(node, ast.Name) and node.id in names:
        made = names[node.id]
        if not isinstance(made, (ast.Subscript, ast.Attribute, ast.Name)):
            return True
        node = made
    if isinstance(node, ast.Subscript):
        node = node.slice if isinstance(node.slice, ast.Constant) else node.value
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str() as name):
            return _SQL.search(name) is not None
    return True
