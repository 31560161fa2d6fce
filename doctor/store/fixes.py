"""The intent ledger: what Doctor set out to change, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from doctor.errors import UsageError
from doctor.model.change import Plan, Verified
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.store.approvals import Approvals
from doctor.store.budget import Budget, Limits, Refused
from doctor.store.fix import NEXT, PENDING, REACHED, Fix, FixState, fix_from_row, touches
from doctor.store.journal import Journal
from doctor.store.serial import images_to_json, plan_to_json, seen_to_json
from doctor.store.session import Session
from doctor.store.tables import fixes

_VERIFIED: Mapping[Verified, FixState] = {
    "clear": "verified",
    "failed": "verify_failed",
    "could_not_run": "unverified",
}

_OF_TARGET = (
    select(fixes)
    .where(fixes.c.target == bindparam("whose"))
    .order_by(fixes.c.intended_at, fixes.c.id)
)
# Built once: they run in almost every transaction.
_ONE = _OF_TARGET.where(fixes.c.id == bindparam("fix"))
_UNFINISHED = _OF_TARGET.where(fixes.c.state.in_(sorted(PENDING)))
_OF_RUN = _OF_TARGET.where(fixes.c.run == bindparam("run_id"))
_INTEND = insert(fixes)
_STATE: Mapping[str, object] = {
    name: bindparam(f"new_{name}") for name in ("state", "reason", "updated_at")
}
_OF_FIX = update(fixes).where(fixes.c.id == bindparam("fix"))
_MOVE = _OF_FIX.values(_STATE)
_MOVE_WITH_IMAGES = _OF_FIX.values({**_STATE, "images": bindparam("new_images")})
Guard = Callable[[Connection], None]


class Fixes:
    """The fixes of one target.

    Each step is one transaction with its entry in the journal; ``guard`` is asked first in it. A
    step that was recorded already changes nothing, so recovery may repeat it; a step that cannot
    follow is a UsageError.
    """

    def __init__(
        self,
        session: Session,
        journal: Journal,
        budget: Budget,
        approvals: Approvals,
        guard: Guard,
    ) -> None:
        self._session = session
        self._journal = journal
        self._budget = budget
        self._approvals = approvals
        self._guard = guard

    def new_id(self) -> str:
        """Return an id that no fix has yet."""
        with self._session.reading() as connection:
            while True:
                name = self._session.new_id("F")
                if connection.scalar(select(fixes.c.id).where(fixes.c.id == name)) is None:
                    return name

    def intend(
        self, fix: str, plan: Plan, limits: Limits, *, incident: str | None = None
    ) -> Fix | Refused:
        """Record that a plan that the policy lets pass is about to be applied.

        Reserves ``plan.cost`` points within ``limits`` in the same transaction; Refused means
        that nothing was recorded. Intending the same fix again returns it as it stands.
        """
        with self._session.writing() as connection:
            self._guard(connection)
            known = self._known(connection, fix, plan)
            if known is not None:
                return known
            paid = self._budget.take(connection, plan.run, plan.cost, limits, fix)
            if isinstance(paid, Refused):
                return paid
            return self._record_intent(connection, fix, plan, incident, None)

    def intend_approved(
        self, fix: str, plan: Plan, limits: Limits, *, incident: str | None = None
    ) -> Fix | Refused:
        """Do as ``intend`` for a plan that needs a human, and use up the approval of the plan.

        All at once or not at all: without the points the approval is not used, without the
        approval the points are not reserved.
        """
        with self._session.writing() as connection:
            self._guard(connection)
            known = self._known(connection, fix, plan)
            if known is not None:
                return known
            with connection.begin_nested() as part:
                paid = self._budget.take(connection, plan.run, plan.cost, limits, fix)
                if isinstance(paid, Refused):
                    return paid
                approval = self._approvals.consume(plan.hash, plan.run)
                if approval is None:
                    part.rollback()
                    return Refused("approval", f"no approval stands for plan {plan.hash}")
            return self._record_intent(connection, fix, plan, incident, approval.id)

    def confirm(self) -> None:
        """Put off the end of the lease that is held; raises LeaseLostError where it is lost."""
        with self._session.writing() as connection:
            self._guard(connection)

    def record_applied(self, fix: str, images: Sequence[ChangeImage]) -> Fix:
        """Record that the change is in the target, with the rows before and after it."""
        return self._move(fix, "applied", "the change is committed", images_to_json(images))

    def record_not_applied(self, fix: str, reason: str) -> Fix:
        """Record that nothing of the change is in the target; its points return."""
        return self._move(fix, "not_applied", reason)

    def record_verified(self, fix: str, verified: Verified, reason: str) -> Fix:
        """Record what the checks after the change found."""
        return self._move(fix, _VERIFIED[verified], reason)

    def record_undoing(self, fix: str, reason: str) -> Fix:
        """Record that the change is about to be undone."""
        return self._move(fix, "undoing", reason)

    def record_undone(self, fix: str, reason: str) -> Fix:
        """Record that the rows are back as they were."""
        return self._move(fix, "undone", reason)

    def record_undo_failed(self, fix: str, reason: str) -> Fix:
        """Record that the rows could not be put back: a human is needed."""
        return self._move(fix, "undo_failed", reason)

    def get(self, fix: str) -> Fix:
        """Return a fix; raises UsageError if there is none of this id."""
        with self._session.reading() as connection:
            return self._one(connection, fix)

    def pending(self) -> tuple[Fix, ...]:
        """Return what recovery must finish: fixes between intent and an outcome, oldest first."""
        with self._session.reading() as connection:
            return self._select(connection, _UNFINISHED)

    def find(self, *, run: str | None = None, incident: str | None = None) -> tuple[Fix, ...]:
        """Return the fixes of a run, of an incident or of all, oldest first."""
        query = _OF_TARGET if run is None else _OF_RUN
        if incident is not None:
            query = query.where(fixes.c.incident == incident)
        with self._session.reading() as connection:
            return self._select(connection, query, run_id=run)

    def repairs(
        self, run: str, table: str, column: str, key: Mapping[str, Scalar]
    ) -> tuple[Fix, ...]:
        """Return the fixes that changed this cell in the target, whether or not it lasted."""
        reached = fixes.c.state.in_(sorted(REACHED))
        with self._session.reading() as connection:
            of_run = self._select(connection, _OF_RUN.where(reached), run_id=run)
        return tuple(one for one in of_run if touches(one.plan, table, column, key))

    def _known(self, connection: Connection, fix: str, plan: Plan) -> Fix | None:
        found = self._select(connection, _ONE, fix=fix)
        if found and found[0].plan.hash != plan.hash:
            raise UsageError(f"fix {fix} has another plan: {found[0].plan.hash}")
        return found[0] if found else None

    def _record_intent(
        self,
        connection: Connection,
        fix: str,
        plan: Plan,
        incident: str | None,
        approval: str | None,
    ) -> Fix:
        now = self._session.clock()
        row = {
            "id": fix,
            "target": self._session.target,
            "run": plan.run,
            "incident": incident,
            "approval": approval,
            "plan": plan_to_json(plan),
            "plan_hash": plan.hash,
            "state": "intended",
            "reason": "",
            "images": None,
            "intended_at": now,
            "updated_at": now,
        }
        connection.execute(_INTEND, row)
        self._journal.append(
            "intent",
            f"plan {plan.hash} is about to be applied",
            incident=incident,
            fix=fix,
            run=plan.run,
            data={
                "plan": plan.hash,
                "points": plan.cost,
                "approval": approval,
                "evidence": seen_to_json(plan.evidence, now),
            },
        )
        return self._one(connection, fix)

    def _move(self, fix: str, state: FixState, reason: str, images: str | None = None) -> Fix:
        with self._session.writing() as connection:
            self._guard(connection)
            before = self._one(connection, fix)
            if before.state == state:
                return before
            if state not in NEXT[before.state]:
                raise UsageError(f"fix {fix} is {before.state}, it cannot become {state}")
            values: dict[str, object] = {
                "fix": fix,
                "new_state": state,
                "new_reason": reason,
                "new_updated_at": self._session.clock(),
            }
            if images is None:
                connection.execute(_MOVE, values)
            else:
                connection.execute(_MOVE_WITH_IMAGES, {**values, "new_images": images})
            ended = "returned" if state == "not_applied" else "settled"
            self._budget.close(connection, fix, ended)
            self._journal.append(
                state,
                reason,
                incident=before.incident,
                fix=fix,
                run=before.plan.run,
                data={"from": before.state, "plan": before.plan.hash},
            )
            return self._one(connection, fix)

    def _one(self, connection: Connection, fix: str) -> Fix:
        found = self._select(connection, _ONE, fix=fix)
        if not found:
            raise UsageError(f"there is no fix {fix!r}", hint="doctor history")
        return found[0]

    def _select(
        self, connection: Connection, query: Select[Any], **wanted: str | None
    ) -> tuple[Fix, ...]:
        values = {"whose": self._session.target, **wanted}
        rows = connection.execute(query, values).mappings()
        return tuple(fix_from_row(row) for row in rows)
