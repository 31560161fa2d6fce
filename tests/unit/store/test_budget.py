from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from doctor.errors import UsageError
from doctor.store import Refused, Reserved, Spent, Window, open_store

pytestmark = pytest.mark.slow

RUN = Window(6, 1800)
SYSTEM = Window(10, 3600)
LIMITS = {"run": RUN, "system": SYSTEM}


def test_points_are_reserved_until_a_window_is_full(store):
    assert store.budget.reserve("r1", 6, LIMITS, "F-1") == Reserved("F-1", 6)
    assert store.budget.reserve("r1", 1, LIMITS, "F-2") == Refused(
        "run",
        "the budget of run 'r1' is exhausted: 6 of 6 points are used within 1800 s, "
        "1 more would be needed",
    )
    assert store.budget.reserve("r2", 4, LIMITS, "F-3") == Reserved("F-3", 4)
    assert store.budget.reserve("r3", 1, LIMITS, "F-4") == Refused(
        "system",
        "the budget of the system is exhausted: 10 of 10 points are used within 3600 s, "
        "1 more would be needed",
    )
    assert store.budget.reserve("r3", 0, LIMITS, "F-5") == Reserved("F-5", 0)
    assert store.budget.spent(LIMITS) == (Spent("system", 10, SYSTEM),)
    assert store.budget.spent(LIMITS, "r2") == (Spent("run", 4, RUN), Spent("system", 10, SYSTEM))


def test_points_are_free_again_when_their_window_has_passed(store, clock):
    store.budget.reserve("r1", 6, LIMITS, "F-1")
    clock.move(seconds=1799.999999)
    assert isinstance(store.budget.reserve("r1", 1, LIMITS, "F-2"), Refused)
    clock.move(microseconds=1)
    assert isinstance(store.budget.reserve("r1", 4, LIMITS, "F-2"), Reserved)
    assert isinstance(store.budget.reserve("r2", 1, LIMITS, "F-3"), Refused)


def test_settled_points_stay_counted_and_returned_ones_do_not(store, kinds):
    store.budget.reserve("r1", 3, LIMITS, "F-1")
    store.budget.reserve("r1", 3, LIMITS, "F-2")
    for _ in range(2):
        store.budget.settle("F-1")
        store.budget.give_back("F-2")
    store.budget.give_back("F-1")
    store.budget.settle("F-2")
    assert store.budget.spent(LIMITS, "r1")[0].spent == 3
    assert kinds(store) == ["reserved", "reserved", "settled", "returned"]


def test_reserving_twice_for_a_fix_reserves_once(store):
    for points in (4, 4, 5):
        assert store.budget.reserve("r1", points, LIMITS, "F-1") == Reserved("F-1", 4)
    assert store.budget.spent(LIMITS, "r1")[0].spent == 4


def test_points_that_nobody_reserved_are_a_clear_error(store):
    with pytest.raises(UsageError, match="no points are reserved for 'F-9'"):
        store.budget.settle("F-9")
    with pytest.raises(ValueError, match="never negative"):
        store.budget.reserve("r1", -1, LIMITS, "F-1")


@pytest.mark.parametrize("per", [1e15, 1e11])
def test_a_window_longer_than_time_itself_counts_everything(store, per):
    limits = {"system": Window(1, per)}
    assert isinstance(store.budget.reserve("r1", 1, limits, "F-1"), Reserved)
    assert isinstance(store.budget.reserve("r1", 1, limits, "F-2"), Refused)


def test_the_budget_survives_a_restart(opened):
    first = opened()
    first.budget.reserve("r1", 6, LIMITS, "F-1")
    first.close()
    assert isinstance(opened().budget.reserve("r1", 1, LIMITS, "F-2"), Refused)


def test_a_clock_that_jumps_back_frees_nothing(store, clock):
    store.budget.reserve("r1", 6, LIMITS, "F-1")
    clock.move(days=-30)
    assert isinstance(store.budget.reserve("r1", 1, LIMITS, "F-2"), Refused)
    assert store.budget.spent(LIMITS, "r1")[0].spent == 6
    clock.move(days=30, seconds=3600)
    assert isinstance(store.budget.reserve("r1", 6, LIMITS, "F-2"), Reserved)


def test_a_clock_that_jumps_to_and_fro_frees_the_budget_once(store, clock):
    granted = 0
    for number in range(20):
        clock.move(days=30 if number % 2 else -30)
        answer = store.budget.reserve("r1", 6, LIMITS, f"F-{number}")
        granted += isinstance(answer, Reserved)
    assert granted == 2


def test_a_corrected_clock_is_trusted_on_a_humans_word_and_frees_nothing(store, clock):
    store.budget.reserve("r1", 3, LIMITS, "F-1")
    clock.move(days=30)
    store.budget.reserve("r1", 6, LIMITS, "F-2")
    clock.move(days=-30, seconds=900)
    assert isinstance(store.budget.reserve("r1", 1, LIMITS, "F-3"), Refused)
    store.budget.trust_clock("ann")
    assert store.budget.spent(LIMITS, "r1")[0].spent == 9
    assert isinstance(store.budget.reserve("r1", 1, LIMITS, "F-3"), Refused)
    clock.move(seconds=900)
    assert store.budget.spent(LIMITS, "r1")[0].spent == 6
    clock.move(seconds=900)
    assert store.budget.spent(LIMITS, "r1") == (Spent("run", 0, RUN), Spent("system", 9, SYSTEM))
    clock.move(seconds=1800)
    assert isinstance(store.budget.reserve("r1", 6, LIMITS, "F-4"), Reserved)
    (entry,) = store.journal.entries(kinds=["clock_trusted"])
    assert entry.summary == "ann says that the clock is right"


