"""The risk budget: points per run and per system within windows of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, func, insert, select, update

from doctor.errors import UsageError
from doctor.store.journal import Journal
from doctor.store.moment import read_moment, take_moment, turn_back
from doctor.store.session import Session
from doctor.store.tables import budget

Scope = Literal["run", "system"]

# Built once: every fix asks.
_IN_TIME = select(func.coalesce(func.sum(budget.c.points), 0)).where(
    budget.c.target == bindparam("whose"),
    budget.c.state != "returned",
    budget.c.at > bindparam("start"),
)
_SUMS = {"system": _IN_TIME, "run": _IN_TIME.where(budget.c.run == bindparam("run_id"))}
_RESERVE = insert(budget)
_CLOSE = (
    update(budget)
    .where(budget.c.fix == bindparam("whom"), budget.c.target == bindparam("whose"))
    .where(budget.c.state == "reserved")
    .values(state=bindparam("ended"))
)


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``points`` within any stretch of time as long as ``per``, in seconds."""

    points: int
    per: float


@dataclass(frozen=True, slots=True)
class Reserved:
    """The points are the fix's, until it gives them back."""

    fix: str
    points: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was reserved: ``by`` names the window, or the approval that is missing."""

    by: Literal["run", "system", "approval"]
    reason: str


@dataclass(frozen=True, slots=True)
class Spent:
    """How much of a window is used now."""

    scope: Scope
    spent: int
    window: Window


Limits = Mapping[Scope, Window]


class Budget:
    """The ledger of one target. Each reservation is one transaction across all processes."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal

    def reserve(self, run: str, points: int, limits: Limits, fix: str) -> Reserved | Refused:
        """Reserve points for a fix in every window of ``limits``, or in none.

        A fix that has reserved keeps what it has. Reservations later than now count too, so a
        clock that jumps back frees nothing.
        """
        with self._session.writing() as connection:
            known = self._known(connection, fix)
            if known is not None:
                return known
            answer = self.take(connection, run, points, limits, fix)
            if isinstance(answer, Reserved):
                self._journal.append(
                    "reserved",
                    f"{points} points reserved",
                    fix=fix,
                    run=run,
                    data={"points": points},
                )
            return answer

    def settle(self, fix: str) -> None:
        """Mark the points of a fix as spent; they stay counted as long as its windows are."""
        self._end(fix, "settled")

    def give_back(self, fix: str) -> None:
        """Return the points of a fix that changed nothing. Spent points stay spent."""
        self._end(fix, "returned")

    def spent(self, limits: Limits, run: str | None = None) -> tuple[Spent, ...]:
        """Return what is used of each window; the run's only where ``run`` is named."""
        with self._session.reading() as connection:
            now = read_moment(connection, self._session).ledger
            return tuple(
                Spent(scope, self._sum(connection, scope, run, _start(now, window)), window)
                for scope, window in limits.items()
                if scope == "system" or run is not None
            )

    def trust_clock(self, by: str) -> None:
        """Let the store's time go back to what the clock says, on a human's word.

        For a clock that jumped ahead and was corrected. Nothing becomes free by it: whatever was
        reserved later than now counts as reserved now.
        """
        with self._session.writing() as connection:
            moment = take_moment(connection, self._session)
            late = budget.c.at > moment.clock
            connection.execute(update(budget).where(late).values(at=moment.clock))
            turn_back(connection, moment.clock)
            self._journal.append(
                "clock_trusted", f"{by} says that the clock is right", data={"by": by}
            )

    def take(
        self, connection: Connection, run: str, points: int, limits: Limits, fix: str
    ) -> Reserved | Refused:
        """Reserve in the transaction that is open, without an entry in the journal."""
        if points < 0:
            raise ValueError("points are never negative")
        moment = take_moment(connection, self._session)
        for scope, window in limits.items():
            spent = self._sum(connection, scope, run, _start(moment.ledger, window))
            if spent + points > window.points:
                return Refused(scope, _refusal(scope, run, points, spent, window))
        connection.execute(
            _RESERVE,
            {
                "fix": fix,
                "target": self._session.target,
                "run": run,
                "points": points,
                "state": "reserved",
                "at": moment.ledger,
            },
        )
        return Reserved(fix, points)

    def close(self, connection: Connection, fix: str, state: str) -> bool:
        """Settle or return in the transaction that is open; tell whether that changed anything."""
        values = {"whom": fix, "whose": self._session.target, "ended": state}
        done = connection.execute(_CLOSE, values)
        return bool(done.rowcount)

    def _end(self, fix: str, state: str) -> None:
        with self._session.writing() as connection:
            if self._known(connection, fix) is None:
                raise UsageError(f"no points are reserved for {fix!r}")
            if self.close(connection, fix, state):
                self._journal.append(state, f"points {state}", fix=fix)

    def _known(self, connection: Connection, fix: str) -> Reserved | None:
        points = connection.scalar(select(budget.c.points).where(budget.c.fix == fix))
        return None if points is None else Reserved(fix, points)

    def _sum(self, connection: Connection, scope: Scope, run: str | None, start: datetime) -> int:
        values = {"whose": self._session.target, "start": start, "run_id": run}
        return int(connection.scalar(_SUMS[scope], values) or 0)


def _start(now: datetime, window: Window) -> datetime:
    try:
        return now - timedelta(seconds=window.per)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _refusal(scope: Scope, run: str, points: int, spent: int, window: Window) -> str:
    whose = f"of run {run!r}" if scope == "run" else "of the system"
    return (
        f"the budget {whose} is exhausted: {spent} of {window.points} points are used "
        f"within {window.per:g} s, {points} more would be needed"
    )
