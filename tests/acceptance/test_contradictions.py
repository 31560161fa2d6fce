"""States that never belong together, as a description of the system says, on three engines."""

from __future__ import annotations

import pytest

from tests.support.terminal import say

DESCRIPTION = """
format: doctor/1
system: nightly
tables:
  runs: {table: jobs, key: name}
never:
  - table: jobs
    when: {state: [done, failed]}
    rows: stages
    holding: {state: [running]}
    breaks: the job's page
  - table: jobs
    when: {state: [done]}
    rows: steps
    holding: {state: [waiting, running], kind: [build]}
"""
TABLES = (
    "CREATE TABLE jobs (name VARCHAR(20) NOT NULL PRIMARY KEY, state VARCHAR(20))",
    (
        "CREATE TABLE stages (id INTEGER NOT NULL PRIMARY KEY, job VARCHAR(20) NOT NULL,"
        " state VARCHAR(20), FOREIGN KEY (job) REFERENCES jobs (name))"
    ),
    (
        "CREATE TABLE steps (id INTEGER NOT NULL PRIMARY KEY, stage INTEGER, state VARCHAR(20),"
        " kind VARCHAR(20), FOREIGN KEY (stage) REFERENCES stages (id))"
    ),
    "INSERT INTO jobs VALUES ('a', 'done'), ('b', 'running'), ('c', 'failed'), ('d', NULL)",
    (
        "INSERT INTO stages VALUES (1, 'a', 'done'), (2, 'b', 'running'), (3, 'c', 'done'),"
        " (4, 'd', 'running'), (5, 'a', 'Running')"
    ),
    (
        "INSERT INTO steps VALUES (1, 1, 'done', 'build'), (2, 2, 'waiting', 'build'),"
        " (3, 1, 'waiting', 'test'), (4, NULL, 'waiting', 'build')"
    ),
)


@pytest.fixture
def options(base, tmp_path):
    (tmp_path / "nightly.yaml").write_text(DESCRIPTION, encoding="utf-8")
    base.execute(*TABLES)
    rules = ["--rules", str(tmp_path / "nightly.yaml")]
    return ["--system", "nightly", *rules, "--database", base.url, "--format", "json"]


def told(said):
    return [
        (run["run"], one["code"], one["subject"]["table"], one["subject"]["key"])
        for run in said.json["sick"]
        for one in run["diagnoses"]
    ]


def test_states_that_may_be_together_are_no_finding(options):
    said = say("preflight", *options)
    assert (said.code, said.json["diagnoses"], said.json["gaps"]) == (0, [], [])


def test_each_row_that_contradicts_the_row_above_it_is_told_to_its_run(options, base):
    base.execute(
        "UPDATE stages SET state = 'running' WHERE id = 3",
        "UPDATE steps SET state = 'running' WHERE id = 1",
    )
    said = say("preflight", *options)
    assert said.code == 3
    assert told(said) == [
        ("a", "DB054", "steps", {"id": 1}),
        ("c", "DB054", "stages", {"id": 3}),
    ]
    [one] = say("diagnose", "a", *options).json["diagnoses"]
    assert one["message"] == (
        "run a: steps has state = 'running', kind = 'build' while jobs has state = 'done',"
        " which never belongs together"
    )
    assert "set steps.state or jobs.state to it" in one["hint"]
    assert "nightly.yaml:" in one["hint"]
    [one] = say("diagnose", "c", *options).json["diagnoses"]
    assert "the job's page" in one["blast"]
    assert say("diagnose", "b", *options).code == 0


def test_a_row_that_was_set_right_contradicts_no_more(options, base):
    base.execute("UPDATE steps SET state = 'running' WHERE id = 1")
    assert say("diagnose", "a", *options).code == 3
    base.execute("UPDATE jobs SET state = 'running' WHERE name = 'a'")
    assert say("diagnose", "a", *options).code == 0


@pytest.mark.parametrize("base", ["sqlite"], indirect=True)
def test_what_is_described_and_not_there_is_a_gap(options, base, tmp_path):
    file = tmp_path / "nightly.yaml"
    file.write_text(DESCRIPTION.replace("kind: [build]", "sort: [build]"), encoding="utf-8")
    said = say("preflight", *options)
    assert said.code == 9
    assert any("steps.sort" in one["reason"] for one in said.json["gaps"])
    file.write_text(DESCRIPTION.replace("rows: stages", "rows: jobs"), encoding="utf-8")
    said = say("preflight", *options)
    assert said.code == 9
    assert any(
        "no reference leads from 'jobs' to 'jobs'" in one["reason"] for one in said.json["gaps"]
    )
