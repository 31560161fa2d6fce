"""Orphans and duplicates on three engines, by references and keys that nothing enforces."""

from __future__ import annotations

import pytest

from doctor.model.evidence import Gap
from doctor.model.schema import CodeColumn, CodeLink, CodeModels, CodeTable, CodeUnique
from doctor.runs import find_layout
from doctor.schema import duplicate_rows, orphan_rows
from doctor.system.database import open_read_door
from tests.support.ports import fields

TABLES = (
    "CREATE TABLE runs (id VARCHAR(9) NOT NULL PRIMARY KEY)",
    (
        "CREATE TABLE tiers (run VARCHAR(9) NOT NULL, no INTEGER NOT NULL, name VARCHAR(9),"
        " PRIMARY KEY (run, no))"
    ),
    (
        "CREATE TABLE steps (id INTEGER NOT NULL PRIMARY KEY, run VARCHAR(9), tier INTEGER,"
        " before_it INTEGER, owner VARCHAR(9) NOT NULL, code VARCHAR(9), place INTEGER)"
    ),
    "CREATE TABLE owners (name VARCHAR(9) NOT NULL PRIMARY KEY)",
    "INSERT INTO runs VALUES ('r1'), ('r2')",
    "INSERT INTO owners VALUES ('ann')",
    "INSERT INTO tiers VALUES ('r1', 1, 'a'), ('r2', 1, 'a')",
    "INSERT INTO steps VALUES (1, 'r1', 1, NULL, 'ann', 'x', 1), (2, 'r1', 1, 1, 'ann', 'y', 1)",
    "INSERT INTO steps VALUES (3, 'r2', NULL, 2, 'ann', NULL, 1)",
)


def table(name, *columns, links=(), uniques=()):
    keys = {"tiers": ("run", "no"), "runs": ("id",), "steps": ("id",), "owners": ("name",)}[name]
    made = tuple(
        CodeColumn(one, None, None, primary_key=one in keys, foreign_key=target)
        for one, target in columns
    )
    return CodeTable(name, None, made, f"models.py:{len(name)}", links, uniques)


MODELS = CodeModels(
    (
        table("runs", ("id", None)),
        table("tiers", ("run", "runs.id"), ("no", None)),
        table(
            "steps",
            ("id", None),
            ("run", "tiers.run"),
            ("tier", "tiers.no"),
            ("before_it", "app.steps.id"),
            ("owner", "owners.name"),
            links=(
                CodeLink(("run",), "runs", ("id",)),
                CodeLink(("run", "tier"), "tiers", ("run", "no")),
            ),
            uniques=(CodeUnique(("code",)), CodeUnique(("run", "place"), "one_place")),
        ),
        table("owners", ("name", None)),
    )
)


@pytest.fixture
def look(base):
    def build(find, *statements, run=None):
        base.execute(*TABLES, *statements)
        door = open_read_door(base.url)
        layout = find_layout(door, MODELS, run, "runs")
        return list(find(door, MODELS, layout, run, target=base.engine))

    return build


def told(found, *names):
    return sorted(tuple(one[name] for name in names) for one in fields(found))


def test_rows_that_name_what_is_there_or_nothing_are_no_orphans(look):
    assert look(orphan_rows) == []


ORPHANS = (
    "INSERT INTO steps VALUES (4, 'r1', 7, NULL, 'ann', NULL, 2)",
    "INSERT INTO steps VALUES (5, 'r1', 7, 99, 'ann', NULL, 3)",
    "INSERT INTO steps VALUES (6, 'r2', 1, NULL, 'Ann', NULL, 4)",
)


def test_rows_are_told_by_run_and_by_what_is_missing_with_one_key_and_with_several(look):
    found = look(orphan_rows, *ORPHANS)
    assert told(found, "run", "column", "missing", "rows", "keys") == [
        ("r1", "before_it", "id = 99", 1, "id = 5"),
        ("r1", "run, tier", "run = 'r1', no = 7", 2, "id = 4; id = 5"),
        ("r2", "owner", "name = 'Ann'", 1, "id = 6"),
    ]


def test_an_orphan_is_told_with_where_it_is_declared_and_the_statement_that_parts_it(look):
    found = look(orphan_rows, *ORPHANS, run="r1")
    assert told(found, "run", "column", "declared_at", "enforced", "statement") == [
        (
            "r1",
            "before_it",
            "models.py:5",
            ", not by the database",
            "UPDATE steps SET before_it = NULL WHERE before_it = 99",
        ),
        (
            "r1",
            "run, tier",
            "models.py:5",
            ", not by the database",
            "UPDATE steps SET run = NULL WHERE run = 'r1' AND tier = 7",
        ),
    ]


