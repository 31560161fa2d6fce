"""What Alembic does not compare: defaults, keys, CHECKs and the labels of enums."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.model.drift import Difference
from doctor.system.structure.checks import check_differences
from doctor.system.structure.columns import defaults
from doctor.system.structure.declared import Declared, Name
from doctor.system.structure.labels import label_differences
from doctor.system.structure.live import Live


def reflected_differences(wanted: Declared, live: Live) -> Iterator[Difference]:
    """Yield what differs in the tables that both sides have."""
    for name in wanted.tables:
        if live.table(name) is not None:
            yield from defaults(name, wanted, live)
            yield from _primary_key(name, wanted, live)
            yield from check_differences(name, wanted, live)
            yield from label_differences(name, wanted, live)


def _primary_key(name: Name, wanted: Declared, live: Live) -> Iterator[Difference]:
    table, declared = live.table(name), wanted.tables[name]
    if table is None:
        return
    there = [one.name for one in table.primary_key.columns]
    here = [one.name for one in declared.primary_key.columns]
    if not (set(there) ^ set(here)):
        return
    shown = name[1] if name[0] is None else f"{name[0]}.{name[1]}"
    yield Difference(
        "primary_key" if there else "no_primary_key",
        shown,
        ", ".join(here),
        code=f"primary key {', '.join(here) or 'none'}",
        database=f"primary key {', '.join(there) or 'none'}",
        statement=_key_statement(name, here, there, live),
        line=f"primary_key=True on {', '.join(there) or 'no column'}",
        place=wanted.code[name].location,
    )


def _key_statement(name: Name, here: list[str], there: list[str], live: Live) -> str:
    quote = live.dialect.identifier_preparer
    table = (
        quote.quote(name[1])
        if name[0] is None
        else f"{quote.quote(name[0])}.{quote.quote(name[1])}"
    )
    columns = ", ".join(quote.quote(one) for one in here)
    if live.engine == "sqlite":
        return f"CREATE TABLE … with PRIMARY KEY ({columns}), then copy the rows of {table} into it"
    key = live.inspector.get_pk_constraint(name[1], schema=name[0]).get("name")
    drop = "PRIMARY KEY" if live.engine == "mariadb" else f"CONSTRAINT {quote.quote(key or '')}"
    dropped = f"DROP {drop}, " if there else ""
    return f"ALTER TABLE {table} {dropped}ADD PRIMARY KEY ({columns})"
