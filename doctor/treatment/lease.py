"""One doctor at a time: the lock of this machine, the lease in the store, the fence at the target.

The lock makes the others wait and is freed by the operating system. The lease also orders doctors
that share no lock, and lets one go on where another stands still: what a late one would write is
refused by its token, in the store and in the transaction of the change itself.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from doctor.errors import DoctorError, LeaseLostError
from doctor.model.ports import WriteDoor, WriteTransaction
from doctor.store import BusyError, Lease, Store, target_lock
from doctor.store.leases import Holding
from doctor.treatment.pause import refuse_if_paused

LEASE_SECONDS = 60.0
_POLL_SECONDS = 0.1


class FencedDoor:
    """The write door of the holder of a lease.

    Each of its transactions first looks for a pause and shows its token to the target, which
    refuses an older one.
    """

    def __init__(self, door: WriteDoor, store: Store, lease: Lease):
        self._door = door
        self._store = store
        self._lease = lease

    @contextmanager
    def transaction(self) -> Iterator[WriteTransaction]:
        """Open one transaction; raises PausedError and LeaseLostError with nothing written."""
        with self._door.transaction() as transaction:
            refuse_if_paused(self._store.target)
            try:
                transaction.fence(self._lease.token, self._lease.holder)
            except LeaseLostError as error:
                self._store.leases.overtake(error.seen or 0)
                raise
            yield transaction

    @contextmanager
    def kept(self) -> Iterator[WriteDoor]:
        """Return the same door, keeping its connection from one transaction to the next."""
        with self._door.kept() as door:
            yield FencedDoor(door, self._store, self._lease)


class Turn:
    """The right to treat a target now; the lease is taken when the first write is near.

    Args:
        place: the name of the lock that is held, "" where another doctor holds it.
        opened: opens the store for writing and the write door.
        patience: how many seconds to wait for another holder of the lease.
        before: the newest token when the turn began.
    """

    def __init__(
        self,
        place: str,
        opened: Callable[[], tuple[Store, WriteDoor]],
        patience: float,
        before: int,
    ):
        self._place = place
        self._opened = opened
        self._patience = patience
        self._before = before
        self._held: tuple[Store, Lease, Store, WriteDoor] | None = None

    def take(self) -> tuple[Store, WriteDoor]:
        """Return the store and the write door as the holder of the lease may use them.

        Raises BusyError when another doctor keeps the lease.
        """
        if self._held is None:
            store, door = self._opened()
            lease = self._lease(store)
            fenced = store.under(lease)
            self._held = (store, lease, fenced, FencedDoor(door, fenced, lease))
        return self._held[2:]

    @property
    def is_late(self) -> bool:
        """Whether another doctor was at work since the turn began: what was seen may be over."""
        return self._held is not None and self._held[1].token > self._before + 1

    def end(self) -> None:
        """Give the lease back; where that fails it runs out by itself."""
        if self._held is not None:
            with suppress(DoctorError):
                self._held[0].leases.give_back(self._held[1])

    def _lease(self, store: Store) -> Lease:
        holder, end = secrets.token_hex(8), time.monotonic() + self._patience
        while (lease := store.leases.take(holder, self._place, LEASE_SECONDS)) is None:
            if time.monotonic() >= end:
                raise BusyError(
                    f"another doctor is treating this system: {store.target}",
                    hint="try again when it is done",
                )
            time.sleep(_POLL_SECONDS)
        return lease


@contextmanager
def turn(
    identity: str,
    opened: Callable[[], tuple[Store, WriteDoor]],
    seen: Callable[[], Store | None],
    patience: float,
) -> Iterator[Turn]:
    """Wait for the turn to treat a target; ``patience`` is in seconds.

    Where the holder of the lock stands still, so that its lease has expired, its place is taken.
    ``seen`` opens the store for reading. Raises BusyError when another doctor is at work.
    """
    with ExitStack() as stack:
        try:
            place = stack.enter_context(target_lock(identity, patience))
            held = _holding(seen)
        except BusyError:
            held = _holding(seen)
            if held is None or held.is_released or not held.has_expired:
                raise
            place = ""
        mine = Turn(place, opened, patience, held.token if held else 0)
        stack.callback(mine.end)
        yield mine


def _holding(seen: Callable[[], Store | None]) -> Holding | None:
    store = seen()
    return store.leases.held() if store else None
