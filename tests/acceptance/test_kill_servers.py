"""Doctors that are killed, and connections that are cut, on PostgreSQL and MariaDB."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from doctor.doctor import Doctor
from doctor.settings import load_settings
from doctor.treatment.apply import STEPS
from tests.support import killed
from tests.support.faults.doors import LostDoor
from tests.support.incident import ABSENT, COLUMNS, INCIDENT
from tests.support.incident_servers import copied
from tests.support.soak import PART
from tests.support.terminal import say

pytestmark = [pytest.mark.slow, pytest.mark.corpus]
REACHED = ("commit", "result", "verify")
ENOUGH = 30
STRIDE = 1 if PART else 8


@pytest.fixture
def ward(ground, tmp_path):
    """The incident on each server in turn, without its API."""
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    return copied(ground, tmp_path)


@pytest.fixture
def config(ward, tmp_path):
    """Configure it so that what is sick heals at once."""
    file = tmp_path / "doctor.toml"
    file.write_text(
        'engine = "reference"\n[system]\ncreate_marker = true\n'
        f'database = "{ward.url}"\nmodels = "{ward.models}"\n'
        f'[rules]\npaths = ["{ward.mapping()}"]\n'
        '[budget]\nrun = {points = 99, per = "1h"}\nsystem = {points = 999, per = "1h"}\n',
        encoding="utf-8",
    )
    return file


def killing(what, name, point, config):
    command = [sys.executable, str(Path(killed.__file__)), what, name, str(point), str(config)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def kill(what, name, point, config):
    """Return the steps that were done, and how the process ended."""
    with killing(what, name, point, config) as process:
        out, err = process.communicate(timeout=60)
    assert err == ""
    return out.split(), process.returncode


def ask(config, *arguments):
    return say(*arguments, "--config", str(config), "--format", "json")


def last_fix(config, run):
    """Return the newest fix of a run, and what is told of it."""
    entries = ask(config, "history", "--limit", "1000", "--run", run).json["entries"]
    mine = [one for one in entries if one["fix"]]
    if not mine:
        return None, []
    fix = mine[-1]["fix"]
    return fix, [one["kind"] for one in mine if one["fix"] == fix]


def markers(ward, fix):
    names = [name for (name,) in ward.ground.query(
        "SELECT table_name FROM information_schema.tables WHERE table_name = 'doctor_applied'"
        " AND table_schema = " + ward.ground.of(postgresql="'public'", mariadb="database()")
    )]  # fmt: skip
    if not names:
        return []
    return sorted(
        kind for (kind,) in ward.ground.query("SELECT kind FROM doctor_applied WHERE fix = %s", fix)
    )


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_a_step_recovery_finds_the_whole_repair_or_none(ward, config, step):
    before, run = ward.dump(), ward.runs["all"]
    steps, code = kill("heal", run, step, config)
    assert (steps[-1], code) == (step, -signal.SIGKILL)
    recovered = ask(config, "recover")
    assert recovered.code == 0
    assert len(recovered.json["fixes"]) == (0 if step == "verify" else 1)
    fix, told = last_fix(config, run)
    is_done = step in REACHED
    assert (ward.dump() != before) is is_done
    assert (told.count("applied"), told.count("not_applied")) == (int(is_done), int(not is_done))
    assert markers(ward, fix) == (["applied"] if is_done else [])
    assert ask(config, "recover").json["fixes"] == []
    assert ask(config, "undo", fix).code == (0 if is_done else 2)
    assert ward.dump() == before


@pytest.mark.soak
def test_a_kill_before_any_statement_leaves_the_whole_repair_or_none(ward, config, figure):
    before, run, ends = ward.dump(), ward.runs["all"], []
    for point in range(1, ENOUGH + STRIDE, STRIDE):
        _, code = kill("heal", run, f"w{point}", config)
        recovered = ask(config, "recover")
        assert recovered.code == 0
        fix, told = last_fix(config, run)
        whole = ward.dump() != before
        if whole:
            assert told.count("applied") == 1
            assert markers(ward, fix) == ["applied"]
            assert sorted((column, ward.cell_of(column)) for column in COLUMNS) == sorted(
                (column, good) for column in COLUMNS for good in ward.declared[column].values()
            )
            assert ask(config, "undo", fix).code == 0
            assert markers(ward, fix) == ["applied", "undone"]
        elif fix is not None:
            assert told[-1] in ("not_applied", "undone")
        assert ward.dump() == before
        ends.append(whole)
        if code == 0:
            break
    assert code == 0
    assert ends == [False] * (len(ends) - 1) + [True]
    assert len(ends) > 10 / STRIDE
    figure(f"{ward.ground.engine}: {len(ends) - 1} kills in a repair, 0 half, 0 twice")


@pytest.mark.soak
def test_a_kill_before_any_statement_of_an_undo_is_finished_by_recovery(ward, config, figure):
    ward.copy_run("case", ENOUGH)
    before, kills = ward.dump(), 0
    for point in range(1, ENOUGH + STRIDE, STRIDE):
        healed = ask(config, "heal", f"copy-{point}")
        assert healed.code == 0, healed.out
        fix = healed.json["outcomes"][0]["fix"]
        _, code = kill("undo", fix, f"w{point}", config)
        assert ask(config, "recover").code == 0
        assert ward.dump() == before
        assert markers(ward, fix) == ["applied", "undone"]
        if code == 0:
            break
        kills += 1
    assert code == 0
    assert kills >= 4 / STRIDE
    figure(f"{ward.ground.engine}: {kills} kills in an undo, all finished, none twice")


def test_recovery_waits_for_a_statement_that_outlives_its_doctor(ward, config):
    sleep = ward.ground.of(postgresql="pg_sleep(2)", mariadb="sleep(2)")
    if ward.ground.engine == "postgresql":
        ward.ground.execute(
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM {sleep}; RETURN new; END $$",
            "CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION act()",
        )
    else:
        ward.ground.execute(
            f"CREATE TRIGGER act BEFORE UPDATE ON runs FOR EACH ROW SET @x = {sleep}"
        )
    before, run = ward.dump(), ward.runs["case"]
    running = ward.ground.of(
        postgresql="SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND datname = current_database() AND query LIKE 'UPDATE%'",
        mariadb="SELECT count(*) FROM information_schema.processlist WHERE db = database()"
        " AND state = 'User sleep'",
    )
    with killing("heal", run, "never", config) as process:
        until = time.monotonic() + 30
        while ward.ground.query(running) == [(0,)] and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    started = time.monotonic()
    recovered = ask(config, "recover")
    assert recovered.code == 0, recovered.out
    assert time.monotonic() - started > 0.3
    assert [one["state"] for one in recovered.json["fixes"]] == ["not_applied"]
    assert ward.dump() == before


def cut(ward):
    """End every connection to the database but one's own."""
    if ward.ground.engine == "postgresql":
        ward.ground.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
    for (number,) in ward.ground.query(
        "SELECT id FROM information_schema.processlist"
        " WHERE db = database() AND id <> connection_id()"
    ):
        ward.ground.execute(f"KILL {number}")


