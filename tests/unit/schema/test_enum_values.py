from __future__ import annotations

import pytest

from doctor.model.evidence import Fact, Gap
from doctor.model.schema import CodeColumn, CodeGap, CodeModels
from doctor.runs import find_layout
from doctor.schema import invalid_values
from tests.support.ports import code, enum_column, fields, make_database, read_door

KIND = "database.invalid_value"
STATE = enum_column("state", "READY", "DONE", aliases=("FINISHED",))
MODELS = code(
    ("runs", (CodeColumn("id", "String", nullable=False), STATE)),
    ("tiers", (enum_column("state", "OPEN", "CLOSED"),)),
    ("phases", (enum_column("state", "QUEUED"), enum_column("absent", "X"))),
)
TABLES = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT)",
    "CREATE TABLE tiers (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id), state TEXT)",
    "CREATE TABLE phases (id INTEGER PRIMARY KEY, tier INTEGER REFERENCES tiers (id), state TEXT)",
    "CREATE TABLE other (id INTEGER PRIMARY KEY, state TEXT)",
)


@pytest.fixture
def look(tmp_path):
    def build(*statements, run="r1", models=MODELS, tables=TABLES):
        door = read_door(make_database(tmp_path / "a.db", *tables, *statements))
        return list(invalid_values(door, models, find_layout(door, models, run, None), run))

    return build


SIBLING = ", but runs.state does"


def bad(table, role, key, value, valid, run="r1", runs=2, **more):
    return Fact(
        KIND,
        {
            "run": run,
            "role": role,
            "table": table,
            "column": "state",
            "key": key,
            "value": value,
            "valid": valid,
            "enum": "StateEnum",
            "enum_location": "models.py:1",
            "blast": f"run {run} and every list that holds it ({runs} in all)",
            "elsewhere": "",
            **more,
        },
        "database",
    )


def test_every_bad_cell_of_the_run_is_found_on_every_level(look):
    assert look(
        "INSERT INTO runs VALUES ('r1', 'REDY'), ('r2', 'BAD')",
        "INSERT INTO tiers VALUES (1, 'r1', 'READY'), (2, 'r1', 'OPEN'), (3, 'r2', 'BAD')",
        "INSERT INTO phases VALUES (1, 1, 'x'), (2, 2, 'QUEUED'), (3, 3, 'BAD')",
        "INSERT INTO other VALUES (1, 'BAD')",
    ) == [
        bad("runs", "run", {"id": "r1"}, "REDY", ("READY", "DONE")),
        bad("tiers", "tier", {"id": 1}, "READY", ("OPEN", "CLOSED"), elsewhere=SIBLING),
        bad("phases", "phase", {"id": 1}, "x", ("QUEUED",)),
    ]


def test_aliases_are_accepted_and_null_is_not_asked_about(look):
    found = look(
        "INSERT INTO runs VALUES ('r1', 'FINISHED')", "INSERT INTO tiers VALUES (1, 'r1', NULL)"
    )
    assert found == []


@pytest.mark.parametrize("stored", ["5", "x'4f4b'", "1.5", "''", "'ready'", "'READY '"])
def test_whatever_is_stored_is_compared_exactly(look, stored):
    tables = (TABLES[0].replace("state TEXT", "state"), *TABLES[1:])
    (found,) = look(f"INSERT INTO runs VALUES ('r1', {stored})", tables=tables)
    assert isinstance(found, Fact)
    assert found.fields["key"] == {"id": "r1"}


def test_for_the_whole_system_each_row_names_its_run(look):
    found = look(
        "INSERT INTO runs VALUES ('r1', 'B1'), ('r2', 'B2')",
        "INSERT INTO tiers VALUES (1, 'r1', 'B3'), (3, 'r2', 'OPEN'), (4, NULL, 'B4'),"
        " (5, 'gone', 'B5')",
        "INSERT INTO phases VALUES (1, 1, 'B6'), (2, 3, 'B7'), (3, 4, 'B8'), (4, 99, 'B9'),"
        " (5, NULL, 'B10')",
        run=None,
    )
    assert [(one["value"], one["run"]) for one in fields(found)] == [
        ("B1", "r1"),
        ("B2", "r2"),
        ("B3", "r1"),
        ("B4", ""),
        ("B5", "gone"),
        ("B6", "r1"),
        ("B7", "r2"),
        ("B8", ""),
        ("B9", ""),
        ("B10", ""),
    ]


