"""Simulated histories: doctors, stalls, kills, clock jumps, a writer that breaks rows again.

The store, the treatment and the write door are the real ones, on SQLite files; only time, the
turns of the processes and the moments of their deaths come from a seed, so a history replays.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from doctor.errors import DoctorError
from doctor.model.change import Plan, SetCells, Verified
from doctor.model.ports import ChangeImage, WriteDoor, WriteTransaction
from doctor.model.rule import Verify
from doctor.model.tier import Tier
from doctor.store import Limits, Refused, Store, Uptime, Window
from doctor.store.anchor import Anchor
from doctor.store.engine import connect
from doctor.store.fix import PENDING, REACHED
from doctor.store.opening import open_store
from doctor.store.session import Session
from doctor.system.database import sqlite
from doctor.treatment.aftercare import finish_pending
from doctor.treatment.apply import apply_plan
from doctor.treatment.lease import Turn, turn
from doctor.treatment.track_record import failed_rungs
from doctor.treatment.undo import undo_fix
from tests.support.baton import Actor, Killed

START = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = 30 * 86_400.0
LIMITS: Limits = {"run": Window(2, 1800), "system": Window(2, 1800)}
SICK, WELL = "sick", "well"
FAULTY_STEPS = 25
CALM_ROUNDS = 12


class Violated(AssertionError):
    """A promise was broken."""


class Places:
    """The files that many histories use one after the other."""

    def __init__(self, folder: Path):
        self.url = f"sqlite:///{folder / 'doctor.db'}"
        self.target = folder / "system.db"
        open_store(self.url, lambda: START, target="none", create=True).close()
        self.store_engine = connect(folder / "doctor.db", 0.0)
        self.anchor = Anchor(Path("/dev/null/none"))  # every commit would write it for nothing
        with sqlite3.connect(self.target) as connection:
            connection.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT NOT NULL)")
        connection.close()
        self.mine = sqlite3.connect(self.target, isolation_level=None, timeout=0)
        self.door_engine = sa.create_engine(
            "sqlite://", creator=self._connect, poolclass=sa.QueuePool, max_overflow=-1
        )
        sa.event.listen(self.door_engine, "begin", _immediately)
        self.door = sqlite.door_on(self.door_engine)
        self.read = sqlite.read_door(str(self.target))

    def fresh(self, runs: Sequence[str]) -> None:
        """Make the system as it is at the beginning of a history."""
        self.mine.execute("DROP TABLE IF EXISTS doctor_applied")
        self.mine.execute("DELETE FROM runs")
        self.mine.executemany("INSERT INTO runs VALUES (?, ?)", [(run, SICK) for run in runs])

    @contextmanager
    def whole(self) -> Iterator[Store]:
        """Open the store as it is after all histories."""
        with open_store(self.url, lambda: START, target="none", create=True) as store:
            yield store

    def close(self) -> None:
        """Let go of the files."""
        self.mine.close()
        self.door_engine.dispose()
        self.store_engine.dispose()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.target, timeout=0.0, isolation_level=None, check_same_thread=False
        )


@dataclass
class Machine:
    """A computer with its own clock; ``skew`` is how far that is wrong, in seconds."""

    name: str
    skew: float = 0.0


@dataclass
class Effect:
    """A change that was committed in the target."""

    at: float
    fix: str
    run: str
    token: int
    kind: str


@dataclass
class World:
    """One history.

    ``is_fenced`` False takes the fence at the target away, ``is_steady`` False the time that does
    not depend on clocks.
    """

    places: Places
    seed: int
    is_fenced: bool = True
    name: str = ""
    time: float = 0.0
    effects: list[Effect] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    highest: int = 0
    intended: dict[str, float] = field(default_factory=dict)
    is_steady: bool = True
    is_calm: bool = False

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.target = f"sqlite:/simulated-{self.name}{self.seed}-{self.is_fenced}-{self.is_steady}"
        self.numbers = iter(range(10**9))
        self.machines = [Machine(f"m{n}") for n in range(self.random.randint(1, 2))]
        self.runs = [f"r{n}" for n in range(self.random.randint(1, 2))]
        self.turns = itertools.cycle(self.runs)
        self.incurable = {one for one in self.runs if self.random.random() < 0.2}
        self.places.fresh(self.runs)
        for machine in self.machines:
            with self.store(None, machine).transaction():
                pass
            self.store(None, machine).leases.overtake(0)
            self.store(None, machine).budget.spent(LIMITS)
        count = self.random.randint(2, 3)
        self.doctors = [self._doctor(self.random.choice(self.machines)) for _ in range(count)]

    def store(self, actor: Actor | None, machine: Machine) -> Store:
        """Open the store as a process on a machine would."""
        return Store(SimulatedSession(self, actor, machine))

    def new_id(self, prefix: str) -> str:
        """Return ids in order."""
        return (
            f"{prefix}-{self.name}{self.seed}{self.is_fenced}{self.is_steady}-{next(self.numbers)}"
        )

    def next_run(self) -> str:
        """Return the run that is treated next: any one, and in calm times each in its turn."""
        return next(self.turns) if self.is_calm else self.random.choice(self.runs)

    def cell(self, run: str) -> str:
        """Return what stands in the target now."""
        query = "SELECT state FROM runs WHERE id = ?"
        [(state,)] = self.places.mine.execute(query, (run,)).fetchall()
        return str(state)

    def plan(self, run: str) -> Plan:
        """Return the one plan that there is for a run."""
        change = SetCells("runs", {"id": run}, {"state": SICK}, {"state": WELL})
        verify = (Verify("cells"),)
        return Plan(self.target, run, ("rule@1/map",), (change,), Tier.SAFE, 1, verify)

    def _doctor(self, machine: Machine) -> Doctor:
        return Doctor(self, machine)


class SimulatedSession(Session):
    """The store's transactions, with points at which others come in or the process dies."""

    def __init__(self, world: World, actor: Actor | None, machine: Machine):
        def clock() -> datetime:
            return START + timedelta(seconds=world.time + machine.skew)

        def uptime() -> Uptime | None:
            if not world.is_steady:
                return None
            return Uptime(machine.name, 1000.0 + world.time)

        places = world.places
        super().__init__(
            places.store_engine,
            places.url,
            world.target,
            clock,
            world.new_id,
            places.anchor,
            uptime,
        )
        self._actor = actor
        self._world = world
        self.at = 0.0

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Any]:
        actor = self._actor
        if actor is None or begin != "IMMEDIATE":
            with super()._transaction(begin) as connection:
                yield connection
            return
        actor.point()
        with super()._transaction(begin) as connection:
            yield connection
            world = self._world
            self.at = world.time
            if not world.is_calm and world.random.random() < 0.01:
                world.seen["kills in the store"] += 1
                actor.kill_here()
        actor.point()


