"""Who may treat a target now: one holder at a time, each with a higher fencing token than before.

A lease that ran out may be taken by another doctor. Whoever comes back late is held off by its
token, which every write of a fix compares in its own transaction: here, and beside the data.
Method: fencing tokens as in Kleppmann, "How to do distributed locking" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, inspect, select, update

from doctor.errors import LeaseLostError
from doctor.store.journal import Journal
from doctor.store.moment import read_moment, take_moment
from doctor.store.session import Session
from doctor.store.tables import leases

# Built once: each write of a fix asks.
_WHOSE = leases.c.target == bindparam("whose")
_SELECT = select(leases).where(_WHOSE)
_CHANGE = (
    update(leases)
    .where(_WHOSE, leases.c.token == bindparam("mine"), leases.c.holder == bindparam("me"))
    .values(expires_at=bindparam("until"), released=bindparam("free"))
)
_ADD = insert(leases)
_REPLACE = (
    update(leases)
    .where(_WHOSE)
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("token", "holder", "place", "expires_at", "released")
        }
    )
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to treat one target.

    Attributes:
        holder: who has it; different for every treatment.
        place: the lock file that the holder holds beside the lease, "" for none.
        token: higher than that of every lease before.
        expires_at: until when nobody else takes it, by the store's time; each write of a fix
            puts it off by ``ttl`` seconds.
    """

    holder: str
    place: str
    token: int
    expires_at: datetime
    ttl: float


@dataclass(frozen=True, slots=True)
class Holding:
    """What is known of the lease of a target, whoever has it."""

    holder: str
    token: int
    is_released: bool
    has_expired: bool


class Leases:
    """The lease of one target."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal

    def take(self, holder: str, place: str, ttl: float) -> Lease | None:
        """Take the lease for ``ttl`` seconds, or return None while another holder has it.

        A lease is free when it was given back, when it has expired, and when its holder held the
        lock of ``place``, which the caller holds now.
        """
        with self._session.writing() as connection:
            now = take_moment(connection, self._session).ledger
            row = self._row(connection)
            if row is not None and not (row.released or row.expires_at <= now):
                is_ours_now = bool(place) and row.place == place
                if not is_ours_now:
                    return None
            token = 1 if row is None else row.token + 1
            if row is not None and row.holder and not row.released:
                self._journal.append(
                    "took_over",
                    "another doctor did not finish: its lease is taken over",
                    data={"token": token, "before": row.token},
                )
            lease = Lease(holder, place, token, now + timedelta(seconds=ttl), ttl)
            self._keep(connection, lease, is_new=row is None)
            return lease

    def give_back(self, lease: Lease) -> None:
        """Let the next doctor in; changes nothing where another one took over."""
        with self._session.writing() as connection:
            values = {"until": lease.expires_at, "free": True, **self._mine(lease)}
            connection.execute(_CHANGE, values)

    def overtake(self, seen: int) -> None:
        """Never hand out ``seen`` or less again, e.g. a token that the target knows from elsewhere.

        The lease that is out is lost by this.
        """
        with self._session.writing() as connection:
            row = self._row(connection)
            if row is None or row.token < seen:
                now = take_moment(connection, self._session).ledger
                self._keep(connection, Lease("", "", seen, now, 0.0), is_new=row is None)

    def held(self) -> Holding | None:
        """Return what is known of the lease; None where there never was one."""
        with self._session.reading() as connection:
            if not inspect(connection).has_table(leases.name):
                return None  # a store of an older version that was not written to since
            now = read_moment(connection, self._session).ledger
            row = self._row(connection)
            if row is None:
                return None
            return Holding(row.holder, row.token, row.released, row.expires_at <= now)

    def confirm(self, connection: Connection, lease: Lease) -> None:
        """Put the end of the lease off in the open transaction; raise LeaseLostError if it is lost.

        An expired lease that nobody took over is still good.
        """
        now = take_moment(connection, self._session).ledger
        until = now + timedelta(seconds=lease.ttl)
        values = {"until": until, "free": False, **self._mine(lease)}
        kept = connection.execute(_CHANGE, values)
        if not kept.rowcount:
            row = self._row(connection)
            raise LeaseLostError(lease.token, None if row is None else row.token)

    def _mine(self, lease: Lease) -> dict[str, object]:
        return {"whose": self._session.target, "mine": lease.token, "me": lease.holder}

    def _keep(self, connection: Connection, lease: Lease, *, is_new: bool) -> None:
        values = {
            "token": lease.token,
            "holder": lease.holder,
            "place": lease.place,
            "expires_at": lease.expires_at,
            "released": False,
        }
        target = self._session.target
        if is_new:
            connection.execute(_ADD, {"target": target, **values})
        else:
            renamed = {f"new_{name}": value for name, value in values.items()}
            connection.execute(_REPLACE, {"whose": target, **renamed})

    def _row(self, connection: Connection) -> Row[Any] | None:
        return connection.execute(_SELECT, {"whose": self._session.target}).one_or_none()
