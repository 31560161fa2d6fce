"""What the database says of its tables, read once, and what of it is nobody's drift."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector

from doctor.system.structure.declared import Declared, Name

_PARTITIONS = """SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relispartition
UNION SELECT c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_depend d ON d.objid = c.oid AND d.deptype = 'e'
  AND d.classid = 'pg_catalog.pg_class'::regclass"""


class Live:
    """The database behind one connection, for as long as one comparison takes."""

    def __init__(self, connection: Connection, wanted: Declared, schema: str | None) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.engine = "mariadb" if self.dialect.name == "mysql" else self.dialect.name
        self.schema = schema
        self.inspector: Inspector = sa.inspect(connection)
        self.schemas = {None, *(name[0] for name in wanted.tables)}
        self.open: list[tuple[str, str]] = []
        self._metadata = sa.MetaData()
        self._tables: dict[Name, sa.Table | None] = {}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Tables that belong to another one, or to an extension of the server."""
        if self.engine != "postgresql":
            return frozenset()
        return frozenset(self.connection.execute(sa.text(_PARTITIONS)).scalars())

    def table(self, name: Name) -> sa.Table | None:
        """Return a table as the database declares it, None where there is none."""
        if name not in self._tables:
            try:
                self._tables[name] = sa.Table(  # type: ignore[call-overload]
                    name[1],
                    self._metadata,
                    schema=name[0],
                    autoload_with=self.inspector,
                    resolve_fks=False,
                )
            except sa.exc.NoSuchTableError:
                self._tables[name] = None
        return self._tables[name]

    def type_differs(
        self, _context: Any, _live: Any, _declared: Any, live: Any, wanted: Any
    ) -> bool | None:
        """Say False for types that only look different; None leaves it to Alembic."""
        from doctor.system.structure.types import same_type

        return False if same_type(live, wanted, self.dialect) else None
