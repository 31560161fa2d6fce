"""What data migrations of a project renamed: UPDATE statements in its Alembic versions, read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doctor.system.code.literals import texts
from doctor.system.project import python_files

MOST_SECONDS = 0.3
_UPGRADE = "upgrade"
_FOLDERS = ("versions", "migrations", "alembic")


@dataclass(frozen=True, slots=True)
class Renaming:
    """A statement of a migration that puts ``new`` where ``old`` stood; ``location`` file:line."""

    table: str
    column: str
    old: str
    new: str
    location: str


def renamings(root: Path) -> tuple[Renaming, ...]:
    """Return what the upgrades of a project's migrations renamed, in the order of their files.

    Looked at are files below a folder called ``versions``, ``migrations`` or ``alembic``, for a
    moment only: this is asked while a run is examined. A file counts where it says ``revision``
    and ``def upgrade``. Only statements whose whole condition is on the column that they set
    count: others rename some rows only.
    """
    found: list[Renaming] = []
    for path, content in python_files(root, _FOLDERS, MOST_SECONDS):
        if b"def upgrade" not in content or b"revision" not in content:
            continue
        for text, line in texts(content, within=_UPGRADE):
            if "update" in text.lower():
                found += _renamed(text, f"{path}:{line}")
    return tuple(found)


def _renamed(text: str, location: str) -> Iterator[Renaming]:
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    try:
        statements = parse(text)
    except (SqlglotError, RecursionError, ValueError):
        return
    for one in statements:
        where = one.args.get("where") if isinstance(one, exp.Update) else None
        if one is None or where is None or not isinstance(one.this, exp.Table):
            continue
        for change in one.expressions:
            if not isinstance(change, exp.EQ) or not isinstance(change.this, exp.Column):
                continue
            new, column = change.expression, change.this.name
            if isinstance(new, exp.Literal) and new.is_string:
                for old in _olds(where.this, column):
                    yield Renaming(one.this.name, column, old, str(new.this), location)


def _olds(condition: object, column: str) -> tuple[str, ...]:
    """Return the texts that a condition on one column alone asks for."""
    from sqlglot import exp

    if isinstance(condition, exp.Paren):
        return _olds(condition.this, column)
    if isinstance(condition, exp.EQ):
        given = [condition.expression]
    elif isinstance(condition, exp.In):
        given = list(condition.expressions)
    else:
        return ()
    is_same = isinstance(condition.this, exp.Column) and condition.this.name == column
    texts_ = [one for one in given if isinstance(one, exp.Literal) and one.is_string]
    return tuple(str(one.this) for one in texts_) if is_same and len(texts_) == len(given) else ()