def test_a_row_that_must_name_something_can_only_be_deleted(look):
    [found] = fields(look(orphan_rows, ORPHANS[2], run="r2"))
    assert str(found["statement"]).startswith("DELETE FROM steps WHERE ")
    assert found["missing"] == "name = 'Ann'"


def test_more_orphans_than_are_shown_are_counted(look, base):
    rows = ", ".join(f"({at}, 'r1', 7, NULL, 'ann', NULL, {at})" for at in range(10, 240))
    gap, one = look(orphan_rows, f"INSERT INTO steps VALUES {rows}")
    kind = "database.orphan"
    reason = "230 rows of steps.run, tier name rows of tiers that are not there"
    assert gap == Gap(kind, f"{reason}; the first 200 are shown", (kind,))
    assert one.fields["rows"] == 200
    assert str(one.fields["keys"]).endswith("id = 14; and 195 more")


DUPLICATES = (
    "INSERT INTO steps VALUES (4, 'r2', 1, NULL, 'ann', 'x', 2), (5, 'r2', 1, NULL, 'ann', 'X', 3)",
    "INSERT INTO steps VALUES (6, 'r2', 1, NULL, 'ann', NULL, 4), (7, 'r2', 1, 1, 'ann', 'x ', 4)",
)


def test_rows_that_differ_by_case_or_a_blank_are_not_equal_and_null_is_never(look):
    found = look(duplicate_rows, *DUPLICATES)
    assert told(found, "run", "value", "rows", "keys") == [
        ("r1", "code = 'x'", 2, "id = 1; id = 4"),
        ("r1", "run = 'r1', place = 1", 2, "id = 1; id = 2"),
        ("r2", "code = 'x'", 2, "id = 1; id = 4"),
        ("r2", "run = 'r2', place = 4", 2, "id = 6; id = 7"),
    ]


@pytest.mark.parametrize("run", ["r1", "r2"])
def test_a_run_is_told_of_the_rows_that_it_shares_with_another(look, run):
    found = look(duplicate_rows, *DUPLICATES, run=run)
    place = {"r1": "run = 'r1', place = 1", "r2": "run = 'r2', place = 4"}[run]
    assert told(found, "run", "value", "rows") == [(run, "code = 'x'", 2), (run, place, 2)]
    keys = {one["value"]: one["key"] for one in fields(found)}
    assert keys["code = 'x'"] == {"id": {"r1": 1, "r2": 4}[run]}


def test_what_the_database_sees_to_is_not_asked(look):
    made = (
        "UPDATE steps SET place = id",
        "CREATE UNIQUE INDEX one_code ON steps (code)",
        "CREATE UNIQUE INDEX other_order ON steps (place, run)",
    )
    assert look(duplicate_rows, *made) == []


def test_the_statement_makes_the_database_see_to_it(look, base):
    [found, *_] = fields(look(duplicate_rows, DUPLICATES[1]))
    base.execute("UPDATE steps SET place = id")
    base.execute(str(found["statement"]))
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        base.execute("UPDATE steps SET place = 1, run = 'r1'")


def test_a_condition_that_only_the_code_knows_is_a_gap_unless_its_index_is_there(base):
    base.execute(*TABLES)
    some = table("owners", ("name", None), uniques=(CodeUnique((), "only_some"),))
    door = open_read_door(base.url)
    layout = find_layout(door, MODELS, None, "runs")
    [gap] = duplicate_rows(door, CodeModels((some,)), layout, None)
    assert isinstance(gap, Gap)
    assert gap.reason.startswith("owners.only_some: ")
    base.execute("CREATE UNIQUE INDEX only_some ON owners (name)")
    door = open_read_door(base.url)
    layout = find_layout(door, MODELS, None, "runs")
    assert list(duplicate_rows(door, CodeModels((some,)), layout, None)) == []


def test_a_primary_key_of_the_models_that_the_database_lacks_is_one_too(base):
    base.execute(
        *TABLES,
        "CREATE TABLE loose (a INTEGER, b VARCHAR(9))",
        "INSERT INTO loose VALUES (1, 'x'), (1, 'x'), (1, 'y'), (2, NULL), (2, NULL)",
    )
    keyed = tuple(CodeColumn(one, None, None, primary_key=True) for one in "ab")
    models = CodeModels((CodeTable("loose", None, keyed, "models.py:1"),))
    door = open_read_door(base.url)
    layout = find_layout(door, MODELS, None, "runs")
    [found] = fields(list(duplicate_rows(door, models, layout, None)))
    assert (found["value"], found["rows"], found["key"]) == ("a = 1, b = 'x'", 2, {})
