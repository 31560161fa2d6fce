"""``rules lint --format sarif``: what code hosts and editors read, at the line of the mistake."""

from __future__ import annotations

import json

import pytest

from doctor.errors import UsageError
from doctor.report.sarif import sarif
from doctor.rulebook.problem import RuleProblem, RuleWarning
from tests.support.terminal import run, say

pytestmark = pytest.mark.slow

RULE = """\
format: doctor/1
signatures:
  - kind: team.stuck
    pattern: 'queue (?P<queue>\\w+) stuck'
    fields: {queue: str}
    tests: [queue mail stuck]
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
match: {stuck: {kind: team.stuck, qeue: mail}, condition: stuck}
join: [run]
diagnosis: {cause: queue_stuck, message: "${queue} is stuck", hint: restart the worker}
explanation: {what: A queue does not move., why: Nothing is sent.}
tests:
  - name: mail
    given: {facts: [{kind: team.stuck, run: r, queue: mail}]}
    expect: {verdict: match}
  - name: news
    given: {facts: [{kind: team.stuck, run: r, queue: news}]}
    expect: {verdict: no_match}
"""


def checked(document):
    """Return the results of a document after checking what SARIF 2.1.0 demands of its shape."""
    assert set(document) == {"$schema", "version", "runs"}
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (one,) = document["runs"]
    driver = one["tool"]["driver"]
    assert driver["name"] == "doctor"
    assert driver["version"]
    codes = [rule["id"] for rule in driver["rules"]]
    assert len(set(codes)) == len(codes)
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    for result in one["results"]:
        assert set(result) <= {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert codes[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        for each in result.get("locations", ()):
            place = each["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert " " not in uri
            assert "\\" not in uri
            region = place.get("region", {"startLine": 1})
            assert all(isinstance(value, int) and value >= 1 for value in region.values())
    return one["results"]


def test_a_mistake_is_a_result_at_its_line_and_the_exit_code_stays(tmp_path):
    file = tmp_path / "queue.yaml"
    file.write_text(RULE)
    said = run("rules", "lint", str(file), "--format", "sarif")
    (result,) = checked(json.loads(said.out))
    place = result["locations"][0]["physicalLocation"]
    assert said.code == 2
    assert result["level"] == "error"
    assert "has no field 'qeue' (did you mean 'queue'?)" in result["message"]["text"]
    assert place["artifactLocation"]["uri"].endswith("queue.yaml")
    assert place["region"] == {"startLine": 17, "startColumn": 35}
    assert "error[D002]" in said.err


def test_a_file_that_cannot_be_read_is_a_result_too(tmp_path):
    file = tmp_path / "queue.yaml"
    file.write_text("format: doctor/1\nrule: [\n")
    said = run("rules", "lint", str(file), "--format", "sarif")
    assert said.code == 2
    assert checked(json.loads(said.out))


def test_rules_without_a_mistake_give_an_empty_list_and_a_file(tmp_path):
    file = tmp_path / "queue.yaml"
    file.write_text(RULE.replace("qeue", "queue"))
    target = tmp_path / "lint.sarif"
    said = say("rules", "lint", str(file), "--format", "sarif", "--output", str(target))
    assert said.code == 0
    assert checked(json.loads(target.read_text(encoding="utf-8"))) == []


def test_other_commands_do_not_offer_it():
    assert run("rules", "list", "--format", "sarif").code == 2


def test_warnings_places_and_odd_names():
    document = sarif(
        [
            RuleWarning("an override expired", location="a b/team.yaml:4:2"),
            RuleProblem("unreadable", location="C:\\rules\\team.yaml:7"),
            RuleProblem("gone", location="/srv/rules"),
            UsageError("no place", hint="name one"),
        ],
        "1.0",
    )
    results = checked(document)
    uris = [
        each["physicalLocation"]["artifactLocation"]["uri"]
        for one in results
        for each in one.get("locations", ())
    ]
    assert [one["level"] for one in results] == ["warning", "error", "error", "error"]
    assert uris == ["a%20b/team.yaml", "file:///C:/rules/team.yaml", "file:///srv/rules"]
    assert results[3]["message"]["text"] == "no place (name one)"
