"""Statements that write rows: values that no enum has, and fields that are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from doctor.linting.catalogue import KnownColumn, KnownTable
from doctor.linting.given import Written
from doctor.linting.sight import Case, Sight, offset_of
from doctor.linting.slots import has_slot, slot_in
from doctor.model.schema import EnumValues
from doctor.rulebook.problem import brief
from doctor.schema.replacement import is_same_folded

MOST_NAMED = 12


def check_writes(case: Case, tree: exp.Expression) -> Iterator[Sight]:
    """Yield the mistakes of every INSERT and UPDATE in a statement."""
    for one in tree.find_all(exp.Insert, exp.Update):
        if isinstance(one, exp.Insert):
            yield from _insert(case, one)
        else:
            yield from _assignments(case, _table(case, one.this), one.expressions)


def _insert(case: Case, insert: exp.Insert) -> Iterator[Sight]:
    target = insert.this
    schema = target if isinstance(target, exp.Schema) else None
    table = _table(case, target.this if schema is not None else target)
    if table is None:
        return
    conflict = insert.args.get("conflict")
    if isinstance(conflict, exp.OnConflict):
        yield from _assignments(case, table, conflict.expressions)
    if schema is None:
        return
    names = [one.name for one in schema.expressions]
    for row in _rows(insert.expression):
        if len(row) == len(names):
            for name, value in zip(names, row, strict=True):
                yield from _value(case, table, table.column(name), value)
    if not any(has_slot(name) for name in names):
        yield from _left_out(table, names, offset_of(schema.this))


def _rows(given: object) -> Iterator[Sequence[exp.Expression]]:
    if isinstance(given, exp.Values):
        for one in given.expressions:
            yield one.expressions if isinstance(one, exp.Tuple) else [one]
    elif isinstance(given, exp.Select) and not given.find(exp.Star):
        yield [one.unalias() for one in given.expressions]


def _assignments(
    case: Case, table: KnownTable | None, changes: Sequence[exp.Expression]
) -> Iterator[Sight]:
    for one in changes if table is not None else ():
        if table is not None and isinstance(one, exp.EQ) and isinstance(one.this, exp.Column):
            yield from _value(case, table, table.column(one.this.name), one.expression)


def _table(case: Case, node: object) -> KnownTable | None:
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return None
    return case.catalogue.table(node.name)


def _value(
    case: Case, table: KnownTable, column: KnownColumn | None, value: exp.Expression
) -> Iterator[Sight]:
    enum = column.enum if column is not None else None
    if column is None or enum is None:
        return
    accepted = (*enum.values, *enum.aliases)
    for one in _written(case, table, value):
        if one.value is not None and one.value not in accepted:
            yield enum_sight(table.name, column.name, enum, one)


def enum_sight(table: str, column: str, enum: EnumValues, one: Written) -> Sight:
    """Return the mistake that a value is written which the enum of its column does not have."""
    message = (
        f"this writes {brief(one.value)} into {table}.{column},"
        f" which {enum.name or 'its enum'} does not have"
    )
    return Sight("LINT001", one.at, message, _right(one.value or "", enum))


def _right(value: str, enum: EnumValues) -> str:
    same = [one for one in enum.values if is_same_folded(value, one, enum.name)]
    if len(same) == 1:
        return f"write {same[0]!r}, as {enum.location} has it"
    listed = ", ".join(enum.values[:MOST_NAMED])
    more = f" and {len(enum.values) - MOST_NAMED} more" if len(enum.values) > MOST_NAMED else ""
    return f"write one of {listed}{more}; {enum.location} declares them"


def _written(case: Case, table: KnownTable, value: exp.Expression) -> Iterator[Written]:
    """Yield the certain values of an expression."""
    match value:
        case exp.Literal():
            yield Written(str(value.this), offset_of(value))
        case exp.Paren() | exp.Cast():
            yield from _written(case, table, value.this)
        case exp.Case():
            branches = [one.args.get("true") for one in value.args.get("ifs") or ()]
            for one in (*branches, value.args.get("default")):
                if isinstance(one, exp.Expression):
                    yield from _written(case, table, one)
        case exp.Coalesce():
            for one in (value.this, *value.expressions):
                yield from _written(case, table, one)
        case exp.Column(this=exp.Identifier() as name) if not value.table:
            slot = slot_in(name.this, case.statement)
            if slot is not None:
                yield from case.given.values(slot)
            elif name.args.get("quoted") and _is_no_column(name.this, table):
                yield Written(name.this, offset_of(name))


def _is_no_column(name: str, table: KnownTable) -> bool:
    """Tell whether SQLite and MySQL take a name in double quotes as a text."""
    return table.whole and not has_slot(name) and table.column(name) is None


def _left_out(table: KnownTable, names: Sequence[str], at: int) -> Iterator[Sight]:
    given = {one.casefold() for one in names}
    missing = [one for key, one in table.columns.items() if one.required and key not in given]
    if not missing or not table.whole:
        return
    listed = ", ".join(one.name for one in missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    reasons = dict.fromkeys(one.required for one in missing)
    hint = "; ".join(
        f"give {', '.join(one.name for one in missing if one.required == why)}: {why}"
        if len(reasons) > 1
        else f"give it a value: {why}"
        if len(missing) == 1
        else f"give them values: {why}"
        for why in reasons
    )
    yield Sight("LINT004", at, f"this INSERT into {table.name} leaves out {listed}{more}", hint)
