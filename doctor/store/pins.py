"""Plans of repairs in batches with the rows that they pin, kept until they are carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, inspect, select

from doctor.errors import UsageError
from doctor.model.change import Key, Plan, pins_of
from doctor.store.fix import PENDING
from doctor.store.serial import keys_from_json, keys_to_json, plan_from_json, plan_to_json
from doctor.store.session import Session
from doctor.store.tables import fixes, pins

CHUNK = 5_000
_PLAN = -1


class Pins:
    """The pinned rows of one target's plans."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def keep(self, plan: Plan, rows: Sequence[Sequence[Key]]) -> None:
        """Keep a plan with the rows of each of its bulk changes.

        Other plans of the same run are forgotten, but not one that is being carried out.
        """
        parts = [(_PLAN, 0, plan_to_json(plan))]
        for part, keys in enumerate(rows):
            for number, start in enumerate(range(0, len(keys), CHUNK)):
                parts.append((part, number, keys_to_json(keys[start : start + CHUNK])))
        mine = {"target": self._session.target, "plan": plan.hash, "run": plan.run}
        with self._session.writing() as connection:
            under_way = select(fixes.c.plan_hash).where(fixes.c.state.in_(sorted(PENDING)))
            of_run = (pins.c.target == self._session.target) & (pins.c.run == plan.run)
            connection.execute(delete(pins).where(of_run, pins.c.plan.not_in(under_way)))
            connection.execute(delete(pins).where(of_run, pins.c.plan == plan.hash))
            connection.execute(
                insert(pins),
                [
                    {**mine, "part": part, "number": number, "content": content}
                    for part, number, content in parts
                ],
            )

    def plan(self, run: str, hashes: Sequence[str]) -> Plan | None:
        """Return the plan of a run that is kept and is among ``hashes``, or None."""
        with self._session.reading() as connection:
            if not inspect(connection).has_table(pins.name):
                return None  # a store of an older version that was not written to since
            of_run = (pins.c.target == self._session.target) & (pins.c.run == run)
            query = select(pins.c.content).where(of_run, pins.c.part == _PLAN)
            found = connection.scalars(query.where(pins.c.plan.in_(list(hashes)))).all()
        plans = [plan_from_json(one) for one in found]
        return next((one for one in plans if one.hash in hashes), None)

    def rows(self, plan: Plan) -> tuple[tuple[Key, ...], ...] | None:
        """Return the rows of each bulk change, None where they are kept no more.

        Raises UsageError where they are not those that the plan was made for.
        """
        chunks: Mapping[int, list[Key]] = {number: [] for number in range(len(plan.bulk))}
        with self._session.reading() as connection:
            mine = (pins.c.target == self._session.target) & (pins.c.plan == plan.hash)
            query = select(pins.c.part, pins.c.content).where(mine, pins.c.part != _PLAN)
            for part, content in connection.execute(query.order_by(pins.c.part, pins.c.number)):
                chunks[part].extend(keys_from_json(content))
        if not any(chunks.values()):
            return None
        found = tuple(tuple(chunks[number]) for number in range(len(plan.bulk)))
        for change, keys in zip(plan.bulk, found, strict=True):
            if len(keys) != change.rows or pins_of(keys) != change.pins:
                raise UsageError(f"the pinned rows of plan {plan.hash} are damaged in the store")
        return found

    def forget(self, plan: str) -> None:
        """Drop what a plan that is over had pinned."""
        with self._session.writing() as connection:
            mine = (pins.c.target == self._session.target) & (pins.c.plan == plan)
            connection.execute(delete(pins).where(mine))
