"""Sweeps: the same work once for each place, a fault there, and an audit after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.support.faults.audit import KINDS
from tests.support.faults.site import Case, Site
from tests.support.faults.traced import Point, Warm, warm

SLOTS = 2
AGAIN = 8  # the caller asks again after one fault of so many


@dataclass(frozen=True, slots=True)
class Fault:
    """What strace injects at a point: a signal, or an error once or from there on."""

    point: Point
    what: str = "signal=KILL"
    is_lasting: bool = False

    @property
    def inject(self) -> str:
        number = f"{self.point.number}{'+' if self.is_lasting else ''}"
        return f"{self.point.call}:{self.what}:when={number}"


@dataclass
class Tally:
    """What a sweep found.

    Attributes:
        ran: how many faults were injected at a place that the work reached.
        missed: how many were not: the work ended before it came there.
        wrong: (fault, kind, sentence) of everything that did not hold.
        answers: what the work said last, and how often.
    """

    ran: int = 0
    missed: int = 0
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    def add(self, fault: Fault, was_hit: bool, answer: str, wrong: Iterable[Any]) -> None:
        self.ran += was_hit
        self.missed += not was_hit
        self.answers[answer] += 1
        self.wrong += [(fault.inject, kind, sentence) for kind, sentence in wrong]

    def merge(self, other: Tally) -> None:
        self.ran += other.ran
        self.missed += other.missed
        self.wrong += other.wrong
        self.answers += other.answers

    def count(self, kind: str) -> int:
        return len({fault for fault, each, _ in self.wrong if each == kind})

    def __str__(self) -> str:
        names = dict.fromkeys(KINDS)
        found = ", ".join(f"{LONG[kind]} {self.count(kind)}" for kind in names)
        return f"{self.ran} points, {found}"


LONG = {
    "half": "half repairs",
    "double": "double effects",
    "lost": "lost acknowledgements",
    "unmeant": "effects without intent",
    "untrue": "untrue answers",
    "stuck": "stuck",
    "broken": "broken files",
    "crash": "crashes",
}


class Sweep:
    """Warm doctors that work through faults of one case."""

    def __init__(
        self, folder: Path, case: Case, stack: ExitStack, *options: str, slots: int = SLOTS
    ) -> None:
        sites = [Site(folder / str(slot), case) for slot in range(slots)]
        self.case = case
        self.slots = [stack.enter_context(warm(site, *options)) for site in sites]
        self.sick, self.healed = sites[0].sick, sites[0].healed
        self.points = self.slots[0].points("work", case.work)

    def run(self, faults: Sequence[Fault], *, enough: int | None = None) -> Tally:
        """Work through the faults; stop early when ``enough`` of them found something wrong."""
        todo: SimpleQueue[Fault] = SimpleQueue()
        for fault in faults:
            todo.put(fault)
        tally = Tally()

        def work(slot: Warm) -> None:
            while not todo.empty() and (enough is None or len(tally.wrong) < enough):
                one(slot, todo.get(), tally, self)

        with ThreadPoolExecutor(len(self.slots)) as pool:
            list(pool.map(work, self.slots))
        return tally


def one(slot: Warm, fault: Fault, tally: Tally, sweep: Sweep) -> None:
    """Reset, work with the fault, audit."""
    slot.site.reset()
    log = slot.site.folder / "trace"
    ended = slot.run("work", sweep.case.work, fault=fault.inject, log=log)
    was_hit = ended.code == -9 or "(INJECTED)" in log.read_text(errors="replace")
    known = {
        "sick": sweep.sick,
        "healed": sweep.healed,
        "said": ended.said,
        "is_healable": sweep.case.api is None and fault.point.number % AGAIN == 0,
    }
    audited = slot.run("audit", known)
    said = audited.said[-1] if audited.said else ["crash", f"the audit ended {audited.code}"]
    wrong = said[1] if said[0] == "audit" else [("crash", said[1])]
    answer = " ".join(str(part) for part in ended.said[-1][:2]) if ended.said else "nothing"
    tally.add(fault, was_hit, answer, wrong)
