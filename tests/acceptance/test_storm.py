"""When very much is sick at once, nobody being there, Doctor stops writing and asks once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from doctor.doctor import Doctor
from doctor.model.tier import Tier
from doctor.settings import load_settings
from doctor.treatment.pause import PausedError
from tests.support.jobs import STAMP, job, jobs_ward, reply
from tests.support.soak import sized
from tests.support.terminal import say
from tests.support.ward import changed

pytestmark = pytest.mark.slow

RUNS = sized(1_000, 10_000)
SYMPTOM = (
    "[2026-01-02 03:04:05] LookupError: 'READY' is not among the defined enum values."
    " Enum name: jobstatus. Possible values: drafted, waiting\n"
)


class Clock:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def config(jobs, tmp_path):
    """Configure a system whose owner lets SAFE repairs pass unattended."""
    return configured(jobs, tmp_path)


def configured(jobs, folder, more=""):
    file = folder / "doctor.toml"
    file.write_text(
        f'engine = "reference"\n[system]\ndatabase = "{jobs.url}"\nmodels = "{jobs.models}"\n'
        f'logs = ["{folder}/logs/{{run_id}}.log"]\n[hook]\nmax_tier = "SAFE"\n{more}',
        encoding="utf-8",
    )
    (folder / "logs").mkdir(exist_ok=True)
    return file


def healthy_runs(jobs, folder, count):
    """Add runs with nothing wrong but a line that somebody wrote into their logs."""
    ids = [job(5000 + number) for number in range(count)]
    with sqlite3.connect(jobs.database) as connection:
        rows = [(one, STAMP) for one in ids]
        connection.executemany("INSERT INTO jobs VALUES (?, 'waiting', '', ?)", rows)
    connection.close()
    for one in ids:
        (folder / "logs" / f"{one}.log").write_text(SYMPTOM, encoding="utf-8")
    return ids


def unattended(doctor, run):
    return doctor.treat(run, max_tier=Tier.SAFE, attended=False)


def incidents(doctor):
    store = doctor.memory.open_for_reading()
    return store.incidents.find() if store else ()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_many_runs_sick_at_once_by_unconfirmed_symptoms(jobs, config, tmp_path, figure):
    ids = healthy_runs(jobs, tmp_path, RUNS)
    before = jobs.dump()
    named = ["--config", str(config)]
    with Doctor(load_settings(config)) as doctor:
        ended = [unattended(doctor, run) for run in ids]
        assert {one.status for one in ended} == {"sick"}
        assert jobs.dump() == before
        [asked] = incidents(doctor)
        assert (asked.cause, asked.state) == ("storm", "asked")
        late = unattended(doctor, jobs.runs["case"])
        assert (late.status, late.exit_code, late.incident) == ("refused", 6, asked.id)
        assert late.decision is not None
        assert "doctor resume" in late.decision.reason
        assert jobs.dump() == before
        assert incidents(doctor) == (asked,)
        figure(f"{len(ids)} runs sick at once: 0 unattended writes, 1 incident")
        assert doctor.treat(jobs.runs["space"]).status == "healed", "who calls by name is no storm"
        shown = say("budget", *named).out
        assert "storm stop since" in shown
        assert asked.id in shown
        assert say("budget", *named, "--format", "json").json["storm_stop"]["incident"] == asked.id
        assert "4 runs became sick within 5 minutes" in say("history", *named).out
        said = say("resume", *named)
        assert (said.code, said.out.count("unattended treatment goes on")) == (0, 1)
        assert "storm" not in say("budget", *named).out
        assert unattended(doctor, ids[0]).status == "sick"
        assert doctor.stopped() is None, "what was before the resume does not count again"
        assert unattended(doctor, jobs.runs["case"]).status == "healed"


def test_rows_that_a_probe_confirms_are_no_storm(jobs, config):
    bad = ("case", "space", "foreign", "other", "typo", "blank", "repr")
    with Doctor(load_settings(config)) as doctor:
        ended = {unattended(doctor, jobs.runs[one]).status for one in bad}
        assert ended >= {"healed", "asked"}
        assert doctor.stopped() is None


def test_few_of_many_active_runs_are_no_storm_and_the_window_forgets(jobs, tmp_path):
    terminal = '[system.runs]\nterminal = ["finished", "aborted"]\n'
    config = configured(jobs, tmp_path, terminal)
    ids = healthy_runs(jobs, tmp_path, 60)
    clock = Clock()
    with Doctor(load_settings(config), clock=clock) as doctor:
        for run in ids[:6]:
            unattended(doctor, run)
        assert doctor.stopped() is None
        clock.now += timedelta(minutes=6)
        for run in ids[6:12]:
            unattended(doctor, run)
        assert doctor.stopped() is None
        for run in ids[12:]:
            unattended(doctor, run)
        stop = doctor.stopped()
        assert stop is not None
        assert stop.reason.startswith(("7 runs", "8 runs"))


def broken(handler):
    """Answer 500 to the GET of any job, whatever its row holds."""
    if handler.path == "/openapi.json":
        return False
    reply(handler, 500, "Internal Server Error")
    return True


def test_two_repairs_in_a_row_that_fail_their_checks_stop_unattended_writes(tmp_path):
    with jobs_ward(tmp_path, broken) as jobs:
        file = configured(jobs, tmp_path)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("[hook]", f'api = "{jobs.api}"\n[hook]'), encoding="utf-8")
        before = jobs.dump()
        with Doctor(load_settings(file)) as doctor:
            for number, name in enumerate(("case", "space")):
                assert doctor.stopped() is None
                assert unattended(doctor, jobs.runs[name]).status == "undone", number
            stop = doctor.stopped()
            assert stop is not None
            assert stop.reason == "the last 2 repairs were not verified"
            entries = len(doctor.memory.open_for_writing().fixes.find())
            late = unattended(doctor, jobs.runs["repr"])
            assert (late.status, late.incident) == ("refused", stop.incident)
            assert len(doctor.memory.open_for_writing().fixes.find()) == entries
            assert doctor.memory.open_for_writing().stops.stop("again") == stop
            assert doctor.resume() == (None, stop)
            assert doctor.resume() == (None, None)
            assert unattended(doctor, jobs.runs["repr"]).status == "undone"
            assert doctor.stopped() is None, "failures before the resume do not count again"
        assert jobs.dump() == before


def test_a_pause_between_decision_and_write_stops_the_write(jobs, config):
    before = jobs.dump()

    def paused_at(step):
        def on_step(done):
            if done == step:
                assert say("pause", "--config", str(config)).code == 0

        return on_step

    with Doctor(load_settings(config), step=paused_at("intent")) as doctor:
        done = doctor.treat(jobs.runs["case"])
        assert (done.status, done.exit_code) == ("refused", 6)
        assert done.decision is not None
        assert "writes are paused" in done.decision.reason
        assert jobs.dump() == before
        [fix] = doctor.memory.open_for_writing().fixes.find()
        assert fix.state == "not_applied"
        assert doctor.memory.open_for_writing().budget.spent(doctor.memory.limits)[0].spent == 0
    assert say("resume", "--config", str(config)).code == 0
    with Doctor(load_settings(config)) as doctor:
        assert doctor.treat(jobs.runs["case"]).status == "healed"


def test_a_pause_that_comes_before_an_undo_lets_it_wait(jobs, config):
    with Doctor(load_settings(config)) as doctor:
        [outcome] = doctor.treat(jobs.runs["case"]).outcomes
        repaired = jobs.dump()
        doctor.pause("night")
        with pytest.raises(PausedError):
            doctor.undo(outcome.fix)
        assert jobs.dump() == repaired
        doctor.resume()
        assert doctor.undo(outcome.fix).state == "undone"


def test_a_cell_that_is_broken_again_and_again_is_left_to_a_human(jobs, config):
    """The writer is still active: after the second repair Doctor stops, attended or not."""
    run = jobs.runs["case"]
    with Doctor(load_settings(config)) as doctor:
        for number in range(2):
            assert doctor.treat(run, attended=bool(number)).status == "healed"
            jobs.execute("UPDATE jobs SET status = 'WAITING' WHERE uid = ?", run)
        before = jobs.dump()
        for is_attended in (True, False):
            done = doctor.treat(run, attended=is_attended)
            assert (done.status, done.exit_code) == ("asked", 5)
            assert done.decision is not None
            assert "writer still active" in done.decision.reason
        assert changed(before, jobs.dump()) == []
    said = say("heal", run, "--config", str(config))
    assert said.code == 5
    assert "writer still active" in said.out