def test_a_run_that_is_named_by_another_column_than_it_is_referenced_by(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, slug TEXT UNIQUE)",
        "CREATE TABLE tiers (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (slug), state TEXT)",
        "INSERT INTO runs VALUES (7, 'r7'), (8, 'r8')",
        "INSERT INTO tiers VALUES (1, 'r7', 'BAD'), (2, 'r8', 'BAD')",
    )
    door = read_door(path)
    layout = find_layout(door, None, "7", "runs", "id")
    one = list(invalid_values(door, MODELS, layout, "7"))
    every = list(invalid_values(door, MODELS, layout, None))
    assert [(cell["key"], cell["run"]) for cell in fields(one)] == [({"id": 1}, "7")]
    assert [cell["run"] for cell in fields(every)] == ["7", "8"]


def test_more_bad_rows_than_are_looked_at_are_a_gap(look):
    rows = ", ".join(f"({number}, 'r1', 'BAD')" for number in range(201))
    found = look("INSERT INTO runs VALUES ('r1', 'READY')", f"INSERT INTO tiers VALUES {rows}")
    reason = "tiers.state has more than 200 bad rows; the first are shown"
    reason += " (all: doctor plan --column tiers.state)"
    assert found[0] == Gap(KIND, reason, (KIND,))
    assert len(found) == 201
    assert all(isinstance(one, Fact) for one in found[1:])


def test_bad_rows_without_a_key_are_a_gap(look):
    tables = (TABLES[0], "CREATE TABLE tiers (run TEXT REFERENCES runs (id), state TEXT)")
    rows = "INSERT INTO runs VALUES ('r1', 'READY')", "INSERT INTO tiers VALUES ('r1', 'BAD')"
    reason = "tiers has no primary key to name its rows by"
    assert look(*rows, tables=tables) == [Gap(KIND, reason, (KIND,))]


def test_a_composite_key_names_a_row_by_all_its_columns(look):
    tables = (
        TABLES[0],
        "CREATE TABLE tiers (run REFERENCES runs (id), n INT, state TEXT, PRIMARY KEY (run, n))",
    )
    (found,) = look("INSERT INTO tiers VALUES ('r1', 2, 'BAD')", tables=tables)
    assert found == bad("tiers", "phase", {"run": "r1", "n": 2}, "BAD", ("OPEN", "CLOSED"), runs=0)


@pytest.mark.parametrize(
    ("what", "is_open"),
    [
        ("runs.state", True),
        ("phases.kind", True),
        ("unheard_of.state", True),
        ("loose.state", False),
        ("Run", True),
        ("src/models.py", True),
        ("models.py", True),
        ("Table", True),
    ],
)
def test_what_of_the_models_stayed_unread_is_a_gap_unless_it_is_of_another_table(
    look, what, is_open
):
    models = CodeModels(
        (*MODELS.tables, *code(("loose", (STATE,))).tables), (CodeGap("models.py:3", what, "why"),)
    )
    gap = Gap(KIND, f"{what} at models.py:3: why", (KIND,))
    assert look(models=models) == ([gap] if is_open else [])


def test_a_column_that_cannot_be_read_is_a_gap_and_the_others_are_read(tmp_path):
    path = make_database(tmp_path / "a.db", *TABLES, "INSERT INTO tiers VALUES (1, 'r1', 'BAD')")
    door = read_door(path)
    layout = find_layout(door, MODELS, None, None)
    make_database(path, "ALTER TABLE runs RENAME COLUMN state TO gone")
    gap, fact = invalid_values(door, MODELS, layout, "r1")
    reason = "runs.state: the database could not be read: no such column: runs.state"
    assert gap == Gap(KIND, reason, (KIND,))
    assert fact == bad("tiers", "tier", {"id": 1}, "BAD", ("OPEN", "CLOSED"), runs=0)
