"""How a column of the database differs from the one that the models declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from doctor.model.drift import Difference, Drift
from doctor.system.structure.declared import Declared, Name
from doctor.system.structure.defaults import default_text, is_expression, same_default
from doctor.system.structure.live import Live
from doctor.system.structure.statements import statement
from doctor.system.structure.types import distance, spelled


def column_text(column: sa.Column[Any], dialect: Dialect) -> str:
    """Return a column as words: its type, whether it takes NULL, its default."""
    default = default_text(column, dialect)
    parts = [spelled(column.type, dialect) or repr(column.type)]
    parts.append("NULL" if column.nullable else "NOT NULL")
    return " ".join([*parts, *([f"DEFAULT {default}"] if default is not None else [])])


def altered(name: Name, one: Any, wanted: Declared, live: Live) -> Iterator[Difference]:
    """Yield what Alembic says of type and nullability of one column."""
    table, declared = live.table(name), wanted.tables[name]
    if table is None or one.column_name not in table.c or one.column_name not in declared.c:
        return
    there, here = table.c[one.column_name], declared.c[one.column_name]
    if one.modify_type is not None:
        yield from _type(name, there, here, wanted, live)
    if one.modify_nullable is not None and not _is_rowid(there, live):
        drift: Drift = "null_refused" if one.modify_nullable else "null_allowed"
        words = {True: "takes NULL", False: "takes no NULL"}
        yield _difference(
            drift,
            name,
            here,
            (words[here.nullable], words[bool(there.nullable)]),
            f"nullable={bool(there.nullable)}",
            _alter(name, there, here, live, nullable=here.nullable),
            wanted,
        )


def _is_rowid(column: sa.Column[Any], live: Live) -> bool:
    """SQLite says of keys that they take NULL, and whole numbers that are keys never do."""
    return live.engine == "sqlite" and column.primary_key


def _type(
    name: Name, there: sa.Column[Any], here: sa.Column[Any], wanted: Declared, live: Live
) -> Iterator[Difference]:
    first, second = spelled(there.type, live.dialect), spelled(here.type, live.dialect)
    drift: Drift = "type_size" if distance(first, second) == "size" else "type"
    yield _difference(
        drift,
        name,
        here,
        (second, first),
        f"{here.name} = mapped_column({there.type!r}, ...)",
        _alter(name, there, here, live, type_=here.type),
        wanted,
    )


def defaults(name: Name, wanted: Declared, live: Live) -> Iterator[Difference]:
    """Yield the columns of a table whose server defaults do not mean the same."""
    table, declared = live.table(name), wanted.tables[name]
    for here in declared.columns if table is not None else ():
        there = table.c.get(here.name) if table is not None else None
        if there is None or _computes(there) or _computes(here):
            continue
        first, second = default_text(there, live.dialect), default_text(here, live.dialect)
        if same_default(first, second, here.type, live.dialect):
            continue
        if first is None and live.engine == "mariadb" and is_expression(second, live.dialect):
            table_name = name[1] if name[0] is None else f"{name[0]}.{name[1]}"
            live.open.append((table_name, f"{here.name}: what MariaDB computes is not read"))
            continue
        is_needed = first is None and not there.nullable and here.default is None
        yield _difference(
            "missing_server_default" if is_needed else "server_default",
            name,
            here,
            (
                f"DEFAULT {second}" if second else "no default",
                (first and f"DEFAULT {first}") or "no default",
            ),
            f"server_default=text({first!r})" if first else "no server_default",
            _alter(name, there, here, live, server_default=here.server_default),
            wanted,
        )


def _computes(column: sa.Column[Any]) -> bool:
    return column.computed is not None or column.identity is not None


def _alter(
    name: Name, there: sa.Column[Any], here: sa.Column[Any], live: Live, **change: Any
) -> str:
    from alembic.operations import ops

    known = {"modify_nullable": "nullable", "modify_type": "type_"}
    given: dict[str, Any] = {ours: change[key] for ours, key in known.items() if key in change}
    if "server_default" in change:
        given["modify_server_default"] = change["server_default"]
    operation = ops.AlterColumnOp(
        name[1],
        here.name,
        schema=name[0],
        existing_type=there.type,
        existing_nullable=there.nullable,
        existing_server_default=there.server_default,
        **given,
    )
    return statement(live.dialect, [operation], live.table(name))


def _difference(
    drift: Drift,
    name: Name,
    column: sa.Column[Any],
    says: tuple[str, str],
    line: str,
    text: str,
    wanted: Declared,
) -> Difference:
    table = name[1] if name[0] is None else f"{name[0]}.{name[1]}"
    return Difference(drift, table, column.name, "", *says, text, line, wanted.code[name].location)
