"""The write door on SQLAlchemy Core: compare-and-set, before- and after-images, marker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.errors import LeaseLostError, TreatmentError
from doctor.model.change import SetCells
from doctor.model.documentation import DocEntry
from doctor.model.evidence import Scalar
from doctor.model.ports import Batch, ChangeImage, RowsImage
from doctor.model.schema import LiveTable, Row
from doctor.system.database.batch_marker import (
    known_batches,
    read_batch,
    write_batch,
    write_undone,
)
from doctor.system.database.bulk import BulkRows, Known
from doctor.system.database.dialect import Dialect, clause_of, matches, row_of, selected
from doctor.system.database.documentation import write_documentation
from doctor.system.database.marker import (
    FENCE,
    fence_from_json,
    fence_to_json,
    has_marker,
    images_to_json,
    marked_images,
    marker_in,
)

Translate = Callable[[str], AbstractContextManager[None]]


class CoreWriteDoor:
    """Opens write transactions on one database.

    ``lock`` takes the write lock of a connection whose transaction has begun; ``unlock`` gives back
    what of it outlives the transaction, and matters only where the connection does.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        translate: Translate,
        dialect: Dialect,
        lock: Callable[[Connection], object] = id,
        unlock: Callable[[Connection], object] = id,
    ):
        self._engine = engine
        self._translate = translate
        self._dialect = dialect
        self._lock = lock
        self._unlock = unlock

    @contextmanager
    def transaction(self) -> Iterator[CoreWriteTransaction]:
        """Open one transaction; an exception inside rolls everything back."""
        with self._translate("write"), self._engine.begin() as connection:
            self._lock(connection)
            yield CoreWriteTransaction(connection, self._dialect)

    @contextmanager
    def kept(self) -> Iterator[KeptWriteDoor]:
        """Return a door that keeps its connection from one transaction to the next."""
        door = KeptWriteDoor(
            self._engine,
            translate=self._translate,
            dialect=self._dialect,
            lock=self._lock,
            unlock=self._unlock,
        )
        try:
            yield door
        finally:
            door.close()


