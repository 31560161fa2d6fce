"""The ports: what the core asks of the system under care, as protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from doctor.model.change import Change, Key, SetColumn
from doctor.model.documentation import DocEntry
from doctor.model.drift import Comparison
from doctor.model.evidence import Scalar
from doctor.model.insertion import Intake
from doctor.model.layout import Within
from doctor.model.schema import CodeModels, LiveTable, Need, Row, Want


@dataclass(frozen=True, slots=True)
class Response:
    """What an HTTP GET answered; ``body`` is decoded, and cut at the client's cap."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log, decoded. ``order`` never decreases within a log (see Fact.order)."""

    number: int
    text: str
    at: datetime | None
    order: float


@dataclass(frozen=True, slots=True)
class ChangeImage:
    """The whole row before and after a change, as the database held it."""

    before: Row
    after: Row


@dataclass(frozen=True, slots=True)
class RowsImage:
    """The whole rows of a batch before it, each cell in the order of ``columns``.

    After it each row is the same but for the one column that was set. ``moved`` are keys of
    pinned rows that did not hold the expected value any more, and were left alone.
    """

    columns: tuple[str, ...]
    before: tuple[tuple[Scalar, ...], ...]
    moved: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Batch:
    """A committed batch: rows ``start`` to before ``end`` of bulk change ``part`` of a plan."""

    part: int
    start: int
    end: int


