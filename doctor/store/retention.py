"""How long what Doctor tells of is kept: words, evidence and images go, the chain stays whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from doctor.store.body import PRUNED
from doctor.store.fix import PENDING
from doctor.store.journal import Journal
from doctor.store.meta import get_meta, put_meta
from doctor.store.serial import canonical
from doctor.store.session import Session
from doctor.store.tables import (
    approvals,
    bodies,
    fixes,
    incidents,
    instant,
    journal,
    parse_instant,
    pins,
)

BATCH = 500
EVERY = timedelta(days=1)
_LAST = "retained_at"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was dropped: the words of so many entries, the row images of so many fixes.

    ``size`` is the size of the store afterwards, in bytes.
    """

    entries: int
    images: int
    size: int


class Retention:
    """Drops what is old about one target.

    Each batch is one transaction with its entry in the journal, so a kill leaves whole batches.
    What tells of a repair that is not over is kept, and so are counts, states and hashes.
    """

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal

    def keep(self, period: timedelta | None, most: int | None) -> Pruned | None:
        """Prune as it is configured, at most once a day; None where it was not due."""
        if period is None and most is None:
            return None
        now = self._session.clock()
        with self._session.reading() as connection:
            last = get_meta(connection, _LAST)
        if last is not None and timedelta(0) <= now - parse_instant(last) < EVERY:
            return None
        with self._session.writing() as connection:
            put_meta(connection, _LAST, instant(now))
        return self.prune(period, most)

    def prune(self, period: timedelta | None, most: int | None = None) -> Pruned:
        """Drop what is older than ``period``, then the oldest while over ``most`` bytes are used.

        None sets no limit.
        """
        entries = images = 0
        if period is not None:
            before = self._session.clock() - period
            images = self._drop_images(before)
            while dropped := self._drop_bodies(before):
                entries += dropped
        while most is not None and self._session.size() > most:
            dropped = self._drop_bodies(None)
            entries += dropped
            if not dropped:
                break
        if entries or images:
            self._session.shrink()
        return Pruned(entries, images, self._session.size())

    def _drop_bodies(self, before: datetime | None) -> int:
        """Drop a batch of the oldest bodies; what pruning itself tells is kept."""
        with self._session.writing() as connection:
            query = (
                select(journal.c.seq)
                .join(bodies, bodies.c.seq == journal.c.seq)
                .where(journal.c.target == self._session.target, journal.c.kind != PRUNED)
                .order_by(journal.c.seq)
                .limit(BATCH)
            )
            if before is not None:
                query = query.where(journal.c.at < instant(before))
            found = list(connection.scalars(query))
            if not found:
                return 0
            connection.execute(delete(bodies).where(bodies.c.seq.in_(found)))
            self._journal.append(
                PRUNED,
                f"what {len(found)} entries told was dropped, up to entry {found[-1]}",
                data={"through": found[-1], "entries": len(found)},
            )
            return len(found)

    def _drop_images(self, before: datetime) -> int:
        mine = fixes.c.target == self._session.target
        ended = (fixes.c.state.not_in(sorted(PENDING)), fixes.c.updated_at < before)
        with self._session.writing() as connection:
            dropped = connection.execute(
                update(fixes).where(mine, *ended, fixes.c.images.is_not(None)).values(images=None)
            ).rowcount
            connection.execute(
                update(incidents)
                .where(incidents.c.target == self._session.target, incidents.c.state == "closed")
                .where(incidents.c.updated_at < before)
                .values(title="")
            )
            self._forget_summaries(connection, before)
            self._forget_pins(connection, before)
        return int(dropped)

    def _forget_pins(self, connection: Connection, before: datetime) -> None:
        """Drop the rows of plans that nobody approved in time."""
        under_way = select(fixes.c.plan_hash).where(fixes.c.state.in_(sorted(PENDING)))
        late = select(approvals.c.run).where(
            approvals.c.target == self._session.target, approvals.c.expires_at < before
        )
        mine = (pins.c.target == self._session.target) & pins.c.run.in_(late)
        connection.execute(delete(pins).where(mine, pins.c.plan.not_in(under_way)))

    def _forget_summaries(self, connection: Connection, before: datetime) -> None:
        old = (approvals.c.target == self._session.target, approvals.c.expires_at < before)
        rows = connection.execute(select(approvals.c.id, approvals.c.plans).where(*old)).all()
        for name, plans in rows:
            kept = canonical([[plan, "", tier] for plan, _, tier in json.loads(plans)])
            wanted = (approvals.c.id == name, approvals.c.target == self._session.target)
            connection.execute(update(approvals).where(*wanted).values(plans=kept))
