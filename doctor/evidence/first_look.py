"""A first look into a system that was only just found: where its runs are, what is not certain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from doctor.errors import DoctorError
from doctor.evidence.opening import open_system
from doctor.model.description import SystemDescription
from doctor.model.schema import CodeModels
from doctor.model.system import System
from doctor.settings import Settings
from doctor.system.configuration import Known

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What is known of the system, and what is not, in words."""

    known: Known
    unsure: tuple[str, ...]


def look_first(settings: Settings, description: SystemDescription | None) -> FirstLook:
    """Look at the system as a preflight would open it; what cannot be opened is not certain."""
    try:
        system = open_system(settings, None, "", (), lambda _logs: (), description)
        models = system.code.models() if system.code else CodeModels()
    except DoctorError as error:
        return FirstLook(Known(), (str(error),))
    unsure = tuple(_unsure(system, models, description))
    return FirstLook(_known(system, models), unsure)


def _known(system: System, models: CodeModels) -> Known:
    layout = system.layout
    if layout is None:
        return Known(terminal=tuple(sorted(system.terminal)), has_unread=bool(models.gaps))
    declared = models.table(layout.run.table.name)
    states = next((one.enum.values for one in declared.columns if one.enum), ()) if declared else ()
    return Known(
        f"{layout.run.table.name}.{layout.run.via}",
        tuple(one.table.name for one in layout.members[1:]),
        states,
        tuple(one for one in states if one in system.terminal),
        bool(models.gaps),
    )


def _unsure(
    system: System, models: CodeModels, description: SystemDescription | None
) -> Iterator[str]:
    if system.layout is None and system.database is not None:
        yield f"runs: {system.layout_reason}"
    if system.database is not None and not models.tables:
        yield "values: without models or a described kind nothing says which values are valid"
    elif models.tables and system.database is not None:
        live = {one.name for one in system.database.tables()}
        known = [one for one in models.tables if one.name in live]
        if not known:
            yield "models: none of their tables is in the database"
        elif not any(column.enum for table in known for column in table.columns):
            yield "values: the models have no enum column; describe the states in a system file"
    for gap in models.gaps[:_SHOWN]:
        yield f"models: {gap.what} at {gap.where} was not read: {gap.reason}"
    if len(models.gaps) > _SHOWN:
        yield f"models: {len(models.gaps) - _SHOWN} more parts were not read"
    if description is None and system.layout is not None and not system.terminal:
        yield "terminal: which states end a run is not known; [system.runs] terminal says it"
