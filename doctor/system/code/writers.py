"""Where a project's source may write a value: string constants that hold it, with file:line."""

from __future__ import annotations

import re
from pathlib import Path

from doctor.system.code.literals import texts
from doctor.system.project import python_files

MOST = 5
_SQL = re.compile(r"\b(?:insert|update|values|set)\b", re.IGNORECASE)


def writers(root: Path, table: str, column: str, value: str) -> tuple[str, ...]:
    """Return where a value of a column may come from, SQL about the table first, bounded.

    Each is ``file:line: what stands there``. A constant elsewhere that only happens to be the
    same text is found too: it is where to look, not a proof.
    """
    if not value:
        return ()
    sql: list[str] = []
    others: list[str] = []
    raw = value.encode("utf-8", "surrogatepass")
    quoted = re.compile(rf"['\"]{re.escape(value)}['\"]")
    for path, content in python_files(root):
        if raw not in content:
            continue
        for text, line in texts(content):
            if quoted.search(text) and _SQL.search(text) and _names(text, table, column):
                sql.append(f"{path}:{line}: SQL that sets {value!r} in {table}")
            elif text == value:
                others.append(f"{path}:{line}: the text {value!r}")
    return tuple([*sql, *others][:MOST])


def _names(text: str, table: str, column: str) -> bool:
    return table.lower() in text.lower() or column.lower() in text.lower()
