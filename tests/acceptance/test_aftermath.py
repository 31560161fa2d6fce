"""After a repair, beside another doctor, under a pause, and where Doctor's own things fail."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import killed
from tests.support.incident import INCIDENT, LOG, SEED
from tests.support.jobs import STAMP, jobs_ward, reply
from tests.support.terminal import run, say, typed
from tests.support.ward import changed

pytestmark = pytest.mark.slow


def heal(ward, name, *more):
    return say("heal", ward.runs[name], *ward.options(), *more, "--format", "json")


def broken(handler):
    """Answer 500 to the GET of any job, whatever its row holds."""
    if handler.path == "/openapi.json":
        return False
    reply(handler, 500, "Internal Server Error")
    return True


def kill(what, name, point, config):
    done = subprocess.run(
        [sys.executable, str(Path(killed.__file__)), what, name, str(point), str(config)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9, done.stderr


def configured(ward, file):
    file.write_text(
        f'[system]\ndatabase = "{ward.url}"\napi = "{ward.api}"\nmodels = "{ward.models}"\n',
        encoding="utf-8",
    )
    return file


@pytest.mark.corpus
def test_the_incident_heals_with_its_log_at_hand_and_the_log_is_then_history(incident):
    rules = ["--rules", incident.mapping("runs.state"), "--log", str(LOG)]
    before = incident.dump()
    said = heal(incident, "foreign", *rules)
    assert (said.code, said.json["status"]) == (0, "healed"), said.out
    assert len(changed(before, incident.dump())) == 1
    after = say("diagnose", SEED, *incident.options(), *rules, "--format", "json")
    assert (after.code, after.json["status"]) == (0, "healthy")
    assert {one["level"] for one in after.json["diagnoses"]} <= {"info"}


@pytest.mark.corpus
def test_the_incidents_own_error_reports_name_the_cause_without_a_database(incident, tmp_path):
    file = tmp_path / "doctor.toml"
    pattern = f"{INCIDENT}/error_reports/{{run_id}}/errors/*.json"
    file.write_text(
        f'[system]\napi = "{incident.api}"\nerror_reports = ["{pattern}"]\n', encoding="utf-8"
    )
    said = say("diagnose", SEED, "--config", str(file), "--format", "json")
    assert said.code == 3
    causes = [one["cause"] for one in said.json["diagnoses"]]
    assert causes == ["enum_drift"]
    assert said.json["diagnoses"][0]["candidates"] == []


@pytest.mark.corpus
def test_an_api_that_names_the_error_heals_alike(incident_with_detail):
    ward = incident_with_detail
    before = ward.dump()
    said = heal(ward, "foreign", "--rules", ward.mapping("runs.state"))
    assert said.code == 0
    assert changed(before, ward.dump()) == [("runs.state", "READY", "RUN_CREATED")]


def test_two_doctors_at_once_make_one_repair(jobs):
    before = jobs.dump()
    command = [sys.executable, "-m", "doctor", "heal", jobs.runs["case"], *jobs.options()]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=60)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted("healed" in one for one in said) == [False, True]
    assert len(changed(before, jobs.dump())) == 1
    entries = say("history", *jobs.options(), "--format", "json").json["entries"]
    assert [one["kind"] for one in entries].count("applied") == 1


def test_two_rows_of_one_column_are_one_plan(jobs):
    run_id = jobs.runs["healthy"]
    for number in (901, 902):
        jobs.execute("INSERT INTO steps VALUES (?, ?, 11, 'halfway', ?)", number, run_id, STAMP)
    before = jobs.dump()
    asked = heal(jobs, "healthy")
    assert asked.code == 5
    subjects = [one["subject"]["key"] for one in asked.json["diagnoses"]]
    assert subjects == [{"number": 901}, {"number": 902}]
    plan = ["plan", run_id, *jobs.options(), "--choose", "steps.progress=doing"]
    composed = say(*plan, "--format", "json").json
    assert [one["key"] for one in composed["changes"]] == subjects
    word = ["approvals", "approve", composed["incident"], "--plan", composed["plan"]]
    assert typed(*word, *jobs.options()).code == 0
    said = heal(jobs, "healthy")
    assert said.code == 0
    assert changed(before, jobs.dump()) == [("steps.progress", "halfway", "doing")] * 2
    assert say("undo", said.json["outcomes"][0]["fix"], *jobs.options()).code == 0
    assert jobs.dump() == before


def test_an_undo_that_was_refused_succeeds_when_the_row_is_as_it_was(ward):
    before = ward.dump()
    fix = heal(ward, "case").json["outcomes"][0]["fix"]
    column = {"runs": "updated_at", "jobs": "touched_at"}[ward.table]
    key = {"runs": "id", "jobs": "uid"}[ward.table]
    [stamp] = {row[column][0] for row in before[ward.table] if row[key][0] == ward.runs["case"]}
    where = f"UPDATE {ward.table} SET {column} = ? WHERE {key} = ?"
    ward.execute(where, "2030-01-01 00:00:00.000000", ward.runs["case"])
    assert say("undo", fix, *ward.options()).code == 8
    ward.execute(where, stamp, ward.runs["case"])
    assert say("undo", fix, *ward.options()).code == 0
    assert ward.dump() == before


def test_an_undo_after_the_row_is_gone_names_it(jobs):
    fix = heal(jobs, "case").json["outcomes"][0]["fix"]
    jobs.execute("DELETE FROM jobs WHERE uid = ?", jobs.runs["case"])
    before = jobs.dump()
    said = say("undo", fix, *jobs.options())
    assert said.code == 8
    assert jobs.runs["case"] in said.err
    assert jobs.dump() == before


def test_an_approval_outlives_a_refusal_by_the_budget(ward, tmp_path):
    file = configured(ward, tmp_path / "doctor.toml")
    text = file.read_text(encoding="utf-8")
    file.write_text(text + '[budget]\nsystem = {points = 2, per = "1h"}\n', encoding="utf-8")
    named = ["--config", str(file), "--format", "json"]
    asked = say("heal", ward.runs["foreign"], *named).json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    assert typed("approvals", "approve", asked["incident"], "--plan", plan, *named).code == 0
    before = ward.dump()
    refused = say("heal", ward.runs["foreign"], *named)
    assert (refused.code, refused.json["status"]) == (6, "refused")
    assert ward.dump() == before
    file.write_text(text, encoding="utf-8")
    assert say("heal", ward.runs["foreign"], *named).code == 0


def test_recovery_undoes_what_turns_out_not_to_cure(tmp_path):
    is_broken: list[bool] = []

    with jobs_ward(tmp_path, lambda handler: bool(is_broken) and broken(handler)) as jobs:
        file = configured(jobs, tmp_path / "doctor.toml")
        named = ["--config", str(file), "--format", "json"]
        before = jobs.dump()
        kill("heal", jobs.runs["case"], "commit", file)
        assert len(changed(before, jobs.dump())) == 1
        is_broken.append(True)
        repaired = jobs.dump()
        assert say("pause", *named).code == 0
        stopped = say("recover", *named)
        assert (stopped.code, stopped.json["exit_code"]) == (6, 6)
        assert jobs.dump() == repaired, "a pause stops the undo of a recovery too"
        assert say("heal", jobs.runs["space"], *named).code == 6
        assert jobs.dump() == repaired
        assert say("resume", *named).code == 0
        said = say("recover", *named)
        assert (said.code, [one["state"] for one in said.json["fixes"]]) == (0, ["undone"])
        assert jobs.dump() == before


def test_a_recovery_that_cannot_undo_calls_for_a_human(tmp_path):
    with jobs_ward(tmp_path, broken) as jobs:
        file = configured(jobs, tmp_path / "doctor.toml")
        named = ["--config", str(file), "--format", "json"]
        kill("heal", jobs.runs["case"], "result", file)
        jobs.execute("UPDATE jobs SET title = 'mine' WHERE uid = ?", jobs.runs["case"])
        before = jobs.dump()
        said = say("recover", *named)
        assert (said.code, said.json["exit_code"]) == (8, 8)
        assert jobs.runs["case"] in said.err
        assert jobs.dump() == before


def test_a_database_in_wal_mode_is_treated_like_any_other(jobs):
    with closing(sqlite3.connect(jobs.database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = jobs.dump()
    assert say("diagnose", jobs.runs["case"], *jobs.options()).code == 3
    said = heal(jobs, "case")
    assert said.code == 0
    assert len(changed(before, jobs.dump())) == 1
    assert say("undo", said.json["outcomes"][0]["fix"], *jobs.options()).code == 0
    assert jobs.dump() == before


def test_where_doctor_cannot_keep_anything_it_looks_but_does_not_write(jobs, tmp_path, monkeypatch):
    blocked = tmp_path / "a-file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(blocked / "state"))
    before = jobs.dump()
    assert say("diagnose", jobs.runs["case"], *jobs.options()).code == 3
    for command in (["heal", jobs.runs["case"]], ["pause"]):
        said = say(*command, *jobs.options())
        assert (said.code, said.err.count("error[")) == (2, 1)
        assert "DOCTOR_STATE_DIR" in said.err
    assert jobs.dump() == before


def test_ids_with_every_kind_of_quote_are_healed_and_put_back(jobs):
    for name in ("o'neil", 'say "x"', "a%b_c", "semi;colon--", "línea ✓ 任务"):
        jobs.execute("INSERT INTO jobs VALUES (?, 'WAITING', '', ?)", name, STAMP)
        before = jobs.dump()
        said = say("heal", name, *jobs.options(), "--format", "json")
        assert said.code == 0, said.out
        assert changed(before, jobs.dump()) == [("jobs.status", "WAITING", "waiting")]
        assert say("undo", said.json["outcomes"][0]["fix"], *jobs.options()).code == 0
        assert jobs.dump() == before
        statement = say("plan", name, *jobs.options(), "--format", "json").json["changes"][0]
        jobs.execute(statement["statement"])
        assert jobs.cell(name) == "waiting", "the statement that is shown does what it says"


def test_a_reader_that_goes_away_leaves_no_traceback(jobs):
    command = (
        f"{sys.executable} -m doctor diagnose {jobs.runs['case']} --database {jobs.url} | true"
    )
    said = run("-c", command, command=("bash",))
    assert said.err == ""
