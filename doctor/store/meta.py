"""What a store knows about itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from doctor.store.tables import meta


def get_meta(connection: Connection, name: str) -> str | None:
    """Return a value, or None."""
    value = connection.scalar(select(meta.c.value).where(meta.c.name == name))
    return None if value is None else str(value)


def put_meta(connection: Connection, name: str, value: str) -> None:
    """Set a value."""
    changed = connection.execute(update(meta).where(meta.c.name == name).values(value=value))
    if not changed.rowcount:
        connection.execute(insert(meta).values(name=name, value=value))
