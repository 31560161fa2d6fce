"""Treatments: examine a run, carry out what may pass, and look again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from doctor.errors import DoctorError
from doctor.examining import Examiner
from doctor.inference import Engine, ReferenceEngine
from doctor.model.change import Decision, Outcome, Plan, Verified
from doctor.model.examination import EXIT_CODES, Examination, Treatment
from doctor.model.system import Probe, System
from doctor.model.tier import Tier
from doctor.rulebook.book import Book
from doctor.treatment.memory import Memory
from doctor.treatment.planning import rung

if TYPE_CHECKING:
    from doctor.model.ports import WriteDoor
    from doctor.store import Fix, Stop, Store
    from doctor.treatment.lease import Turn
    from doctor.treatment.policy import Authority
    from doctor.treatment.treat import Clinic, Confirm

ClinicOf = Callable[[System, tuple[Probe, ...], "Store", "WriteDoor"], "Clinic"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a run is to be treated.

    Attributes:
        max_tier: the highest tier that passes without a human.
        attended: whether somebody asked for it; else an executor's hook did.
        plan: the hash of the only plan that may be applied.
        choices: ``table.column`` of open cells to the value that should stand there.
        confirm: asks the person at the terminal about a GUARDED plan; None: nobody is there.
    """

    max_tier: Tier = Tier.SAFE
    attended: bool = True
    plan: str | None = None
    choices: Mapping[str, str] | None = None
    confirm: Confirm | None = None


