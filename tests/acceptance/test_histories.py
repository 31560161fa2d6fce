"""Doctors that stall, die, and meet clocks that jump: whatever the order, one effect and an end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.histories import Places, Violated, World, live
from tests.support.paths import REPOSITORY
from tests.support.soak import sized
from tests.support.uncovered import uncovered

pytestmark = pytest.mark.slow

COUNT = sized(5_000, 1_000_000)
PARTS = 8
SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path):
    """In memory where that is possible: only the order of things matters here."""
    folder = tmp_path
    if os.access(SHARED_MEMORY, os.W_OK):
        folder = SHARED_MEMORY / f"doctor-{os.getpid()}-{tmp_path.name}"
        folder.mkdir()
    yield folder
    for one in sorted(folder.rglob("*"), reverse=True):
        one.rmdir() if one.is_dir() else one.unlink()
    if folder != tmp_path:
        folder.rmdir()


@pytest.fixture
def places(folder, monkeypatch):
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(folder / "state"))
    found = Places(folder)
    yield found
    found.close()


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_breaks_a_promise_and_every_one_comes_to_rest(folder, figure, part):
    count = COUNT // PARTS
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.lived", str(folder), str(part * count), str(count)],
        cwd=REPOSITORY,
        env=uncovered({"DOCTOR_STATE_DIR": str(folder / "state")}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    took = time.perf_counter() - begun
    seen = json.loads(done.stdout)
    told = ", ".join(f"{name} {number}" for name, number in sorted(seen.items()))
    figure(f"{count} histories, 0 violations, {count / took:.0f} a second; {told}")
    assert seen["effects"] > count
    assert seen["LeaseLostError"] > count / 10
    assert min(seen["kills"], seen["stalls"], seen["clock jumps"]) > count / 2
    assert seen["whole chains"] == 1


@pytest.mark.parametrize("missing", ["fence", "steady time"])
def test_without_a_mechanism_a_history_breaks_a_promise_within_a_hundred_seeds(
    places, figure, missing
):
    """Without the fence a late doctor writes; with clocks alone a jump blocks for a month."""
    parts = {"is_fenced": missing != "fence", "is_steady": missing != "steady time"}
    for seed in range(100):
        try:
            live(World(places, seed, **parts))
        except Violated as violated:
            figure(f"without {missing}: seed {seed}: {violated}")
            live(World(places, seed))
            return
    pytest.fail(f"nothing noticed that {missing} is gone")


def test_a_history_replays_from_its_seed(places):
    first, second = (live(World(places, 7, name=name)) for name in ("one", "two"))
    assert first.seen == second.seen
    assert [one.kind for one in first.effects] == [one.kind for one in second.effects]
