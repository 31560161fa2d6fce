"""A repair and its undo on PostgreSQL and MariaDB leave every row of every table as it was."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from doctor.errors import DoctorError
from doctor.store import Window, open_store
from doctor.system.database import open_write_door
from doctor.treatment.apply import apply_plan
from doctor.treatment.undo import undo_fix
from tests.support.random_server_database import exact, make, random_plan
from tests.support.soak import sized

NUMBER = sized(50, 2_000)
LIMITS = {"run": Window(10**9, 3600), "system": Window(10**9, 3600)}

pytestmark = [pytest.mark.slow, pytest.mark.soak]


def round_trip(ground, seed, store, planted=lambda door: door):
    """Repair the tables of a seed and undo it; return what became of it."""
    made = make(ground, seed)
    plan = random_plan(ground, made, seed)
    if plan is None:
        return "no row"
    before = exact(ground, made)
    fix = store.fixes.new_id()
    store.fixes.intend(fix, plan, LIMITS)
    door = planted(open_write_door(ground.url, create_marker=True))
    try:
        apply_plan(fix, plan, door, store, lambda _: None)
    except DoctorError:
        assert exact(ground, made) == before, f"seed {seed}: a refused plan left something"
        assert store.fixes.get(fix).state == "not_applied"
        return "refused"
    after = exact(ground, made)
    undo_fix(store.fixes.get(fix), door, store, "test")
    assert exact(ground, made) == before, f"seed {seed}: the undo left something"
    return "applied" if after != before else "applied, same value"


def test_a_repair_and_its_undo_leave_every_table_as_it_was(ground, tmp_path, figure):
    ends: Counter[str] = Counter()
    url = f"sqlite:///{tmp_path}/store.db"
    with open_store(url, lambda: datetime.now(UTC), target="target", create=True) as store:
        seed = 0
        while ends["applied"] < NUMBER:
            ends[round_trip(ground, seed, store)] += 1
            seed += 1
            assert seed < NUMBER * 10
        assert store.journal.verify().ok
    told = ", ".join(f"{one} {count}" for one, count in ends.most_common())
    figure(f"{ground.engine}: {ends.total()} random databases, 0 differences: {told}")
    assert ends["refused"] > NUMBER / 20


class Forgetful:
    """A door with a defect: it says that a row is back, and does not put it back."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    @contextmanager
    def transaction(self):
        with self._inner.transaction() as transaction:
            yield self.spoiled(transaction)

    def spoiled(self, transaction):
        return Without(transaction, "restore")


class Without:
    """A transaction that leaves one thing out."""

    def __init__(self, inner, name):
        self._inner = inner
        self._name = name

    def __getattr__(self, name):
        return (lambda *_: None) if name == self._name else getattr(self._inner, name)


class Hasty(Forgetful):
    """A door with a defect: what was refused is committed as far as it got."""

    @contextmanager
    def transaction(self):
        refused = None
        with self._inner.transaction() as transaction:
            try:
                yield transaction
            except DoctorError as error:
                refused = error
        if refused is not None:
            raise refused


@pytest.mark.parametrize("planted", [Forgetful, Hasty])
def test_a_planted_defect_is_found(ground, tmp_path, planted):
    """The harness is worth something only if it finds these."""
    url = f"sqlite:///{tmp_path}/store.db"
    with (
        open_store(url, lambda: datetime.now(UTC), target="target", create=True) as store,
        pytest.raises(AssertionError, match="left something"),
    ):
        for seed in range(40):
            round_trip(ground, seed, store, planted)
