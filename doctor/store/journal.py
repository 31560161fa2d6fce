"""The append-only, hash-chained record of everything that Doctor decided and did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from doctor.errors import UsageError
from doctor.redaction import redact_value
from doctor.store.anchor import NO_HEAD, Head
from doctor.store.body import Body, Dropped, told
from doctor.store.meta import get_meta, put_meta
from doctor.store.serial import canonical
from doctor.store.session import Session
from doctor.store.tables import bodies, instant, journal, parse_instant, storable

HEAD = "head"
_INSERT = insert(journal)
_INSERT_BODY = insert(bodies).prefix_with("OR REPLACE")
_HASHED = tuple(column.name for column in journal.columns if column.name != "hash")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. ``data`` holds JSON values by name."""

    seq: int
    at: datetime
    kind: str
    summary: str
    incident: str | None
    fix: str | None
    run: str | None
    data: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class JournalCheck:
    """Whether the journal is as it was written.

    Attributes:
        ok: nothing was edited, inserted, removed or moved as far as can be told.
        entries: how many entries stand in it.
        first_bad_seq: number of the first entry that is wrong or missing, or None.
        reason: one sentence.
        anchored: a head outside the store vouches for the end of the journal; without it a
            journal that was shortened or rewritten together with its store goes unnoticed.
        pruned: entries whose words were dropped on purpose; the chain still proves the others.
    """

    ok: bool
    entries: int
    first_bad_seq: int | None
    reason: str
    anchored: bool
    pruned: int = 0


class Journal:
    """The journal of a store: one chain, whatever targets share the store."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._has_bodies = False

    def append(
        self,
        kind: str,
        summary: str,
        *,
        incident: str | None = None,
        fix: str | None = None,
        run: str | None = None,
        data: Mapping[str, object] | None = None,
    ) -> Entry:
        """Add an entry in the open transaction, or in one of its own."""
        with self._session.writing() as connection:
            head = _head(connection)
            if head is None:
                raise UsageError("the store is damaged: its journal has no head")
            body = Body(storable(summary), canonical(redact_value(dict(data or {}))))
            values: dict[str, Any] = {
                "seq": head.seq + 1,
                "at": instant(self._session.clock()),
                "kind": kind,
                "target": storable(self._session.target),
                "incident": _storable(incident),
                "fix": _storable(fix),
                "run": _storable(run),
                "summary": "",
                "data": body.reference,
                "previous": head.hash,
            }
            values["hash"] = _hash(values)
            connection.execute(_INSERT, values)
            kept = {"seq": values["seq"], "summary": body.summary, "data": body.data}
            connection.execute(_INSERT_BODY, kept)
            head = Head(values["seq"], values["hash"])
            put_meta(connection, HEAD, canonical([head.seq, head.hash]))
            self._session.remember_head(head)
            return _entry({**values, "body_summary": body.summary, "body_data": body.data})

    def entries(
        self,
        limit: int | None = None,
        *,
        kinds: Sequence[str] = (),
        run: str | None = None,
        incident: str | None = None,
        fix: str | None = None,
    ) -> tuple[Entry, ...]:
        """Return the newest ``limit`` entries about this target that match, oldest first."""
        query = self._with_bodies().where(journal.c.target == self._session.target)
        if kinds:
            query = query.where(journal.c.kind.in_(kinds))
        wanted = {"run": run, "incident": incident, "fix": fix}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(journal.c[name] == value)
        query = query.order_by(journal.c.seq.desc()).limit(limit)
        with self._session.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(_entry(dict(row)) for row in reversed(rows))

    def verify(self) -> JournalCheck:
        """Check the whole chain against itself, the head in the store and the anchor outside."""
        anchor = self._session.anchor.read()
        with self._session.reading() as connection:
            last, problem, seen = NO_HEAD, None, anchor is None or anchor == NO_HEAD
            dropped = Dropped()
            for values in _raw(connection, self._with_bodies()):
                problem = _problem(values, last) or dropped.take(values)
                if problem is not None:
                    break
                last = Head(values["seq"], values["hash"])
                seen = seen or last == anchor
            count, head = _count(connection), _head(connection)
        bad = last.seq + 1
        if problem is None and dropped.unexplained is not None:
            bad = dropped.unexplained
            problem = f"what entry {bad} told is gone, and no pruning dropped it"
        if problem is None and head != last:
            problem = f"the journal ends at entry {last.seq}, which is not the end the store notes"
        if problem is None and anchor is not None and not seen:
            problem = "the journal was shortened or rewritten: the anchor beside it disagrees"
            bad = min(bad, anchor.seq)
        return JournalCheck(
            ok=problem is None,
            entries=count,
            first_bad_seq=None if problem is None else bad,
            reason=problem or "the chain is whole",
            anchored=anchor is not None,
            pruned=dropped.count,
        )

    def _with_bodies(self) -> Select[Any]:
        """Select entries with what they tell; a store of an older version has it within."""
        if not self._has_bodies:
            with self._session.reading() as connection:
                self._has_bodies = inspect(connection).has_table(bodies.name)
        if not self._has_bodies:
            return select(journal)
        told = (bodies.c.summary.label("body_summary"), bodies.c.data.label("body_data"))
        return select(journal, *told).join(bodies, bodies.c.seq == journal.c.seq, isouter=True)


def _head(connection: Connection) -> Head | None:
    try:
        seq, digest = json.loads(get_meta(connection, HEAD) or "")
        return Head(int(seq), str(digest))
    except (ValueError, TypeError):
        return None


def _raw(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    """Yield entries as they are stored; one that cannot be decoded is yielded empty."""
    query = query.order_by(journal.c.seq).execution_options(yield_per=1)
    try:
        for row in connection.execute(query).mappings():
            yield dict(row)
    except DBAPIError:
        yield {}


def _problem(values: dict[str, Any], last: Head) -> str | None:
    """Return what is wrong with an entry that should follow ``last``."""
    if values.get("seq") != last.seq + 1:
        return f"entry {last.seq + 1} is missing or cannot be read"
    if values["previous"] != last.hash:
        return f"entry {last.seq + 1} does not follow the entry before it"
    try:
        digest = _hash(values)
    except TypeError:
        digest = ""
    return None if values["hash"] == digest else f"entry {last.seq + 1} was changed"


def _storable(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(journal)) or 0


def _hash(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical({name: values[name] for name in _HASHED}).encode()).hexdigest()


def _entry(stored: Mapping[str, Any]) -> Entry:
    summary, text = told(stored)
    try:
        data = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise UsageError(
            f"entry {stored['seq']} of the journal is damaged", hint="doctor history --verify"
        )
    return Entry(
        seq=stored["seq"],
        at=parse_instant(stored["at"]),
        kind=stored["kind"],
        summary=summary,
        incident=stored["incident"],
        fix=stored["fix"],
        run=stored["run"],
        data=data,
        previous=stored["previous"],
        hash=stored["hash"],
    )
