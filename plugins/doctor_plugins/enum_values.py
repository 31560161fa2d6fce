"""Stored values that the code's enums do not have: the probe that finds them, and their fixer."""

from __future__ import annotations

from collections.abc import Iterable

from doctor import (
    Diagnosis,
    Fact,
    FactField,
    FactKind,
    Gap,
    Proposal,
    Run,
    SetCells,
    SourceError,
    System,
    hookimpl,
    invalid_values,
    rank_values,
)

INVALID_VALUE = FactKind(
    "database.invalid_value",
    "a stored value that the enum of its column does not have",
    (
        FactField("run"),
        FactField("role"),
        FactField("table"),
        FactField("column"),
        FactField("key", "map"),
        FactField("value"),
        FactField("valid", "list"),
        FactField("enum"),
        FactField("enum_location"),
        FactField("elsewhere"),
    ),
)


class InvalidValues:
    """Compares every enum column that belongs to the run with the enum in the code."""

    name = "database.invalid_value"
    kinds = (INVALID_VALUE,)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per cell that the code cannot read."""
        if system.database is None or system.code is None:
            return ()
        if system.layout is None:
            raise SourceError(system.layout_reason or "the run table was not found")
        return invalid_values(system.database, system.code.models(), system.layout, run.id)


class SetValue:
    """Puts a valid value in place of the bad one."""

    name = "database.set_value"

    def propose(self, diagnosis: Diagnosis, system: System) -> tuple[Proposal, ...]:
        """Return one change per value that could stand there, best first."""
        subject = diagnosis.subject
        if subject is None or not subject.key or not subject.valid:
            return ()
        enum = next(
            (str(one.fields["enum"]) for one in diagnosis.facts if "enum" in one.fields), ""
        )
        return tuple(
            Proposal(
                SetCells(
                    subject.table,
                    subject.key,
                    {subject.column: subject.value},
                    {subject.column: one.to},
                ),
                one.to,
                one.tier,
                one.reason,
                one.certain,
            )
            for one in rank_values(subject, enum, system.mappings, system.terminal)
        )


@hookimpl
def doctor_probes() -> tuple[InvalidValues, ...]:
    """Register the probe."""
    return (InvalidValues(),)


@hookimpl
def doctor_fixers() -> tuple[SetValue, ...]:
    """Register the fixer."""
    return (SetValue(),)
