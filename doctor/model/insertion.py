"""What a new row of a table needs: what the database does by itself, and what must be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from doctor.model.evidence import Gap, Scalar
from doctor.model.schema import CodeTable, LiveForeignKey, LiveTable, Row


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that the database has for each row, in its own words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What a database does with a new row of a table.

    Attributes:
        defaults: what it puts where nothing is given, in its own words, by column.
        numbered: columns that it numbers.
        following: the number that each of these would get next, where that is known.
        computed: columns that it computes: nothing can be given for them.
        unique: sets of columns that no two rows share.
        checks: its conditions.
        labels: the values of its own enums, by column.
        strict: whether it refuses what does not fit the length or the type of a column.
    """

    defaults: Mapping[str, str] = field(default_factory=dict)
    numbered: frozenset[str] = frozenset()
    following: Mapping[str, int] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    unique: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything that is known about rows of a table before one is added.

    Attributes:
        table: as the database declares it.
        intake: what the database does by itself.
        code: the table as the models declare it, None where they do not.
        links: references to other tables, declared live or in the models.
        sample: rows that are there.
        is_whole: the sample holds every row.
        ends: values after which a run does nothing more.
        gaps: what could not be read.
    """

    table: LiveTable
    intake: Intake
    code: CodeTable | None = None
    links: tuple[LiveForeignKey, ...] = ()
    sample: tuple[Row, ...] = ()
    is_whole: bool = True
    ends: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()


Origin = Literal[
    "given", "ORM default", "server default", "clock", "autoincrement", "computed", "learned", "you"
]


@dataclass(frozen=True, slots=True)
class RequiredField:
    """A column that a new row must have something in.

    Attributes:
        name, type: of the column, as the database has it.
        known_to: who says so: the models, the database, or both.
        origin: where what stands in it comes from; "you": nobody but the caller can tell.
        value: what is written; None where the database fills it, or it is left to the caller.
        is_written: ``value`` is part of the INSERT.
        certain: it is declared somewhere; otherwise it is a proposal.
        reason: why this, or why it is left to the caller.
        support, of: in how many rows of how many a learned value stands.
        at_least: lower bound of its share among all rows, with 95 % confidence.
    """

    name: str
    type: str
    known_to: str
    origin: Origin
    value: Scalar = None
    is_written: bool = False
    certain: bool = True
    reason: str = ""
    support: int = 0
    of: int = 0
    at_least: float = 0.0


Fault = Literal[
    "missing", "unknown column", "computed", "NULL", "type", "range", "length", "enum", "JSON",
    "check", "reference", "unique", "refused",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row would be refused, or could not be read any more: ``right`` says what would do."""

    column: str
    fault: Fault
    message: str
    right: str = ""


@dataclass(frozen=True, slots=True)
class RowCheck:
    """What is wrong with a row before it is added, all at once, and what could not be decided."""

    table: str
    problems: tuple[RowProblem, ...] = ()
    gaps: tuple[Gap, ...] = ()


Proof = Literal["inserted and rolled back", "refused", "not tried"]


@dataclass(frozen=True, slots=True)
class RequiredFields:
    """What a new row of a table needs.

    Attributes:
        table: its name.
        fields: every column that must hold something, and every one that was given.
        row: what an INSERT writes, of what is given and what is known.
        problems: what is wrong with what was given.
        gaps: what could not be looked at.
        proof: whether the database took the row, in a transaction that was taken back.
        proof_reason: what it said against the row, or why it was not asked.
    """

    table: str
    fields: tuple[RequiredField, ...]
    row: Row
    problems: tuple[RowProblem, ...] = ()
    gaps: tuple[Gap, ...] = ()
    proof: Proof = "not tried"
    proof_reason: str = ""

    @property
    def missing(self) -> tuple[RequiredField, ...]:
        """The columns that only the caller can fill."""
        return tuple(one for one in self.fields if one.origin == "you")

    @property
    def exit_code(self) -> int:
        """0 where the row was proven, 3 where something is missing or wrong, 9 for not known."""
        if self.missing or self.problems:
            return 3
        return 9 if self.proof == "not tried" and self.proof_reason else 0
