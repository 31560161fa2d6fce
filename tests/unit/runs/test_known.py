from __future__ import annotations

import pytest

from doctor.model.evidence import Evidence, Fact
from doctor.model.system import System
from doctor.runs import find_layout, is_known_run
from tests.support.ports import make_database, read_door


@pytest.fixture
def system(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY)",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs (id))",
        "INSERT INTO runs VALUES (7)",
    )
    door = read_door(path)
    return System("x", database=door, layout=find_layout(door, None, None, None))


def fact(kind="http.failure", **fields):
    return Evidence((Fact(kind, {"run": "8", **fields}, "log"),))


@pytest.mark.parametrize(
    ("run", "evidence", "known"),
    [
        ("7", Evidence(), True),
        ("8", Evidence(), False),
        ("x", Evidence(), False),
        ("9" * 30, Evidence(), False),
        ("8", fact(), True),
        ("8", fact("database.missing_run"), True),
        ("8", fact(run="9"), False),
        ("8", fact(run_inherited=True), False),
        ("8", fact("api.no_answer"), False),
        ("8", fact("database.missing_table"), False),
        ("8", fact("database.missing_column"), False),
        ("8", fact("api.get_run", status=404), False),
        ("8", fact("api.get_run", status=500), True),
    ],
)
def test_a_run_is_known_by_its_row_or_by_what_speaks_of_it(system, run, evidence, known):
    assert is_known_run(system, evidence, run) is known


@pytest.mark.parametrize(
    ("evidence", "known"),
    [(Evidence(), True), (fact("api.get_run", status=404), False), (fact("api.no_answer"), True)],
)
def test_without_a_database_only_the_api_can_deny_a_run(evidence, known):
    assert is_known_run(System("x"), evidence, "8") is known


def test_a_database_whose_runs_were_not_found_denies_nothing(system):
    blind = System("x", database=system.database)
    assert is_known_run(blind, fact("api.get_run", status=404), "8") is True
