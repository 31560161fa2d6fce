"""Tables beside the runs, systems that are recognised, and other spellings of an id."""

from __future__ import annotations

import pytest

from doctor.model.description import ColumnFacts, SystemDescription
from doctor.model.layout import rows_of_run
from doctor.model.system import System
from doctor.runs import find_layout, recognised, stored_spelling
from doctor.schema.reach import Reach
from tests.support.ports import make_database, read_door

TABLES = (
    "CREATE TABLE teams (id INTEGER PRIMARY KEY, kind TEXT)",
    "CREATE TABLE studies (id INTEGER PRIMARY KEY, team INTEGER REFERENCES teams (id))",
    "CREATE TABLE goals (id INTEGER PRIMARY KEY, study INTEGER REFERENCES studies (id), way TEXT)",
    "CREATE TABLE runs (id TEXT PRIMARY KEY, study INTEGER REFERENCES studies (id))",
    "CREATE TABLE results (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))",
    "CREATE TABLE hosts (id INTEGER PRIMARY KEY)",
    "INSERT INTO teams VALUES (7, 'a'), (8, 'b')",
    "INSERT INTO studies VALUES (1, 7), (2, 8)",
    "INSERT INTO goals VALUES (10, 1, 'up'), (20, 2, 'down')",
    "INSERT INTO runs VALUES ('r1', 1), ('r2', 1), ('r3', 2)",
)


@pytest.fixture
def door(tmp_path):
    return read_door(make_database(tmp_path / "a.db", *TABLES))


def test_every_other_table_is_beside_the_runs_and_says_what_leads_to_it(door):
    layout = find_layout(door, None, None, "runs")
    assert [one.table.name for one in layout.members] == ["runs", "results"]
    assert [
        (one.table.name, one.via, one.parent.table.name if one.parent else None)
        for one in layout.shared
    ] == [
        ("studies", "id", "runs"),
        ("teams", "id", "studies"),
        ("goals", "study", "studies"),
        ("hosts", "id", None),
    ]
    assert {one.role for one in layout.shared} == {"shared"}
    assert "hosts" not in {one.table.name for one in layout.looked_at("r1")}
    assert "hosts" in {one.table.name for one in layout.looked_at(None)}


@pytest.mark.parametrize(("run", "goal", "team"), [("r1", 10, 7), ("r3", 20, 8)])
def test_a_run_reaches_the_rows_that_it_depends_on_and_no_others(door, run, goal, team):
    shared = {one.table.name: one for one in find_layout(door, None, None, "runs").shared}
    for name, column, key in (("goals", "way", goal), ("teams", "kind", team)):
        member = shared[name]
        within = rows_of_run(member, run)
        rows = door.rows_not_in(member.table, column, (), within=within, limit=9)
        assert [row["id"] for row in rows] == [key]


def test_the_reach_of_a_shared_row_is_every_run_that_depends_on_it(door):
    layout = find_layout(door, None, None, "runs")
    reach = Reach(door, layout)
    shared = {one.table.name: one for one in layout.shared}
    [goal] = door.rows(shared["goals"].table, {"id": 10}, limit=1)
    assert reach.of(shared["goals"], goal) == "all 2 runs with runs.study = 1"
    [host] = [one for one in layout.shared if one.parent is None]
    assert reach.of(host, {"id": 1}) == ""
    assert reach.of(host, {"id": 1}, "the page") == "the page"


def description(name, *columns, runs="runs", key="id"):
    facts = tuple(ColumnFacts(one, values=("a",)) for one in columns)
    return SystemDescription(name, runs=runs, key=key, columns=facts)


def test_a_system_is_recognised_by_most_of_its_columns(door):
    fits = description("fits", "runs.study", "goals.way", "goals.gone")
    better = description("better", "runs.study", "goals.way", "teams.kind")
    others = (
        description("few", "runs.study", "goals.gone", "gone.x"),
        description("table", "runs.study", runs="jobs"),
        description("key", "runs.study", key="uid"),
        description("nothing"),
    )
    found = recognised((fits, *others, better), door.tables())
    assert [one.name for one in found] == ["better", "fits"]


DASHED, HEX = "0b5e8f2a-7c41-4d1e-9a3b-000000000001", "0b5e8f2a7c414d1e9a3b000000000001"


@pytest.mark.parametrize(
    ("stored", "given", "found"),
    [(HEX, DASHED, HEX), (DASHED, HEX, DASHED), (DASHED.upper(), HEX, DASHED.upper())],
)
def test_a_uuid_is_found_in_the_spelling_of_the_database(tmp_path, stored, given, found):
    tables = (TABLES[0], TABLES[1], TABLES[3], TABLES[4])
    path = make_database(tmp_path / "a.db", *tables, f"INSERT INTO runs VALUES ('{stored}', 1)")
    door = read_door(path)
    layout = find_layout(door, None, None, "runs")
    system = System("x", database=door, layout=layout)
    assert stored_spelling(system, given) == found
    assert stored_spelling(system, "r1") is None
    assert stored_spelling(System("x"), given) is None
