"""Labels of enums that the engine itself keeps: those that one side has only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from doctor.model.drift import Difference, Drift
from doctor.system.structure.declared import Declared, Name
from doctor.system.structure.live import Live


def label_differences(name: Name, wanted: Declared, live: Live) -> Iterator[Difference]:
    """Yield the labels of a table's native enums that the code or the database lacks."""
    table = live.table(name)
    for here in wanted.tables[name].columns:
        kind = here.type.dialect_impl(live.dialect)
        there = table.c.get(here.name) if table is not None else None
        if there is None or not isinstance(there.type, sa.Enum) or not isinstance(kind, sa.Enum):
            continue
        both = list(kind.enums), list(there.type.enums)
        for label in dict.fromkeys((*both[0], *both[1])):
            if label not in both[1]:
                yield _label("missing_label", name, label, both, wanted, live, there)
            elif label not in both[0]:
                yield _label("extra_label", name, label, both, wanted, live, there)


def _label(
    drift: Drift,
    name: Name,
    label: str,
    both: tuple[Sequence[str], Sequence[str]],
    wanted: Declared,
    live: Live,
    there: sa.Column[Any],
) -> Difference:
    is_missing = drift == "missing_label"
    return Difference(
        drift,
        name[1] if name[0] is None else f"{name[0]}.{name[1]}",
        there.name,
        label,
        code=", ".join(both[0]),
        database=", ".join(both[1]),
        statement=_statement(name, label, both[1], live, there),
        line=f"remove {label!r} from the enum" if is_missing else f"add {label!r} to the enum",
        place=wanted.code[name].location,
    )


def _statement(
    name: Name, label: str, kept: Sequence[str], live: Live, there: sa.Column[Any]
) -> str:
    quote = live.dialect.identifier_preparer.quote
    is_missing = label not in kept
    if live.engine == "postgresql":
        enum = quote(str(getattr(there.type, "name", "")))
        if is_missing:
            return f"ALTER TYPE {enum} ADD VALUE {_text(label)}"
        return f"no row may hold {_text(label)}; PostgreSQL drops no label: make {enum} anew"
    labels = [*kept, label] if is_missing else [one for one in kept if one != label]
    listed = ", ".join(map(_text, labels))
    table = ".".join(quote(one) for one in name if one is not None)
    null = "NULL" if there.nullable else "NOT NULL"
    return f"ALTER TABLE {table} MODIFY {quote(there.name)} ENUM({listed}) {null}"


def _text(label: str) -> str:
    return "'" + label.replace("'", "''") + "'"
