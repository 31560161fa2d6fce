"""What is wrong and not yet over, once per run, cause and subject."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from doctor.errors import UsageError
from doctor.model.diagnosis import Subject
from doctor.store.journal import Journal
from doctor.store.serial import canonical, cells_to_wire
from doctor.store.session import Session
from doctor.store.tables import incidents, storable

State = Literal["open", "asked", "treated", "closed"]

_NEXT: Mapping[State, frozenset[State]] = {
    "open": frozenset({"asked", "treated", "closed"}),
    "asked": frozenset({"open", "treated", "closed"}),
    "treated": frozenset({"open", "asked", "closed"}),
    "closed": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Incident:
    """A durable incident. ``count`` says how often it was met while it was not closed."""

    id: str
    run: str
    cause: str
    subject: str
    state: State
    title: str
    plans: tuple[str, ...]
    opened_at: datetime
    updated_at: datetime
    count: int


def subject_fingerprint(subject: Subject | None) -> str:
    """Return a short name of the cell that a diagnosis is about, whatever value it holds."""
    if subject is None:
        return ""
    key = sorted(cells_to_wire(subject.key), key=str)
    text = canonical([subject.table, subject.column, key])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Incidents:
    """The incidents of one target."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal

    def open_or_get(
        self, run: str, cause: str, subject: str, title: str, plans: Sequence[str] = ()
    ) -> Incident:
        """Return the unclosed incident of this run, cause and subject, or open one.

        Meeting it again counts it, and gives it the new ``plans`` if there are any.
        """
        with self._session.writing() as connection:
            same = (
                (incidents.c.run == run)
                & (incidents.c.cause == cause)
                & (incidents.c.subject == subject)
                & (incidents.c.state != "closed")
            )
            found = self._select(connection, same)
            if not found:
                return self._open(connection, run, cause, subject, title, plans)
            known = found[0]
            connection.execute(
                update(incidents)
                .where(incidents.c.id == known.id)
                .values(
                    count=known.count + 1,
                    plans=canonical(list(plans or known.plans)),
                    updated_at=self._session.clock(),
                )
            )
            return self._one(connection, known.id)

    def move(self, incident: str, state: State, reason: str) -> Incident:
        """Bring an incident into a state; being there already changes nothing.

        Raises UsageError for an unknown incident and for leaving ``closed``.
        """
        with self._session.writing() as connection:
            before = self._one(connection, incident)
            if before.state == state:
                return before
            if state not in _NEXT[before.state]:
                raise UsageError(f"incident {incident} is {before.state}, it cannot become {state}")
            connection.execute(
                update(incidents)
                .where(incidents.c.id == incident)
                .values(state=state, updated_at=self._session.clock())
            )
            self._journal.append(
                "incident",
                f"{before.state} -> {state}: {reason}",
                incident=incident,
                run=before.run,
                data={"from": before.state, "to": state},
            )
            return self._one(connection, incident)

    def get(self, incident: str) -> Incident:
        """Return an incident; raises UsageError if there is none of this name."""
        with self._session.reading() as connection:
            return self._one(connection, incident)

    def find(self, *, run: str | None = None, states: Sequence[State] = ()) -> tuple[Incident, ...]:
        """Return the incidents of a run or of all, in these states or in any, oldest first."""
        wanted = incidents.c.run == run if run is not None else incidents.c.id.is_not(None)
        if states:
            wanted &= incidents.c.state.in_(states)
        with self._session.reading() as connection:
            return self._select(connection, wanted)

    def _open(
        self,
        connection: Connection,
        run: str,
        cause: str,
        subject: str,
        title: str,
        plans: Sequence[str],
    ) -> Incident:
        name = self._free_id(connection)
        now = self._session.clock()
        connection.execute(
            insert(incidents).values(
                id=name,
                target=self._session.target,
                run=run,
                cause=cause,
                subject=subject,
                state="open",
                title=title,
                plans=canonical(list(plans)),
                opened_at=now,
                updated_at=now,
                count=1,
            )
        )
        self._journal.append(
            "incident",
            f"opened: {title}",
            incident=name,
            run=run,
            data={"to": "open", "cause": storable(cause), "subject": subject},
        )
        return self._one(connection, name)

    def _free_id(self, connection: Connection) -> str:
        while True:
            name = self._session.new_id("I")
            if connection.scalar(select(incidents.c.id).where(incidents.c.id == name)) is None:
                return name

    def _one(self, connection: Connection, incident: str) -> Incident:
        found = self._select(connection, incidents.c.id == incident)
        if not found:
            raise UsageError(f"there is no incident {incident!r}", hint="doctor history")
        return found[0]

    def _select(self, connection: Connection, wanted: Any) -> tuple[Incident, ...]:
        query = (
            select(incidents)
            .where(incidents.c.target == self._session.target, wanted)
            .order_by(incidents.c.opened_at, incidents.c.id)
        )
        return tuple(_incident(row) for row in connection.execute(query).mappings())


def _incident(row: Mapping[Any, Any]) -> Incident:
    values = {str(name): value for name, value in row.items() if str(name) != "target"}
    try:
        values["plans"] = tuple(str(plan) for plan in json.loads(values["plans"]))
    except (ValueError, TypeError):
        raise UsageError(f"incident {values['id']} is damaged in the store") from None
    return Incident(**values)
