"""What Alembic would do to the database, as differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from doctor.model.drift import Difference, Drift
from doctor.system.structure.columns import altered, column_text
from doctor.system.structure.declared import Declared, Name
from doctor.system.structure.live import Live
from doctor.system.structure.statements import statement
from doctor.system.structure.twins import Keyed, without_twins


def differences(upgrade: Any, wanted: Declared, live: Live) -> Iterator[Difference]:
    """Yield what Alembic's operations say, without what is the same under another name."""
    from alembic.operations import ops

    gone = {(one.schema, one.table_name) for one in upgrade.ops if _is(one, ops.DropTableOp)}
    new = {(one.schema, one.table_name) for one in upgrade.ops if _is(one, ops.CreateTableOp)}
    for one in upgrade.ops:
        if isinstance(one, ops.CreateTableOp):
            yield _missing_table(one, wanted, live)
        elif isinstance(one, ops.DropTableOp):
            yield _extra_table(one, live)
        elif isinstance(one, ops.ModifyTableOps):
            name = (one.schema, one.table_name)
            if name not in gone and name not in new:
                yield from _of_table(name, one.ops, wanted, live)


def _is(one: Any, kind: type) -> bool:
    return isinstance(one, kind)


def _named(name: Name) -> str:
    return name[1] if name[0] is None else f"{name[0]}.{name[1]}"


def _missing_table(one: Any, wanted: Declared, live: Live) -> Difference:
    name = _own(one.schema, one.table_name, live)
    code = wanted.code[name]
    return Difference(
        "missing_table",
        _named(name),
        code=f"{len(code.columns)} columns",
        database="no such table",
        statement=statement(live.dialect, [one]),
        line=f"remove the class at {code.location}",
        place=code.location,
    )


def _own(schema: str | None, table: str, live: Live) -> Name:
    return (None if schema == live.schema else schema, table)


def _extra_table(one: Any, live: Live) -> Difference:
    name = (one.schema, one.table_name)
    table = live.table(name)
    columns = ", ".join(column.name for column in table.columns) if table is not None else ""
    return Difference(
        "extra_table",
        _named(name),
        code="no such table",
        database=columns,
        statement=statement(live.dialect, [one]),
        line=f"declare a class with __tablename__ = {one.table_name!r}",
    )


def _of_table(
    name: Name, operations: Sequence[Any], wanted: Declared, live: Live
) -> Iterator[Difference]:
    from alembic.operations import ops

    keyed: list[Keyed] = []
    code, table = wanted.code[name], live.table(name)
    for one in operations:
        if isinstance(one, ops.AddColumnOp):
            yield _missing_column(name, one, wanted, live)
        elif isinstance(one, ops.DropColumnOp):
            yield _extra_column(name, one, wanted, live)
        elif isinstance(one, ops.AlterColumnOp):
            yield from altered(name, one, wanted, live)
        else:
            found = _keyed(one)
            if found is not None:
                keyed.append(found)
    for mine in without_twins(keyed):
        if mine.other and not mine.is_plain:
            reason = f"the index {mine.name} is on more than columns: it cannot be compared"
            live.open.append((_named(name), reason))
            continue
        yield Difference(
            mine.drift,
            _named(name),
            ", ".join(mine.columns),
            mine.name,
            code=mine.text if mine.is_missing else "none",
            database=mine.other or ("none" if mine.is_missing else mine.text),
            statement=statement(live.dialect, mine.operations, table),
            line=f"{'take' if mine.is_missing else 'add'} {mine.source}",
            place=code.location,
        )


def _missing_column(name: Name, one: Any, wanted: Declared, live: Live) -> Difference:
    column, code = one.column, wanted.code[name]
    return Difference(
        "missing_column",
        _named(name),
        column.name,
        code=column_text(column, live.dialect),
        database="no such column",
        statement=statement(live.dialect, [one], live.table(name)),
        line=f"remove the column {column.name} of the class at {code.location}",
        place=code.location,
    )


def _extra_column(name: Name, one: Any, wanted: Declared, live: Live) -> Difference:
    table, code = live.table(name), wanted.code[name]
    column = table.c[one.column_name] if table is not None else one.to_column()
    is_needed = not column.nullable and column.server_default is None and not column.primary_key
    is_needed = is_needed and column.identity is None and column.computed is None
    drift: Drift = "extra_required_column" if is_needed else "extra_column"
    null = "" if column.nullable else ", nullable=False"
    return Difference(
        drift,
        _named(name),
        column.name,
        code="no such column",
        database=column_text(column, live.dialect),
        statement=statement(live.dialect, [one], table),
        line=f"{column.name} = mapped_column({column.type!r}{null})",
        place=code.location,
    )


def _keyed(one: Any) -> Keyed | None:
    from alembic.operations import ops

    if isinstance(one, (ops.CreateIndexOp, ops.DropIndexOp)):
        index = one.to_index()
        columns = tuple(getattr(each, "name", None) or str(each) for each in index.expressions)
        is_missing = isinstance(one, ops.CreateIndexOp)
        kind = "unique" if index.unique else "index"
        is_plain = all(isinstance(each, sa.Column) for each in index.expressions)
        return Keyed(kind, is_missing, columns, str(index.name or ""), (one,), is_plain=is_plain)
    if isinstance(one, ops.AddConstraintOp):
        return _constraint(one.to_constraint(), one, is_missing=True)
    if isinstance(one, ops.DropConstraintOp):
        return _constraint(one.to_constraint(), one, is_missing=False)
    return None


def _constraint(found: Any, one: Any, *, is_missing: bool) -> Keyed | None:
    name = str(found.name) if found.name is not None else ""
    if isinstance(found, sa.UniqueConstraint):
        columns = tuple(each.name for each in found.columns)
        return Keyed("unique", is_missing, columns, name, (one,))
    if isinstance(found, sa.ForeignKeyConstraint):
        columns = tuple(found.column_keys)
        target = ", ".join(each.target_fullname for each in found.elements)
        rules = {"ON DELETE": found.ondelete, "ON UPDATE": found.onupdate}
        more = "".join(f" {words} {rule}" for words, rule in rules.items() if rule)
        return Keyed("foreign_key", is_missing, columns, name, (one,), target, more)
    return None