class SimulatedDoor:
    """The real door, with points inside its transactions; it notes what was committed."""

    def __init__(self, world: World, actor: Actor):
        self._world = world
        self._actor = actor

    @contextmanager
    def transaction(self) -> Iterator[WriteTransaction]:
        """Open a transaction; the others have turns before, inside and after it."""
        self._actor.point()
        with self._world.places.door.transaction() as inner:
            noted = Noted(inner, self._world)
            yield cast("WriteTransaction", noted)  # histories have no batches
            self._actor.point()
            noted.check()
        self._world.effects += noted.effects
        self._world.highest = max(self._world.highest, noted.token)
        self._actor.point()

    @contextmanager
    def kept(self) -> Iterator[WriteDoor]:
        """Return the same door."""
        yield self


class Noted:
    """A real transaction that knows what it did."""

    def __init__(self, inner: WriteTransaction, world: World):
        self._inner = inner
        self._world = world
        self.token = 0
        self.effects: list[Effect] = []

    def fence(self, token: int, holder: str) -> None:
        self.token = token
        if self._world.is_fenced:
            self._inner.fence(token, holder)

    def set_cells(self, change: SetCells) -> ChangeImage:
        return self._inner.set_cells(change)

    def restore(self, change: SetCells, image: ChangeImage) -> None:
        self._inner.restore(change, image)

    def mark(self, fix: str, kind: str, images: Sequence[ChangeImage]) -> None:
        self._inner.mark(fix, kind, images)
        self.effects.append(Effect(self._world.time, fix, "", self.token, kind))

    def is_marked(self, fix: str, kind: str) -> bool:
        return self._inner.is_marked(fix, kind)

    def images(self, fix: str) -> tuple[ChangeImage, ...] | None:
        return self._inner.images(fix)

    def check(self) -> None:
        """Look at the store at the moment of the commit."""
        world = self._world
        for one in self.effects:
            fix = world.store(None, world.machines[0]).fixes.get(one.fix)
            one.run = fix.plan.run
            wanted = {"applied": "intended", "undone": "undoing"}[one.kind]
            if fix.state != wanted:
                raise Violated(f"effect of {fix.id}, which is {fix.state}: no intent stands")
            if one.token < world.highest:
                raise Violated(f"effect by the stale token {one.token} < {world.highest}")


