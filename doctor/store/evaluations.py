"""How often each rule was asked, and what it said: the ground for ``doctor rules stats``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, inspect, select, update

from doctor.model.rule import Rule
from doctor.model.verdict import Verdict
from doctor.store.session import Session
from doctor.store.tables import evaluations

_AGAIN = update(evaluations).where(
    evaluations.c.target == bindparam("whose"), evaluations.c.rule == bindparam("which")
)


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What one rule said so far; a new revision begins again.

    ``evaluated`` counts treatments in which it was asked, ``matched`` and ``unknown`` those in
    which it matched, or could tell nothing for lack of evidence.
    """

    rule: str
    revision: int
    evaluated: int = 0
    matched: int = 0
    unknown: int = 0
    last_match: datetime | None = None


class EvaluationRoom:
    """The evaluations of one target."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, rules: Iterable[Rule], verdicts: Iterable[Verdict]) -> None:
        """Count one evaluation of ``rules`` with all of its verdicts."""
        results: dict[str, set[str]] = {}
        for one in verdicts:
            results.setdefault(one.rule, set()).add(one.result)
        with self._session.writing() as connection:
            known = {one.rule: one for one in self._all(connection)}
            target = self._session.target
            first: list[dict[str, object]] = []
            again: list[dict[str, object]] = []
            for rule in rules:
                before = known.get(rule.id)
                same = before is not None and before.revision == rule.revision
                fresh = Evaluations(rule.id, rule.revision)
                counted = self._counted(before if same and before else fresh, results)
                if before is None:
                    first.append({"target": target, "rule": rule.id, **_values(counted)})
                else:
                    again.append({"whose": target, "which": rule.id, **_values(counted)})
            for statement, rows in ((insert(evaluations), first), (_AGAIN, again)):
                if rows:
                    connection.execute(statement, rows)

    def all(self) -> tuple[Evaluations, ...]:
        """Return what is known of every rule, by its id."""
        with self._session.reading() as connection:
            if not inspect(connection).has_table(evaluations.name):
                return ()  # a store of an older version that was not written to since
            return self._all(connection)

    def _counted(self, before: Evaluations, results: dict[str, set[str]]) -> Evaluations:
        said = results.get(before.rule, set())
        has_matched = "match" in said
        return Evaluations(
            before.rule,
            before.revision,
            before.evaluated + 1,
            before.matched + has_matched,
            before.unknown + ("unknown" in said and not has_matched),
            self._session.clock() if has_matched else before.last_match,
        )

    def _all(self, connection: Connection) -> tuple[Evaluations, ...]:
        query = (
            select(evaluations)
            .where(evaluations.c.target == self._session.target)
            .order_by(evaluations.c.rule)
        )
        return tuple(_from_row(row) for row in connection.execute(query))


def _values(one: Evaluations) -> dict[str, object]:
    return {
        "revision": one.revision,
        "evaluated": one.evaluated,
        "matched": one.matched,
        "unknown": one.unknown,
        "last_match": one.last_match,
    }


def _from_row(row: Row[Any]) -> Evaluations:
    return Evaluations(
        row.rule, row.revision, row.evaluated, row.matched, row.unknown, row.last_match
    )
