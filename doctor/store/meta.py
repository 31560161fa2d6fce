"""What a store knows about itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from doctor.store.tables import meta

# Built once: these run several times in every transaction.
_NAMED = meta.c.name == bindparam("wanted")
_GET = select(meta.c.value).where(_NAMED)
_PUT = update(meta).where(_NAMED).values(value=bindparam("given"))


def get_meta(connection: Connection, name: str) -> str | None:
    """Return a value, or None."""
    value = connection.scalar(_GET, {"wanted": name})
    return None if value is None else str(value)


def put_meta(connection: Connection, name: str, value: str) -> None:
    """Set a value."""
    changed = connection.execute(_PUT, {"wanted": name, "given": value})
    if not changed.rowcount:
        connection.execute(insert(meta).values(name=name, value=value))