SPENDER = """
import itertools
from datetime import *
from doctor.store import *
clock = lambda: datetime(2026, 3, 1, tzinfo=UTC)
store = open_store({url!r}, clock, target="t", create=True, busy_timeout=60.0)
limits = {{"run": Window(30, 60), "system": Window(150, 60)}}
# gate
granted = 0
for number in range(100):
    answer = store.budget.reserve(f"r{{number % 6}}", 1, limits, f"F-{{sys.argv[1]}}-{{number}}")
    granted += isinstance(answer, Reserved)
store.close()
print(granted)
"""


def test_eight_processes_spend_exactly_what_there_is(url, together, opened, clock):
    answers = together(SPENDER.format(url=url), [[str(number)] for number in range(8)])
    assert sum(map(int, answers)) == 150
    clock.now = datetime(2026, 3, 1, tzinfo=UTC)
    store = opened("t")
    wide = {"run": Window(30, 60), "system": Window(150, 60)}
    assert store.budget.spent(wide)[0].spent == 150
    assert all(store.budget.spent(wide, f"r{run}")[0].spent <= 30 for run in range(6))
    check = store.journal.verify()
    assert (check.ok, check.entries) == (True, 150)


class Ledger(RuleBasedStateMachine):
    """The budget against a list, with clock jumps, restarts and two handles."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.folder.name) / 'doctor.db'}"
        self.now = self.low = datetime(2026, 3, 1, tzinfo=UTC)
        self.high = datetime.min.replace(tzinfo=UTC)  # no clock was read yet
        self.top = self.now
        self.model: dict[str, list[Any]] = {}
        self.trusted = False
        self.stores = [self._open(), self._open()]

    def _open(self):
        return open_store(self.url, lambda: self.now, target="t", create=True)

    def _sum(self, run, window):
        start = max(self.now, self.high) - timedelta(seconds=window.per)
        return sum(
            points
            for whose, points, at, state in self.model.values()
            if state != "returned" and at > start and run in (None, whose)
        )

    @rule(seconds=st.sampled_from([1, 60, 600, 1799, 1800, 3600]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(seconds=st.integers(-30 * 86400, 30 * 86400))
    def jump(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(which=st.integers(0, 1))
    def restart(self, which):
        self.stores[which].close()
        self.stores[which] = self._open()

    @rule(which=st.integers(0, 1), run=st.sampled_from(["a", "b", "c"]), points=st.integers(0, 4))
    def reserve(self, which, run, points):
        fix = f"F-{len(self.model)}"
        answer = self.stores[which].budget.reserve(run, points, LIMITS, fix)
        self.high = max(self.high, self.now)
        self.low, self.top = min(self.low, self.now), max(self.top, self.now)
        full = [
            scope
            for scope, whose in (("run", run), ("system", None))
            if self._sum(whose, LIMITS[scope]) + points > LIMITS[scope].points
        ]
        if full:
            assert isinstance(answer, Refused)
            assert answer.by == full[0]
        else:
            assert answer == Reserved(fix, points)
            self.model[fix] = [run, points, self.high, "reserved"]

    @rule(which=st.integers(0, 1), data=st.data(), state=st.sampled_from(["settled", "returned"]))
    def end(self, which, data, state):
        if self.model:
            fix = data.draw(st.sampled_from(sorted(self.model)))
            budget = self.stores[which].budget
            (budget.settle if state == "settled" else budget.give_back)(fix)
            if self.model[fix][3] == "reserved":
                self.model[fix][3] = state

    @rule(which=st.integers(0, 1))
    def trust_clock(self, which):
        before = self._sum(None, SYSTEM)
        self.stores[which].budget.trust_clock("ann")
        for entry in self.model.values():
            entry[2] = min(entry[2], self.now)
        self.high = self.now
        self.trusted = True
        assert self._sum(None, SYSTEM) >= before

    @invariant()
    def what_is_spent_is_what_the_model_says(self):
        for run in ("a", "b", "c"):
            assert self.stores[0].budget.spent(LIMITS, run) == (
                Spent("run", self._sum(run, RUN), RUN),
                Spent("system", self._sum(None, SYSTEM), SYSTEM),
            )

    @invariant()
    def no_more_is_spent_than_the_clocks_highest_reading_allows(self):
        if not self.trusted:
            windows = 1 + (self.top - self.low) // timedelta(seconds=SYSTEM.per)
            kept = sum(entry[1] for entry in self.model.values() if entry[3] != "returned")
            assert kept <= SYSTEM.points * windows

    def teardown(self):
        if hasattr(self, "stores"):
            for store in self.stores:
                assert store.journal.verify().ok
                store.close()
            self.folder.cleanup()


TestLedger = pytest.mark.slow(Ledger.TestCase)
TestLedger.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
