"""A human's word for exactly one plan, once and in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from doctor.errors import UsageError
from doctor.store.approval import (
    Approval,
    AskedPlan,
    approval_from_row,
    latest_request,
    plans_to_json,
)
from doctor.store.journal import Journal
from doctor.store.moment import Moment, read_moment, take_moment
from doctor.store.session import Session
from doctor.store.tables import approvals, storable


class Approvals:
    """The approvals of one target; each bears the id of its incident."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal

    def request(
        self, incident: str, run: str, plans: Sequence[AskedPlan], requester: str, ttl: timedelta
    ) -> Approval:
        """Ask for one of ``plans``; what was asked before for this incident is superseded.

        Asking for the same plans again changes nothing while the answer is open or not yet used.
        An approval stands only while its plan is still among those that are asked for.
        """
        if not plans:
            raise ValueError("an approval needs a plan to approve")
        plans = [replace(one, summary=storable(one.summary)) for one in plans]
        with self._session.writing() as connection:
            moment = take_moment(connection, self._session)
            known = self._find(connection, incident, moment)
            alive = known is not None and known.is_alive and known.run == storable(run)
            if known and alive and set(known.plans) == set(plans):
                return known
            if known and alive and known.plan in {one.hash for one in plans}:
                self._change(connection, incident, plans=plans_to_json(plans))
            else:
                self._ask(connection, incident, run, plans, requester, ttl, moment)
            self._journal.append(
                "asked",
                f"{requester} asks to approve one of {len(plans)} plans",
                incident=incident,
                run=run,
                data={"plans": [one.hash for one in plans], "requester": requester},
            )
            return self._one(connection, incident, moment)

    def find(self, *, run: str | None = None) -> tuple[Approval, ...]:
        """Return the requests of a run or of all, oldest first."""
        wanted = [] if run is None else [approvals.c.run == run]
        with self._session.reading() as connection:
            moment = read_moment(connection, self._session)
            return self._select(connection, moment, *wanted)

    def get(self, approval: str) -> Approval:
        """Return a request; raises UsageError if there is none of this id."""
        with self._session.reading() as connection:
            moment = read_moment(connection, self._session)
            return self._one(connection, approval, moment)

    def approve(self, approval: str, plan: str, approver: str) -> Approval:
        """Let one of the plans that were asked for pass once; the plan approved last counts.

        Raises UsageError when the plan is not among them, and when the request was denied, used
        or has expired.
        """
        with self._session.writing() as connection:
            moment = take_moment(connection, self._session)
            known = self._one(connection, approval, moment)
            if plan not in {one.hash for one in known.plans}:
                raise UsageError(
                    f"plan {plan!r} is not among those of approval {approval}: "
                    f"{', '.join(one.hash for one in known.plans)}",
                    hint=f"doctor approvals show {approval}",
                )
            if not known.is_alive:
                raise UsageError(
                    f"approval {approval} is {known.state}: it must be asked for again",
                    hint=f"doctor heal {known.run}",
                )
            if known.plan == plan:
                return known
            self._decide(connection, approval, moment, "approved", plan, approver)
            self._journal.append(
                "approved",
                f"{approver} approves plan {plan}",
                incident=approval,
                run=known.run,
                data={
                    "plan": plan,
                    "approver": approver,
                    "requester": known.requester,
                    "separated": approver != known.requester,
                },
            )
            return self._one(connection, approval, moment)

    def deny(self, approval: str, by: str) -> Approval:
        """Refuse a request; it stays refused until it is asked again. Raises UsageError if used."""
        with self._session.writing() as connection:
            moment = take_moment(connection, self._session)
            known = self._one(connection, approval, moment)
            if known.state == "used":
                raise UsageError(
                    f"approval {approval} is used: its plan was applied", hint="doctor history"
                )
            if known.state == "denied":
                return known
            self._decide(connection, approval, moment, "denied", None, by)
            self._journal.append(
                "denied", f"{by} denies", incident=approval, run=known.run, data={"by": by}
            )
            return self._one(connection, approval, moment)

    def consume(self, plan: str, run: str) -> Approval | None:
        """Use up whatever approves this plan; return it the one time that there is some, or None.

        A plan that two requests approved passes once all the same.
        """
        with self._session.writing() as connection:
            moment = take_moment(connection, self._session)
            used = connection.execute(
                update(approvals)
                .where(
                    approvals.c.target == self._session.target,
                    approvals.c.run == run,
                    approvals.c.plan == plan,
                    approvals.c.decision == "approved",
                    approvals.c.used_at.is_(None),
                    approvals.c.expires_at > moment.clock,
                    approvals.c.expires_ledger > moment.ledger,
                    approvals.c.requested_at <= latest_request(moment),
                )
                .values(used_at=moment.clock)
                .returning(approvals.c.id)
            ).scalars()
            names = list(used)
            for name in names:
                self._journal.append(
                    "approval_used",
                    f"plan {plan} passes by approval",
                    incident=name,
                    run=run,
                    data={"plan": plan},
                )
            return self._one(connection, names[0], moment) if names else None

    def _ask(
        self,
        connection: Connection,
        incident: str,
        run: str,
        plans: Sequence[AskedPlan],
        requester: str,
        ttl: timedelta,
        moment: Moment,
    ) -> None:
        values = {
            "target": self._session.target,
            "run": run,
            "plans": plans_to_json(plans),
            "requester": requester,
            "requested_at": moment.clock,
            "expires_at": moment.clock + ttl,
            "expires_ledger": moment.ledger + ttl,
            "decision": None,
            "plan": None,
            "decided_by": None,
            "decided_at": None,
            "used_at": None,
        }
        if not self._change(connection, incident, **values):
            connection.execute(insert(approvals).values(id=incident, **values))

    def _decide(
        self,
        connection: Connection,
        approval: str,
        moment: Moment,
        decision: str,
        plan: str | None,
        by: str,
    ) -> None:
        self._change(
            connection,
            approval,
            decision=decision,
            plan=plan,
            decided_by=by,
            decided_at=moment.clock,
        )

    def _change(self, connection: Connection, approval: str, **values: object) -> bool:
        mine = (approvals.c.id == approval) & (approvals.c.target == self._session.target)
        return bool(connection.execute(update(approvals).where(mine).values(**values)).rowcount)

    def _one(self, connection: Connection, approval: str, moment: Moment) -> Approval:
        found = self._find(connection, approval, moment)
        if found is None:
            raise UsageError(f"there is no approval {approval!r}", hint="doctor approvals list")
        return found

    def _find(self, connection: Connection, approval: str, moment: Moment) -> Approval | None:
        found = self._select(connection, moment, approvals.c.id == approval)
        return found[0] if found else None

    def _select(
        self, connection: Connection, moment: Moment, *wanted: ColumnElement[Any]
    ) -> tuple[Approval, ...]:
        query = (
            select(approvals)
            .where(approvals.c.target == self._session.target, *wanted)
            .order_by(approvals.c.requested_at, approvals.c.id)
        )
        rows = connection.execute(query).mappings()
        return tuple(approval_from_row(row, moment) for row in rows)