@pytest.mark.parametrize("point", ["begin", "write", "marker"])
def test_a_connection_that_is_cut_leaves_nothing_half_done(ward, config, point):
    before, run = ward.dump(), ward.runs["all"]

    def step(done):
        if done == point:
            cut(ward)

    with Doctor(load_settings(config), step=step) as doctor:
        done = doctor.treat(run)
        assert (done.status, done.exit_code) == ("undone", 7)
        [outcome] = done.outcomes
        assert outcome.result == "not_applied"
        assert doctor.recover() == ()
    assert ward.dump() == before
    assert ask(config, "heal", run).code == 0


class LossyDoctor(Doctor):
    """Repairs through a door that loses the report of a commit."""

    deaf = 0
    is_done = True

    def _clinic(self, system, probes, store, door):
        clinic = super()._clinic(system, probes, store, door)
        return replace(clinic, door=LostDoor(clinic.door, self.deaf, is_done=self.is_done))


@pytest.mark.parametrize(("is_done", "deaf"), [(True, 0), (False, 0), (True, 1)])
def test_a_commit_whose_report_is_lost_is_asked_for(ward, config, is_done, deaf):
    before, run = ward.dump(), ward.runs["case"]
    with LossyDoctor(load_settings(config)) as doctor:
        doctor.deaf, doctor.is_done = deaf, is_done
        done = doctor.treat(run)
        if deaf:
            assert (done.status, done.exit_code) == ("unknown", 9)
            assert [one.state for one in doctor.recover()] == ["verified"]
        else:
            assert done.status == ("healed" if is_done else "undone")
    assert (ward.dump() != before) is is_done
    assert ask(config, "recover").json["fixes"] == []
