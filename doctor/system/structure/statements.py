"""The statement that would change the database, as its engine writes it. It is never executed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


def statement(dialect: Dialect, operations: Sequence[Any], table: sa.Table | None = None) -> str:
    """Return the SQL of Alembic operations, in one text.

    SQLite changes little of a table in place: where it cannot, the text makes ``table`` anew.
    """
    try:
        if dialect.name == "sqlite" and any(_is_refused(one) for one in operations):
            raise NotImplementedError
        return _text(dialect, operations)
    except (NotImplementedError, sa.exc.SQLAlchemyError, ValueError, KeyError):
        pass
    try:
        return _text(dialect, operations, table) if table is not None else ""
    except Exception:  # noqa: BLE001 - a text for reading; what cannot be written is not shown
        return ""


def _is_refused(operation: Any) -> bool:
    """Alembic writes these for SQLite, and SQLite does not take them."""
    from alembic.operations import ops

    return isinstance(operation, (ops.AlterColumnOp, ops.AddConstraintOp, ops.DropConstraintOp))


def _text(dialect: Dialect, operations: Sequence[Any], table: sa.Table | None = None) -> str:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect=dialect, opts={"as_sql": True, "output_buffer": buffer, "literal_binds": True}
    )
    with Operations.context(context) as run:
        if table is None:
            for one in operations:
                run.invoke(one)
        else:
            with run.batch_alter_table(
                table.name, schema=table.schema, recreate="always", copy_from=table
            ) as batch:
                for one in operations:
                    batch.invoke(one)
    text = buffer.getvalue()
    if dialect.paramstyle in {"format", "pyformat"}:
        text = text.replace("%%", "%")
    return " ".join(" ".join(one.split()) for one in text.splitlines() if one.strip())
