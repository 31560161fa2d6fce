"""Doctors that are killed between and within the batches of a repair, and of its undo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import killed
from tests.support.columns import ENGINES, orders
from tests.support.soak import PART
from tests.support.terminal import say

pytestmark = [pytest.mark.slow, pytest.mark.soak]
BAD = 700  # batches of 100, 400 and the rest
IN_BATCHES = [f"{step}:{time}" for time in (1, 2, 3) for step in ("write", "marker", "commit")]
REPAIR = ["intent", "begin", *IN_BATCHES, "result", "verify"]
UNDO = ["intent", "begin", *IN_BATCHES, "result"]
ALL = [
    (engine, what, point)
    for what, points in (("repair", REPAIR), ("undo", UNDO))
    for point in points
    for engine in ENGINES
]
CASES = ALL if PART else [one for at, one in enumerate(ALL) if at % 9 == (at // 9) % 9]


@pytest.fixture
def system(request, tmp_path):
    with orders(request.param, tmp_path, bad=BAD) as made:
        yield made


def kill(what, name, point, config):
    """Return how many rows were done by batches, and how the process ended."""
    command = [sys.executable, str(Path(killed.__file__)), what, name, point, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ})
    assert done.stderr == ""
    return done.stdout.split(), done.returncode


def ask(system, *arguments):
    return say(*arguments, "--config", str(system.config), "--format", "json")


def last_fix(system):
    entries = ask(system, "history", "--limit", "1000").json["entries"]
    return [one["fix"] for one in entries if one["fix"]][-1]


def in_markers(system, fix):
    """Return the rows that the markers of batches tell of, each with its number of markers."""
    kinds = [k for f, k in system.query("SELECT fix, kind FROM doctor_applied") if f == fix]
    done = sorted(int(one[4:]) for one in kinds if one.startswith("b"))
    undone = [one for one in kinds if one.startswith("u") and one != "undone"]
    return done, undone, kinds


@pytest.mark.parametrize(
    ("system", "what", "point"), CASES, indirect=["system"], ids=["-".join(one) for one in CASES]
)
def test_after_a_kill_recovery_does_each_row_once(system, what, point):
    before, good = system.dump(), {"QUEUED": 707, "RUNNING": 7, "DONE": 6}
    if what == "undo":
        assert ask(system, "repair", "orders.state").code == 0
        name = last_fix(system)
    else:
        name = "orders.state"
    steps, code = kill(what, name, point, system.config)
    assert (steps[-1], code) == (point.partition(":")[0], -signal.SIGKILL)
    recovered = ask(system, "recover")
    assert recovered.code == 0, recovered.out
    assert len(recovered.json["fixes"]) == (0 if (what, point) in OVER else 1)
    fix = last_fix(system)
    done, undone, kinds = in_markers(system, fix)
    assert done == sorted(set(done))
    assert done[-1] == BAD
    if what == "repair":
        assert system.states() == good
        assert kinds.count("applied") == 1
        assert undone == []
        assert ask(system, "undo", fix).code == 0
    else:
        assert len(undone) == len(done)
        assert kinds.count("undone") == 1
    assert system.dump() == before
    assert ask(system, "recover").json["fixes"] == []


@pytest.mark.parametrize(
    "system", ["postgresql", "mariadb"] if PART else ["mariadb"], indirect=True
)
def test_recovery_waits_for_a_batch_that_outlives_its_doctor(system):
    ground = system.ground
    sleep = ground.of(postgresql="pg_sleep(2)", mariadb="sleep(2)")
    if system.engine == "postgresql":
        ground.execute(
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF new.number = 333 THEN PERFORM {sleep}; END IF; RETURN new; END $$",
            "CREATE TRIGGER act BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION act()",
        )
    else:
        ground.execute(
            "CREATE TRIGGER act BEFORE UPDATE ON orders FOR EACH ROW"
            f" SET @x = IF(new.number = 333, {sleep}, 0)"
        )
    running = ground.of(
        postgresql="SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND datname = current_database() AND query LIKE 'UPDATE%'",
        mariadb="SELECT count(*) FROM information_schema.processlist WHERE db = database()"
        " AND state = 'User sleep'",
    )
    command = [sys.executable, str(Path(killed.__file__)), "repair", "orders.state", "never"]
    with subprocess.Popen([*command, str(system.config)], stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while "READY" in system.states() and time.monotonic() < until:
            if system.states()["READY"] < BAD and ground.query(running) != [(0,)]:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    started = time.monotonic()
    assert ask(system, "recover").code == 0
    assert time.monotonic() - started > 0.5
    assert system.states() == {"QUEUED": 707, "RUNNING": 7, "DONE": 6}
    done, _, kinds = in_markers(system, last_fix(system))
    assert (sorted(set(done)), kinds.count("applied")) == (done, 1)


OVER = {("repair", "verify"), ("undo", "result")}
