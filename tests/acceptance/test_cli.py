"""The doors: exit codes, one JSON document, and human output that says the same."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.terminal import run, say

DOCUMENT = [
    "schema_version",
    "run",
    "status",
    "exit_code",
    "incident",
    "plan",
    "diagnoses",
    "gaps",
    "outcomes",
]
DIAGNOSIS = [
    "code",
    "rule",
    "level",
    "cause",
    "retryable",
    "subject",
    "message",
    "hint",
    "consequences",
    "evidence",
    "candidates",
    "decision",
    "reason",
]
SUBJECT = ["table", "column", "key", "value", "valid"]
EVIDENCE = ["kind", "source", "count", "first", "last", "summary"]
CANDIDATE = ["to", "tier", "reason", "statement", "plan"]
OUTCOME = ["fix", "changes", "result", "verified"]
ENTRY = ["at", "kind", "incident", "fix", "summary"]
STATUS = {
    "healthy": 0,
    "sick": 3,
    "healed": 0,
    "asked": 5,
    "refused": 6,
    "undone": 7,
    "undo_failed": 8,
    "unknown": 9,
}
CLOSED = "http://127.0.0.1:9"


def has(document, names):
    assert set(names) <= document.keys(), set(names) - document.keys()


def test_a_diagnosis_has_the_documented_keys(ward):
    found = say("diagnose", ward.runs["foreign"], *ward.options(), "--format", "json").json
    has(found, DOCUMENT)
    [first] = found["diagnoses"]
    has(first, DIAGNOSIS)
    has(first["subject"], SUBJECT)
    assert first["candidates"]
    assert first["evidence"]
    for one in first["candidates"]:
        has(one, CANDIDATE)
    for one in first["evidence"]:
        has(one, EVIDENCE)
    for one in first["consequences"]:
        has(one, ["cause"])
    assert first["retryable"] is False
    assert STATUS[found["status"]] == found["exit_code"]


def test_a_treatment_and_the_history_have_the_documented_keys(ward):
    found = say("heal", ward.runs["case"], *ward.options(), "--format", "json").json
    has(found, DOCUMENT)
    [outcome] = found["outcomes"]
    has(outcome, OUTCOME)
    assert outcome["changes"]
    assert STATUS[found["status"]] == found["exit_code"]
    entries = say("history", *ward.options(), "--format", "json").json["entries"]
    assert entries
    for one in entries:
        has(one, ENTRY)
    assert entries == sorted(entries, key=lambda one: str(one["at"]))


@pytest.mark.slow
def test_human_output_and_json_agree(ward):
    rules = ["--rules", ward.mapping()]
    for name, more in [
        ("healthy", []),
        ("foreign", []),
        ("case", []),
        ("all", rules),
        ("orphan", []),
        ("tier", []),
        ("phase", []),
    ]:
        for command in ("diagnose", "plan"):
            arguments = [command, ward.runs[name], *ward.options(), *more]
            human, found = say(*arguments), say(*arguments, "--format", "json")
            assert human.code == found.code == found.json["exit_code"]
            document = found.json
            status = document["status"].replace("_", " ")
            assert human.out.startswith(f"{ward.runs[name]}: {status}\n")
            if document["plan"]:
                assert document["plan"] in human.out
            if command == "diagnose":
                shown = re.findall(r"^. (\w+) \[(\w+)\] ", human.out, re.MULTILINE)
                wanted = [(one["cause"], one["code"]) for one in document["diagnoses"]]
                assert shown == wanted
                for one in document["diagnoses"]:
                    assert one["message"] in human.out
                    for candidate in one["candidates"][:3]:
                        assert candidate["statement"] in human.out
                    for each in one["consequences"]:
                        assert each["cause"] in human.out
            for change in document.get("changes", []):
                assert change["statement"] in human.out


def test_human_output_and_json_of_a_treatment_agree(ward):
    for name, code in [("healthy", 0), ("foreign", 5), ("case", 0), ("tier", 5), ("orphan", 3)]:
        document = say("heal", ward.runs[name], *ward.options(), "--format", "json")
        assert document.code == document.json["exit_code"] == code
        for outcome in document.json["outcomes"]:
            assert say("undo", outcome["fix"], *ward.options()).code == 0
        human = say("heal", ward.runs[name], *ward.options())
        assert human.code == code
        assert human.out.startswith(f"{ward.runs[name]}: {document.json['status']}\n")
        if code == 5:
            assert document.json["incident"] in human.out
            assert "doctor approvals approve" in human.out
        for outcome in document.json["outcomes"]:
            assert outcome["reason"] in human.out


def test_the_plan_says_what_it_will_leave_behind(ward):
    found = say("plan", ward.runs["case"], *ward.options(), "--format", "json").json
    assert "doctor_applied" in found["notes"][0]
    assert (found["tier"], found["cost"]) == ("SAFE", 1)
    [change] = found["changes"]
    assert change["expected"] == {ward.column: ward.values["case"]}
    assert change["to"] == {ward.column: ward.healed["case"]}
    healthy = say("plan", ward.runs["healthy"], *ward.options(), "--format", "json")
    assert (healthy.code, healthy.json["plan"], healthy.json["changes"]) == (0, None, [])


@pytest.mark.parametrize("api", [CLOSED, None])
def test_no_finding_is_unknown_only_where_what_is_configured_is_down(ward, api):
    said = say("diagnose", ward.runs["healthy"], *ward.options(api=api or False))
    assert said.code == (9 if api else 0)
    sick = say("diagnose", ward.runs["foreign"], *ward.options(api=api or False))
    assert sick.code == 3


@pytest.mark.slow
def test_commands_that_only_look_or_record_exit_0(ward):
    for command in (
        ["history"],
        ["history", "--verify"],
        ["budget"],
        ["approvals", "list"],
        ["recover"],
        ["pause"],
        ["resume"],
        ["plugins"],
        ["rules", "list"],
        ["rules", "facts"],
        ["rules", "lint"],
        ["rules", "show", "DB001"],
        ["explain", "DB001"],
        ["why", "db.run-value-not-in-enum", ward.runs["foreign"]],
    ):
        human = say(*command, *ward.options())
        assert (human.code, human.err) == (0, ""), command
        assert human.out.strip(), command
        assert say(*command, *ward.options(), "--format", "json").json


INFO = """format: doctor/1
rule: team.once
code: TEAM001
revision: 1
title: A call failed once
status: stable
level: info
owner: team
retryable: true
match:
  failed: {kind: http.failure}
  condition: failed
