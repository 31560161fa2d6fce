"""The Doctor: examines a run, treats it, and looks after what was done before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from doctor.errors import DoctorError, SourceError, UsageError
from doctor.examining import Examiner
from doctor.inference import (
    DurableEngine,
    Engine,
    ReferenceEngine,
    durable_available,
)
from doctor.model.change import Decision, Outcome, Plan, Verified
from doctor.model.examination import EXIT_CODES, Examination, Survey, Treatment
from doctor.model.system import Probe, System
from doctor.model.tier import Tier
from doctor.model.verdict import Verdict
from doctor.registry import Registry, load_registry
from doctor.rulebook.book import Book, load_book
from doctor.settings import Settings
from doctor.store.uptime import machine_uptime, no_uptime
from doctor.treatment.memory import Memory
from doctor.treatment.planning import rung

if TYPE_CHECKING:
    from doctor.evidence.trial import ProbeTrial
    from doctor.model.ports import WriteDoor
    from doctor.model.repair import ColumnExamination, ColumnTreatment
    from doctor.repairing import Order, Repairer
    from doctor.store import Fix, Pause, Pruned, Stop, Store
    from doctor.treatment.apply import Step
    from doctor.treatment.batches import Told
    from doctor.treatment.lease import Turn
    from doctor.treatment.policy import Authority
    from doctor.treatment.treat import Clinic, Confirm

LOCK_SECONDS = 30.0
NOTHING_CHECKED = "neither models with a database nor an API is configured: nothing was checked"


def utc_now() -> datetime:
    """Return the current time, aware."""
    return datetime.now(UTC)


def _no_step(_step: str) -> None:
    """Tell nobody."""


def nobody(_done: int, _rows: int) -> None:
    """Tell nobody how far a repair in batches is."""


class Doctor:
    """Every door goes through here. Close it after use; it is a context manager.

    Args:
        settings: what is configured.
        store: URL of a store named by hand, or None.
        registry: the plugins, loaded when None.
        engine: the rule engine, chosen by ``settings.engine`` when None.
        clock: returns aware times. With another than the system's, that clock alone tells the time;
            else the store also knows how long the machine has been running.
        patience: how many seconds to wait for another doctor that treats the same system.
        step: is told every step of a repair after it is done.

    Raises:
        RuleError: a rule file is wrong.
        UsageError: two plugins clash.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: str | None = None,
        registry: Registry | None = None,
        engine: Engine | None = None,
        clock: Callable[[], datetime] = utc_now,
        step: Step = _no_step,
        patience: float = LOCK_SECONDS,
    ):
        self.settings = settings
        self.engine = engine or _engine(settings)
        if isinstance(self.engine, DurableEngine):
            self.engine.warm()
        self._step = step
        self._patience = patience
        uptime = machine_uptime if clock is utc_now else no_uptime
        try:
            self.registry = registry or load_registry()
            self.book: Book = load_book(
                self.registry,
                settings.rules.paths,
                strict=settings.rules.strict,
                today=clock().date(),
            )
            self.memory = Memory(settings, store, clock, uptime)
            self._examiner = Examiner(settings, self.registry, self.book, self.engine, self.memory)
        except BaseException:
            self._close_engine()
            raise

    def examine(self, run: str, choices: Mapping[str, str] | None = None) -> Examination:
        """Look at one run and say what is wrong, why, and what would cure it. Writes nothing.

        ``choices`` maps ``table.column`` of open cells to the value that should stand there.

        Raises:
            UsageError: the run is found nowhere, or something that was named cannot be used.
        """
        return self._examiner.examine(run, choices).examination

    def preflight(self) -> Survey:
        """Look at the whole system: one sick run never blocks the verdict on the others."""
        return self._examiner.preflight()

    def treat(
        self,
        run: str,
        *,
        max_tier: Tier = Tier.SAFE,
        attended: bool = True,
        plan: str | None = None,
        choices: Mapping[str, str] | None = None,
        confirm: Confirm | None = None,
    ) -> Treatment:
        """Examine a run and carry out what the policy lets pass; ask or refuse otherwise.

        ``plan`` is the hash of the only plan that may be applied. ``confirm`` asks the person at
        the terminal about a GUARDED plan; None: nobody is there.

        Raises:
            UsageError: as ``examine``, or there is no such plan.
            BusyError: another doctor is treating this system.
            LeaseLostError: another doctor took over meanwhile; it goes on with what was begun.
        """
        from doctor.treatment.treat import treat

        with self._turn() as turn:
            may_recover = attended or self.stopped() is None
            if may_recover:
                self._recover_unless_paused(turn)
            examination, system, probes = self._examiner.examine(run, choices)
            offered = self.memory.offered(examination.run, examination.plans)
            if offered is not None and not choices:
                examination, system, probes = self._examiner.examine(run, offered)
            if not examination.findings:
                return Treatment(examination, examination.status, examination.exit_code)
            if plan is None and not (examination.plans or examination.open_cells):
                return self._without_remedy(examination, system, attended=attended)
            store, door = turn.take()
            if (may_recover and self._recover_unless_paused(turn)) or turn.is_late:
                examination, system, probes = self._examiner.examine(run, choices or offered)
                if not examination.findings:
                    return Treatment(examination, examination.status, examination.exit_code)
            store.evaluations.record(self.book.rules, examination.verdicts)
            outcomes: tuple[Outcome, ...] = ()
            while True:
                treatment = treat(
                    examination,
                    self._clinic(system, probes, store, door),
                    self._authority(examination, system, store, max_tier, attended=attended),
                    wanted=plan,
                    confirm=confirm,
                )
                outcomes += treatment.outcomes
                if not self._has_next_rung(treatment):
                    break
                examination, system, probes = self._examiner.examine(run, choices)
                if not (examination.plans or examination.open_cells):
                    break
            if not attended and treatment.status in ("undone", "undo_failed"):
                self._storm(treatment.examination, system, store)
            self._keep(store)
            return self._looked_at_again(replace(treatment, outcomes=outcomes), run)

    def examine_column(
        self, name: str, choices: Mapping[str, str] | None = None
    ) -> ColumnExamination:
        """Look at every row of ``TABLE.COLUMN`` and say what would cure them. Writes nothing.

        ``choices`` maps bad values to what should stand in their place. Raises UsageError for what
        is no such column, or cannot be repaired row by row.
        """
        return self._repairer.examine(name, choices)

    def repair(self, name: str, order: Order | None = None) -> ColumnTreatment:
        """Repair every row of ``TABLE.COLUMN`` in batches, or ask or refuse as ``treat`` does.

        A repair that was left between two batches is gone on with first. Raises as ``treat`` does.
        """
        from doctor.repairing import Order

        with self._turn() as turn:
            self._recover_pending(turn)
            self._repairer.resume(turn, self._clinic, order or Order())
            return self._repairer.repair(turn, self._clinic, name, order or Order())

    def offer(self, examination: Examination, choices: Mapping[str, str]) -> str:
        """Put a plan that a human composed among those that may be approved.

        Returns the id of its incident; ``choices`` are kept so that ``treat`` finds the plan again.
        """
        plan = examination.plan
        if plan is None:
            raise UsageError("there is no complete plan to offer")
        from doctor.treatment.treat import offer_plan

        store = self.memory.open_for_writing()
        ttl = timedelta(seconds=self.settings.approvals.ttl)
        return offer_plan(examination, plan, choices, store, ttl)

    def undo(self, fix: str, told: Told = nobody) -> Fix:
        """Put back what a fix changed.

        Raises:
            UsageError: there is no such fix, or nothing to undo.
            UndoError: a row moved on since; nothing was changed.
        """
        from doctor.treatment.batch_undo import undo_batches
        from doctor.treatment.pause import refuse_if_paused
        from doctor.treatment.track_record import ON_REQUEST
        from doctor.treatment.undo import undo_fix

        with self._turn() as turn:
            refuse_if_paused(self.memory.identity)
            store, door = turn.take()
            known = store.fixes.get(fix)
            if known.plan.bulk:
                return undo_batches(known, door, store, ON_REQUEST, self._step, told)
            return undo_fix(known, door, store, ON_REQUEST)

    def recover(self, told: Told = nobody) -> tuple[Fix, ...]:
        """Bring every fix that a killed Doctor left behind to an outcome.

        ``told`` hears of the rows of a repair in batches that is gone on with.
        """
        from doctor.repairing import Order

        with self._turn() as turn:
            ended = self._recover_pending(turn)
            return (*ended, *self._repairer.resume(turn, self._clinic, Order(told=told)))

    def try_plugins(self) -> tuple[ProbeTrial, ...]:
        """Run the probes of foreign plugins once over the whole system; nothing is concluded."""
        return self._examiner.try_plugins()

    def why(self, rule: str, run: str) -> tuple[Verdict, ...]:
        """Return what one rule says about a run, with every clause.

        Raises:
            UsageError: there is no such rule.
        """
        wanted = self.book.rule(rule)
        examination = self.examine(run)
        return tuple(one for one in examination.verdicts if one.rule == wanted.id)

    def pause(self, reason: str) -> Pause:
        """Stop all writes to this system, under whatever store they are remembered."""
        from doctor.store import pause
        from doctor.treatment.account import user

        stop = pause(self.memory.identity, user(), reason, self.memory.clock())
        self.memory.open_for_writing().journal.append("paused", reason)
        return stop

    def resume(self) -> tuple[Pause | None, Stop | None]:
        """Allow writes again; return the pause and the storm stop that ended, where there were."""
        from doctor.store import resume
        from doctor.treatment.account import user

        was = resume(self.memory.identity)
        if was is not None:
            self.memory.open_for_writing().journal.append("resumed", f"resumed by {user()}")
        return was, self.memory.open_for_writing().stops.resume(user()) if self.stopped() else None

    def stopped(self) -> Stop | None:
        """Return the storm stop that binds unattended treatment now, or None."""
        store = self.memory.open_for_reading()
        return store.stops.current() if store else None

    def prune(self, period: float | None = None) -> Pruned | None:
        """Drop what is older than ``period`` seconds, else than [store] keep; the chain stays.

        Returns None where nothing was remembered yet. Raises UsageError where no limit is set.
        """
        kept, most = self.settings.store.keep, self.settings.store.max_size
        period = kept if period is None else period
        if period is None and most is None:
            raise UsageError(
                "it is not said how long anything is kept",
                hint="give --older-than 90d, or set [store] keep",
            )
        if self.memory.open_for_reading() is None:
            return None
        store = self.memory.open_for_writing()
        return store.retention.prune(None if period is None else timedelta(seconds=period), most)

    def close(self) -> None:
        """Let go of the store, the engine's spare process and the plugins' processes."""
        self.memory.close()
        self.registry.close()
        self._close_engine()
        self._examiner.remember()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _close_engine(self) -> None:
        if isinstance(self.engine, DurableEngine):
            self.engine.close()

    def _turn(self) -> AbstractContextManager[Turn]:
        from doctor.treatment.lease import turn

        memory = self.memory
        return turn(memory.identity, self._opened, memory.open_for_reading, self._patience)

    def _opened(self) -> tuple[Store, WriteDoor]:
        from doctor.system.database import open_read_door, open_write_door

        store, url = self.memory.open_for_writing(), self._database()
        with suppress(SourceError):  # the write transaction will look again
            store.leases.overtake(open_read_door(url).newest_token())
        return store, open_write_door(url, create_marker=self.settings.system.create_marker)

    @cached_property
    def _repairer(self) -> Repairer:
        from doctor.repairing import Repairer

        return Repairer(self.memory, self.registry, self.book, self.engine, self._examiner)

    def _clinic(
        self, system: System, probes: tuple[Probe, ...], store: Store, door: WriteDoor
    ) -> Clinic:
        from doctor.treatment.treat import Clinic

        return Clinic(
            system,
            door,
            store,
            probes,
            self.memory.limits,
            timedelta(seconds=self.settings.approvals.ttl),
            self._step,
            {rule.id: rule for rule in self.book.rules},
        )

    def _authority(
        self,
        examination: Examination,
        system: System,
        store: Store,
        max_tier: Tier,
        *,
        attended: bool,
    ) -> Authority:
        from doctor.store import paused
        from doctor.treatment.policy import REPAIRS_BEFORE_STOP, Authority

        stop = paused(self.memory.identity)
        is_alone = isinstance(self.engine, ReferenceEngine) and self.settings.engine != "reference"
        repaired = _repairs(examination.plan, store)
        return Authority(
            max_tier,
            attended,
            self.memory.approved(examination.run),
            f"{stop.reason} ({stop.by})" if stop else None,
            repaired,
            examination.note if is_alone else None,
            None if attended else self._storm(examination, system, store),
            _writers(examination.plan, system) if repaired >= REPAIRS_BEFORE_STOP else (),
        )

    def _keep(self, store: Store) -> None:
        """Drop what is too old, once a day; a treatment that is over never fails by it."""
        kept, most = self.settings.store.keep, self.settings.store.max_size
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
        after = self.examine(run)
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
            return self._recover_pending(turn)
        except PausedError:
            return ()

    def _recover_pending(self, turn: Turn) -> tuple[Fix, ...]:
        known = self.memory.open_for_reading()
        pending = known.fixes.pending() if known else ()
        if all(one.plan.bulk for one in pending):
            return ()
        from doctor.store import completed
        from doctor.system.database import open_read_door
        from doctor.treatment.aftercare import finish_pending
        from doctor.treatment.verify import verify_plan

        store, door = turn.take()
        read = open_read_door(self._database())

        def verify(fix: Fix) -> tuple[Verified, str]:
            system, probes = self._examiner.open(fix.plan.run)
            return verify_plan(completed(fix, read.marker).plan, system, probes)

        return finish_pending(store, read, door, verify)

    def _database(self) -> str:
        url = self.settings.system.database
        if url is None:
            raise UsageError("no database is configured", hint="give --database")
        return url


def _engine(settings: Settings) -> Engine:
    if settings.engine == "reference":
        return ReferenceEngine()
    if settings.engine == "durable" or durable_available():
        return DurableEngine()
    return ReferenceEngine()


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