@dataclass(frozen=True)
class Treater:
    """Treats runs, and finishes what a killed doctor left behind."""

    memory: Memory
    book: Book
    engine: Engine
    examiner: Examiner

    def treat(self, turn: Turn, clinic_of: ClinicOf, run: str, wanted: Wanted) -> Treatment:
        """Examine a run and carry out what the policy lets pass; raises as ``Doctor.treat``."""
        from doctor.treatment.treat import treat

        may_recover = wanted.attended or self._stopped() is None
        if may_recover:
            self._recover_unless_paused(turn)
        examination, system, probes = self.examiner.examine(run, wanted.choices)
        offered = self.memory.offered(examination.run, examination.plans)
        if offered is not None and not wanted.choices:
            examination, system, probes = self.examiner.examine(run, offered)
        if not examination.findings:
            return Treatment(examination, examination.status, examination.exit_code)
        if wanted.plan is None and not (examination.plans or examination.open_cells):
            return self._without_remedy(examination, system, attended=wanted.attended)
        store, door = turn.take()
        if (may_recover and self._recover_unless_paused(turn)) or turn.is_late:
            examination, system, probes = self.examiner.examine(run, wanted.choices or offered)
            if not examination.findings:
                return Treatment(examination, examination.status, examination.exit_code)
        store.evaluations.record(self.book.rules, examination.verdicts)
        outcomes: tuple[Outcome, ...] = ()
        while True:
            treatment = treat(
                examination,
                clinic_of(system, probes, store, door),
                self._authority(examination, system, store, wanted),
                wanted=wanted.plan,
                confirm=wanted.confirm,
            )
            outcomes += treatment.outcomes
            if not self._has_next_rung(treatment):
                break
            examination, system, probes = self.examiner.examine(run, wanted.choices)
            if not (examination.plans or examination.open_cells):
                break
        if not wanted.attended and treatment.status in ("undone", "undo_failed"):
            self._storm(treatment.examination, system, store)
        self._keep(store)
        return self._looked_at_again(replace(treatment, outcomes=outcomes), run)

    def recover_pending(self, turn: Turn) -> tuple[Fix, ...]:
        """Bring every fix of a run that a killed doctor left behind to an outcome."""
        known = self.memory.open_for_reading()
        pending = known.fixes.pending() if known else ()
        if all(one.plan.bulk for one in pending):
            return ()
        from doctor.store import completed
        from doctor.system.database import open_read_door
        from doctor.treatment.aftercare import finish_pending
        from doctor.treatment.verify import verify_plan

        store, door = turn.take()
        read = open_read_door(self.memory.settings.system.needed_database())

        def verify(fix: Fix) -> tuple[Verified, str]:
            system, probes = self.examiner.open(fix.plan.run)
            return verify_plan(completed(fix, read.marker).plan, system, probes)

        return finish_pending(store, read, door, verify)

    def _authority(
        self,
        examination: Examination,
        system: System,
        store: Store,
        wanted: Wanted,
    ) -> Authority:
        from doctor.store import paused
        from doctor.treatment.policy import REPAIRS_BEFORE_STOP, Authority

        stop = paused(self.memory.identity)
        is_alone = (
            isinstance(self.engine, ReferenceEngine) and self.memory.settings.engine != "reference"
        )
        repaired = _repairs(examination.plan, store)
        return Authority(
            wanted.max_tier,
            wanted.attended,
            self.memory.approved(examination.run),
            f"{stop.reason} ({stop.by})" if stop else None,
            repaired,
            examination.note if is_alone else None,
            None if wanted.attended else self._storm(examination, system, store),
            _writers(examination.plan, system) if repaired >= REPAIRS_BEFORE_STOP else (),
        )

    def _stopped(self) -> Stop | None:
        store = self.memory.open_for_reading()
        return store.stops.current() if store else None

    def _keep(self, store: Store) -> None:
        """Drop what is too old, once a day; a treatment that is over never fails by it."""
        kept, most = self.memory.settings.store.keep, self.memory.settings.store.max_size
        with suppress(DoctorError):
            store.retention.keep(None if kept is None else timedelta(seconds=kept), most)

    def _without_remedy(
        self, examination: Examination, system: System, *, attended: bool
    ) -> Treatment:
        """Remember what was seen; nothing can be written, so no lease is needed."""
        store = self.memory.open_for_writing()
        store.evaluations.record(self.book.rules, examination.verdicts)
        if not attended:
            self._storm(examination, system, store)
        decision = Decision("ask", "no rule knows a remedy")
        return Treatment(examination, "sick", EXIT_CODES["sick"], decision)

    def _storm(self, examination: Examination, system: System, store: Store) -> Stop | None:
        from doctor.runs import count_active
        from doctor.treatment.storm import stop_in_storm

        active = partial(count_active, system)
        return stop_in_storm(store, examination.run, examination.findings, active)

    def _has_next_rung(self, treatment: Treatment) -> bool:
        """Tell whether another rung of a ladder takes over from a repair that was undone."""
        is_undone = treatment.status == "undone" and treatment.outcomes[-1].result == "undone"
        tried = treatment.plan.rules if is_undone and treatment.plan else ()
        return any(
            remedy.on_verify_fail == "undo_then_next" and rung(rule, remedy) in tried
            for rule in self.book.rules
            for remedy in rule.remedies[:-1]
        )

    def _looked_at_again(self, treatment: Treatment, run: str) -> Treatment:
        if treatment.status != "healed" or not treatment.outcomes:
            return treatment
        after = self.examiner.examine(run).examination
        outcome = treatment.outcomes[-1]
        if outcome.verified == "clear" and after.findings:
            return Treatment(
                after,
                "sick",
                3,
                treatment.decision,
                treatment.incident,
                treatment.plan,
                treatment.outcomes,
            )
        return treatment

    def _recover_unless_paused(self, turn: Turn) -> tuple[Fix, ...]:
        """Recover; under a pause nothing new passes either, and an incident says so."""
        from doctor.treatment.pause import PausedError

        try:
            return self.recover_pending(turn)
        except PausedError:
            return ()


def _repairs(plan: Plan | None, store: Store) -> int:
    if plan is None:
        return 0
    counts = [
        len(store.fixes.repairs(plan.run, change.table, name, change.key))
        for change in plan.changes
        for name in change.to
    ]
    return max(counts, default=0)


def _writers(plan: Plan | None, system: System) -> tuple[str, ...]:
    """Return where the project's source may write the values that a plan takes away."""
    if plan is None or system.project is None:
        return ()
    from doctor.system.code.writers import writers

    return tuple(
        found
        for change in plan.changes
        for name, value in change.expected.items()
        if isinstance(value, str)
        for found in writers(system.project, change.table, name, value)
    )
