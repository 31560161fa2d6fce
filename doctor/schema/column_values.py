"""Everything in one column that its enum does not have: each value once, counted, with a row."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.errors import SourceError, UsageError
from doctor.model.evidence import Fact, Gap, Scalar
from doctor.model.layout import Member
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeColumn, CodeModels
from doctor.model.system import System
from doctor.schema.enum_values import KIND, PROBE, invalid_value, siblings_of
from doctor.schema.owner import run_of

MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class EnumColumn:
    """A column that the code reads through an enum, in a table that belongs to the runs."""

    member: Member
    column: CodeColumn

    @property
    def accepted(self) -> tuple[str, ...]:
        """What may stand in it."""
        enum = self.column.enum
        return (*enum.values, *enum.aliases) if enum else ()


def find_enum_column(system: System, name: str) -> EnumColumn:
    """Return the column called ``TABLE.COLUMN``.

    Raises UsageError where there is none, or it cannot be repaired row by row; SourceError where
    what the code accepts in it is not known.
    """
    table_name, _, column_name = name.rpartition(".")
    _refuse_without_key(system, table_name)
    code = _code(system)
    layout = system.tables_for(None)
    members = layout.looked_at(None) if layout else ()
    member = next((one for one in members if one.table.name == table_name), None)
    if member is None or member.table.column(column_name) is None:
        raise UsageError(f"{name!r} is no column of the runs' tables", hint=_nearest(name, members))
    declared = code.table(table_name)
    column = declared.column(column_name) if declared else None
    unread = next((one for one in code.gaps if one.what in (name, table_name)), None)
    if unread is not None and (column is None or column.enum is None):
        raise SourceError(f"{unread.what} at {unread.where}: {unread.reason}")
    if column is None or column.enum is None:
        raise UsageError(
            f"{name} is not read through an enum: nothing says which of its values are bad",
            hint="`doctor preflight` shows what is wrong, `doctor heal RUN_ID` heals one run",
        )
    if column.enum.open:
        raise UsageError(f"{name} takes other values as well: none of them is bad by itself")
    if any(one.column == name for one in code.copies):
        raise UsageError(
            f"what {name} should hold is kept in a second place: each row is decided by itself",
            hint="doctor heal RUN_ID",
        )
    if column_name in member.table.primary_key:
        raise UsageError(f"{name} is part of the primary key: its values name the rows")
    return EnumColumn(member, column)


def column_values(
    door: ReadDoor, code: CodeModels, column: EnumColumn
) -> Iterator[tuple[Fact, int] | Gap]:
    """Yield a fact per bad value, about the first of its rows, with the number of those rows.

    Raises SourceError where the column cannot be looked at.
    """
    member, name = column.member, column.column.name
    table = member.table
    found = door.values_not_in(table, name, column.accepted, limit=MOST_VALUES + 1)
    if len(found) > MOST_VALUES:
        reason = f"{table.name}.{name} has more than {MOST_VALUES} bad values; the first are shown"
        yield Gap(PROBE, reason, (KIND,))
    siblings = siblings_of(code, table.name, name)
    for value, rows in found[:MOST_VALUES]:
        sample = door.rows(table, {name: value}, limit=1)
        if sample:
            owner = run_of(door, member, sample[0])
            yield invalid_value(member, column.column, sample[0], owner, siblings), rows


def is_still_bad(column: EnumColumn, value: Scalar, to: Scalar) -> bool:
    """Tell whether the code still refuses a value, and accepts what should stand there."""
    return value not in column.accepted and to in column.accepted


def _refuse_without_key(system: System, name: str) -> None:
    tables = system.database.tables() if system.database else ()
    table = next((one for one in tables if one.name == name), None)
    if table is not None and not table.primary_key:
        raise UsageError(
            f"{name} has no primary key: nobody can tell which row would be changed",
            hint="add a primary key, or change the rows by hand",
        )


def _code(system: System) -> CodeModels:
    if system.database is None:
        raise UsageError("no database is configured", hint="give --database")
    if system.code is None:
        raise UsageError("no models are configured", hint="give --models")
    if system.tables_for(None) is None:
        raise SourceError(system.layout_reason or "the run table was not found")
    return system.code.models()


def _nearest(name: str, members: tuple[Member, ...]) -> str:
    known = [f"{one.table.name}.{each.name}" for one in members for each in one.table.columns]
    near = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {', '.join(near)}?" if near else "write it as TABLE.COLUMN"
