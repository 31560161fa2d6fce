"""A doctor that is killed leaves the whole repair or none of it, and recovery says which."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from doctor.treatment.apply import STEPS
from tests.support import killed
from tests.support.jobs import STAMP, job
from tests.support.terminal import say

pytestmark = pytest.mark.slow

REACHED = ("commit", "result", "verify")


@pytest.fixture
def config(ward, tmp_path):
    """Configure a system whose sick run heals at once, in three cells."""
    file = tmp_path / "doctor.toml"
    file.write_text(
        f'[system]\ndatabase = "{ward.url}"\napi = "{ward.api}"\nmodels = "{ward.models}"\n'
        f'[rules]\npaths = ["{ward.mapping()}"]\n',
        encoding="utf-8",
    )
    return file


def kill(what, name, point, config):
    """Return the steps that were done, and how the process ended."""
    done = subprocess.run(
        [sys.executable, str(Path(killed.__file__)), what, name, str(point), str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split(), done.returncode


def ask(config, *arguments):
    return say(*arguments, "--config", str(config), "--format", "json")


def kinds(config):
    assert ask(config, "history", "--verify").code == 0
    return [one["kind"] for one in ask(config, "history", "--limit", "1000").json["entries"]]


def spent(config):
    return {one["spent"] for one in ask(config, "budget").json["spent"]}


def test_the_steps_of_a_repair_are_those_that_are_killed_at(ward, config):
    steps, code = kill("heal", ward.runs["all"], "never", config)
    sys.stdout.write(f"killed after each of: {', '.join(steps)}\n")
    assert (tuple(steps), code) == (STEPS, 0)
    assert STEPS == ("intent", "begin", "write", "marker", "commit", "result", "verify")


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_a_step_recovery_finds_the_whole_repair_or_none(ward, config, step):
    before = ward.dump()
    steps, code = kill("heal", ward.runs["all"], step, config)
    assert (steps[-1], code) == (step, -signal.SIGKILL)
    after_the_kill = ward.dump()
    assert (after_the_kill == before) is (step not in REACHED)
    recovered = ask(config, "recover")
    assert recovered.code == 0
    assert len(recovered.json["fixes"]) == (0 if step == "verify" else 1)
    assert ward.dump() == after_the_kill
    told = kinds(config)
    assert told.count("applied") == (1 if step in REACHED else 0)
    assert told.count("not_applied") == (0 if step in REACHED else 1)
    assert spent(config) == ({1} if step in REACHED else {0})
    again = ask(config, "recover")
    assert (again.code, again.json["fixes"]) == (0, [])
    assert (kinds(config), ward.dump()) == (told, after_the_kill)
    [fix] = {one["fix"] for one in ask(config, "history").json["entries"] if one["fix"]}
    undone = ask(config, "undo", fix)
    assert undone.code == (0 if step in REACHED else 2)
    assert ward.dump() == before


def test_a_heal_after_a_kill_recovers_first_by_itself(jobs, tmp_path):
    file = tmp_path / "doctor.toml"
    file.write_text(
        f'[system]\ndatabase = "{jobs.url}"\napi = "{jobs.api}"\nmodels = "{jobs.models}"\n',
        encoding="utf-8",
    )
    kill("heal", jobs.runs["case"], "marker", file)
    said = ask(file, "heal", jobs.runs["case"])
    assert (said.code, said.json["status"]) == (0, "healed")
    told = kinds(file)
    assert (told.count("intent"), told.count("not_applied"), told.count("applied")) == (2, 1, 1)
    assert spent(file) == {1}


@pytest.fixture
def ward_of_many(jobs, tmp_path):
    """Add jobs that heal at once, one for each place to be killed at, and no API."""
    ids = [job(500 + number) for number in range(30)]
    for one in ids:
        jobs.execute("INSERT INTO jobs VALUES (?, 'WAITING', '', ?)", one, STAMP)
    file = tmp_path / "doctor.toml"
    file.write_text(
        f'[system]\ndatabase = "{jobs.url}"\nmodels = "{jobs.models}"\n'
        '[budget]\nrun = {points = 9, per = "1h"}\nsystem = {points = 99, per = "1h"}\n',
        encoding="utf-8",
    )
    return jobs, file, ids


@pytest.mark.slow
def test_a_kill_before_any_commit_of_a_heal_leaves_no_half_repair(ward_of_many):
    jobs, file, ids = ward_of_many
    before = jobs.dump()
    ends = []
    for point, run_id in zip(range(1, 999, 4), ids, strict=False):  # test_faults has them all
        _, code = kill("heal", run_id, point, file)
        assert ask(file, "recover").code == 0
        told = ask(file, "history", "--limit", "1000", "--run", run_id).json["entries"]
        mine = [one for one in told if one["fix"]]
        outcome = mine[-1]["kind"] if mine else "none"
        whole = jobs.dump() != before
        assert outcome == "verified" if whole else outcome in ("none", "not_applied")
        if whole:
            assert ask(file, "undo", mine[-1]["fix"]).code == 0
        assert jobs.dump() == before
        ends.append(whole)
        if code == 0:
            break
    assert code == 0
    assert len(ends) >= 4
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


@pytest.mark.slow
def test_a_kill_before_any_commit_of_an_undo_is_finished_by_undoing_again(ward_of_many):
    jobs, file, ids = ward_of_many
    before = jobs.dump()
    ends = []
    for point, run_id in zip(range(1, 999, 2), ids, strict=False):
        healed = ask(file, "heal", run_id)
        assert healed.code == 0, healed.out
        fix = healed.json["outcomes"][0]["fix"]
        _, code = kill("undo", fix, point, file)
        assert ask(file, "recover").code == 0
        ends.append(jobs.dump() == before)
        assert ask(file, "undo", fix).code == 0
        assert jobs.dump() == before
        assert ask(file, "recover").json["fixes"] == []
        if code == 0:
            break
    assert code == 0
    assert len(ends) >= 3
    assert ends == sorted(ends)
    assert set(ends) == {False, True}
