"""Carries out a plan of many rows in batches: each is one transaction with its own marker.

Where it got to stands beside the data, so whoever goes on after a kill does each row once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doctor.errors import DoctorError, SourceError
from doctor.model.change import Key, Plan
from doctor.model.ports import Batch, WriteDoor
from doctor.store import Fix, Store
from doctor.treatment.apply import Step
from doctor.treatment.settle import UnsettledError, noting

LOCK_SECONDS = 0.08
"""What a batch aims at; 0.15 s is what it may take."""
FIRST, LEAST, MOST, MOST_COMPOSITE = 100, 10, 20_000, 200
MOST_BYTES = 4 * 2**20
"""Of one image: servers refuse statements that are longer than 16 MB."""
GROWTH = 4.0
RENEW_SECONDS = 15.0
TRIES = 3
Rows = Sequence[Sequence[Key]]
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a repair got: ``done`` rows were visited, ``moved`` of them had moved on before."""

    done: int
    moved: int


class StoppedError(UnsettledError):
    """A repair ended between two batches; ``done`` rows are visited, and ``cause`` says why."""

    def __init__(self, done: int, rows: int, cause: DoctorError) -> None:
        super().__init__(
            f"stopped after {done} of {rows} rows: {cause.message}",
            hint="doctor recover goes on with it, doctor undo takes it back",
        )
        self.done = done
        self.cause = cause


def apply_batches(
    fix: Fix, rows: Rows, door: WriteDoor, store: Store, step: Step, told: Told
) -> Progress:
    """Carry out an intended plan from where it stands; ``told`` hears of rows done and of all.

    Raises:
        StoppedError: some batches are committed, and the rest is not; the fix stays intended.
        DoctorError: nothing was changed.
        UnsettledError: all is done, and the store cannot note it.
    """
    step("intent")
    with door.kept() as kept:
        walk = _Walk(fix, rows, kept, step)
        renewed = time.monotonic()
        try:
            walk.find_place()
            while walk.next is not None:
                walk.go()
                told(walk.done, fix.plan.rows)
                if time.monotonic() - renewed > RENEW_SECONDS:
                    store.fixes.confirm()
                    renewed = time.monotonic()
        except DoctorError as error:
            if walk.done or walk.is_unsure:
                raise StoppedError(walk.done, fix.plan.rows, error) from error
            raise
    with noting("the change is committed"):
        store.fixes.record_applied(fix.id, ())
    step("result")
    return Progress(walk.done, walk.moved)


class _Walk:
    """From batch to batch; the size follows how long the last ones held their locks."""

    def __init__(self, fix: Fix, rows: Rows, door: WriteDoor, step: Step) -> None:
        self._fix = fix.id
        self._plan: Plan = fix.plan
        self._rows = rows
        self._door = door
        self._step = step
        self._size = FIRST
        self._seconds = 0.0
        self._row_bytes = 1
        self.done = self.moved = 0
        self.next: tuple[int, int] | None = None
        self.is_unsure = False

    def find_place(self) -> None:
        """Ask beside the data how far it is."""
        with self._door.transaction() as transaction:
            self._step("begin")
            batches, _, self.moved = transaction.batches(self._fix)
            is_over = transaction.is_marked(self._fix, "applied")
        self.done = sum(one.end - one.start for one in batches)
        last = batches[-1] if batches else Batch(0, 0, 0)
        self.next = None if is_over else self._after(last)

    def go(self) -> None:
        """Do the next batch; where the database would not, e.g. for a lock, again and smaller."""
        for left in reversed(range(TRIES)):
            batch = self._batch()
            try:
                moved = self._do(batch)
            except SourceError as error:
                if self._is_done(batch, error):
                    moved = 0
                elif left:
                    self._size = max(LEAST, self._size // 4)
                    continue
                else:
                    raise
            self.done += batch.end - batch.start
            self.moved += moved
            self.next = self._after(batch)
            self._resize()
            return

    def _do(self, batch: Batch) -> int:
        change = self._plan.bulk[batch.part]
        keys = self._rows[batch.part][batch.start : batch.end]
        self.is_unsure = False
        with self._door.transaction() as transaction:
            started = time.monotonic()
            rehearsed = len(keys) if batch.start == 0 else 0
            image = transaction.set_rows(change, keys, rehearsed=rehearsed)
            self._step("write")
            size = transaction.mark_batch(self._fix, batch, image)
            if self._after(batch) is None:
                transaction.mark(self._fix, "applied", ())
            self._step("marker")
            self.is_unsure = True
        self.is_unsure = False
        self._seconds = time.monotonic() - started
        self._row_bytes = max(1, size // max(1, len(image.before)))
        self._step("commit")
        return len(image.moved)

    def _is_done(self, batch: Batch, failure: DoctorError) -> bool:
        """Ask for the marker of a batch whose commit was reported as failed."""
        if not self.is_unsure:
            return False
        try:
            with self._door.transaction() as transaction:
                is_done = batch in transaction.batches(self._fix)[0]
        except DoctorError:
            raise failure from None
        self.is_unsure = False
        return is_done

    def _batch(self) -> Batch:
        part, start = self.next or (0, 0)
        change = self._plan.bulk[part]
        most = MOST if len(change.key) == 1 else MOST_COMPOSITE
        return Batch(part, start, min(start + min(self._size, most), change.rows))

    def _after(self, batch: Batch) -> tuple[int, int] | None:
        if batch.end < self._plan.bulk[batch.part].rows:
            return batch.part, batch.end
        return (batch.part + 1, 0) if batch.part + 1 < len(self._plan.bulk) else None

    def _resize(self) -> None:
        factor = min(GROWTH, LOCK_SECONDS / max(self._seconds, 0.001))
        fitting = min(MOST, MOST_BYTES // self._row_bytes)
        self._size = max(LEAST, min(fitting, int(self._size * factor)))
