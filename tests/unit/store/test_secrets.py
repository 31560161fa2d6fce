"""Whatever is remembered, no secret is; a repair of a secret is still exact."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doctor.errors import UsageError
from doctor.model.change import Plan, SetCells
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.model.tier import Tier
from doctor.redaction import REDACTED
from doctor.store import completed, pause, paused

SECRET = "ghp_" + "a1B2c3D4e5F6" * 3
BEFORE: dict[str, Scalar] = {"id": 1, "state": SECRET, "password": "tiny", "n": 2.5}
IMAGE = ChangeImage(BEFORE, {**BEFORE, "state": "READY"})
CHANGE = SetCells("runs", {"id": 1}, {"state": SECRET}, {"state": "READY"})
PLAN = Plan("sqlite:/app.db", "r1", ("x@1/y",), (CHANGE,), Tier.SAFE, 1)


@pytest.fixture
def fix(store, limits):
    store.fixes.intend("F-1", PLAN, limits)
    assert store.fixes.intend("F-1", PLAN, limits).id == "F-1"
    return store.fixes.record_applied("F-1", (IMAGE,))


def test_a_fix_of_a_secret_is_kept_without_it_and_completed_from_the_marker(fix):
    assert fix.plan.changes[0].expected == {"state": REDACTED}
    assert fix.images[0].before == {"id": 1, "state": REDACTED, "password": REDACTED, "n": 2.5}
    whole = completed(fix, lambda _: (IMAGE,))
    assert (whole.plan, whole.images) == (PLAN, (IMAGE,))
    assert whole.plan.hash == fix.plan.hash


def test_repairs_of_a_row_whose_key_is_a_secret_are_counted(store, limits):
    change = replace(CHANGE, key={"token": SECRET})
    store.fixes.intend("F-1", replace(PLAN, changes=(change,)), limits)
    store.fixes.record_applied("F-1", (IMAGE,))
    assert store.fixes.repairs("r1", "runs", "state", {"token": SECRET})
    assert not store.fixes.repairs("r1", "runs", "state", {"id": 1})


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        (None, "is gone"),
        ((), "is gone"),
        ((replace(IMAGE, before={**BEFORE, "state": SECRET + "x"}),), "was changed"),
        ((replace(IMAGE, after={**BEFORE, "n": 3}),), "was changed"),
    ],
)
def test_a_marker_that_is_not_the_fixs_completes_nothing(fix, marker, reason):
    with pytest.raises(UsageError, match=f"the marker of fix F-1 {reason}"):
        completed(fix, lambda _: marker)


def test_nothing_that_is_written_holds_a_secret(store, fix, clock, url, state):
    store.journal.append("kind", f"token={SECRET}", run=SECRET, data={"password": "tiny-pass-1"})
    store.incidents.open_or_get("r1", "drift", "", f"holds {SECRET!r}")
    pause("sqlite:/app.db", "me", f"because {SECRET}", clock())
    stop = paused("sqlite:/app.db")
    assert stop is not None
    assert stop.reason == f"because {REDACTED}"
    assert store.journal.entries(run=SECRET)
    assert store.journal.verify().ok
    store.close()
    files = [one for one in (*state.rglob("*"), *state.parent.glob("doctor.db*")) if one.is_file()]
    held = b"".join(one.read_bytes() for one in files)
    assert SECRET.encode() not in held
    assert b"tiny" not in held
