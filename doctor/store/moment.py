"""The store's own time, which never goes back and which jumps of a clock do not move.

Windows, leases and deadlines are measured on it. Where the time since this machine started is
known, the store's time goes on by that: a clock that jumps by a month neither frees budget nor
blocks anything. A machine that the store meets for the first time since its start is believed by
its clock, as far as that is not behind.

Where only a clock is known, the store's time is the highest that it ever said. A clock that jumps
ahead and is corrected then leaves the store ahead: until the clock catches up nothing becomes free
by itself, and ``Budget.trust_clock`` lets a human say that the clock is right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from doctor.errors import UsageError
from doctor.store.meta import get_meta, put_meta
from doctor.store.serial import canonical
from doctor.store.session import Session
from doctor.store.tables import instant, parse_instant
from doctor.store.uptime import Uptime

_TIME = "time"
_LATEST = "latest"  # where stores of older versions keep it
_MOST_BOOTS = 16

Starts = dict[str, tuple[float, datetime]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What the clock says, and the store's time."""

    clock: datetime
    ledger: datetime


def read_moment(connection: Connection, session: Session) -> Moment:
    """Return the time without noting it."""
    return _moment(session, session.uptime(), *_known(connection))


def take_moment(connection: Connection, session: Session) -> Moment:
    """Return the time and note that it was seen."""
    since = session.uptime()
    latest, starts = _known(connection)
    moment = _moment(session, since, latest, starts)
    if since is not None:
        starts.pop(since.boot, None)
        starts[since.boot] = (since.seconds, moment.ledger)
    _note(connection, moment.ledger, starts)
    return moment


def turn_back(connection: Connection, now: datetime) -> None:
    """Forget every time later than ``now``."""
    _note(connection, now, {})


def _moment(
    session: Session, since: Uptime | None, latest: datetime | None, starts: Starts
) -> Moment:
    now = session.clock()
    known = starts.get(since.boot) if since is not None else None
    if since is None or known is None or since.seconds < known[0]:
        reached = now
    else:
        reached = known[1] + timedelta(seconds=since.seconds - known[0])
    return Moment(now, reached if latest is None else max(reached, latest))


def _known(connection: Connection) -> tuple[datetime | None, Starts]:
    """Return the highest time so far, and when each start of a machine was seen last."""
    text = get_meta(connection, _TIME)
    if text is None:
        text = get_meta(connection, _LATEST)
        return (None if text is None else parse_instant(text)), {}
    try:
        latest, starts = json.loads(text)
        return parse_instant(latest), {
            str(boot): (float(seconds), parse_instant(at)) for boot, seconds, at in starts
        }
    except (ValueError, TypeError):
        raise UsageError("the store is damaged: its time cannot be read") from None


def _note(connection: Connection, latest: datetime, starts: Starts) -> None:
    newest = list(starts.items())[-_MOST_BOOTS:]
    kept = [[boot, seconds, instant(at)] for boot, (seconds, at) in newest]
    put_meta(connection, _TIME, canonical([instant(latest), kept]))