join: [run]
diagnosis: {cause: failed_once, message: "run ${run}: a call failed", hint: look}
explanation: {what: w, why: y}
tests:
  - {name: none, given: {facts: []}, expect: {verdict: no_match}}
  - name: one
    given: {facts: [{kind: http.failure, run: r, status: 500}]}
    expect: {verdict: match}
"""


def test_strict_makes_a_warning_of_what_is_only_worth_knowing(jobs, tmp_path):
    healthy = jobs.runs["healthy"]
    for name in set(jobs.runs.values()) - {healthy}:
        for table in ("steps", "stages", "jobs"):
            key = "uid" if table == "jobs" else "job_uid"
            jobs.execute(f"DELETE FROM {table} WHERE {key} = ?", name)
    assert say("preflight", "--strict", *jobs.options()).code == 0
    (tmp_path / "info.yaml").write_text(INFO, encoding="utf-8")
    line = f"[2026-01-02 03:04:05] ERROR: GET http://h/jobs/{healthy} failed: HTTP 500"
    (tmp_path / "run.log").write_text(f"{line} (attempt 1/4)\n", encoding="utf-8")
    more = ["--rules", str(tmp_path / "info.yaml"), "--log", str(tmp_path / "run.log")]
    assert say("preflight", *jobs.options(), *more).code == 0
    assert say("preflight", "--strict", *jobs.options(), *more).code == 4
    documented = say("preflight", "--strict", *jobs.options(), *more, "--format", "json")
    assert (documented.code, documented.json["exit_code"]) == (4, 4)


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose"],
        ["diagnose", "r", "--no-such-option"],
        ["diagnos", "r"],
        ["heal", "r", "--max-tier", "EVERYTHING"],
        ["diagnose", "r"],
        ["undo", "F-0"],
        ["approvals", "show", "I-0"],
        ["rules", "show", "no.such-rule"],
        ["explain", "NO999"],
        ["history", "--limit", "x"],
        ["plan", "r", "--choose", "x"],
    ],
)
def test_wrong_usage_is_2_with_one_error_as_text_and_as_json(jobs, arguments):
    named = jobs.options() if arguments != ["diagnose", "r"] else []
    human = say(*arguments, *named)
    assert (human.code, human.out) == (2, "")
    assert human.err.strip()
    said = say(*arguments, *named, "--format", "json")
    assert said.code == 2
    assert said.json["exit_code"] == 2
    [error] = said.json["errors"]
    assert error["message"]
    assert error.keys() == {"code", "message", "location", "hint"}


def test_an_unknown_command_gets_the_nearest_one():
    assert "did you mean 'diagnose'" in say("diagnos", "r").err.lower()


def test_options_stand_before_or_after_the_command(ward):
    run_id = ward.runs["foreign"]
    after = say("diagnose", run_id, *ward.options(), "--format", "json")
    before = say(*ward.options(), "--format", "json", "diagnose", run_id)
    mixed = say("--format", "human", *ward.options(), "diagnose", "--format", "json", run_id)
    assert after.code == before.code == mixed.code == 3
    assert after.json == before.json == mixed.json
    listed = say("--format", "json", "approvals", *ward.options(), "list")
    assert listed.json["approvals"] == []


def test_output_goes_to_a_file_and_nowhere_else(ward, tmp_path):
    file = tmp_path / "found.json"
    command = ["diagnose", ward.runs["foreign"], *ward.options(), "--format", "json"]
    said = say(*command, "--output", str(file))
    assert (said.code, said.out, said.err) == (3, "", "")
    assert json.loads(file.read_text(encoding="utf-8")) == say(*command).json
    wrong = say(*command, "--output", str(tmp_path / "no" / "folder.json"))
    assert (wrong.code, wrong.err.count("error[")) == (2, 1)


def test_an_error_goes_to_the_file_too(jobs, tmp_path):
    file = tmp_path / "found.json"
    command = ["diagnose", "nowhere", *jobs.options(), "--format", "json", "--output", str(file)]
    said = say(*command)
    assert (said.code, said.out) == (2, "")
    assert json.loads(file.read_text(encoding="utf-8"))["errors"]


def test_colours_are_for_terminals_and_can_be_forbidden_or_forced(jobs, monkeypatch):
    command = ["diagnose", jobs.runs["foreign"], *jobs.options()]
    assert "\x1b" not in say(*command).out
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b" not in say(*command).out
    assert "\x1b" in say(*command, "--color", "always").out
    assert "\x1b" not in say(*command, "--color", "always", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in say(*command, "--color", "never").out


def test_what_stands_in_the_database_never_steers_the_terminal(jobs):
    evil = "\x1b]0;owned\x07\x1b[2Jé\udc80"
    jobs.execute(
        "UPDATE jobs SET status = ? WHERE uid = ?",
        evil.encode("utf-8", "surrogateescape"),
        jobs.runs["foreign"],
    )
    for command in ("diagnose", "plan", "heal"):
        arguments = [command, jobs.runs["foreign"], *jobs.options()]
        for more in ([], ["--format", "json"]):
            said = say(*arguments, *more)
            assert said.code in (3, 5)
            assert "\x1b" not in said.out + said.err
            assert "\x07" not in said.out + said.err


def test_the_command_prints_data_on_stdout_and_nothing_on_stderr(jobs):
    said = run("diagnose", jobs.runs["foreign"], *jobs.options(), "--format", "json")
    assert (said.code, said.err) == (3, "")
    assert (
        said.json == say("diagnose", jobs.runs["foreign"], *jobs.options(), "--format", "json").json
    )


def test_a_configuration_file_names_the_system_once(ward, tmp_path, monkeypatch):
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "doctor.toml").write_text(
        f'[system]\ndatabase = "{ward.url}"\nmodels = "{ward.models}"\napi = "{ward.api}"\n'
        '[store]\nurl = "sqlite:///.doctor/doctor.db"\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(folder)
    assert say("diagnose", ward.runs["foreign"]).code == 3
    assert not (tmp_path / "project" / ".doctor").exists()
    assert say("heal", ward.runs["case"]).code == 0
    assert (tmp_path / "project" / ".doctor" / "doctor.db").is_file()
    monkeypatch.chdir(tmp_path)
    entries = say("history", "--database", ward.url, "--format", "json").json["entries"]
    assert "applied" in [one["kind"] for one in entries]
    (tmp_path / "project" / "doctor.toml").write_text(
        f'[system]\ndatabase = "{ward.url}"\n[store]\nurl = "sqlite:///other.db"\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(folder)
    said = say("history")
    assert said.code == 2
    assert "doctor.db" in said.err


def test_init_writes_what_it_finds_and_what_it_wrote_works(ward, monkeypatch):
    monkeypatch.chdir(ward.folder)
    said = say("init", "--format", "json")
    try:
        assert said.code == 0, said.err
        assert said.json["file"].endswith("doctor.toml")
        assert say("diagnose", ward.runs["foreign"], "--api", ward.api).code == 3
        assert say("init").code == 2, "what is there is never overwritten"
    finally:
        (ward.folder / "doctor.toml").unlink(missing_ok=True)


def test_why_says_which_clause_held_failed_or_lacked_evidence(ward):
    rule = "db.run-value-not-in-enum"
    results = {}
    for name, api, more in [
        ("foreign", True, []),
        ("healthy", True, []),
        ("foreign", True, ["--models", str(ward.folder / "broken.py")]),
    ]:
        (ward.folder / "broken.py").write_text("class (", encoding="utf-8")
        found = say("why", rule, ward.runs[name], *ward.options(api=api), *more, "--format", "json")
        assert found.code == 0
        results[name, bool(more)] = [one["result"] for one in found.json["verdicts"]]
    (ward.folder / "broken.py").unlink()
    assert results == {
        ("foreign", False): ["match"],
        ("healthy", False): ["no_match"],
        ("foreign", True): ["unknown"],
    }
