"""SQL text as trees: read in each dialect that may be meant until one understands it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError

DIALECTS = ("sqlite", "postgres", "mysql")
LONGEST = 64_000
DEEPEST = 60
_STARTS = re.compile(
    r"(?:[\s;(]|--[^\n]*\n|/\*[^*]{0,2000}\*/)*"
    r"(?:insert|update|delete|select|replace|with|merge|begin|create|drop|pragma|set|alter)\b",
    re.IGNORECASE | re.DOTALL,
)
_REPLACE = re.compile(r"(?<!\bor\s)\breplace(?=\s+into\b)", re.IGNORECASE)
_SHORTEST = len("delete from t")
_SAYS = re.compile(
    r"\binsert\s+(?:or\s+\w+\s+|ignore\s+)?into\b|\breplace\s+into\b|\bdelete\s+from\b"
    r"|\bupdate\b.{1,500}?\bset\b|\bselect\b.{1,4000}?\bfrom\b",
    re.IGNORECASE | re.DOTALL,
)


def looks_like_sql(text: str) -> bool:
    """Tell whether a text may be statements that read or write rows."""
    return (
        _SHORTEST <= len(text) <= LONGEST
        and _STARTS.match(text) is not None
        and (_SAYS.search(text) is not None)
    )


def parsed(sql: str, dialects: Sequence[str] = DIALECTS) -> tuple[exp.Expression, ...] | None:
    """Return the statements of a text; None where no dialect understands all of it.

    What is too long or nested too deeply is not tried.
    """
    if len(sql) > LONGEST or _depth(sql) > DEEPEST:
        return None
    sql = _REPLACE.sub("INSERT ", sql)
    for name in dialects:
        try:
            found = Dialect.get_or_raise(name).parse(sql)
        except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError):
            continue
        statements = tuple(one for one in found if isinstance(one, exp.Expression))
        if statements and not any(isinstance(one, exp.Command) for one in statements):
            return statements
    return None


def _depth(sql: str) -> int:
    depth = deepest = 0
    for one in sql:
        if one == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif one == ")":
            depth -= 1
    return deepest