class Doctor:
    """A process that treats a run, dies, and is started again."""

    def __init__(self, world: World, machine: Machine):
        self.world = world
        self.machine = machine
        self.stalled_until = 0
        self.actor = self._start()

    def _start(self) -> Actor:
        return Actor(self._work)

    def kill(self) -> None:
        """Die at the point where it stands, and start anew."""
        self.actor.kill()
        self.actor = self._start()

    def run(self) -> None:
        """Go on to the next point; one that is done, or dead, starts anew."""
        self.actor.run()
        if self.actor.is_over:
            self.actor = self._start()

    def finish(self) -> None:
        """Go on to the end of what it is doing."""
        while not self.actor.is_over:
            self.actor.run()

    def treat(self) -> None:
        """Do one whole treatment."""
        self.finish()
        self.actor = self._start()
        self.finish()

    def _work(self, actor: Actor) -> None:
        run = self.world.next_run()
        session = SimulatedSession(self.world, actor, self.machine)
        store = Store(session)

        def opened() -> tuple[Store, SimulatedDoor]:
            return store, SimulatedDoor(self.world, actor)

        try:
            with turn(self.machine.name, opened, lambda: store, 0.0) as mine:
                self._treat(actor, run, session, mine)
        except DoctorError as error:
            self.world.seen[type(error).__name__] += 1

    def _treat(self, actor: Actor, run: str, session: SimulatedSession, mine: Turn) -> None:
        """Treat a run by the real steps, in the order in which `Doctor.treat` takes them."""
        world, store = self.world, Store(session)
        if not store.fixes.pending() and world.cell(run) == WELL:
            return
        fenced, door = mine.take()
        finish_pending(fenced, world.places.read, door, lambda fix: self._verified(actor, fix.plan))
        before = store.fixes.find(run=run)
        is_stopped = failed_rungs(before) or sum(one.state in REACHED for one in before) >= 2
        if world.cell(run) == WELL or is_stopped:
            return
        actor.point()
        name, plan = world.new_id("F"), world.plan(run)
        if isinstance(fenced.fixes.intend(name, plan, LIMITS), Refused):
            world.seen["refused"] += 1
            return
        world.intended[name] = session.at
        apply_plan(name, plan, door, fenced, lambda _: actor.point())
        verified, reason = self._verified(actor, plan)
        fix = fenced.fixes.record_verified(name, verified, reason)
        if verified == "failed":
            undo_fix(fix, door, fenced, reason)

    def _verified(self, actor: Actor, plan: Plan) -> tuple[Verified, str]:
        actor.point()
        is_cured = self.world.cell(plan.run) == WELL and plan.run not in self.world.incurable
        return ("clear", "the cell is well") if is_cured else ("failed", "the cell is sick")


