"""The storm stop: unattended treatment of a target ends until a human resumes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, inspect, select, update

from doctor.store.incidents import Incidents
from doctor.store.journal import Journal
from doctor.store.moment import read_moment, take_moment
from doctor.store.session import Session
from doctor.store.tables import sightings, stops

CAUSE = "storm"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why unattended treatment ended, since when, and the one incident that asks."""

    since: datetime
    reason: str
    incident: str


class Stops:
    """The storm stop of one target, and the sightings that may bring it about."""

    def __init__(self, session: Session, journal: Journal, incidents: Incidents) -> None:
        self._session = session
        self._journal = journal
        self._incidents = incidents

    def current(self) -> Stop | None:
        """Return the stop that is in force, or None."""
        with self._session.reading() as connection:
            return self._current(connection)

    def resumed_at(self) -> datetime | None:
        """Return when a human last ended a stop: what was before does not count again."""
        with self._session.reading() as connection:
            if not _is_known(connection):
                return None
            return connection.scalar(select(stops.c.resumed_at).where(self._mine()))

    def sighted(self, run: str, within: timedelta, *, confirmed: bool) -> int:
        """Note that a run is sick; return how many runs are, within a time, without confirmation.

        A run whose sickness a structural probe ``confirmed`` does not count.
        """
        with self._session.writing() as connection:
            now = take_moment(connection, self._session).ledger
            mine = sightings.c.target == self._session.target
            old = (sightings.c.at <= now - within) | (sightings.c.run == run)
            connection.execute(delete(sightings).where(mine, old))
            if not confirmed:
                row = {"target": self._session.target, "run": run, "at": now}
                connection.execute(insert(sightings).values(row))
            count = select(func.count()).select_from(sightings).where(mine)
            return int(connection.scalar(count) or 0)

    def stop(self, reason: str) -> Stop:
        """Stop unattended treatment and ask, once: the first stop stands."""
        with self._session.writing() as connection:
            known = self._current(connection)
            if known is not None:
                return known
            now = read_moment(connection, self._session).clock
            incident = self._incidents.open_or_get("", CAUSE, "", f"storm stop: {reason}").id
            self._incidents.move(incident, "asked", "a human must resume: doctor resume")
            values = {"since": now, "reason": reason, "incident": incident, "resumed_at": None}
            if not connection.execute(update(stops).where(self._mine()).values(values)).rowcount:
                connection.execute(insert(stops).values(target=self._session.target, **values))
            self._journal.append("storm_stop", reason, incident=incident)
            return Stop(now, reason, incident)

    def resume(self, by: str) -> Stop | None:
        """End the stop on a human's word and forget the sightings; return what ended."""
        with self._session.writing() as connection:
            known = self._current(connection)
            if known is None:
                return None
            now = self._session.clock()
            connection.execute(update(stops).where(self._mine()).values(resumed_at=now))
            mine = sightings.c.target == self._session.target
            connection.execute(delete(sightings).where(mine))
            self._incidents.move(known.incident, "closed", f"resumed by {by}")
            self._journal.append(
                "storm_resumed", f"resumed by {by}", incident=known.incident, data={"by": by}
            )
            return known

    def _current(self, connection: Connection) -> Stop | None:
        if not _is_known(connection):
            return None
        query = select(stops).where(self._mine(), stops.c.resumed_at.is_(None))
        row = connection.execute(query).one_or_none()
        return None if row is None else Stop(row.since, row.reason, row.incident)

    def _mine(self) -> ColumnElement[bool]:
        return stops.c.target == self._session.target


def _is_known(connection: Connection) -> bool:
    """Tell whether the store has such a table; one of an older version may not."""
    return inspect(connection).has_table(stops.name)
