"""How often each rule was asked, and what it said: the ground for ``doctor rules stats``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, inspect, select, update

from doctor.model.rule import Rule
from doctor.model.verdict import Verdict
from doctor.store.session import Session
from doctor.store.tables import evaluations


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
            fresh: list[Evaluations] = []
            counted: list[Evaluations] = []
            for rule in rules:
                before = known.get(rule.id)
                same = before is not None and before.revision == rule.revision
                start = before if same and before else Evaluations(rule.id, rule.revision)
                (fresh if before is None else counted).append(self._counted(start, results))
            self._keep(connection, fresh, counted)

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

    def _keep(
        self, connection: Connection, fresh: list[Evaluations], counted: list[Evaluations]
    ) -> None:
        """Write all rows of a kind at once: there is one for every rule."""
        target = self._session.target
        if fresh:
            rows = [{"target": target, **asdict(one)} for one in fresh]
            connection.execute(insert(evaluations), rows)
        if counted:
            wanted = (evaluations.c.target == target, evaluations.c.rule == bindparam("of"))
            rows = [asdict(one) for one in counted]
            rows = [{"of": one.pop("rule"), **one} for one in rows]
            connection.execute(update(evaluations).where(*wanted), rows)

    def _all(self, connection: Connection) -> tuple[Evaluations, ...]:
        query = (
            select(evaluations)
            .where(evaluations.c.target == self._session.target)
            .order_by(evaluations.c.rule)
        )
        return tuple(_from_row(row) for row in connection.execute(query))


def _from_row(row: Row[Any]) -> Evaluations:
    return Evaluations(
        row.rule, row.revision, row.evaluated, row.matched, row.unknown, row.last_match
    )
