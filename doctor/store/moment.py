"""The store's own time, which a clock that jumps back cannot turn back.

Windows and deadlines are measured on the highest time that the store has ever seen. So a clock
that jumps back frees no budget and revives no approval. A clock that jumps ahead and is corrected
leaves the store ahead: until the clock catches up nothing becomes free by itself, and
``Budget.trust_clock`` lets a human say that the clock is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from doctor.store.meta import get_meta, put_meta
from doctor.store.tables import instant, parse_instant

_LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the clock says, and the store's time: the latest that any clock has said."""

    clock: datetime
    ledger: datetime


def read_moment(connection: Connection, clock: Callable[[], datetime]) -> Moment:
    """Return the time without noting it."""
    now = clock()
    seen = get_meta(connection, _LATEST)
    return Moment(now, now if seen is None else max(now, parse_instant(seen)))


def take_moment(connection: Connection, clock: Callable[[], datetime]) -> Moment:
    """Return the time and note that it was seen."""
    moment = read_moment(connection, clock)
    put_meta(connection, _LATEST, instant(moment.ledger))
    return moment


def turn_back(connection: Connection, now: datetime) -> None:
    """Forget every time later than ``now``."""
    put_meta(connection, _LATEST, instant(now))
