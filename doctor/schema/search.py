"""Lets a finder look at the tables of a system, whether or not it is known which keep runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from doctor.errors import SourceError
from doctor.model.evidence import Fact, Gap
from doctor.model.layout import Layout
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels
from doctor.model.system import Run, System

Find = Callable[[ReadDoor, CodeModels, Layout, str | None], Iterator[Fact | Gap]]


def search_tables(find: Find, system: System, run: Run) -> Iterator[Fact | Gap]:
    """Yield what ``find`` finds; nothing where there are no models or no database.

    Raises SourceError at the end where it is not known which tables keep runs.
    """
    if system.database is None or system.code is None:
        return
    tables = system.tables_for(run.id)
    if tables is not None:
        yield from find(system.database, system.code.models(), tables, run.id)
    if system.layout is None:
        raise SourceError(system.layout_reason or "the run table was not found")
