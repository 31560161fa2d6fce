"""A repair and its undo leave every cell of every table as it was, whatever the database holds."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from doctor.errors import DoctorError
from doctor.store import Window, open_store
from doctor.system.database import open_write_door
from doctor.treatment.apply import apply_plan
from doctor.treatment.undo import undo_fix
from tests.support.random_database import exact, make, random_plan
from tests.support.soak import sized

NUMBER = sized(300, 20_000)
LIMITS = {"run": Window(10**9, 3600), "system": Window(10**9, 3600)}

pytestmark = [pytest.mark.slow, pytest.mark.soak]


def no_step(_step):
    """Tell nobody."""


def round_trip(path, seed, store):
    """Repair the database of a seed and undo it; return what became of it."""
    tables = make(path, seed)
    plan = random_plan(path, tables, seed)
    if plan is None:
        return "no row"
    before = exact(path, tables)
    fix = store.fixes.new_id()
    store.fixes.intend(fix, plan, LIMITS)
    door = open_write_door(f"sqlite:///{path}")
    try:
        apply_plan(fix, plan, door, store, no_step)
    except DoctorError:
        assert exact(path, tables) == before, f"seed {seed}: a refused plan left something"
        assert store.fixes.get(fix).state == "not_applied"
        return "refused"
    after = exact(path, tables)
    undo_fix(store.fixes.get(fix), door, store, "test")
    assert exact(path, tables) == before, f"seed {seed}: the undo left something"
    return "applied" if after != before else "applied, same value"


@pytest.mark.slow
def test_a_repair_and_its_undo_leave_every_table_as_it_was(figure):
    ends: Counter[str] = Counter()
    memory = Path("/dev/shm")
    first = 0
    while ends["applied"] < NUMBER:
        place = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        with place as name, open_store(
            f"sqlite:///{name}/store.db", lambda: datetime.now(UTC), target="target", create=True
        ) as store:  # fmt: skip
            for seed in range(first, first := first + 100):
                ends[round_trip(Path(name) / "target.db", seed, store)] += 1
            assert store.journal.verify().ok
    told = ", ".join(f"{one} {count}" for one, count in ends.most_common())
    figure(f"{ends.total()} random databases, 0 differences: {told}")
    assert ends["refused"] > NUMBER / 20
