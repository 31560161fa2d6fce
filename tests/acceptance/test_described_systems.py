"""The descriptions that come with Doctor, each on tables as its product makes them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.support.terminal import say

AIRFLOW = (
    "CREATE TABLE dag (dag_id VARCHAR PRIMARY KEY)",
    (
        "CREATE TABLE dag_run (id INTEGER PRIMARY KEY,"
        " dag_id VARCHAR NOT NULL REFERENCES dag (dag_id), run_id VARCHAR NOT NULL,"
        " state VARCHAR(50), run_type VARCHAR(50) NOT NULL,"
        " triggered_by VARCHAR(50), conf JSON, UNIQUE (dag_id, run_id))"
    ),
    (
        "CREATE TABLE task_instance (id VARCHAR(36) PRIMARY KEY, dag_id VARCHAR, run_id VARCHAR,"
        " state VARCHAR(20), FOREIGN KEY (dag_id, run_id) REFERENCES dag_run (dag_id, run_id))"
    ),
    "INSERT INTO dag VALUES ('etl')",
    (
        "INSERT INTO dag_run VALUES (1, 'etl', 'manual__1', 'success', 'manual', 'CLI', '{}'),"
        " (2, 'etl', 'manual__2', 'running', 'manual', NULL, NULL)"
    ),
    (
        "INSERT INTO task_instance VALUES ('t1', 'etl', 'manual__1', 'success'),"
        " ('t2', 'etl', 'manual__2', NULL)"
    ),
)
DAGSTER = (
    (
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, run_id VARCHAR(255) UNIQUE, status VARCHAR(63),"
        " run_body TEXT)"
    ),
    "CREATE TABLE run_tags (id INTEGER PRIMARY KEY, run_id VARCHAR(255) REFERENCES runs (run_id))",
    (
        "INSERT INTO runs VALUES (1, 'r-1', 'SUCCESS',"
        ' \'{"status": {"__enum__": "PipelineRunStatus.SUCCESS"}}\')'
    ),
)
MLFLOW = (
    "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY)",
    (
        "CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, status VARCHAR(20),"
        " lifecycle_stage VARCHAR(20), start_time BIGINT,"
        " experiment_id INTEGER REFERENCES experiments (experiment_id))"
    ),
    "CREATE TABLE params (key VARCHAR, run_uuid VARCHAR(32) REFERENCES runs (run_uuid))",
    "INSERT INTO experiments VALUES (0)",
    "INSERT INTO runs VALUES ('a1', 'FINISHED', 'active', 1767312000000, 0)",
)
PREFECT = (
    "CREATE TABLE deployment (id CHAR(36) PRIMARY KEY, status VARCHAR)",
    "CREATE TABLE work_pool (id CHAR(36) PRIMARY KEY, status VARCHAR)",
    "CREATE TABLE work_queue (id CHAR(36) PRIMARY KEY, status VARCHAR)",
    (
        "CREATE TABLE flow_run (id CHAR(36) PRIMARY KEY, state_type VARCHAR,"
        " deployment_id CHAR(36) REFERENCES deployment (id))"
    ),
    (
        "CREATE TABLE flow_run_state (id CHAR(36) PRIMARY KEY, type VARCHAR NOT NULL,"
        " flow_run_id CHAR(36) REFERENCES flow_run (id))"
    ),
    (
        "CREATE TABLE task_run (id CHAR(36) PRIMARY KEY, state_type VARCHAR,"
        " flow_run_id CHAR(36) REFERENCES flow_run (id))"
    ),
    (
        "CREATE TABLE task_run_state (id CHAR(36) PRIMARY KEY, type VARCHAR NOT NULL,"
        " task_run_id CHAR(36) REFERENCES task_run (id))"
    ),
    "INSERT INTO deployment VALUES ('d1', 'READY')",
    "INSERT INTO flow_run VALUES ('f1', 'COMPLETED', 'd1'), ('f2', NULL, NULL)",
    "INSERT INTO task_run VALUES ('t1', 'RUNNING', 'f1')",
    "INSERT INTO task_run_state VALUES ('s1', 'RUNNING', 't1')",
)
CELERY = (
    (
        "CREATE TABLE celery_taskmeta (id INTEGER PRIMARY KEY, task_id VARCHAR(155) UNIQUE,"
        " status VARCHAR(50), result BLOB)"
    ),
    "INSERT INTO celery_taskmeta VALUES (1, 'c1', 'SUCCESS', NULL)",
)
TABLES = {
    "airflow": AIRFLOW,
    "dagster": DAGSTER,
    "mlflow": MLFLOW,
    "prefect": PREFECT,
    "celery": CELERY,
}
BAD = {
    "a dag run": (
        "airflow",
        "UPDATE dag_run SET state = 'READY' WHERE id = 1",
        ("manual__1", "DB001", "dag_run.state", {"id": 1}),
    ),
    "a name where names are stored": (
        "airflow",
        "UPDATE dag_run SET triggered_by = 'cli' WHERE id = 1",
        ("manual__1", "DB001", "dag_run.triggered_by", {"id": 1}),
    ),
    "a task behind a key of two columns": (
        "airflow",
        "UPDATE task_instance SET state = 'READY' WHERE id = 't2'",
        ("manual__2", "DB003", "task_instance.state", {"id": "t2"}),
    ),
    "a missing state": (
        "airflow",
        "UPDATE dag_run SET state = NULL WHERE id = 1",
        ("manual__1", "DB008", "dag_run.state", {"id": 1}),
    ),
    "a document": (
        "airflow",
        "UPDATE dag_run SET conf = '{bad' WHERE id = 1",
        ("manual__1", "DB011", "dag_run.conf", {"id": 1}),
    ),
    "a state that is kept twice": (
        "dagster",
        "UPDATE runs SET status = 'READY'",
        ("r-1", "DB001", "runs.status", {"id": 1}),
    ),
    "a run that vanishes": (
        "mlflow",
        "UPDATE runs SET lifecycle_stage = 'READY'",
        ("a1", "DB001", "runs.lifecycle_stage", {"run_uuid": "a1"}),
    ),
    "text in a number": (
        "mlflow",
        "UPDATE runs SET start_time = 'yesterday'",
        ("a1", "DB009", "runs.start_time", {"run_uuid": "a1"}),
    ),
    "a value of a sibling": (
        "prefect",
        "UPDATE flow_run SET state_type = 'READY' WHERE id = 'f1'",
        ("f1", "DB001", "flow_run.state_type", {"id": "f1"}),
    ),
    "a row of a row of a run": (
        "prefect",
        "UPDATE task_run_state SET type = 'Running'",
        ("f1", "DB003", "task_run_state.type", {"id": "s1"}),
    ),
    "a row that belongs to no run": (
        "prefect",
        "INSERT INTO work_queue VALUES ('q1', 'ready')",
        (None, "DB050", "work_queue.status", {"id": "q1"}),
    ),
    "a caller that waits for ever": (
        "celery",
        "UPDATE celery_taskmeta SET status = NULL",
        ("c1", "DB008", "celery_taskmeta.status", {"id": 1}),
    ),
}


@pytest.fixture
def made(tmp_path):
    """Return a function that makes the database of a product and looks at it."""

    def make(system, *statements):
        path = tmp_path / f"{system}.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            for one in (*TABLES[system], *statements):
                connection.execute(one)
        return ["--system", system, "--database", f"sqlite:///{path}", "--format", "json"]

    return make


@pytest.mark.parametrize("system", TABLES)
def test_a_healthy_system_has_no_finding_and_no_gap(system, made):
    said = say("preflight", *made(system))
    assert (said.code, said.json["diagnoses"], said.json["gaps"]) == (0, [], [])


@pytest.mark.parametrize(("system", "statement", "expected"), BAD.values(), ids=BAD)
def test_a_bad_value_is_found_where_it_is(system, statement, expected, made):
    options = made(system, statement)
    said = say("preflight", *options)
    found = [(each["run"], one) for each in said.json["sick"] for one in each["diagnoses"]]
    found += [(None, one) for one in said.json["diagnoses"]]
    [(run, one)] = found
    cell = f"{one['subject']['table']}.{one['subject']['column']}"
    assert (run, one["code"], cell, one["subject"]["key"]) == expected
    if run is not None:
        told = say("diagnose", run, *options).json["diagnoses"]
        assert [each["code"] for each in told] == [one["code"]]


def test_a_second_copy_is_the_first_candidate_and_a_human_decides(made):
    options = made("dagster", "UPDATE runs SET status = 'READY'")
    asked = say("heal", "r-1", *options)
    [one] = asked.json["diagnoses"]
    first = one["candidates"][0]
    assert (asked.code, first["to"], first["tier"]) == (5, "SUCCESS", "GUARDED")
    assert first["reason"] == "the same state is kept in runs.run_body, as 'SUCCESS'"


def test_a_copy_that_disagrees_with_a_fold_is_asked_about(made):
    options = made("dagster", "UPDATE runs SET status = 'failure'")
    [one] = say("heal", "r-1", *options).json["diagnoses"]
    assert [each["to"] for each in one["candidates"]] == ["SUCCESS", "FAILURE"]
    assert "but runs.run_body holds 'SUCCESS'" in one["candidates"][1]["reason"]


def test_a_value_of_a_sibling_enum_is_told(made):
    options = made("prefect", "UPDATE flow_run SET state_type = 'READY' WHERE id = 'f1'")
    [one] = say("diagnose", "f1", *options).json["diagnoses"]
    assert "but deployment.status does" in one["message"]


def test_where_other_values_are_legal_an_unusual_one_is_only_worth_knowing(made):
    options = made("celery", "UPDATE celery_taskmeta SET status = 'PROGRESS'")
    said = say("preflight", *options)
    assert said.code == 0
    assert [one["code"] for one in say("diagnose", "c1", *options).json["diagnoses"]] == ["DB053"]
    assert say("preflight", "--strict", *options).code == 4


def test_a_database_that_lacks_what_is_described_is_a_gap(made):
    options = made("mlflow", "ALTER TABLE runs DROP COLUMN lifecycle_stage")
    said = say("preflight", *options)
    assert said.code == 9
    assert "runs.lifecycle_stage" in said.json["gaps"][0]["reason"]


def test_the_wrong_system_is_refused(made):
    options = made("celery")
    options[1] = "airflow"
    said = say("preflight", *options)
    assert said.code == 2
    assert "no table 'dag_run'" in said.err
    options[1] = "airflw"
    said = say("preflight", *options)
    assert (said.code, "did you mean 'airflow'?" in said.err) == (2, True)
