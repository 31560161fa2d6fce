"""What diagnose says of the incident, and of the same illness in another system."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.incident import LOG, RUNS, SEED, VALID, expected
from tests.support.terminal import run, say

CONSEQUENCES = {
    "api_get_run_5xx",
    "retry_storm",
    "escalation_ignored",
    "api_connection_dropped",
}
CLOSED = "http://127.0.0.1:9"


def digest(ward):
    return hashlib.sha256(ward.database.read_bytes()).hexdigest()


def causes(document):
    return [one["cause"] for one in document["diagnoses"]]


def enum_drift(document):
    """Return what stays the same however much of the system can be asked."""
    first = document["diagnoses"][0]
    candidates = [{**one, "plan": None} for one in first["candidates"]]
    return first["cause"], first["subject"], candidates


@pytest.fixture(params=["incident", "incident_with_detail"])
def either(request):
    return request.getfixturevalue(request.param)


@pytest.mark.corpus
def test_the_incident_is_one_enum_drift_and_everything_else_its_consequence(either):
    before = digest(either)
    said = say("diagnose", SEED, *either.options(), "--log", str(LOG), "--format", "json")
    found = said.json
    assert (said.code, found["exit_code"], found["status"]) == (3, 3, "sick")
    first = found["diagnoses"][0]
    assert causes(found).count("enum_drift") == 1
    assert first["cause"] == "enum_drift"
    assert {one["cause"] for one in first["consequences"]} >= CONSEQUENCES
    assert not CONSEQUENCES & set(causes(found))
    assert first["subject"] == {
        "table": "runs",
        "column": "state",
        "key": {"id": SEED},
        "value": "READY",
        "valid": list(VALID),
    }
    assert digest(either) == before


@pytest.mark.corpus
@pytest.mark.parametrize(("lines", "count"), [(None, 336), (1200, 180)])
def test_the_failing_calls_in_the_log_are_counted_exactly(incident, tmp_path, lines, count):
    log = tmp_path / "run.log"
    log.write_bytes(b"".join(LOG.read_bytes().splitlines(keepends=True)[:lines]))
    found = say("diagnose", SEED, *incident.options(), "--log", str(log), "--format", "json").json
    failures = [one for one in found["diagnoses"][0]["evidence"] if one["kind"] == "http.failure"]
    assert [(one["count"], one["source"]) for one in failures] == [(count, f"log:{log}")]


@pytest.mark.corpus
def test_the_cause_subject_and_candidates_need_neither_the_api_nor_a_log(incident):
    log = ["--log", str(LOG)]
    ways = [
        [*incident.options(), *log],
        [*incident.options(api=CLOSED), *log],
        incident.options(),
        incident.options(api=False),
        [*incident.options(api=False), *log],
    ]
    said = [say("diagnose", SEED, *way, "--format", "json") for way in ways]
    assert [one.code for one in said] == [3] * len(ways)
    drifts = [enum_drift(one.json) for one in said]
    assert drifts == drifts[:1] * len(ways)
    assert [causes(one.json).count("enum_drift") for one in said] == [1] * len(ways)


def test_each_candidate_is_one_compare_and_set_statement(ward):
    run_id, value = ward.runs["foreign"], ward.values["foreign"]
    found = say("diagnose", run_id, *ward.options(), "--format", "json").json
    first = found["diagnoses"][0]
    assert sorted(one["to"] for one in first["candidates"]) == sorted(ward.valid)
    key = next(iter(first["subject"]["key"]))
    for one in first["candidates"]:
        assert one["statement"] == (
            f"UPDATE {ward.table} SET {ward.column} = '{one['to']}' "
            f"WHERE {key} = '{run_id}' AND {ward.column} = '{value}'"
        )
        assert one["reason"]


def test_another_system_with_other_names_gets_the_same_diagnosis(jobs):
    run_id = jobs.runs["foreign"]
    before = digest(jobs)
    documents = []
    for api in (True, CLOSED, False):
        said = say("diagnose", run_id, *jobs.options(api=api), "--format", "json")
        assert said.code == 3
        documents.append(said.json)
    first = documents[0]["diagnoses"][0]
    assert [causes(one) for one in documents] == [["enum_drift"]] * 3
    assert first["subject"] == {
        "table": "jobs",
        "column": "status",
        "key": {"uid": run_id},
        "value": "PAUSED",
        "valid": ["drafted", "waiting", "building", "verifying", "finished", "aborted"],
    }
    assert [one["cause"] for one in first["consequences"]] == ["api_get_run_5xx"]
    assert [enum_drift(one) for one in documents] == [enum_drift(documents[0])] * 3
    assert digest(jobs) == before


def test_a_storm_in_another_systems_log_is_a_consequence_too(jobs, tmp_path):
    run_id = jobs.runs["foreign"]
    log = tmp_path / "executor.log"
    url = f"http://localhost:8000/jobs/{run_id}"
    line = "[2026-01-02 03:04:{:02}] ERROR: GET {} failed: HTTP 500 (attempt {}/7)\n"
    log.write_text("".join(line.format(n, url, n + 1) for n in range(7)), encoding="utf-8")
    found = say("diagnose", run_id, *jobs.options(), "--log", str(log), "--format", "json").json
    assert causes(found) == ["enum_drift"]
    first = found["diagnoses"][0]
    assert {one["cause"] for one in first["consequences"]} == {"api_get_run_5xx", "retry_storm"}
    counts = {one["kind"]: one["count"] for one in first["evidence"]}
    assert counts["http.failure"] == 7


@pytest.mark.slow
@pytest.mark.corpus
def test_all_rows_of_the_corpus_get_the_right_verdict(incident):
    before = digest(incident)
    healthy, sick = [], []
    for row in expected():
        said = say("diagnose", row["run_id"], *incident.options(), "--format", "json")
        if row["expect"] == "ok":
            assert (said.code, said.json["diagnoses"]) == (0, []), row
            healthy.append(row["run_id"])
        elif row["expect"] == "404":
            first = said.json["diagnoses"][0]
            assert (said.code, first["cause"]) == (3, "run_row_missing"), row
            assert "api_get_run_5xx" not in said.out
        else:
            assert said.code == 3, row
            assert {
                (s["table"], s["column"], s["value"], name) for s, name in _cells(said.json)
            } == _sick_cells(row)
            sick.append(row["run_id"])
    assert (len(healthy), len(sick)) == (16, 14)
    assert digest(incident) == before


def _cells(document):
    for one in document["diagnoses"]:
        if one["cause"] == "enum_drift":
            subject = one["subject"]
            yield subject, str(next(iter(subject["key"].values())))


def _sick_cells(row):
    """Return what the corpus says is sick in a run, read from the data itself."""
    from tests.support.incident import INCIDENT
    from tests.support.ward import dump

    tables = dump(INCIDENT / "incident.db")
    tiers = {"PENDING", "IN_PROGRESS", "COMPLETE", "FAILED", "SKIPPED"}
    phases = {"QUEUED", "EXECUTING", "GATE", "CI_RUNNING", "COMPLETE", "FAILED", "SKIPPED"}
    valid = {"runs": set(VALID), "tiers": tiers, "phases": phases}
    owner = {"runs": "id", "tiers": "run_id", "phases": "run_id"}
    return {
        (table, "state", one["state"][0], str(one["id"][0]))
        for table, column in owner.items()
        for one in tables[table]
        if one[column][0] == row["run_id"] and one["state"][0] not in valid[table]
    }


@pytest.mark.corpus
def test_preflight_gives_every_run_of_the_corpus_its_verdict(incident):
    before = digest(incident)
    said = say("preflight", *incident.options(), "--format", "json")
    found = said.json
    assert (said.code, found["runs"]) == (3, 30)
    sick = {row["run_id"] for row in expected() if row["expect"] != "ok"}
    assert {one["run"] for one in found["sick"]} == sick
    for one in found["sick"]:
        row = next(row for row in expected() if row["run_id"] == one["run"])
        if row["expect"] == "404":
            assert causes(one) == ["run_row_missing"]
        else:
            shown = {(s["table"], s["column"], s["value"], key) for s, key in _cells(one)}
            assert shown == _sick_cells(row)
    assert digest(incident) == before


def test_preflight_and_diagnose_agree_on_every_run_of_another_system(jobs):
    before = digest(jobs)
    survey = say("preflight", *jobs.options(), "--format", "json")
    assert survey.code == 3
    sick = {one["run"]: one for one in survey.json["sick"]}
    illness = {
        "tier": [("stages", "condition", "todo")],
        "phase": [("steps", "progress", "finished")],
        "all": [
            ("jobs", "status", "PAUSED"),
            ("stages", "condition", "paused"),
            ("steps", "progress", "paused"),
        ],
    }
    assert sick.keys() == set(jobs.runs.values()) - {jobs.runs["healthy"]}
    for name, run_id in jobs.runs.items():
        said = say("diagnose", run_id, *jobs.options(), "--format", "json")
        if name == "healthy":
            assert (said.code, causes(said.json)) == (0, [])
        elif name == "orphan":
            assert (said.code, causes(said.json)[0]) == (3, "run_row_missing")
            assert causes(sick[run_id]) == ["run_row_missing"]
        else:
            wanted = illness.get(name, [("jobs", "status", jobs.values[name])])
            for document in (said.json, sick[run_id]):
                found = [(s["table"], s["column"], s["value"]) for s, _ in _cells(document)]
                assert found == wanted
    assert digest(jobs) == before


@pytest.mark.corpus
def test_the_command_itself_says_the_same_as_the_call(incident):
    arguments = ["diagnose", SEED, *incident.options(), "--format", "json"]
    there = run(*arguments)
    here = say(*arguments)
    assert (there.code, there.err) == (3, "")
    assert there.json == here.json
    assert RUNS["foreign"] == there.json["run"]
