"""COMMENT statements that carry descriptions into the database: to read, never executed here.

COMMENT takes no parameters, so a text would have to stand in SQL; and on MariaDB the comment of a
column is changed only together with its whole definition. That is for whoever owns the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from doctor.errors import UsageError
from doctor.model.documentation import Documentation
from doctor.schema.statement import literal_text, quoted_name


def comment_statements(documentation: Documentation, target: str) -> tuple[str, ...]:
    """Return one statement per description that the database does not hold as COMMENT.

    ``target`` names the engine. Raises UsageError for SQLite, which has no comments.
    """
    engine = target.partition(":")[0]
    if engine == "sqlite":
        raise UsageError(
            "SQLite keeps no comments on tables and columns",
            hint="--write keeps the documentation in a table of its own",
        )
    schemas = {one.name: one.schema for one in documentation.tables}
    return tuple(_statements(documentation, schemas, engine, target))


def _statements(
    documentation: Documentation, schemas: Mapping[str, str | None], engine: str, target: str
) -> Iterator[str]:
    for one in documentation.entries:
        if one.description in ("", documentation.comments.get(one.place)):
            continue
        names = [schemas.get(one.table), one.table]
        table = ".".join(quoted_name(name, target) for name in names if name)
        text = literal_text(one.description, target)
        column = quoted_name(one.column, target)
        if engine == "postgresql":
            place = f"COLUMN {table}.{column}" if one.column else f"TABLE {table}"
            yield f"COMMENT ON {place} IS {text};"
        elif one.column:
            flat = text.replace("\n", " ")
            yield f"-- ALTER TABLE {table} MODIFY {column} <its whole definition> COMMENT {flat};"
        else:
            yield f"ALTER TABLE {table} COMMENT = {text};"
