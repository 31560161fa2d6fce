"""Whole columns: every row that holds a value which the code does not have, and its repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from doctor.errors import SourceError, UsageError
from doctor.examining import Examiner
from doctor.inference import Engine, diagnose, infer
from doctor.model.change import Decision, Plan, Verified
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Evidence, Fact, Gap, Scalar
from doctor.model.examination import Status
from doctor.model.repair import ColumnExamination, ColumnTreatment
from doctor.model.system import Probe, System
from doctor.model.tier import Tier
from doctor.registry import Registry
from doctor.rulebook.book import Book
from doctor.schema.column_values import (
    EnumColumn,
    column_values,
    find_enum_column,
    is_still_bad,
)
from doctor.store.fix import REACHED
from doctor.treatment.column_plan import plan_column
from doctor.treatment.memory import Memory
from doctor.treatment.pause import pause_reason, refuse_if_paused
from doctor.treatment.planning import Prescription, prescribe
from doctor.treatment.policy import Authority
from doctor.treatment.verify import verify_plan

if TYPE_CHECKING:
    from doctor.model.ports import WriteDoor
    from doctor.store import Fix, Store
    from doctor.treatment.batches import Told
    from doctor.treatment.column_treat import Care
    from doctor.treatment.lease import Turn
    from doctor.treatment.treat import Clinic, Confirm

ClinicOf = Callable[[System, tuple[Probe, ...], "Store", "WriteDoor"], "Clinic"]

MOST_CHECKED = 3
MOST_COMPARED = 1_000


def _nobody(_done: int, _rows: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Order:
    """How a column is to be repaired.

    Attributes:
        max_tier: the highest tier that passes without a human.
        plan: the hash of the only plan that may be applied; None: the one that is made now.
        choices: bad values, and what should stand in their place.
        confirm: asks the person at the terminal about a plan; None: nobody is there.
        told: hears of rows done and of all.
    """

    max_tier: Tier = Tier.SAFE
    plan: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    confirm: Confirm | None = None
    told: Told = _nobody


@dataclass(frozen=True)
class Repairer:
    """Looks at columns, has them repaired, and looks again."""

    memory: Memory
    registry: Registry
    book: Book
    engine: Engine
    examiner: Examiner

    def examine(self, name: str, choices: Mapping[str, str] | None = None) -> ColumnExamination:
        """Say what is wrong in ``TABLE.COLUMN`` and what would cure all of its rows.

        ``choices`` maps bad values to what should stand there. Raises UsageError for a column that
        is none or cannot be repaired, and for a choice that is not offered.
        """
        system, _ = self.examiner.open(None)
        facts: list[tuple[Fact, int]] = []
        gaps: list[Gap] = []
        try:
            column = find_enum_column(system, name)
            for one in self._found(system, column):
                if isinstance(one, Gap):
                    gaps.append(one)
                else:
                    facts.append(one)
        except SourceError as error:
            return ColumnExamination(name, gaps=(Gap(name, error.message),))
        inference = infer(self.book.rules, Evidence(tuple(fact for fact, _ in facts)), self.engine)
        if not inference.agreed:
            return ColumnExamination(name, gaps=(*gaps, Gap("rules", inference.note or "")))
        told = [
            one
            for one in diagnose(self.book.rules, inference.verdicts)
            if one.subject is not None and one.is_finding
        ]
        found = [
            (about, str(fact.fields["run"]), count)
            for fact, count in facts
            if (about := _about(fact, told)) is not None
        ]
        rules = {rule.id: rule for rule in self.book.rules}
        keys = partial(_keys, system, column)
        planned = plan_column(
            name, found, partial(self._prescribe, system), keys, rules, choices or {}
        )
        return replace(planned, gaps=(*gaps, *planned.gaps))

    def repair(self, turn: Turn, clinic_of: ClinicOf, name: str, order: Order) -> ColumnTreatment:
        """Examine a column and carry out what the policy lets pass; ask or refuse otherwise."""
        from doctor.treatment.column_treat import treat_column

        examination = self.examine(name, order.choices)
        store, door = turn.take()
        approved = self.memory.approved(examination.run)
        wanted = (order.plan,) if order.plan else approved
        kept = store.pins.plan(examination.run, wanted) if wanted else None
        if kept is not None:
            examination = replace(examination, plan=kept, rows=store.pins.rows(kept) or ())
        plan = examination.plan
        if order.plan is not None and (plan is None or plan.hash != order.plan):
            raise UsageError(
                f"{name} has no plan {order.plan} now", hint=f"doctor plan --column {name}"
            )
        if not examination.values and kept is None:
            return ColumnTreatment(examination, examination.status)
        repaired = self._repairs(store, examination.run, plan)
        authority = Authority(
            order.max_tier,
            attended=True,
            approved=approved,
            paused=pause_reason(self.memory.identity),
            repaired=repaired,
        )
        clinic = clinic_of(*self.examiner.open(None), store, door)
        done = treat_column(examination, clinic, self._care(store, order), authority, order.confirm)
        done = self._looked_at_again(done, name)
        is_back = done.decision is not None and "writer still active" in done.decision.reason
        is_back = is_back or bool(done.outcome and "writer still active" in done.outcome.reason)
        return replace(done, writers=self._writers(plan)) if is_back and plan else done

    def resume(self, turn: Turn, clinic_of: ClinicOf, order: Order) -> tuple[Fix, ...]:
        """Go on with every repair in batches that was left between two of them."""
        known = self.memory.open_for_reading()
        pending = known.fixes.pending() if known else ()
        if not any(one.plan.bulk for one in pending):
            return ()
        from doctor.treatment.column_treat import resume_column

        store, door = turn.take()
        clinic, care = clinic_of(*self.examiner.open(None), store, door), self._care(store, order)
        refuse_if_paused(store.target)
        return tuple(
            resume_column(one, store.pins.rows(one.plan), clinic, care)
            for one in store.fixes.pending()
            if one.plan.bulk
        )

    def unfounded(self, plan: Plan) -> str | None:
        """Look again, and return why what the code says now does not justify a plan, or None."""
        system, _ = self.examiner.open(None)
        for one in plan.bulk:
            name = f"{one.table}.{one.column}"
            try:
                column = find_enum_column(system, name)
                rows = (
                    system.database.values_not_in(
                        column.member.table, one.column, column.accepted, limit=MOST_COMPARED
                    )
                    if system.database
                    else ()
                )
            except (SourceError, UsageError) as error:
                return error.message
            if not is_still_bad(column, one.expected, one.to):
                return f"the code accepts {one.expected!r} in {name} now, or {one.to!r} no more"
            if one.expected not in [value for value, _ in rows]:
                return f"no probe finds {one.expected!r} in {name} any more"
        return None

    def verify(self, store: Store, plan: Plan) -> tuple[Verified, str]:
        """Look again after a repair: at the column, and at runs that are read end to end."""
        system, _ = self.examiner.open(None)
        try:
            back = self._came_back(system, store, plan)
        except (SourceError, UsageError) as error:
            return "could_not_run", error.message
        if back:
            return "could_not_run", f"writer still active: {back}"
        checks = tuple(one for one in plan.verify if one.expect_status is not None)
        reasons = ["no row that was repaired holds the bad value"]
        for run in self._sample(system, store, plan) if checks and system.api else ():
            opened, probes = self.examiner.open(run)
            one = Plan(plan.target, run, plan.rules, (), plan.tier, 0, checks)
            verified, reason = verify_plan(one, opened, probes)
            if verified == "failed" and self._is_sick(run):
                verified, reason = "could_not_run", f"run {run} has another illness: {reason}"
            if verified != "clear":
                return verified, reason
            reasons.append(f"run {run}: {reason}")
        return "clear", "; ".join(reasons)

    def _care(self, store: Store, order: Order) -> Care:
        from doctor.treatment.column_treat import Care

        return Care(self.unfounded, partial(self.verify, store), order.told)

    def _repairs(self, store: Store, run: str, plan: Plan | None) -> int:
        """Return how often rows with one of these values were repaired in this column before."""
        wanted = {one.expected for one in plan.bulk} if plan else set()
        return sum(
            any(each.expected in wanted for each in one.plan.bulk)
            for one in store.fixes.find(run=run)
            if one.state in REACHED
        )

    def _looked_at_again(self, done: ColumnTreatment, name: str) -> ColumnTreatment:
        """Say what is left, who may write it again, and what would keep it out."""
        if done.outcome is None or done.outcome.result != "applied" or done.plan is None:
            return done
        after = self.examine(name)
        again = [
            f"{left.value!r} in {left.rows} rows"
            for left in after.values
            if left.value in [one.expected for one in done.plan.bulk]
        ]
        decision = done.decision
        if again:
            words = f"writer still active: {'; '.join(again)} since the repair"
            decision = Decision("ask", words)
        status: Status = "sick" if after.values and done.status == "healed" else done.status
        return replace(
            done,
            examination=after,
            status=status,
            decision=decision,
            prevention=self._prevention(done.plan),
        )

    def _writers(self, plan: Plan) -> tuple[str, ...]:
        """Return where the project's source may write one of the plan's bad values."""
        from doctor.system.code.writers import writers

        project = self.examiner.open(None)[0].project
        return tuple(
            found
            for one in plan.bulk
            if isinstance(one.expected, str) and project is not None
            for found in writers(project, one.table, one.column, one.expected)
        )

    def _prevention(self, plan: Plan) -> Mapping[str, str]:
        from doctor.schema.prevention import prevention

        system, _ = self.examiner.open(None)
        first = plan.bulk[0]
        column = find_enum_column(system, f"{first.table}.{first.column}")
        enum = column.column.enum
        where = enum.location if enum else ""
        accepted = column.accepted
        return prevention(first.table, first.column, accepted, plan.target, declared_at=where)

    def _is_sick(self, run: str) -> bool:
        """Tell whether a run has a bad row of its own; what only its GET tells does not count."""
        findings = self.examiner.examine(run).examination.findings
        return any(one.subject is not None for one in findings)

    def _found(self, system: System, column: EnumColumn) -> list[tuple[Fact, int] | Gap]:
        if system.database is None or system.code is None:
            return []
        return list(column_values(system.database, system.code.models(), column))

    def _prescribe(
        self, system: System, diagnosis: Diagnosis, choices: Mapping[str, str]
    ) -> Prescription:
        rules = {rule.id: rule for rule in self.book.rules}
        run = diagnosis.join[0] if diagnosis.join else ""
        return prescribe([diagnosis], rules, self.registry.fixer, system, run, choices)

    def _came_back(self, system: System, store: Store, plan: Plan) -> str:
        """Return which repaired rows hold the bad value again, "" for none."""
        pinned = store.pins.rows(plan)
        for number, one in enumerate(plan.bulk):
            column = find_enum_column(system, f"{one.table}.{one.column}")
            keys = _keys(system, column, one.expected, MOST_COMPARED)
            again = set(keys) & set(pinned[number] if pinned else ())
            if again:
                return f"{len(again)} rows that were repaired hold {one.expected!r} again"
        return ""

    def _sample(self, system: System, store: Store, plan: Plan) -> tuple[str, ...]:
        """Return a few runs whose rows were repaired, where the rows are runs."""
        pinned = store.pins.rows(plan) or ()
        table = system.layout.run.table.name if system.layout else None
        found = [
            str(keys[0][0])
            for one, keys in zip(plan.bulk, pinned, strict=False)
            if one.table == table and len(one.key) == 1
        ]
        return tuple(found[:MOST_CHECKED])


def _keys(
    system: System, column: EnumColumn, value: Scalar, limit: int
) -> tuple[tuple[Scalar, ...], ...]:
    if system.database is None:
        return ()
    where = {column.column.name: value}
    return system.database.keys(column.member.table, where, limit=limit)


def _about(fact: Fact, diagnoses: list[Diagnosis]) -> Diagnosis | None:
    """Return what a rule says about the row of a fact."""
    for one in diagnoses:
        subject = one.subject
        if subject is not None and (subject.table, dict(subject.key), subject.value) == (
            fact.fields["table"],
            fact.fields["key"],
            fact.fields["value"],
        ):
            return one
    return None