class KeptWriteDoor(CoreWriteDoor):
    """One connection for many transactions; after anything that went wrong, a fresh one."""

    _connection: Connection | None = None
    _known: Known | None = None

    @contextmanager
    def transaction(self) -> Iterator[CoreWriteTransaction]:
        """Open one transaction; an exception inside rolls everything back."""
        with self._translate("write"):
            if self._connection is None:
                self._connection, self._known = self._engine.connect(), Known()
            connection = self._connection
            try:
                with connection.begin():
                    self._lock(connection)
                    yield CoreWriteTransaction(connection, self._dialect, self._known)
                self._unlock(connection)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Let go of the connection, and of every lock with it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class CoreWriteTransaction(BulkRows):
    """One transaction that holds the write lock; ``known`` is what its connection saw before."""

    def __init__(self, connection: Connection, dialect: Dialect, known: Known | None = None):
        self._connection = connection
        self._dialect = dialect
        self._schema = dialect.schema(connection)
        self._marker = marker_in(self._schema)
        self._known = known or Known()

    def fence(self, token: int, holder: str) -> None:
        """Go on only as the newest holder; raise LeaseLostError where a newer one was here."""
        self._make_marker()
        marker = self._marker
        row = (marker.c.fix == FENCE) & (marker.c.kind == FENCE)
        held = self._connection.scalar(sa.select(marker.c.images).where(row).with_for_update())
        mine = fence_to_json(token, holder)
        if held is None:
            self._connection.execute(marker.insert().values(fix=FENCE, kind=FENCE, images=mine))
        elif held != mine:
            newest, _ = fence_from_json(held)
            if newest >= token:
                raise LeaseLostError(token, newest)
            self._connection.execute(sa.update(marker).where(row).values(images=mine))

    def set_cells(self, change: SetCells) -> ChangeImage:
        """Set the cells if they hold what was expected; raise TreatmentError otherwise."""
        if not change.key or not change.to:
            raise TreatmentError("a change without a key or without cells is refused")
        if change.expected.keys() != change.to.keys():
            raise TreatmentError(f"{_place(change)}: each cell needs the value that it should hold")
        table = self._dialect.table(self._connection, change)
        before = self._row(table, change.key)
        for name, expected in change.expected.items():
            if name not in before:
                raise TreatmentError(f"{change.table} has no column {name!r}")
            held = before[name]
            if not _same(held, expected):
                raise TreatmentError(
                    f"{_place(change)}: {name} holds {held!r}, not {expected!r} as planned"
                )
        image = self._set(table, change, before, change.to)
        self._rehearse_undo(table, change, image)
        return image

    def restore(self, change: SetCells, image: ChangeImage) -> None:
        """Put the before-image back; raise TreatmentError when the row moved on."""
        table = self._dialect.table(self._connection, change)
        now = self._row(table, change.key)
        moved = sorted(
            name
            for name in {*now, *image.after}
            if name not in now or name not in image.after or not _same(now[name], image.after[name])
        )
        if moved:
            raise TreatmentError(
                f"{_place(change)} moved on since the repair: {', '.join(moved)} changed",
                hint="nothing was undone; decide by hand what the row should hold",
            )
        self._set(table, change, now, {name: image.before[name] for name in change.to})

    def document(self, entries: Sequence[DocEntry], at: str) -> tuple[int, int, int]:
        """Make the documentation these entries; return how many were added, changed, removed."""
        return write_documentation(self._connection, self._schema, entries, at)

    def mark(self, fix: str, kind: str, images: Sequence[ChangeImage]) -> None:
        """Write the marker of a fix beside the data."""
        self._make_marker()
        text = json.dumps(images_to_json(images))
        self._connection.execute(self._marker.insert().values(fix=fix, kind=kind, images=text))

    def is_marked(self, fix: str, kind: str) -> bool:
        """Tell whether the marker of a fix is there."""
        if not self._known.has_marker and not has_marker(self._connection, self._schema):
            return False
        marker = self._marker
        query = sa.select(marker.c.fix).where(marker.c.fix == fix, marker.c.kind == kind)
        return self._connection.scalar(query) is not None

    def images(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the exact images that an applied fix left beside the data, None for none."""
        return marked_images(self._connection, self._schema, fix)

    def mark_batch(self, fix: str, batch: Batch, image: RowsImage) -> int:
        """Write the marker of a batch, with its image, beside the data; return its length."""
        self._make_marker()
        return write_batch(self._connection, self._marker, fix, batch, image)

    def mark_batch_undone(self, fix: str, batch: Batch) -> None:
        """Note beside the data that the rows of a batch are back."""
        self._make_marker()
        write_undone(self._connection, self._marker, fix, batch)

    def batches(self, fix: str) -> tuple[tuple[Batch, ...], tuple[Batch, ...], int]:
        """Return the batches of a fix in their order, those undone, and how many rows had moved."""
        if not self._known.has_marker and not has_marker(self._connection, self._schema):
            return (), (), 0
        return known_batches(self._connection, self._marker, fix)

    def batch_image(self, fix: str, batch: Batch) -> RowsImage:
        """Return the image of a batch; raises TreatmentError where it is gone."""
        return read_batch(self._connection, self._marker, fix, batch)

    def _rehearse_undo(self, table: LiveTable, change: SetCells, image: ChangeImage) -> None:
        """Put the old cells back and take that back: a trigger may stand only in that way."""
        part = self._connection.begin_nested()
        try:
            self._set(table, change, image.after, {name: image.before[name] for name in change.to})
        except TreatmentError as error:
            raise TreatmentError(
                f"the change could not be undone: {error.message}", hint=error.hint
            ) from error
        part.rollback()

    def _make_marker(self) -> None:
        if not self._known.has_marker:
            self._dialect.make_marker(self._connection)
            self._known.has_marker = True

    def _set(self, table: LiveTable, change: SetCells, before: Row, cells: Row) -> ChangeImage:
        dialect = self._dialect
        clause = clause_of(table, self._schema)
        held = {name: before[name] for name in cells}
        kept = {name: clause.c[name] for name in dialect.kept(self._connection, table)}
        values = {name: dialect.bound(value) for name, value in cells.items()}
        statement = (
            sa.update(clause)
            .where(*matches(dialect, clause, table, {**change.key, **held}))
            .values({clause.c[name]: value for name, value in {**kept, **values}.items()})
        )
        if dialect.prefix:
            statement = statement.prefix_with(dialect.prefix)
        count = dialect.count(self._connection)
        changed = self._connection.execute(statement).rowcount
        if changed != 1:
            raise TreatmentError(f"{_place(change)}: {changed} rows would change, not 1 as planned")
        after = self._row(table, change.key)
        wanted = {**before, **cells}
        others = sorted(name for name in wanted if not _same(after.get(name), wanted[name]))
        if others:
            raise TreatmentError(
                f"{_place(change)}: the database also changed or refused {', '.join(others)}",
                hint="look for a trigger on the table; nothing was kept",
            )
        more = dialect.count(self._connection) - count - changed
        if more:
            raise TreatmentError(
                f"{_place(change)}: {more} other rows would change with it",
                hint="look for a trigger on the table; nothing was kept",
            )
        return ChangeImage(before, after)

    def _row(self, table: LiveTable, key: Row) -> dict[str, Scalar]:
        unknown = sorted(name for name in key if table.column(name) is None)
        if unknown:
            raise TreatmentError(f"{table.name} has no column {unknown[0]!r}")
        clause = clause_of(table, self._schema)
        query = selected(self._dialect, clause, table).limit(2).with_for_update()
        query = query.where(*matches(self._dialect, clause, table, key))
        found = [row_of(row) for row in self._connection.execute(query)]
        if len(found) != 1:
            raise TreatmentError(
                f"{table.name} {_shown(key)}: {len(found)} rows have this key, not 1"
            )
        return found[0]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _place(change: SetCells) -> str:
    return f"{change.table} {_shown(change.key)}"


def _shown(key: Row) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in key.items())
