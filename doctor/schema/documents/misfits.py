"""Documentation that is not true any more, and documents that are not as they are described."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from doctor.errors import SourceError
from doctor.model.documentation import DocEntry, Sources
from doctor.model.evidence import Fact, Gap
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeColumn, LiveColumn, LiveTable, Row
from doctor.model.system import Run, System
from doctor.redaction import REDACTED
from doctor.schema.documents.entries import MOST_ROWS, document, gather, is_json
from doctor.schema.documents.examples import is_sensitive
from doctor.schema.documents.fingerprint import CODE, fingerprint
from doctor.schema.documents.fits import UnknownWordError, misfit

STALE = "database.stale_documentation"
MISFIT = "database.undescribed_document"


def documentation_facts(system: System, run: Run) -> Iterator[Fact | Gap]:
    """Yield what of the documentation in the database is stale, and what does not fit it.

    Only the whole system is looked at, not a single run; nothing where it has no documentation.
    Of each column with documents the first ``MOST_ROWS`` rows are read; the first that does not fit
    is told with their number.
    """
    door = system.database
    if door is None or run.id is not None:
        return
    stored = door.documentation()
    if stored is None:
        return
    sources, gaps = gather(system, door, {})
    yield from gaps
    tables = {one.name: one for one in sources.tables}
    hidden = _Hidden(sources)
    for one in stored:
        table = tables.get(one.table)
        column = table.column(one.column) if table is not None and one.column else None
        if table is None or (one.column and column is None):
            yield _stale(one, f"the database has no {one.name} any more")
            continue
        reason = hidden.reason(one)
        if reason is not None:
            yield Gap(STALE, reason, (STALE,))
        elif fingerprint(sources, table, column) != one.fingerprint:
            yield _stale(one, "what is declared has changed since it was written")
        if one.place in sources.schemas:  # what reads the documents is held to them elsewhere
            continue
        if column is not None and one.schema and is_json(column, _code(sources, one)):
            yield from _misfits(door, table, column, one)


class _Hidden:
    """What of the models cannot be compared, since it was not read."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._gaps: Mapping[str, str] = {one.what: one.reason for one in sources.models.gaps}

    def reason(self, one: DocEntry) -> str | None:
        if not one.fingerprint.startswith(CODE):
            return None
        models = self._sources.models
        gap = self._gaps.get(one.name) or self._gaps.get(one.table)
        if gap is not None:
            return f"{one.name}: {gap}"
        if models.table(one.table) is None and (not models.tables or models.gaps):
            return f"{one.name} was described from models that were not read"
        return None


def _code(sources: Sources, one: DocEntry) -> CodeColumn | None:
    table = sources.models.table(one.table)
    return table.column(one.column) if table is not None else None


def _stale(one: DocEntry, reason: str) -> Fact:
    fields = {
        "run": "",
        "table": one.table,
        "column": one.column,
        "name": one.name,
        "reason": reason,
        "origin": one.origin or "nobody",
        "updated_at": one.updated_at,
    }
    return Fact(STALE, fields, "database")


def _misfits(
    door: ReadDoor, table: LiveTable, column: LiveColumn, one: DocEntry
) -> Iterator[Fact | Gap]:
    try:
        schema = json.loads(one.schema)
        rows = door.rows(table, {}, limit=MOST_ROWS)
        found = list(_unfit(rows, column.name, schema))
    except (ValueError, UnknownWordError, SourceError) as error:
        yield Gap(MISFIT, f"{one.name}: {error}", (MISFIT,))
        return
    if found:
        row, problem = found[0]
        yield Fact(
            MISFIT,
            {
                "run": "",
                "table": table.name,
                "column": column.name,
                "key": {name: row[name] for name in table.primary_key},
                "problem": problem if not is_sensitive(column.name) else REDACTED,
                "rows": len(found),
                "looked": len(rows),
            },
            "database",
        )


def _unfit(
    rows: Sequence[Row], column: str, schema: Mapping[str, object]
) -> Iterator[tuple[Row, str]]:
    for row in rows:
        stored = document(row[column]) if row[column] is not None else None
        problem = misfit(stored[0], schema) if stored is not None else None
        if problem is not None:
            yield row, problem
