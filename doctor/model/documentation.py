"""What is said about tables and columns, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from doctor.model.evidence import Gap
from doctor.model.schema import CodeModels, LiveTable

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """What a source says about a table or a column, and which source: ``file:line`` or a name."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class DocEntry:
    """The documentation of a table, or of one of its columns.

    Attributes:
        column: "" for the table itself.
        description: "" where nobody said anything.
        example: a value as text, secrets left out; for a table a whole row as JSON.
        schema: a JSON Schema as text, "" for none.
        origin: who says it.
        fingerprint: of what the code, else the database, declares: it changes with that.
        updated_at: when it was written, "" where it was not.
    """

    table: str
    column: str
    description: str = ""
    example: str = ""
    schema: str = ""
    origin: str = ""
    fingerprint: str = ""
    updated_at: str = ""

    @property
    def place(self) -> Place:
        """What it is about."""
        return self.table, self.column

    @property
    def name(self) -> str:
        """``table`` or ``table.column``."""
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True, slots=True)
class Documentation:
    """The documentation of a database: tables in their order, each before its columns.

    ``tables`` and ``models`` are what it is about; ``stored`` is what stands in the database, None
    where it has no such table; ``comments`` are those that the database itself keeps.
    """

    entries: tuple[DocEntry, ...]
    tables: tuple[LiveTable, ...]
    models: CodeModels
    stored: tuple[DocEntry, ...] | None = None
    gaps: tuple[Gap, ...] = field(default=())
    comments: Mapping[Place, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[DocEntry, ...]:
        """Return what nobody said anything about."""
        return tuple(one for one in self.entries if not one.description)

    @property
    def coverage(self) -> float:
        """The share of tables and columns that are described, 1.0 where there are none."""
        if not self.entries:
            return 1.0
        return 1 - len(self.missing) / len(self.entries)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that entries are made of."""

    models: CodeModels
    tables: tuple[LiveTable, ...]
    words: Mapping[Place, Words]
    schemas: Mapping[Place, Words]
    comments: Mapping[Place, str]
    filled: Mapping[Place, Words]
