"""Many doctors at once, and one that comes back late: one effect, and nothing after its time."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doctor.doctor import Doctor
from doctor.settings import load_settings
from doctor.store import BusyError
from doctor.system.database import open_read_door
from tests.support import healer, spender, stopped
from tests.support.soak import sized
from tests.support.terminal import say
from tests.support.together import together
from tests.support.ward import changed

pytestmark = pytest.mark.slow

DOCTORS = 8
HEALS = 5
SPENDS = sized(4_000, 800_000)


@pytest.fixture
def config(jobs, tmp_path):
    """Configure the system with a store that all doctors share, and one engine, which is fast."""
    file = tmp_path / "doctor.toml"
    file.write_text(
        f'engine = "reference"\n[system]\ndatabase = "{jobs.url}"\nmodels = "{jobs.models}"\n'
        f'[store]\nurl = "sqlite:///{tmp_path}/doctor.db"\n',
        encoding="utf-8",
    )
    return file


def told(config):
    """Return how often each kind of entry stands in a journal that is whole."""
    said = say(
        "history", "--verify", "--limit", "9999", "--config", str(config), "--format", "json"
    )
    assert said.code == 0
    return Counter(one["kind"] for one in said.json["entries"])


@pytest.mark.parametrize("places", [1, DOCTORS])
def test_eight_doctors_that_heal_one_row_again_and_again_have_one_effect(
    jobs, config, tmp_path, figure, places
):
    """With as many places as doctors they share no lock, as on so many machines: only leases."""
    before = jobs.dump()
    arguments = [[jobs.runs["case"], str(HEALS), str(config)]] * DOCTORS
    states = [{"DOCTOR_STATE_DIR": str(tmp_path / f"state{n % places}")} for n in range(DOCTORS)]
    ended = Counter(one for each in together(healer, arguments, states) for one in each)
    assert (sum(ended.values()), ended["healed"]) == (DOCTORS * HEALS, 1)
    assert set(ended) <= {"healed", "healthy"}
    assert len(changed(before, jobs.dump())) == 1
    entries = told(config)
    assert (entries["intent"], entries["applied"], entries["verified"]) == (1, 1, 1)
    figure(f"{DOCTORS} doctors, {places} lock(s), {DOCTORS * HEALS} heals of one row: 1 effect")


def stop_at(step, run, config):
    """Start a doctor and return it when it stands still after a step."""
    late = subprocess.Popen(
        [sys.executable, str(Path(stopped.__file__)), run, step, str(config)],
        stdout=subprocess.PIPE,
        text=True,
    )
    _, status = os.waitpid(late.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    return late


def go_on(late):
    """Let it go on; return what it said and its exit code."""
    late.send_signal(signal.SIGCONT)
    said = late.communicate(timeout=60)[0]
    return said, late.returncode


def marks(jobs):
    with sqlite3.connect(jobs.database) as connection:
        query = "SELECT fix, kind FROM doctor_applied WHERE kind <> 'fence'"
        found = connection.execute(query).fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("step", ["intent", "commit", "result"])
def test_a_doctor_that_stood_still_while_its_lease_expired_writes_nothing_more(jobs, config, step):
    run = jobs.runs["case"]
    late = stop_at(step, run, config)

    def later():
        return datetime.now(UTC) + timedelta(minutes=2)

    try:
        with Doctor(load_settings(config), patience=0.2) as hasty, pytest.raises(BusyError):
            hasty.treat(run)
        with Doctor(load_settings(config), clock=later, patience=0.2) as doctor:
            assert doctor.treat(run).status == ("healed" if step == "intent" else "healthy")
            # the same illness again: comparing the old value alone would not hold the late one off
            jobs.execute("UPDATE jobs SET status = 'WAITING' WHERE uid = ?", run)
            before, known = jobs.dump(), marks(jobs)
            entries = told(config)
            said, code = go_on(late)
            # what is committed is not "refused": the other doctor settled it
            expected = ("unknown", 0) if step == "commit" else ("LeaseLostError", 6)
            assert (said.partition(":")[0].strip(), code) == expected
            assert step == "commit" or "another doctor took over" in said
            assert (jobs.dump(), marks(jobs), told(config)) == (before, known, entries)
            assert doctor.recover() == ()
            states = [one.state for one in doctor.memory.open_for_writing().fixes.find()]
            assert sorted(states) == (
                ["not_applied", "verified"] if step == "intent" else ["verified"]
            )
    finally:
        late.kill()
        late.communicate()


def test_after_a_store_was_lost_the_tokens_still_grow(jobs, config, tmp_path):
    assert say("heal", jobs.runs["space"], "--config", str(config)).code == 0
    for _ in range(3):
        jobs.execute("UPDATE jobs SET status = 'waiting ' WHERE uid = ?", jobs.runs["space"])
        say("heal", jobs.runs["space"], "--config", str(config))
    with Doctor(load_settings(config)) as doctor:
        assert doctor.treat(jobs.runs["typo"]).status == "asked"
    newest = open_read_door(jobs.url).newest_token()
    assert newest > 1
    for file in tmp_path.glob("doctor.db*"):
        file.unlink()
    before = jobs.dump()
    with Doctor(load_settings(config)) as doctor:
        assert doctor.treat(jobs.runs["case"]).status == "healed"
        held = doctor.memory.open_for_writing().leases.held()
        assert held is not None
        assert held.token > newest
    assert len(changed(before, jobs.dump())) == 1


def spend(way, url, spends):
    """Let eight processes spend at once; return how much more they spent than there was."""
    each = spends // DOCTORS
    points = spends // 2
    arguments = [[way, url, str(number), str(each), str(points)] for number in range(DOCTORS)]
    return sum(int(said) for [said] in together(spender, arguments)) - points


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_eight_processes_overspend_nothing(tmp_path, figure):
    over = spend("atomic", f"sqlite:///{tmp_path}/doctor.db", SPENDS)
    figure(f"{SPENDS} spends by {DOCTORS} processes: {over} points overspent")
    assert over == 0


def test_the_same_spends_overspend_where_looking_and_taking_are_two_steps(tmp_path, figure):
    over = spend("check-then-act", f"sqlite:///{tmp_path}/doctor.db", 400)
    figure(f"look, then take: {over} points of 200 overspent")
    assert over > 0
