"""The ports: what the core asks of the system under care, as protocols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from doctor.model.change import Change
from doctor.model.evidence import Scalar
from doctor.model.layout import Within
from doctor.model.schema import CodeModels, LiveTable, Need, Row


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

    def count(self, table: LiveTable, where: Row) -> int:
        """Return the number of rows whose columns equal ``where`` exactly."""

    def missing_parents(
        self, table: LiveTable, column: str, parent: LiveTable, parent_key: str, *, limit: int
    ) -> tuple[tuple[Scalar, int], ...]:
        """Return values of ``column`` that no row of ``parent`` has, each with its row count."""

    def marker(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the images that the fix left beside the data, or None if it never committed."""

    def newest_token(self) -> int:
        """Return the newest token of a lease that was noted beside the data, 0 for none."""


class WriteDoor(Protocol):
    """The only way to change the system's database."""

    def transaction(self) -> AbstractContextManager[WriteTransaction]:
        """Open one transaction that holds the database's write lock until it ends."""


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

    def mark(self, fix: str, kind: str, images: Sequence[ChangeImage]) -> None:
        """Write the marker of a fix beside the data."""

    def is_marked(self, fix: str, kind: str) -> bool:
        """Tell whether the marker of a fix is there."""

    def images(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the exact images that an applied fix left beside the data, None for none."""


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
