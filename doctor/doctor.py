"""The Doctor: examines a run, treats it, and looks after what was done before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from doctor.errors import SourceError, UsageError
from doctor.examining import Examiner
from doctor.inference import (
    DurableEngine,
    Engine,
    ReferenceEngine,
    durable_available,
)
from doctor.model.examination import Examination, Survey, Treatment
from doctor.model.system import Probe, System
from doctor.model.tier import Tier
from doctor.model.verdict import Verdict
from doctor.registry import Registry, load_registry
from doctor.rulebook.book import Book, load_book
from doctor.settings import Settings
from doctor.store.uptime import machine_uptime, no_uptime
from doctor.treatment.memory import Memory

if TYPE_CHECKING:
    from pathlib import Path

    from doctor.documenting import Written
    from doctor.evidence.trial import ProbeTrial
    from doctor.ids import IdCheck
    from doctor.model.documentation import Documentation
    from doctor.model.evidence import Scalar
    from doctor.model.ids import IdConventions
    from doctor.model.insertion import RequiredFields, RowCheck
    from doctor.model.ports import WriteDoor
    from doctor.model.repair import ColumnExamination, ColumnTreatment
    from doctor.repairing import Order, Repairer
    from doctor.store import Fix, Pause, Pruned, Stop, Store
    from doctor.treating import Treater
    from doctor.treatment.apply import Step
    from doctor.treatment.batches import Told
    from doctor.treatment.lease import Turn
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

    def compare_schema(self, tables: Collection[str] = ()) -> Examination:
        """Compare the structure of the database with the models; () means every table.

        Raises UsageError where there is nothing to compare, or no such table on either side.
        """
        return self._examiner.compare_schema(tables)

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
        from doctor.treating import Wanted

        wanted = Wanted(max_tier, attended, plan, choices, confirm)
        with self._turn() as turn:
            return self._treater.treat(turn, self._clinic, run, wanted)

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
            self._treater.recover_pending(turn)
            self._repairer.resume(turn, self._clinic, order or Order())
            return self._repairer.repair(turn, self._clinic, name, order or Order())

    def required_fields(
        self, table: str, given: Mapping[str, Scalar] | None = None, *, proof: bool = True
    ) -> RequiredFields:
        """Return what a new row of ``table`` needs beside what is ``given``, with every origin.

        A text that is given for a column of numbers is taken as the number. With ``proof`` a
        complete row is tried on the database in a transaction that is rolled back, unless writes
        are paused. Raises UsageError where there is no such table.
        """
        from doctor.inserting import asked

        system, clock = self._examiner.open(None)[0], self.memory.clock
        url = self.settings.system.database if proof else None
        return asked(system, table, given or {}, clock(), url, self.memory.identity)

    def validate_insert(self, table: str, row: Mapping[str, Scalar]) -> RowCheck:
        """Return everything that is wrong with a row before it is added to ``table``, at once.

        Only reads. Raises UsageError where there is no such table.
        """
        from doctor.inserting import validate_insert

        return validate_insert(self._examiner.open(None)[0], table, row)

    def id_convention(self, *, pinned: bool = True) -> IdConventions:
        """Return how the ids of runs and of what belongs to them are made up.

        What [ids] of doctor.toml says is not learned, unless ``pinned`` is False. Raises
        UsageError without a database, SourceError where the run table is not known.
        """
        from doctor.ids import id_convention

        system, now = self._examiner.open(None)[0], self.memory.clock()
        return id_convention(system, pinned=None if pinned else {}, now=now)

    def check_id(
        self, text: str, *, table: str | None = None, parent: str | None = None
    ) -> IdCheck:
        """Return what is unusual about a new id of ``table``, by default of a run; only a warning.

        ``parent`` is the id of the row above it. Raises as ``id_convention``.
        """
        from doctor.ids import check_id

        return check_id(self.id_convention().column_of(table), text, parent)

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
            ended = self._treater.recover_pending(turn)
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

    def document(self, descriptions: Path | None = None) -> Documentation:
        """Return the documentation of the database as its sources say it now. Writes nothing.

        ``descriptions`` is a file with what no source says.

        Raises:
            UsageError: no database is configured, or the file cannot be used.
            SourceError: the database cannot be read.
        """
        from doctor.documenting import document

        return document(self._examiner.open(None)[0], descriptions)

    def write_documentation(self, documentation: Documentation) -> Written:
        """Put the documentation into the database, into a table that is created for it.

        Raises:
            PausedError: writes are paused.
            BusyError: another doctor is treating this system.
            TreatmentError: it could not be written; nothing of it was.
        """
        from doctor.documenting import write

        with self._turn() as turn:
            return write(turn, documentation, self.memory.clock())

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

        store, url = self.memory.open_for_writing(), self.settings.system.needed_database()
        with suppress(SourceError):  # the write transaction will look again
            store.leases.overtake(open_read_door(url).newest_token())
        return store, open_write_door(url, create_marker=self.settings.system.create_marker)

    @cached_property
    def _treater(self) -> Treater:
        from doctor.treating import Treater

        return Treater(self.memory, self.book, self.engine, self._examiner)

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


def _engine(settings: Settings) -> Engine:
    if settings.engine == "reference":
        return ReferenceEngine()
    if settings.engine == "durable" or durable_available():
        return DurableEngine()
    return ReferenceEngine()