class ReadDoor(Protocol):
    """Bounded reading that cannot write. Every method raises SourceError when it cannot read."""

    def tables(self) -> tuple[LiveTable, ...]:
        """Return every user table."""

    def rows(self, table: LiveTable, where: Row, *, limit: int) -> tuple[Row, ...]:
        """Return at most ``limit`` whole rows whose columns equal ``where`` exactly."""

    def rows_not_in(
        self,
        table: LiveTable,
        column: str,
        values: Sequence[str],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows whose ``column`` is not NULL and equals none of ``values`` exactly.

        ``within`` None means: of the whole table.
        """

    def rows_not_in_each(
        self,
        table: LiveTable,
        accepted: Mapping[str, Sequence[str]],
        *,
        within: Within | None,
        limit: int,
    ) -> Mapping[str, tuple[Row, ...]]:
        """Return what ``rows_not_in`` returns, by column, for several of them at once."""

    def keeps(self, table: LiveTable, column: str, need: Need) -> bool:
        """Tell whether the column's own type leaves no cell that is not what is needed."""

    def rows_unfit(
        self,
        table: LiveTable,
        needs: Sequence[tuple[str, Need]],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows with a cell that is not what is needed of its column, in one pass.

        No such row is left out below ``limit``; one that fits may be among them.
        """

    def rows_holding(
        self,
        table: LiveTable,
        holding: Mapping[str, tuple[str, ...]],
        below: Within,
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows that have one of the values in each column, and are in ``below``."""

    def rows_wanting(
        self, table: LiveTable, want: Want, *, within: Within | None, limit: int
    ) -> tuple[Row, ...]:
        """Return whole rows that lack what they should have by now."""

    def count(self, table: LiveTable, where: Row) -> int:
        """Return the number of rows whose columns equal ``where`` exactly."""

    def values_not_in(
        self, table: LiveTable, column: str, values: Sequence[str], *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return what else than ``values`` and NULL a column holds, each with its row count."""

    def keys(self, table: LiveTable, where: Row, *, limit: int) -> tuple[Key, ...]:
        """Return the primary keys of rows whose columns equal ``where`` exactly, in their order."""

    def missing_parents(
        self, table: LiveTable, column: str, parent: LiveTable, parent_key: str, *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return values of ``column`` that no row of ``parent`` has, each with its row count."""

    def orphans(
        self,
        table: LiveTable,
        parent: LiveTable,
        pairs: Sequence[tuple[str, str]],
        *,
        within: Within | None,
        limit: int,
    ) -> tuple[Row, ...]:
        """Return whole rows whose columns name a row of ``parent`` that is not there.

        ``pairs`` are columns of the row and of ``parent``. A row with a NULL in them names none.
        """

    def count_orphans(
        self, table: LiveTable, parent: LiveTable, pairs: Sequence[tuple[str, str]]
    ) -> int:
        """Return how many rows ``orphans`` would return without a limit, of the whole table."""

    def duplicates(
        self, table: LiveTable, columns: Sequence[str], *, within: Within | None, limit: int
    ) -> tuple[tuple[tuple[Scalar, ...], int], ...]:
        """Return values of ``columns``, none of them NULL, that several rows have, with a count.

        They are compared exactly. With ``within`` one of those rows at least is there.
        """

    def sample(
        self, table: LiveTable, columns: Sequence[str], texts: Sequence[str], *, limit: int
    ) -> tuple[tuple[Row, ...], int]:
        """Return rows, by chance where there are more than ``limit``, and how many there are.

        Of each only ``columns`` are read, and of those in ``texts`` the first 300 characters.
        """

    def intake(self, table: LiveTable) -> Intake:
        """Return what the database does by itself with a new row of a table."""

    def compare(self, models: CodeModels) -> Comparison:
        """Return how the structure of the database differs from what the models declare."""

    def marker(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the images that the fix left beside the data, or None if it never committed."""

    def comments(self) -> tuple[tuple[str, str, str], ...]:
        """Return tables, columns, "" for the table itself, and the database's comments on them."""

    def documentation(self) -> tuple[DocEntry, ...] | None:
        """Return the documentation that stands in the database, None where it has none."""

    def newest_token(self) -> int:
        """Return the newest token of a lease that was noted beside the data, 0 for none."""


class WriteDoor(Protocol):
    """The only way to change the system's database."""

    def transaction(self) -> AbstractContextManager[WriteTransaction]:
        """Open one transaction that holds the database's write lock until it ends."""

    def kept(self) -> AbstractContextManager[WriteDoor]:
        """Return a door that keeps its connection from one transaction to the next."""


class TrialDoor(Protocol):
    """Tries rows on the database itself and takes them back: nothing of them stays."""

    def refusal(self, table: LiveTable, row: Row) -> str | None:
        """Return what the database says against a row, None where it takes it.

        Raises SourceError where it cannot be tried, or not without leaving something.
        """


class WriteTransaction(Protocol):
    """One transaction; leaving it by an exception rolls everything back."""

    def fence(self, token: int, holder: str) -> None:
        """Note the token of the lease that this transaction works under, beside the data.

        Raises LeaseLostError when a newer one was noted, or the same one for another holder.
        """

    def set_cells(self, change: Change) -> ChangeImage:
        """Compare and set; raise TreatmentError unless exactly the planned cells changed."""

    def restore(self, change: Change, image: ChangeImage) -> None:
        """Put the before-image back; raise TreatmentError when the row moved on."""

    def document(self, entries: Sequence[DocEntry], at: str) -> tuple[int, int, int]:
        """Make the documentation in the database these entries, its table too where it is missing.

        ``at`` is the time that what changed gets. Returns how many were added, changed, removed.
        """

    def mark(self, fix: str, kind: str, images: Sequence[ChangeImage]) -> None:
        """Write the marker of a fix beside the data."""

    def is_marked(self, fix: str, kind: str) -> bool:
        """Tell whether the marker of a fix is there."""

    def images(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the exact images that an applied fix left beside the data, None for none."""

    def set_rows(self, change: SetColumn, keys: Sequence[Key], *, rehearsed: int) -> RowsImage:
        """Compare and set each of these rows; those that moved on are left alone, and told.

        The undo of the first ``rehearsed`` of them is tried and taken back. Raises TreatmentError
        where anything else than the planned cells would change.
        """

    def restore_rows(self, change: SetColumn, image: RowsImage) -> None:
        """Put the rows of a batch back; raise TreatmentError when one of them moved on."""

    def moved_rows(self, change: SetColumn, image: RowsImage) -> tuple[Key, ...]:
        """Return the keys of rows of a batch that are not any more as the batch left them."""

    def mark_batch(self, fix: str, batch: Batch, image: RowsImage) -> int:
        """Write the marker of a batch, with its image, beside the data; return its length."""

    def mark_batch_undone(self, fix: str, batch: Batch) -> None:
        """Note beside the data that the rows of a batch are back."""

    def batches(self, fix: str) -> tuple[tuple[Batch, ...], tuple[Batch, ...], int]:
        """Return the batches of a fix in their order, those undone, and how many rows had moved."""

    def batch_image(self, fix: str, batch: Batch) -> RowsImage:
        """Return the image of a batch; raises TreatmentError where it is gone."""


class Api(Protocol):
    """A bounded HTTP client of one origin; raises SourceError when there is no usable answer."""

    origin: str

    def get(self, path: str) -> Response:
        """Send one GET, follow nothing."""


class Log(Protocol):
    """One log, read line by line within bounds."""

    name: str

    def lines(self) -> Iterator[LogLine]:
        """Yield the lines in order; raises SourceError when the log cannot be read."""


class Code(Protocol):
    """The code side of the system."""

    def models(self) -> CodeModels:
        """Return what the models declare; raises SourceError when they cannot be read."""
