"""Stored values that the code's enums do not have: the probe that finds them, and their fixer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from doctor import (
    Diagnosis,
    Fact,
    FactField,
    FactKind,
    Gap,
    Proposal,
    Run,
    SetCells,
    System,
    hookimpl,
    invalid_values,
    rank_values,
    replacement_hints,
    search_tables,
)

FIELDS = (
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
    FactField("blast", required=False),
    FactField("copy", required=False),
    FactField("copy_at", required=False),
)
INVALID_VALUE = FactKind(
    "database.invalid_value", "a stored value that the enum of its column does not have", FIELDS
)
UNUSUAL_VALUE = FactKind(
    "database.unusual_value",
    "a stored value that is none of the usual ones, in a column that takes others as well",
    FIELDS,
)


class InvalidValues:
    """Compares every enum column that belongs to the run with the enum in the code."""

    name = "database.invalid_value"
    kinds = (INVALID_VALUE, UNUSUAL_VALUE)

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield one fact per cell that the code cannot read, or does not know."""
        return search_tables(invalid_values, system, run)


class SetValue:
    """Puts a valid value in place of the bad one."""

    name = "database.set_value"

    def propose(self, diagnosis: Diagnosis, system: System) -> tuple[Proposal, ...]:
        """Return one change per value that could stand there, best first."""
        subject = diagnosis.subject
        if subject is None or not subject.key or not subject.valid:
            return ()
        fields = next((one.fields for one in diagnosis.facts if "enum" in one.fields), {})
        enum, copy = str(fields.get("enum", "")), fields.get("copy")
        second = (str(copy), str(fields["copy_at"])) if copy is not None else None
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
            for one in rank_values(
                subject,
                enum,
                system.mappings,
                system.terminal,
                second,
                partial(replacement_hints, subject, system),
            )
        )


@hookimpl
def doctor_probes() -> tuple[InvalidValues, ...]:
    """Register the probe."""
    return (InvalidValues(),)


@hookimpl
def doctor_fixers() -> tuple[SetValue, ...]:
    """Register the fixer."""
    return (SetValue(),)
