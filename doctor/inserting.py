"""New rows: what they need, what is wrong with one, and the proof that the database takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from doctor.errors import SourceError
from doctor.model.evidence import Gap
from doctor.model.insertion import Blueprint, RequiredFields, RowCheck, RowProblem
from doctor.model.ports import ReadDoor, TrialDoor
from doctor.model.schema import Row
from doctor.model.system import System
from doctor.schema.blueprint import read_blueprint
from doctor.schema.required import Sources, fields_of, typed
from doctor.schema.row_checks import (
    CONDITION,
    condition_problems,
    missing_problems,
    value_problems,
)
from doctor.schema.row_lookups import lookup_problems
from doctor.system.database import open_trial_door
from doctor.treatment.pause import pause_reason


def required_fields(
    system: System, table: str, given: Row | None = None, *, sources: Sources | None = None
) -> RequiredFields:
    """Return what a new row of ``table`` needs beside what is ``given``, with every origin.

    Only reads. What it proposes is not proven; see ``proven``. Raises UsageError where there is no
    such table, SourceError where the database cannot be read.
    """
    blueprint = read_blueprint(system, table)
    needed = fields_of(blueprint, given or {}, sources or Sources(datetime.now(UTC)))
    problems, gaps = _problems(system.database, blueprint, needed.row)
    return replace(needed, problems=tuple(problems), gaps=(*needed.gaps, *gaps))


def validate_insert(system: System, table: str, row: Row) -> RowCheck:
    """Return everything that is wrong with a row before it is added to ``table``, at once.

    Only reads. Raises as ``required_fields`` does.
    """
    blueprint = read_blueprint(system, table)
    needed = fields_of(blueprint, row, Sources(datetime.now(UTC)))
    problems, gaps = _problems(system.database, blueprint, row)
    every = (*missing_problems(needed, row), *problems)
    return RowCheck(table, every, (*blueprint.gaps, *gaps))


def asked(
    system: System, table: str, given: Row, now: datetime, url: str | None, identity: str
) -> RequiredFields:
    """Return what a new row needs, proven on the database at ``url`` unless that is None.

    Texts that are given for columns of numbers are taken as the numbers. While writes to the
    system called ``identity`` are paused no row is tried.
    """
    known = typed(given, table, system.database.tables() if system.database else ())
    needed = required_fields(system, table, known, sources=Sources(now))
    reason = pause_reason(identity)
    if url is None or reason is not None:
        return replace(needed, proof_reason=reason or "")
    return proven(needed, system, open_trial_door(url))


def proven(needed: RequiredFields, system: System, door: TrialDoor) -> RequiredFields:
    """Return the fields with what the database itself says to the row, which is taken back."""
    if needed.missing or needed.problems:
        reason = "it lacks values" if needed.missing else "it would be refused"
        return replace(needed, proof_reason=reason)
    tables = system.database.tables() if system.database else ()
    table = next(one for one in tables if one.name == needed.table)
    try:
        words = door.refusal(table, needed.row)
    except SourceError as error:
        gap = Gap("schema", error.message)
        return replace(needed, proof_reason=error.message, gaps=(*needed.gaps, gap))
    if words is None:
        known = tuple(one for one in needed.gaps if one.probe != CONDITION)
        return replace(needed, proof="inserted and rolled back", gaps=known)
    problem = RowProblem("", "refused", f"the database refuses the row: {words}")
    return replace(needed, proof="refused", proof_reason=words, problems=(problem,))


def _problems(
    door: ReadDoor | None, blueprint: Blueprint, row: Row
) -> tuple[Sequence[RowProblem], Sequence[Gap]]:
    problems = list(value_problems(blueprint, row))
    bad = {one.column for one in problems}
    gaps: list[Gap] = []
    rest = {name: value for name, value in row.items() if name not in bad}
    found = lookup_problems(door, blueprint, rest) if door else iter(())
    for one in chain(condition_problems(blueprint, rest), found):
        if isinstance(one, Gap):
            gaps.append(one)
        else:
            problems.append(one)
    return problems, gaps
