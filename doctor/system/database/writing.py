"""The write door on SQLAlchemy Core: compare-and-set, before- and after-images, marker."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from doctor.errors import LeaseLostError, TreatmentError
from doctor.model.change import SetCells
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.model.schema import Row
from doctor.system.database.marker import (
    FENCE,
    MARKER,
    fence_from_json,
    fence_to_json,
    images_to_json,
    marked_images,
)
from doctor.system.database.reading import equals

Translate = Callable[[str], AbstractContextManager[None]]
Count = Callable[[Connection], int]


class CoreWriteDoor:
    """Opens write transactions on one database.

    ``count`` tells how many rows a connection has changed so far, those that triggers and foreign
    keys changed included; ``prefix`` stands after UPDATE.
    """

    def __init__(
        self, engine: Engine, *, translate: Translate, binary: str, count: Count, prefix: str
    ):
        self._engine = engine
        self._translate = translate
        self._binary = binary
        self._count = count
        self._prefix = prefix

    @contextmanager
    def transaction(self) -> Iterator[CoreWriteTransaction]:
        """Open one transaction; an exception inside rolls everything back."""
        with self._translate("write"), self._engine.begin() as connection:
            yield CoreWriteTransaction(connection, self._binary, self._count, self._prefix)


class CoreWriteTransaction:
    """One transaction that holds the write lock."""

    def __init__(self, connection: Connection, binary: str, count: Count, prefix: str):
        self._connection = connection
        self._binary = binary
        self._count = count
        self._prefix = prefix
        self._has_marker = False

    def fence(self, token: int, holder: str) -> None:
        """Go on only as the newest holder; raise LeaseLostError where a newer one was here."""
        self._make_marker()
        row = (MARKER.c.fix == FENCE) & (MARKER.c.kind == FENCE)
        held = self._connection.scalar(sa.select(MARKER.c.images).where(row))
        mine = fence_to_json(token, holder)
        if held is None:
            self._connection.execute(MARKER.insert().values(fix=FENCE, kind=FENCE, images=mine))
        elif held != mine:
            newest, _ = fence_from_json(held)
            if newest >= token:
                raise LeaseLostError(token, newest)
            self._connection.execute(sa.update(MARKER).where(row).values(images=mine))

    def set_cells(self, change: SetCells) -> ChangeImage:
        """Set the cells if they hold what was expected; raise TreatmentError otherwise."""
        if not change.key or not change.to:
            raise TreatmentError("a change without a key or without cells is refused")
        if change.expected.keys() != change.to.keys():
            raise TreatmentError(f"{_place(change)}: each cell needs the value that it should hold")
        before = self._row(change.table, change.key)
        for name, expected in change.expected.items():
            if name not in before:
                raise TreatmentError(f"{change.table} has no column {name!r}")
            held = before[name]
            if not _same(held, expected):
                raise TreatmentError(
                    f"{_place(change)}: {name} holds {held!r}, not {expected!r} as planned"
                )
        image = self._set(change, before, change.to)
        self._rehearse_undo(change, image)
        return image

    def restore(self, change: SetCells, image: ChangeImage) -> None:
        """Put the before-image back; raise TreatmentError when the row moved on."""
        now = self._row(change.table, change.key)
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
        self._set(change, now, {name: image.before[name] for name in change.to})

    def mark(self, fix: str, kind: str, images: Sequence[ChangeImage]) -> None:
        """Write the marker of a fix beside the data."""
        self._make_marker()
        text = json.dumps(images_to_json(images))
        self._connection.execute(MARKER.insert().values(fix=fix, kind=kind, images=text))

    def is_marked(self, fix: str, kind: str) -> bool:
        """Tell whether the marker of a fix is there."""
        if not self._has_marker and not sa.inspect(self._connection).has_table(MARKER.name):
            return False
        query = sa.select(MARKER.c.fix).where(MARKER.c.fix == fix, MARKER.c.kind == kind)
        return self._connection.scalar(query) is not None

    def images(self, fix: str) -> tuple[ChangeImage, ...] | None:
        """Return the exact images that an applied fix left beside the data, None for none."""
        return marked_images(self._connection, fix)

    def _rehearse_undo(self, change: SetCells, image: ChangeImage) -> None:
        """Put the old cells back and take that back: a trigger may stand only in that way."""
        part = self._connection.begin_nested()
        try:
            self._set(change, image.after, {name: image.before[name] for name in change.to})
        except TreatmentError as error:
            raise TreatmentError(
                f"the change could not be undone: {error.message}", hint=error.hint
            ) from error
        part.rollback()

    def _make_marker(self) -> None:
        if not self._has_marker:
            MARKER.create(self._connection, checkfirst=True)
            self._has_marker = True

    def _set(self, change: SetCells, before: Row, cells: Row) -> ChangeImage:
        clause = sa.table(change.table, *[sa.column(name) for name in before])
        held = {name: before[name] for name in cells}
        statement = (
            sa.update(clause)
            .prefix_with(self._prefix)
            .where(*equals(clause, {**change.key, **held}, self._binary))
            .values({clause.c[name]: value for name, value in cells.items()})
        )
        count = self._count(self._connection)
        changed = self._connection.execute(statement).rowcount
        if changed != 1:
            raise TreatmentError(f"{_place(change)}: {changed} rows would change, not 1 as planned")
        after = self._row(change.table, change.key)
        wanted = {**before, **cells}
        others = sorted(name for name in wanted if not _same(after.get(name), wanted[name]))
        if others:
            raise TreatmentError(
                f"{_place(change)}: the database also changed or refused {', '.join(others)}",
                hint="look for a trigger on the table; nothing was kept",
            )
        more = self._count(self._connection) - count - changed
        if more:
            raise TreatmentError(
                f"{_place(change)}: {more} other rows would change with it",
                hint="look for a trigger on the table; nothing was kept",
            )
        return ChangeImage(before, after)

    def _row(self, table: str, key: Row) -> dict[str, Scalar]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # INTEGER(11) and the like
            names = [one["name"] for one in sa.inspect(self._connection).get_columns(table)]
        unknown = sorted(key.keys() - set(names))
        if unknown:
            raise TreatmentError(f"{table} has no column {unknown[0]!r}")
        clause = sa.table(table, *[sa.column(name) for name in names])
        query = sa.select(clause).where(*equals(clause, key, self._binary)).limit(2)
        found = [dict(row._mapping) for row in self._connection.execute(query)]  # noqa: SLF001
        if len(found) != 1:
            raise TreatmentError(f"{table} {_shown(key)}: {len(found)} rows have this key, not 1")
        return found[0]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _place(change: SetCells) -> str:
    return f"{change.table} {_shown(change.key)}"


def _shown(key: Row) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in key.items())
