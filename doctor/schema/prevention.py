"""What would keep bad values out of a column from now on: statements to read, never executed here.

A constraint refuses what no model has looked at, such as SQL written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doctor.schema.statement import literal_text, quoted_name

_LONGEST_NAME = 60


def prevention(
    table: str, column: str, accepted: Sequence[str], target: str, *, declared_at: str
) -> Mapping[str, str]:
    """Return what would keep other values out, by what it is; ``target`` names the engine.

    ``declared_at`` is file:line of the column's enum. Each statement belongs after the repair:
    data first, then DDL. The way back is among them.
    """
    engine = target.partition(":")[0]
    cell, of = quoted_name(column, target), quoted_name(table, target)
    values = ", ".join(literal_text(one, target) for one in accepted)
    name = quoted_name(f"{table}_{column}_valid"[:_LONGEST_NAME], target)
    found = {
        "code": f"Enum(..., validate_strings=True) at {declared_at}: what the models write is "
        "checked before it is sent; SQL written by hand is not",
    }
    if engine == "postgresql":
        found["constraint"] = (
            f"ALTER TABLE {of} ADD CONSTRAINT {name} CHECK ({cell} IN ({values})) NOT VALID; "
            f"ALTER TABLE {of} VALIDATE CONSTRAINT {name};"
        )
        found["constraint, undo"] = f"ALTER TABLE {of} DROP CONSTRAINT {name};"
    elif engine == "mysql":
        found["constraint (IRREVERSIBLE: MariaDB commits it at once, nothing rolls it back)"] = (
            f"ALTER TABLE {of} ADD CONSTRAINT {name} CHECK (BINARY {cell} IN ({values}));"
        )
        found["constraint, undo"] = f"ALTER TABLE {of} DROP CONSTRAINT {name};"
    else:
        found |= _triggers(table, column, of, cell, values, target)
    return found


def _triggers(
    table: str, column: str, of: str, cell: str, values: str, target: str
) -> Mapping[str, str]:
    says = literal_text(f"{table}.{column}: not a valid value", target)
    names = {
        event: quoted_name(f"{table}_{column}_valid_{event.split()[0].lower()}", target)
        for event in ("INSERT", "UPDATE")
    }
    made = [
        f"CREATE TRIGGER {names[event]} BEFORE {when} ON {of} "
        f"WHEN new.{cell} COLLATE BINARY NOT IN ({values}) "
        f"BEGIN SELECT RAISE(ABORT, {says}); END;"
        for event, when in (("INSERT", "INSERT"), ("UPDATE", f"UPDATE OF {cell}"))
    ]
    undo = " ".join(f"DROP TRIGGER {one};" for one in names.values())
    return {"triggers": " ".join(made), "triggers, undo": undo}
