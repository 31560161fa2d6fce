"""The probe finds rows with a priority that there is not; the fixer proposes the right one."""

from __future__ import annotations

from collections.abc import Iterator

from doctor import (
    Diagnosis,
    Fact,
    FactField,
    FactKind,
    Proposal,
    Run,
    SetCells,
    SourceError,
    System,
    Tier,
    hookimpl,
)

VALID = ("LOW", "NORMAL", "HIGH")
MEANT = {"URGENT": "HIGH", "LATER": "LOW"}
MOST = 1000
BAD_PRIORITY = FactKind(
    "sample.bad_priority",
    "a priority that the scheduler cannot read",
    (
        FactField("run"),
        FactField("table"),
        FactField("column"),
        FactField("key", "map"),
        FactField("value"),
        FactField("valid", "list"),
    ),
)


class Priorities:
    """Looks at the column ``priority`` of the run table."""

    name = "sample.priority"
    kinds = (BAD_PRIORITY,)

    def collect(self, system: System, run: Run) -> Iterator[Fact]:
        """Yield one fact per row whose priority is none."""
        if system.database is None:
            return
        if system.layout is None:
            raise SourceError(system.layout_reason or "the run table was not found")
        member = system.layout.run
        if member.table.column("priority") is None:
            return
        where = {} if run.id is None else {member.via: run.id}
        for row in system.database.rows(member.table, where, limit=MOST):
            if row["priority"] not in VALID:
                fields = {
                    "run": str(row[member.via]),
                    "table": member.table.name,
                    "column": "priority",
                    "key": {name: row[name] for name in member.table.primary_key},
                    "value": str(row["priority"]),
                    "valid": VALID,
                }
                yield Fact(BAD_PRIORITY.name, fields, "database")


class SetPriority:
    """Proposes the priority that was meant."""

    name = "sample.set_priority"

    def propose(self, diagnosis: Diagnosis, system: System) -> tuple[Proposal, ...]:  # noqa: ARG002
        """Return the same word in capitals as certain, a known synonym as a guess."""
        subject = diagnosis.subject
        if subject is None or not isinstance(subject.value, str):
            return ()
        word = subject.value.strip().upper()
        to = MEANT.get(word, word)
        if to not in subject.valid:
            return ()
        change = SetCells(
            subject.table, subject.key, {subject.column: subject.value}, {subject.column: to}
        )
        if to == word:
            return (Proposal(change, to, Tier.SAFE, "the same word in capitals", certain=True),)
        return (Proposal(change, to, Tier.GUARDED, f"{word} was its name once", certain=False),)


@hookimpl
def doctor_probes() -> tuple[Priorities, ...]:
    """Register the probe."""
    return (Priorities(),)


@hookimpl
def doctor_fixers() -> tuple[SetPriority, ...]:
    """Register the fixer."""
    return (SetPriority(),)