def live(world: World) -> World:
    """Live one history to its end; raises Violated."""
    choose = world.random
    try:
        for step in range(FAULTY_STEPS):
            world.time += choose.choice((0.01, 0.5, 2.0, 20.0))
            _trouble(world, step)
            ready = [one for one in world.doctors if one.stalled_until <= step]
            if ready:
                choose.choice(ready).run()
        world.is_calm = True
        _come_to_rest(world)
        _check_end(world)
    finally:
        for one in world.doctors:
            one.actor.kill()
    return world


def _trouble(world: World, step: int) -> None:
    choose, dice = world.random, world.random.random()
    doctor = choose.choice(world.doctors)
    if dice < 0.06:
        doctor.stalled_until = step + choose.randint(5, 40)
        world.time += choose.choice((0.0, 61.0, 61.0))
        world.seen["stalls"] += 1
    elif dice < 0.09:
        doctor.kill()
        world.seen["kills"] += 1
    elif dice < 0.13:
        choose.choice(world.machines).skew = choose.choice((-MONTH, MONTH, 0.0, -90.0, 90.0))
        world.seen["clock jumps"] += 1
    elif dice < 0.19:
        _break_again(world, choose.choice(world.runs))


def _break_again(world: World, run: str) -> None:
    """Some writer of the system is still active."""
    if world.cell(run) == WELL and world.broken[run] < 3:
        with suppress(sqlite3.OperationalError):  # a doctor holds the lock of the database
            world.places.mine.execute("UPDATE runs SET state = ? WHERE id = ?", (SICK, run))
            world.broken[run] += 1
            world.seen["broken again"] += 1


def _come_to_rest(world: World) -> None:
    """Without faults every illness comes to its end: healed, or stopped for a human."""
    for one in world.doctors:
        one.finish()
    for round_ in range(CALM_ROUNDS):
        if _is_at_rest(world):
            world.seen["calm rounds"] += round_
            return
        world.time += 1000.0
        world.doctors[round_ % len(world.doctors)].treat()
    raise Violated(f"no rest within {CALM_ROUNDS} treatments: {dict(world.seen)}")


def _is_at_rest(world: World) -> bool:
    known = world.store(None, world.machines[0]).fixes.find()
    if any(one.state in PENDING for one in known):
        return False
    for run in world.runs:
        mine = [one for one in known if one.plan.run == run]
        is_stopped = failed_rungs(mine) or sum(one.state in REACHED for one in mine) >= 2
        if world.cell(run) == SICK and not is_stopped:
            return False
    return True


def _check_end(world: World) -> None:
    store = world.store(None, world.machines[0])
    marks = {
        (fix, kind)
        for fix, kind in world.places.mine.execute("SELECT fix, kind FROM doctor_applied")
        if kind != "fence"
    }
    for fix in store.fixes.find():
        is_applied = (fix.id, "applied") in marks
        if is_applied != (fix.state != "not_applied"):
            raise Violated(f"{fix.id} is {fix.state}, its marker says {is_applied}")
        if ((fix.id, "undone") in marks) != (fix.state == "undone"):
            raise Violated(f"{fix.id} is {fix.state}, its marker of the undo says otherwise")
        marks -= {(fix.id, "applied"), (fix.id, "undone")}
    if marks:
        raise Violated(f"effects without an intent: {marks}")
    done = [one for one in world.effects if one.kind == "applied"]
    for run in world.runs:
        mine = sum(one.run == run for one in done)
        if mine > 1 + world.broken[run]:
            raise Violated(f"{mine} effects for {1 + world.broken[run]} illnesses of {run}")
        if mine > 2:
            raise Violated(f"{run} was repaired {mine} times: the writer is still active")
    window = LIMITS["system"]
    times = [world.intended[one.fix] for one in done if one.fix in world.intended]
    for now in times:
        spent = sum(now - window.per < other <= now for other in times)
        if spent > window.points:
            raise Violated(f"{spent} points spent within {window.per} s of true time")
    if any(one.spent < 0 for one in store.budget.spent(LIMITS)):
        raise Violated("a negative budget")
    world.seen["effects"] += len(done)
    world.seen["undone"] += len(world.effects) - len(done)


def _immediately(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


__all__ = ["Killed", "Places", "Violated", "World", "live"]
