"""What an examination found, and what a treatment did about it: the values behind every door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from doctor.model.change import Decision, Outcome, Plan
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Evidence, Gap
from doctor.model.verdict import Verdict

Status = Literal[
    "healthy", "sick", "healed", "asked", "refused", "undone", "undo_failed", "unknown"
]

EXIT_CODES: Mapping[Status, int] = {
    "healthy": 0,
    "healed": 0,
    "sick": 3,
    "asked": 5,
    "refused": 6,
    "undone": 7,
    "undo_failed": 8,
    "unknown": 9,
}


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that is known about one run, and what could be done; nothing was changed.

    Attributes:
        run: the run's id.
        evidence: facts and gaps.
        verdicts: what every rule said.
        diagnoses: findings first, then what is only worth knowing.
        plan: the complete plan, or None.
        plans: every complete plan by its hash.
        open_cells: cells for which a human must choose.
        agreed: whether both engines said the same; ``note`` says why not.
        incident: id of the open incident of the run, if the store knows one.
    """

    run: str
    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    diagnoses: tuple[Diagnosis, ...]
    plan: Plan | None = None
    plans: Mapping[str, Plan] = field(default_factory=dict)
    open_cells: tuple[str, ...] = ()
    agreed: bool = True
    note: str | None = None
    incident: str | None = None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be looked at."""
        return self.evidence.gaps

    @property
    def findings(self) -> tuple[Diagnosis, ...]:
        """The diagnoses that keep the run from being called healthy."""
        return tuple(one for one in self.diagnoses if one.is_finding)

    @property
    def status(self) -> Status:
        """Sick where there is a finding; unknown where something could not be looked at."""
        if self.findings:
            return "sick"
        return "unknown" if self.gaps or not self.agreed else "healthy"

    @property
    def exit_code(self) -> int:
        """The exit code of this status."""
        return EXIT_CODES[self.status]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was decided and done about one run; ``examination`` is the last look at it."""

    examination: Examination
    status: Status
    exit_code: int
    decision: Decision | None = None
    incident: str | None = None
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """The whole system: a verdict per sick run; a sick run never blocks the others.

    ``runs`` is the number of runs in the run table, None where it could not be counted.
    ``shared`` are diagnoses that belong to no single run.
    """

    examination: Examination
    runs: int | None
    sick: Mapping[str, tuple[Diagnosis, ...]]
    shared: tuple[Diagnosis, ...]
