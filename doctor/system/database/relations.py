"""Questions about several rows: what refers to nothing, and what two rows share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from doctor.model.schema import LiveTable
from doctor.system.database.dialect import Clause, Condition, Dialect, type_of

Pairs = Sequence[tuple[str, str]]


def names_nothing(
    dialect: Dialect,
    child: tuple[LiveTable, Clause],
    parent: tuple[LiveTable, Clause],
    pairs: Pairs,
) -> Condition:
    """Return the condition that a row's own columns are set, and no row has the others like them.

    As SQL has it by default, a reference with a NULL in it names nothing and lacks nothing.
    """
    (table, clause), (other, above) = child, parent
    same = [
        dialect.alike(above.c[theirs], type_of(other, theirs), clause.c[own], type_of(table, own))
        for own, theirs in pairs
    ]
    is_set = [clause.c[own].is_not(None) for own, _ in pairs]
    return sa.and_(*is_set, ~sa.exists().where(*same))


def shared_values(
    dialect: Dialect,
    table: LiveTable,
    clause: Clause,
    columns: Sequence[str],
    among: tuple[Clause, Condition] | None,
) -> sa.Select[Any]:
    """Return the question for values that several rows have, each with the number of rows.

    ``among`` are the table under another name and the condition on it: one of those rows at least
    has the values.
    """
    cells = [(clause.c[name], type_of(table, name)) for name in columns]
    groups = [dialect.grouped(*one) for one in cells]
    shown = [one.label(f"value_{number}") for number, (one, _) in enumerate(groups)]
    query = sa.select(*shown, sa.func.count()).where(*[cell.is_not(None) for cell, _ in cells])
    if among is not None:
        other, condition = among
        mine = [dialect.exact(other.c[name], type_of(table, name)) for name in columns]
        some = sa.select(*mine).select_from(other).where(condition)
        exact = [dialect.exact(*one) for one in cells]
        query = query.where((exact[0] if len(exact) == 1 else sa.tuple_(*exact)).in_(some))
    by = [group for _, group in groups]
    return query.group_by(*by).having(sa.func.count() > 1).order_by(*by)
