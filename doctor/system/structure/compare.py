"""Compares the database with the models, by Alembic's autogenerate, within one open connection."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.model.drift import Comparison, Difference
from doctor.model.schema import CodeModels
from doctor.system.database.documentation import NAME as DOCUMENTATION
from doctor.system.database.marker import MARKER
from doctor.system.structure.declared import Declared, Name, declared
from doctor.system.structure.live import Live
from doctor.system.structure.operations import differences
from doctor.system.structure.reflected import reflected_differences

VERSIONS = "alembic_version"


def compare(connection: Connection, models: CodeModels, schema: str | None) -> Comparison:
    """Return how the database behind ``connection`` differs from the models; nothing is written.

    ``schema`` is the usual one, None where the engine has none. A part of the models that is not
    known completely is open: nothing is said of what it might have declared.
    """
    with _quiet():
        wanted = declared((*models.tables, *models.elsewhere), schema)
        live = Live(connection, wanted, schema)
        found = [*differences(_operations(connection, wanted, live), wanted, live)]
        found += reflected_differences(wanted, live)
    opened = _open(models, wanted)
    kept = [one for one in found if not _is_open(one, wanted, models)]
    order = {id(one): number for number, one in enumerate(kept)}
    kept.sort(key=lambda one: (one.table, one.column, one.drift, one.name, order[id(one)]))
    return Comparison(tuple(dict.fromkeys(kept)), (*opened, *live.open))


def _operations(connection: Connection, wanted: Declared, live: Live) -> Any:
    from alembic.autogenerate import produce_migrations
    from alembic.runtime.migration import MigrationContext

    def include_name(name: str | None, kind: str, _parents: Any) -> bool:
        if kind == "schema":
            return name in live.schemas
        return kind != "table" or name not in (MARKER.name, DOCUMENTATION, VERSIONS, *live.hidden)

    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": live.type_differs,
            "compare_server_default": False,
            "include_schemas": True,
            "include_name": include_name,
            "target_metadata": wanted.metadata,
        },
    )
    metadata: Any = wanted.metadata or sa.MetaData()
    return produce_migrations(context, metadata).upgrade_ops


def _open(models: CodeModels, wanted: Declared) -> tuple[tuple[str, str], ...]:
    tables = {one.name for one in models.tables}
    whole = [
        ("", f"{one.what} at {one.where}: {one.reason}")
        for one in models.gaps
        if one.what.partition(".")[0] not in tables
    ]
    parts = [(shown(name), reason) for name, many in wanted.open.items() for reason in many]
    return tuple(dict.fromkeys((*whole, *parts)))


def _is_open(one: Difference, wanted: Declared, models: CodeModels) -> bool:
    """Tell whether the models might say otherwise, in a part of them that was not read."""
    name = next((name for name in wanted.code if shown(name) == one.table), None)
    if one.drift == "extra_table":
        tables = {each.name for each in models.tables}
        return any(each.what.partition(".")[0] not in tables for each in models.gaps)
    if name is None:
        return False
    names = one.column.split(", ") if one.column else []
    if wanted.skipped[name] & set(names):
        return True
    return bool(wanted.open[name]) and (
        one.drift.startswith("extra") or one.drift in ("primary_key", "no_primary_key", "check")
    )


def shown(name: Name) -> str:
    """Return a table's name, with its schema where that is not the usual one."""
    return name[1] if name[0] is None else f"{name[0]}.{name[1]}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Alembic and reflection from warning about what cannot be compared."""
    log = logging.getLogger("alembic")
    before = log.disabled
    log.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before
