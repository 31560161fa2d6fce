"""What must hold after any fault, once it is over: one outcome, told truly, whole, and undoable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctor.doctor import Doctor
from doctor.errors import DoctorError
from doctor.store.choice import has_store
from doctor.system.database.marker import FENCE
from tests.support.faults.site import RUN, digest

KINDS = ("half", "double", "lost", "unmeant", "untrue", "stuck", "broken", "crash")
MARKS: dict[str, set[str]] = {
    "not_applied": set(),
    "verified": {"applied"},
    "unverified": {"applied"},
    "undo_failed": {"applied"},
    "undone": {"applied", "undone"},
}


@dataclass
class Audit:
    """Looks at what a fault left, as the next doctor finds it.

    Attributes:
        sick: digest of the data before the repair.
        healed: digest of the data after it.
        wrong: what does not hold, each as (kind, sentence); kinds are half repairs, double
            effects, lost acknowledgements, effects without an intent, untrue answers, fixes that
            recovery cannot end, broken files, and crashes.
    """

    doctor: Doctor
    sick: str
    healed: str
    wrong: list[tuple[str, str]] = field(default_factory=list)

    def check(self, said: Sequence[Any], *, is_healable: bool) -> None:
        """Recover, look, recover again, let the caller ask again, and undo."""
        self.whole("after the fault", self.sick, self.healed)
        self.recover()
        self.looks()
        self.told(said)
        before = self.state()
        self.recover()
        if self.state() != before:
            self.wrong.append(("stuck", f"a second recover changed {before} to {self.state()}"))
        if is_healable:
            self.again()
        for fix in self.in_force():
            state = self.doctor.undo(fix).state
            if state != "undone":
                self.wrong.append(("stuck", f"undoing {fix} left it {state}"))
        self.whole("after the last undo", self.sick)

    def whole(self, when: str, *allowed: str) -> None:
        """The data is one of what it may be, and the files are sound."""
        found = digest(self.target)
        if found not in allowed:
            self.wrong.append(("half", f"{when} the data is neither as before nor as planned"))
        for file in (self.target, self.file):
            if file.exists():
                self.wrong += [("broken", f"{when}, {file.name}: {one}") for one in unsound(file)]

    def recover(self) -> None:
        self.doctor.recover()
        for one in self.fixes():
            if one.state not in MARKS:
                self.wrong.append(("stuck", f"recovery left {one.id} {one.state}"))

    def looks(self) -> None:
        """The store, the marker and the data agree."""
        fixes = {one.id: one.state for one in self.fixes()}
        marks = markers(self.target)
        for fix in marks.keys() - fixes.keys() - {FENCE}:
            self.wrong.append(("unmeant", f"{fix} is in the target but was never intended"))
        for fix, state in fixes.items():
            if marks.get(fix, set()) != MARKS.get(state):
                self.wrong.append(("untrue", f"{fix} is {state}, marked {marks.get(fix)}"))
        in_force = self.in_force()
        if len(in_force) > 1:
            self.wrong.append(("double", f"{in_force} are all in force"))
        self.whole("after recovery", self.healed if in_force else self.sick)
        if self.file.exists() and has_store(self.doctor.memory.url):
            store = self.doctor.memory.open_for_reading()
            assert store is not None
            journal = store.journal.verify()
            if not journal.ok:
                self.wrong.append(("broken", journal.reason))
            told = [(one.fix, one.kind) for one in store.journal.entries()]
            for event in {one for one in told if one[1] in ("intent", "applied", "undone")}:
                if told.count(event) > 1:
                    self.wrong.append(("double", f"{event} is told {told.count(event)} times"))

    def told(self, said: Sequence[Any]) -> None:
        """What was answered before, or in spite of, the fault is so."""
        states = {one.id: one.state for one in self.fixes()}
        for what, *rest in said:
            if what == "crash":
                self.wrong.append(("crash", rest[0]))
            elif what in ("heal", "undo") and rest[0] != "error":
                for fix, result in rest[1]:
                    state = states.get(fix, "lost")
                    if state not in FITTING[result]:
                        kind = "lost" if state == "lost" else "untrue"
                        self.wrong.append((kind, f"{fix} was said to be {result}, is {state}"))

    def again(self) -> None:
        """The caller asks again, as callers do: there is one repair in force, not two."""
        treatment = self.doctor.treat(RUN)
        if treatment.status not in ("healed", "healthy"):
            reason = treatment.decision.reason if treatment.decision else ""
            self.wrong.append(("stuck", f"the next heal ended {treatment.status}: {reason}"))
        if len(self.in_force()) != 1:
            self.wrong.append(("double", f"after the next heal {self.in_force()} are in force"))
        self.whole("after the next heal", self.healed)

    def state(self) -> object:
        return digest(self.target), [(one.id, one.state) for one in self.fixes()]

    def in_force(self) -> list[str]:
        return [fix for fix, kinds in markers(self.target).items() if kinds == {"applied"}]

    def fixes(self) -> tuple[Any, ...]:
        store = self.doctor.memory.open_for_reading()
        return store.fixes.find() if store else ()

    @property
    def target(self) -> Path:
        return Path(str(self.doctor.settings.system.database).removeprefix("sqlite:///"))

    @property
    def file(self) -> Path:
        return Path(self.doctor.memory.url.removeprefix("sqlite:///"))


FITTING = {
    "applied": {"verified", "unverified", "undone", "undo_failed"},  # it was undone after that
    "not_applied": {"not_applied"},
    "undone": {"undone"},
    "undo_failed": {"undo_failed"},
    "unknown": set(MARKS),
}


def audit(
    doctor: Doctor, sick: str, healed: str, said: Sequence[Any], *, is_healable: bool
) -> list[tuple[str, str]]:
    """Return everything that does not hold after a fault."""
    found = Audit(doctor, sick, healed)
    try:
        found.check(said, is_healable=is_healable)
    except DoctorError as error:
        found.wrong.append(("stuck", f"{type(error).__name__}: {error.message}"))
    doctor.close()
    return found.wrong


def markers(target: Path) -> dict[str, set[str]]:
    """Return which kinds of marker each fix left beside the data."""
    connection = sqlite3.connect(target)
    found: dict[str, set[str]] = {}
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'doctor_applied'").fetchone():
        for fix, kind in connection.execute("SELECT fix, kind FROM doctor_applied ORDER BY rowid"):
            found.setdefault(fix, set()).add(kind)
    connection.close()
    return found


def unsound(file: Path) -> Iterator[str]:
    """Yield what SQLite finds wrong with a file."""
    connection = sqlite3.connect(file)
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield line
    connection.close()
