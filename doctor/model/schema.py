"""What the code believes about its tables, and what the live database says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from doctor.model.description import Contradiction, Requirement, StateCopy
from doctor.model.evidence import Scalar


@dataclass(frozen=True, slots=True)
class EnumValues:
    """The complete set of values that a column's enum accepts as stored.

    ``values`` are in the order of definition, as the database holds them; ``aliases`` are the
    accepted names of alias members; ``location`` is ``file:line`` of the definition. Where it is
    ``open`` other values are legal as well.
    """

    name: str
    values: tuple[str, ...]
    location: str
    aliases: tuple[str, ...] = ()
    open: bool = False


FillKind = Literal["value", "clock", "local clock", "uuid", "call"]


@dataclass(frozen=True, slots=True)
class CodeFill:
    """What the code puts into a column of a new row where nothing is given.

    ``value`` is stored for the kind "value"; "clock" is the time in UTC, "local clock" that of the
    machine; what a "call" gives is only known when the code runs.
    """

    kind: FillKind
    value: Scalar = None


@dataclass(frozen=True, slots=True)
class Made:
    """A part of a schema as the code makes it: what is called, by its dotted path, and with what.

    Values are constants, further parts, and lists of them.
    """

    path: str
    args: tuple[MadeValue, ...] = ()
    options: Mapping[str, MadeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Many:
    """A list in the arguments of a part."""

    values: tuple[MadeValue, ...]


MadeValue = Scalar | Made | Many


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """A column as the code declares it. ``default`` is source text; None: no default.

    ``fill`` is what that default comes to. ``breaks`` says what the system cannot do any more
    where a cell of it is wrong, "" for unknown. ``location`` is ``file:line`` of its statement, and
    ``holds`` that of the class of its values, "" for unknown; both only lead back to the source.
    ``made`` is its whole definition, None where that is not known completely.
    """

    name: str
    type: str | None
    nullable: bool | None
    primary_key: bool = False
    foreign_key: str | None = None
    default: str | None = None
    server_default: str | None = None
    enum: EnumValues | None = None
    breaks: str = ""
    location: str = field(default="", compare=False)
    holds: str = field(default="", compare=False)
    shape: DescribedShape | None = None
    fill: CodeFill | None = field(default=None, compare=False)
    made: Made | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DescribedShape:
    """The JSON Schema of a column's documents as text, and ``file:line`` of what says so."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class CodeLink:
    """Columns that together name a row of ``table``, by its columns ``references``."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeUnique:
    """Columns whose values together no two rows share, as the code declares it.

    ``columns`` is () where more than columns decides, such as an expression or a condition;
    ``name`` is that of the constraint or index, None for none.
    """

    columns: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A table as the code declares it. ``location`` is ``file:line`` of its class.

    Attributes:
        links: the references of several columns; those of one are on the columns.
        uniques: its columns and groups of columns whose values no two rows share.
        items: its constraints and indexes beside those of its columns.
        naming: how the names of constraints are made, by their kind.
        whole: it was read to be compared with a database.
        unread: what of its definition stayed unread, with the reason.
    """

    name: str
    schema: str | None
    columns: tuple[CodeColumn, ...]
    location: str
    links: tuple[CodeLink, ...] = ()
    uniques: tuple[CodeUnique, ...] = ()
    items: tuple[Made, ...] = field(default=(), compare=False)
    naming: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    whole: bool = field(default=False, compare=False)
    unread: tuple[str, ...] = field(default=(), compare=False)

    def column(self, name: str) -> CodeColumn | None:
        """Return the column called ``name``, or None."""
        return next((one for one in self.columns if one.name == name), None)


@dataclass(frozen=True, slots=True)
class CodeGap:
    """A part of the models that could not be read completely: ``where`` is file:line.

    ``by_import`` tells that importing the models might say it.
    """

    where: str
    what: str
    reason: str
    by_import: bool = False


@dataclass(frozen=True, slots=True)
class CodeModels:
    """All tables that the models declare, and what of them stayed unread.

    ``requires``, ``never`` and ``copies`` are known from the description of a system only.
    ``elsewhere`` are tables of other schemas than the one that is looked at.
    """

    tables: tuple[CodeTable, ...] = ()
    gaps: tuple[CodeGap, ...] = ()
    requires: tuple[Requirement, ...] = ()
    never: tuple[Contradiction, ...] = ()
    copies: tuple[StateCopy, ...] = ()
    elsewhere: tuple[CodeTable, ...] = ()

    def table(self, name: str) -> CodeTable | None:
        """Return the table called ``name``, or None."""
        return next((one for one in self.tables if one.name == name), None)


@dataclass(frozen=True, slots=True)
class LiveForeignKey:
    """A foreign key that the database declares."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column as the database declares it; ``type`` is the database's own name of the type."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """An index of the database.

    Attributes:
        name: of the index.
        columns: in their order, () where it is over expressions or over some rows only.
        unique: no two rows share the values of ``columns``.
        exact: its order keeps values of the first column apart as the bytes do.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table as the database declares it; ``schema`` is None where the engine has none."""

    name: str
    columns: tuple[LiveColumn, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[LiveForeignKey, ...]
    schema: str | None = None
    indexes: tuple[LiveIndex, ...] = ()

    def column(self, name: str) -> LiveColumn | None:
        """Return the column called ``name``, or None."""
        return next((one for one in self.columns if one.name == name), None)


# What the code needs a cell to be so that it can load the row.
Need = Literal["set", "whole number", "number", "date and time", "date", "time", "JSON", "pickle"]


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of ``table`` whose ``column`` equals the column ``own`` of the row that is asked."""

    table: LiveTable
    column: str
    own: str


@dataclass(frozen=True, slots=True)
class Want:
    """What a row lacks while each column of ``when`` holds one of its values.

    A column of ``unset`` that is NULL, or fewer rows than needed: none of ``rows``, or less than
    there are of ``as_many_as``.
    """

    when: Mapping[str, tuple[str, ...]]
    unset: tuple[str, ...] = ()
    rows: Counted | None = None
    as_many_as: Counted | None = None


Row = Mapping[str, Scalar]
