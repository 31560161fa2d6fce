"""What is known beforehand about somebody's system: read from YAML, never from code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Stored = Literal["names", "values"]
Holds = Literal["json", "pickle", "timestamp", "number", "integer"]


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the code of a system accepts in one column.

    Attributes:
        column: ``table.column``.
        enum: ``module.path:Name`` of an enum, list, set or dict in the code of the system.
        stored: whether names (of a dict: keys) or values of it are in the database.
        values: what is accepted where the code is not at hand.
        open: others than these are legal too, so that they only are worth a warning.
        null: whether NULL is accepted; None: the models decide.
        terminal: values after which a run does nothing more.
        holds: what each cell must be, beside NULL.
        schema: JSON Schema of its documents as text, "" for none.
        breaks: what the product cannot do any more where a cell is wrong.
        origin: ``file:line`` of the description.
        firm: it beats what the models say; else they do.
    """

    column: str
    enum: str | None = None
    stored: Stored = "values"
    values: tuple[str, ...] = ()
    open: bool = False
    null: bool | None = None
    terminal: tuple[str, ...] = ()
    holds: Holds | None = None
    schema: str = ""
    breaks: str = ""
    origin: str = ""
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a row must have as soon as its columns hold certain values.

    Attributes:
        table: the table of the row.
        when: accepted values by column; a row counts that has one of them in each.
        set: columns that are not NULL then.
        rows: the table that has rows for it then: at least one, or where ``as_many_as`` names
            another table as many as that one has.
        breaks: what the product cannot do any more where it is missing.
        origin: ``file:line`` of the description.
    """

    table: str
    when: Mapping[str, tuple[str, ...]]
    set: tuple[str, ...] = ()
    rows: str | None = None
    as_many_as: str | None = None
    breaks: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What must not be at the same time: a row in one state above a row in another.

    Attributes:
        table: the table above.
        when: accepted values by column; a row counts that has one of them in each.
        rows: a table whose rows belong to rows of ``table``, directly or through others.
        holding: values by column that no such row may hold then, all of them together.
        breaks: what the product cannot do any more, or never will, where it is so.
        origin: ``file:line`` of the description.
    """

    table: str
    when: Mapping[str, tuple[str, ...]]
    rows: str
    holding: Mapping[str, tuple[str, ...]]
    breaks: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class StateCopy:
    """Where a system keeps a state a second time: at ``path`` inside the JSON of another column.

    ``prefix`` stands in front of the value there.
    """

    column: str
    inside: str
    path: tuple[str, ...]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class SystemDescription:
    """A system: where its runs are, what its columns accept, how it is asked.

    Attributes:
        name: how it is chosen.
        homepage: where to read about it.
        package: the distribution whose presence is a sign of it.
        runs, key: the run table and the column that names a run.
        columns: what is accepted, per column.
        requires: what rows must have.
        never: what must not be at the same time.
        copies: states that are kept twice.
        one, health: paths of the GET of one run (``{run}`` stands for its id), and of one that
            answers 200 while the API is well.
        logs: patterns of its logs, relative to where it runs.
        destroys: what reading a bad row does to it; where this is said, its API is never asked.
        origin: ``file:line``.
        builtin: whether it came with Doctor.
    """

    name: str
    homepage: str = ""
    package: str | None = None
    runs: str | None = None
    key: str | None = None
    columns: tuple[ColumnFacts, ...] = ()
    requires: tuple[Requirement, ...] = ()
    never: tuple[Contradiction, ...] = ()
    copies: tuple[StateCopy, ...] = ()
    one: str | None = None
    health: str | None = None
    logs: tuple[str, ...] = ()
    destroys: str | None = None
    origin: str = ""
    builtin: bool = False

    @property
    def terminal(self) -> frozenset[str]:
        """Every value after which a run does nothing more."""
        return frozenset(value for one in self.columns for value in one.terminal)

    @property
    def tables(self) -> frozenset[str]:
        """Every table that the description names."""
        named = {one.column.rpartition(".")[0] for one in self.columns}
        named |= {one.table for one in self.requires} | {one.table for one in self.never}
        return frozenset(named | ({self.runs} if self.runs else set()))
