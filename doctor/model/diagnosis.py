"""What a rule concluded: values with equality that every door shows the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doctor.model.evidence import Fact, Scalar
from doctor.model.rule import Level, Retryable
from doctor.model.tier import Tier


@dataclass(frozen=True, slots=True)
class Subject:
    """The cell or row that a diagnosis is about.

    ``key`` holds the primary key's values by column; ``valid`` the accepted values as stored.
    """

    table: str
    column: str
    key: Mapping[str, Scalar]
    value: Scalar
    valid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """All facts of one kind from one source, counted, never merged with another source's."""

    kind: str
    source: str
    count: int
    first: str | None
    last: str | None
    summary: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value that could stand in place of the bad one.

    Attributes:
        to: the value.
        tier: how far it may go on its own.
        reason: the evidence for it, or that there is none but similarity.
        statement: the compare-and-set as SQL for reading; never executed as text.
        plan: hash of the run's plan with this candidate, or None where other cells are open too.
    """

    to: str
    tier: Tier
    reason: str
    statement: str
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """A diagnosis that another one explains."""

    code: str
    rule: str
    cause: str
    message: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A rule's conclusion about one subject.

    ``level`` info means: worth knowing, no finding. ``facts`` are the observations behind it and
    behind its consequences; reports show them as evidence entries. ``blast`` says which runs and
    lists cannot be read because of it, "" where that is not known.
    """

    code: str
    rule: str
    level: Level
    cause: str
    retryable: Retryable
    subject: Subject | None
    message: str
    hint: str
    join: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    decision: str | None = None
    reason: str | None = None
    blast: str = ""

    @property
    def is_finding(self) -> bool:
        """Tell whether this keeps a run from being called healthy."""
        return self.level != "info"
