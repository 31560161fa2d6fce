"""How a database differs from what the code declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Drift = Literal[
    "missing_table",
    "extra_table",
    "missing_column",
    "extra_column",
    "extra_required_column",
    "type",
    "type_size",
    "null_refused",
    "null_allowed",
    "server_default",
    "missing_server_default",
    "missing_index",
    "extra_index",
    "missing_unique",
    "extra_unique",
    "missing_foreign_key",
    "extra_foreign_key",
    "missing_check",
    "extra_check",
    "check",
    "missing_label",
    "extra_label",
    "primary_key",
    "no_primary_key",
    "foreign_keys_off",
    "revision_behind",
    "revision_unknown",
    "several_heads",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, with both ways out of it. Nothing of it is ever executed.

    Attributes:
        drift: what kind it is.
        table: the table, with its schema where that is not the usual one; "" for none.
        column: the column, or the columns, "" for none.
        name: of the index, constraint, label or revision, "" for none.
        code: what the code says.
        database: what the database says.
        statement: what would change the database, in the words of its engine.
        line: what would change the code.
        place: ``file:line`` of the table's class, "" where there is none.
    """

    drift: Drift
    table: str
    column: str = ""
    name: str = ""
    code: str = ""
    database: str = ""
    statement: str = ""
    line: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and what could not be compared: pairs of a table, or "", and a reason."""

    differences: tuple[Difference, ...] = ()
    open: tuple[tuple[str, str], ...] = ()
