from __future__ import annotations

import pytest

from doctor.model.evidence import Fact, Gap
from doctor.model.schema import CodeColumn
from doctor.runs import find_layout
from doctor.schema import missing_parts, missing_runs
from tests.support.ports import code, fields, make_database, read_door

TABLES = (
    "CREATE TABLE runs (id INTEGER PRIMARY KEY)",
    "CREATE TABLE tiers (id INTEGER PRIMARY KEY, run INTEGER REFERENCES runs (id))",
    "CREATE TABLE phases (id INTEGER PRIMARY KEY, tier INTEGER REFERENCES tiers (id))",
    "INSERT INTO runs VALUES (1)",
)


@pytest.fixture
def door(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        *TABLES,
        "INSERT INTO tiers VALUES (1, 1), (2, 8), (3, 8), (4, 9), (5, NULL)",
        "INSERT INTO phases VALUES (1, 77)",
    )
    return read_door(path)


def orphan(run, rows):
    return Fact(
        "database.missing_run",
        {
            "run": str(run),
            "table": "runs",
            "column": "id",
            "key": {"id": run},
            "referenced_by": "tiers",
            "rows": rows,
        },
        "database",
    )


@pytest.mark.parametrize(
    ("run", "found"),
    [("1", []), ("8", [orphan(8, 2)]), ("7", []), (None, [orphan(8, 2), orphan(9, 1)])],
)
def test_runs_that_only_their_children_name_are_found(door, run, found):
    layout = find_layout(door, None, None, None)
    assert list(missing_runs(door, layout, run)) == found


def test_more_missing_runs_than_are_looked_at_are_a_gap(tmp_path):
    rows = ", ".join(f"({number}, {number + 1000})" for number in range(201))
    path = make_database(tmp_path / "a.db", *TABLES, f"INSERT INTO tiers VALUES {rows}")
    door = read_door(path)
    first, *others = missing_runs(door, find_layout(door, None, None, None), None)
    kind = "database.missing_run"
    reason = "tiers names more than 200 missing runs; the first are shown"
    assert first == Gap(kind, reason, (kind,))
    assert others == [orphan(number + 1000, 1) for number in range(200)]


def test_children_that_name_no_run_id_prove_nothing_about_runs(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, slug TEXT UNIQUE)",
        "CREATE TABLE tiers (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (slug))",
        "INSERT INTO tiers VALUES (1, 'gone')",
    )
    door = read_door(path)
    by_id = find_layout(door, None, None, "runs", "id")
    by_slug = find_layout(door, None, None, "runs")
    assert list(missing_runs(door, by_id, None)) == []
    (found,) = fields(list(missing_runs(door, by_slug, None)))
    assert found["key"] == {"slug": "gone"}


def columns(*names):
    return tuple(CodeColumn(name, "String", nullable=True) for name in names)


MODELS = code(
    ("runs", columns("id", "state")),
    ("tiers", columns("id", "run", "a", "b")),
    ("gone", columns("id")),
    ("loose", columns("more")),
)


@pytest.mark.parametrize(
    ("run", "known", "found"),
    [
        ("1", True, ["runs.state", "tiers.a", "tiers.b", "gone"]),
        (None, True, ["runs.state", "tiers.a", "tiers.b", "gone", "loose.more"]),
        ("1", False, ["runs.state", "tiers.a", "tiers.b", "gone", "loose.more"]),
    ],
)
def test_tables_and_columns_that_only_the_models_have_are_found(tmp_path, run, known, found):
    door = read_door(make_database(tmp_path / "a.db", *TABLES, "CREATE TABLE loose (id)"))
    layout = find_layout(door, None, None, None) if known else None
    facts = list(missing_parts(door, MODELS, layout, run))
    assert [one.fields.get("column", one.fields["table"]) for one in facts] == found
    assert facts[found.index("gone")] == Fact(
        "database.missing_table", {"run": run or "", "table": "gone"}, "database"
    )
    assert facts[0] == Fact(
        "database.missing_column",
        {"run": run or "", "table": "runs", "column": "runs.state"},
        "database",
    )
