"""The tools for rules, as a team would call them."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from tests.support.terminal import run, say

RULE = """\
format: doctor/1
signatures:
  - kind: team.stuck
    pattern: 'queue (?P<queue>\\w+) stuck for (?P<minutes>\\d+) minutes'
    fields: {queue: str, minutes: int}
    tests: [queue mail stuck for 7 minutes]
---
format: doctor/1
rule: team.queue-stuck
code: TM001
revision: 1
title: A queue is stuck
status: stable
level: medium
owner: team
retryable: false
match:
  stuck: {kind: team.stuck, minutes|gte: 5}
  condition: stuck
join: [run]
diagnosis: {cause: queue_stuck, message: "${queue} is stuck", hint: restart the worker}
explanation: {what: A queue does not move., why: Nothing is sent., references: ["https://example.org/q"]}
tests:
  - name: long
    given: {facts: [{kind: team.stuck, run: r, queue: mail, minutes: 5}]}
    expect: {verdict: match}
  - name: short
    given: {facts: [{kind: team.stuck, run: r, queue: mail, minutes: 4}]}
    expect: {verdict: no_match}
"""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "doctor-rules"
    path.mkdir()
    (path / "queue.yaml").write_text(RULE)
    return path


def both(*command):
    """Return what a command says as text and as JSON; both end alike."""
    text, document = say(*command), say(*command, "--format", "json")
    assert text.code == document.code
    return text, document


def test_rules_test_runs_what_is_in_the_files(folder):
    text, document = both("rules", "test", str(folder))
    assert (text.code, text.out) == (0, "3 of 3 tests pass, 2 rules and kinds\n")
    found = document.json
    assert (found["tests"], found["failed"], found["survivors"]) == (3, [], None)
    assert found["exit_code"] == 0


def test_a_failing_test_is_named_with_its_place_and_the_exit_code_is_2(folder, tmp_path):
    path = folder / "queue.yaml"
    path.write_text(RULE.replace("minutes: 5}]}", "minutes: 3}]}"))
    text, document = both("rules", "test", str(folder), "--junit", str(tmp_path / "junit.xml"))
    assert text.code == 2
    assert f"at {path}:24:5" in text.out
    [failed] = document.json["failed"]
    assert (failed["of"], failed["name"]) == ("team.queue-stuck", "long")
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert root.attrib == {"tests": "3", "failures": "1"}
    [failure] = root.iter("failure")
    assert failure.attrib["message"].startswith("the verdict is 'no_match', not 'match'")
    [case] = [one for one in root.iter("testcase") if one.find("failure") is not None]
    assert (case.attrib["file"], case.attrib["line"]) == (str(path), "24")


def test_mutants_that_survive_are_printed_and_the_exit_code_is_2(folder):
    text, document = both("rules", "test", "--mutate", str(folder))
    assert (text.code, document.json["survivors"]) == (0, [])
    assert text.out.endswith("no mutants survive\n")
    path = folder / "queue.yaml"
    path.write_text(RULE.partition("  - name: short")[0])
    text, document = both(
        "rules", "test", "--mutate", str(folder), "--junit", str(folder / "j.xml")
    )
    assert text.code == 2
    assert document.json["survivors"] == [
        {
            "of": "team.queue-stuck",
            "what": "stuck: minutes|gte dropped",
            "location": f"{path}:18:29",
        }
    ]
    assert "survived team.queue-stuck: stuck: minutes|gte dropped" in text.out
    assert 'failures="1"' in (folder / "j.xml").read_text()


def test_without_paths_the_rules_in_force_are_tested():
    found = say("rules", "test", "--format", "json").json
    assert found["tests"] > 20


def test_files_that_cannot_be_written_are_named(folder, tmp_path):
    nowhere = str(tmp_path / "no" / "file")
    assert say("rules", "test", str(folder), "--junit", nowhere).code == 2
    assert say("rules", "docs", f"{folder}/queue.yaml/x").code == 2
    log = tmp_path / "a.log"
    log.write_text("x\n")
    assert say("rules", "replay", str(log), "--record", nowhere).code == 2
    assert say("rules", "replay", str(log), str(log), "--record", nowhere).code == 2


OVERRIDE = """\
format: doctor/1
override: team.queue-stuck
expects_revision: 1
owner: team-billing
reason: BILL-412
expires: {expires}
replace: {{level: low}}
"""


def test_show_prints_the_effective_rule_and_where_each_key_was_set(folder):
    (folder / "z-override.yaml").write_text(OVERRIDE.format(expires="2999-12-31"))
    text, document = both("rules", "show", "TM001", "--rules", str(folder))
    assert document.json["rule"]["level"] == "low"
    places = document.json["set_at"]
    assert places["level"] == f"{folder}/z-override.yaml:7:11"
    assert places["match.stuck.minutes|gte"] == f"{folder}/queue.yaml:18:29"
    assert f"{folder}/z-override.yaml:7:11" in text.out


@pytest.mark.slow
def test_an_expired_override_is_a_warning_of_lint_and_the_rule_is_as_it_was(folder, jobs):
    (folder / "z-override.yaml").write_text(OVERRIDE.format(expires="2020-01-31"))
    message = "override 'team.queue-stuck' of 'team-billing' (BILL-412) expired on 2020-01-31"
    text, document = both("rules", "lint", str(folder))
    assert text.code == 0
    assert text.out.startswith(f"warning: {message}\n  at {folder}/z-override.yaml:2\n")
    [warning] = document.json["warnings"]
    assert warning == {"message": message, "at": f"{folder}/z-override.yaml:2"}
    assert say("rules", "lint", "--strict", str(folder)).code == 4
    shown = say("rules", "show", "TM001", "--rules", str(folder), "--format", "json").json
    assert shown["rule"]["level"] == "medium"
    command = ["diagnose", jobs.runs["healthy"], *jobs.options(), "--rules", str(folder)]
    found = say(*command, "--format", "json")
    assert (found.code, found.json["status"]) == (0, "healthy")
    assert [one["message"] for one in found.json["diagnoses"]] == [message]
    preflight = say("preflight", *jobs.options(), "--rules", str(folder), "--format", "json")
    assert message in preflight.out


@pytest.mark.slow
def test_a_teams_broken_pack_is_a_gap_and_its_last_good_version_stays_in_force(
    folder, jobs, tmp_path
):
    log = tmp_path / "here" / "r.log"
    log.write_text("ERROR queue mail stuck for 9 minutes\n")
    config = tmp_path / "here" / "doctor.toml"
    config.write_text(f'[rules]\npaths = ["{folder}"]\n')
    command = ["diagnose", jobs.runs["healthy"], *jobs.options(), "--log", str(log)]
    before = say(*command, "--format", "json").json
    assert "TM001" in [one["code"] for one in before["diagnoses"]]
    path = folder / "queue.yaml"
    path.write_text(RULE.replace("title:", "titel:"))
    after = say(*command, "--format", "json").json
    assert [one["code"] for one in after["diagnoses"]] == [
        one["code"] for one in before["diagnoses"]
    ]
    [gap] = [one for one in after["gaps"] if one["probe"].startswith("rules ")]
    assert gap["reason"].startswith(f"{path}:8:1: rule needs the key 'title'")
    assert gap["reason"].endswith("its last good version is in force")
    assert say(*command, "--rules", str(folder)).code == 2
    assert say("rules", "lint").code == 2


def test_replay_scores_logs_and_recorded_evidence_against_labels(folder, tmp_path):
    rules = ["--rules", str(folder)]
    (tmp_path / "bad.log").write_text("queue mail stuck for 9 minutes\n")
    (tmp_path / "good.log").write_text("all is well\n")
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        '{"file": "bad.log", "symptom": "queue_stuck"}\n\n'
        '{"file": "good.log", "cause": "elsewhere"}\n'
        '{"file": "good.log", "class": "chatter", "noise": true}\n'
        '{"file": "seen.json", "cause": "queue_stuck"}\n'
    )
    seen = tmp_path / "seen.json"
    recorded = say("rules", "replay", str(tmp_path / "bad.log"), *rules, "--record", str(seen))
    assert recorded.code == 0
    assert recorded.out == f"{tmp_path}/bad.log: team.queue-stuck\n"
    files = [str(tmp_path / name) for name in ("bad.log", "good.log", "seen.json")]
    text, document = both("rules", "replay", *files, *rules, "--labels", str(labels))
    found = document.json
    [score] = [one for one in found["rules"] if one["name"] == "team.queue-stuck"]
    assert (score["precision"], score["recall"]) == (1.0, 1.0)
    assert score["hits"] == [files[0], files[2]]
    assert found["all"][0]["recall"] == pytest.approx(2 / 3)
    assert text.out.endswith("precision 1.00, recall 0.67\n")


@pytest.mark.parametrize(
    ("name", "content"),
    [("labels.jsonl", "{}\n"), ("labels.jsonl", "x\n"), ("seen.json", "x"), ("none.log", None)],
)
def test_replay_refuses_what_it_cannot_read(tmp_path, name, content):
    (tmp_path / "a.log").write_text("x\n")
    if content is not None:
        (tmp_path / name).write_text(content)
    is_labels = name == "labels.jsonl"
    more = ["--labels", str(tmp_path / name)] if is_labels else [str(tmp_path / name)]
    said = say("rules", "replay", str(tmp_path / "a.log"), *more)
    assert said.code == 2
    assert name in said.err


def test_labels_that_are_not_there_are_named(tmp_path):
    (tmp_path / "a.log").write_text("x\n")
    said = say("rules", "replay", str(tmp_path / "a.log"), "--labels", str(tmp_path / "none"))
    assert said.code == 2


@pytest.mark.slow
def test_diff_is_a_gate(folder, tmp_path):
    other = tmp_path / "changed"
    other.mkdir()
    (other / "queue.yaml").write_text(RULE)
    text, document = both("rules", "diff", str(folder), str(other))
    assert (text.code, text.out) == (0, "no verdicts changed on 2 cases\n")
    (other / "queue.yaml").write_text(RULE.replace("minutes|gte: 5", "minutes|gte: 6"))
    text, document = both("rules", "diff", str(folder), str(other))
    assert text.code == 3
    assert text.out == (
        "team.queue-stuck on team.queue-stuck: long: match r -> no_match\n"
        "1 verdicts changed on 2 cases\n"
    )
    assert document.json["changed"][0]["before"] == [["match", ["r"]]]


def test_diff_takes_evidence_and_logs(folder, tmp_path):
    other = tmp_path / "empty"
    other.mkdir()
    log = tmp_path / "bad.log"
    log.write_text("queue mail stuck for 9 minutes\n")
    rules = ["--rules", str(folder)]
    text, _ = both("rules", "diff", str(folder), str(other), "--evidence", str(log), *rules)
    assert text.code == 3
    assert f"team.queue-stuck on {log}: match bad.log -> no such rule" in text.out
    assert say("rules", "diff", str(folder), str(tmp_path / "none")).code == 2


def test_stats_tell_hits_and_how_repairs_turned_out(jobs):
    empty = say("rules", "stats", *jobs.options(), "--format", "json").json["rules"]
    assert {one["evaluated"] for one in empty} == {0}
    assert say("heal", jobs.runs["case"], *jobs.options()).code == 0
    text, document = both("rules", "stats", *jobs.options())
    [record] = [one for one in document.json["rules"] if one["code"] == "DB001"]
    assert (record["evaluated"], record["matched"], record["verified"]) == (1, 1, 1)
    assert (record["success"], record["is_demoted"]) == (1.0, False)
    assert "1 of 1 verified" in text.out
    assert "never fired" in text.out
    assert "always unknown" in text.out or not any(
        one["always_unknown"] for one in document.json["rules"]
    )


def test_schema_is_a_json_schema():
    document = say("rules", "schema").json
    assert document["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "database.invalid_value" in json.dumps(document["definitions"]["factKind"])


def test_docs_and_explain_show_the_same_text(folder, tmp_path):
    rules = ["--rules", str(folder)]
    _, document = both("rules", "docs", str(tmp_path / "pages"), *rules)
    assert document.json["pages"] == sorted(one.name for one in (tmp_path / "pages").iterdir())
    page = (tmp_path / "pages" / "TM001.md").read_text()
    assert say("explain", "TM001", *rules, "--format", "json").json["page"] == page
    shown = run("explain", "TM001", *rules).out
    assert words(shown) == words(page)
    assert "<https://example.org/q>" in shown
    assert "[TM001](TM001.md)" in (tmp_path / "pages" / "README.md").read_text()


def test_what_a_diagnosis_is_called_can_be_explained_too():
    assert say("explain", "ci_failed").out == say("explain", "BLD003").out
    several = say("explain", "enum_drift")
    assert several.code == 2
    assert "several rules find this cause: DB001, DB002" in several.err
    assert "did you mean 'ci_failed'?" in say("explain", "ci_faild").err


def words(text):
    return text.replace("#", " ").split()


def test_help_names_every_tool():
    shown = run("rules", "--help").out
    for name in ("list", "show", "lint", "test", "replay", "diff", "stats", "facts", "schema"):
        assert f"\n  {name} " in shown
    assert run("rules", "tset").code == 2


def test_show_prints_remedies_limits_and_exceptions(tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text(
        RULE.replace(
            "explanation:",
            "confirm: {probe: database.invalid_value}\n"
            "remedies:\n"
            "  - id: set\n"
            "    fixer: database.set_value\n"
            "    tier: SAFE\n"
            "    expect: {rows: 1, columns: [state]}\n"
            "    timeout: 60s\n"
            "limits:\n"
            "  cost: 2\n"
            "  once_within: {period: 30m, group_by: [run]}\n"
            "  blast_radius: {rows: 5, window: 1h}\n"
            "exceptions:\n"
            "  known: {selection: stuck, fields: [queue], values: [[spam]]}\n"
            "  unused: {selection: stuck, fields: [queue]}\n"
            "explanation:",
        )
    )
    shown = say("rules", "show", "TM001", "--rules", str(path)).out
    for line in (
        (
            "set: database.set_value, SAFE, at most 1 rows of state, within 0:01:00, "
            "if not verified undo then ask"
        ),
        "costs at least 2 points",
        "once within 0:30:00 by (run)",
        "at most 5 rows within 1:00:00",
        "known: stuck with (queue) = 'spam'",
        "unused: stuck with (queue) = none yet",
    ):
        assert line in shown
    page = say("explain", "TM001", "--rules", str(path), "--format", "json").json["page"]
    assert "exception `known` of `stuck`: queue" in page
    assert "1. `set`: fixer `database.set_value`, SAFE" in page
