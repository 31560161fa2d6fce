"""Which column of a table holds its ids: its key, else what differs in all rows of a parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from doctor.ids.tokens import tokens_of
from doctor.model.layout import Member
from doctor.model.schema import CodeTable, Row
from doctor.redaction import is_secret_name
from doctor.schema.live_types import kind_of

_NAMING = ("id", "key", "slug", "uid", "uuid", "name")
_SHAPED = 0.9


def columns_read(member: Member) -> tuple[list[str], list[str]]:
    """Return the columns that ids, and references to them, may stand in, and which are texts."""
    kinds = {one.name: kind_of(one.type) for one in member.table.columns}
    known = {member.via, *member.table.primary_key}
    columns = [
        name
        for name, kind in kinds.items()
        if (kind in ("text", "uuid") and not is_secret_name(name)) or name in known
    ]
    return columns, [name for name in columns if kinds[name] == "text"]


def id_column(member: Member, rows: Sequence[Row], code: CodeTable | None) -> str | None:
    """Return the column whose values name the rows, None where none does.

    Texts that name a row within its parent come before numbers that the database gives.
    """
    if member.parent is None:
        return member.via
    texts = [one for one in _texts(member, code) if _names_rows(member, one, rows)]
    texts.sort(key=_rank)
    if texts:
        return texts[0]
    return member.table.primary_key[0] if len(member.table.primary_key) == 1 else None


def _texts(member: Member, code: CodeTable | None) -> list[str]:
    """Return the columns of text that are neither references nor enums nor secrets."""
    table = member.table
    linked = {name for one in table.foreign_keys for name in one.columns} | {member.via}
    linked |= {one.name for one in code.columns if one.enum or one.foreign_key} if code else set()
    return [
        one.name
        for one in table.columns
        if kind_of(one.type) in ("text", "uuid")
        and one.name not in linked
        and not is_secret_name(one.name)
    ]


def _names_rows(member: Member, name: str, rows: Sequence[Row]) -> bool:
    """Tell whether rows of one parent, of which some have several, never share a value."""
    siblings: dict[object, list[str]] = defaultdict(list)
    for row in rows:
        value = row.get(name)
        if not isinstance(value, str) or not value:
            return False
        siblings[row.get(member.via)].append(value)
    values = [one for many in siblings.values() for one in many]
    shaped = sum(tokens_of(one) is not None and " " not in one for one in values)
    if not values or shaped < _SHAPED * len(values):
        return False
    is_apart = all(len(set(many)) == len(many) for many in siblings.values())
    can_tell = any(len(many) > 1 for many in siblings.values())
    return is_apart and (can_tell or len(set(values)) == len(values) > 1)


def _rank(name: str) -> int:
    """Return the place of a column among those that could name rows."""
    last = name.lower().rpartition("_")[2]
    return _NAMING.index(last) if last in _NAMING else len(_NAMING)
