"""The repair of a whole column: what was found in it, what would change, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from doctor.model.change import Decision, Key, Plan, Result, SetColumn, Verified
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Gap, Scalar
from doctor.model.examination import EXIT_CODES, Status


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value that a column should not hold.

    Attributes:
        rows: how many rows hold it.
        run: one of the runs that it is found in, "" where none is known.
        diagnosis: what a rule says about one of those rows, with candidates; None: no rule does.
        change: what would cure all of them, None where a human must choose first.
    """

    value: Scalar
    rows: int
    run: str
    diagnosis: Diagnosis | None
    change: SetColumn | None


@dataclass(frozen=True, slots=True)
class ColumnExamination:
    """What is wrong with one column in all rows of its table; nothing was changed.

    Attributes:
        name: ``TABLE.COLUMN``; what is asked and remembered about it bears the run ``column:NAME``.
        plan: the repair of all values whose replacement is known, or None.
        rows: the pinned rows of each of the plan's changes.
    """

    name: str
    values: tuple[BadValue, ...] = ()
    gaps: tuple[Gap, ...] = ()
    plan: Plan | None = None
    rows: tuple[tuple[Key, ...], ...] = ()

    @property
    def run(self) -> str:
        """What stands for the run in plans, incidents and the journal."""
        return f"column:{self.name}"

    @property
    def open_values(self) -> tuple[BadValue, ...]:
        """The values for which a human must choose."""
        return tuple(one for one in self.values if one.change is None)

    @property
    def status(self) -> Status:
        """Sick where there is a bad value; unknown where the column could not be looked at."""
        if self.values:
            return "sick"
        return "unknown" if self.gaps else "healthy"


@dataclass(frozen=True, slots=True)
class ColumnOutcome:
    """What became of a repair: ``done`` rows were visited, ``moved`` of them had moved on."""

    fix: str
    plan: str
    result: Result
    verified: Verified | None
    reason: str
    done: int
    moved: int


@dataclass(frozen=True, slots=True)
class ColumnTreatment:
    """What was decided and done about one column.

    ``prevention`` are statements that would keep the bad values out, by what they are for; none
    of them was executed.
    """

    examination: ColumnExamination
    status: Status
    decision: Decision | None = None
    incident: str | None = None
    plan: Plan | None = None
    outcome: ColumnOutcome | None = None
    writers: tuple[str, ...] = ()
    prevention: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The exit code of this status."""
        return EXIT_CODES[self.status]
