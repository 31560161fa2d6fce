from __future__ import annotations

import pytest

from doctor.errors import SourceError, UsageError
from doctor.model.layout import Within, as_key, rows_of_run
from doctor.model.schema import (
    CodeColumn,
    CodeLink,
    CodeModels,
    CodeTable,
    LiveColumn,
    LiveTable,
)
from doctor.runs import find_layout
from tests.support.ports import code, make_database, read_door

INCIDENT = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT)",
    "CREATE TABLE tiers (id INTEGER PRIMARY KEY, run_id TEXT REFERENCES runs (id))",
    """CREATE TABLE phases (id INTEGER PRIMARY KEY, run_id TEXT REFERENCES runs (id),
    tier_id INTEGER REFERENCES tiers (id))""",
    "CREATE TABLE settings (name TEXT PRIMARY KEY)",
    "CREATE VIEW all_runs AS SELECT * FROM runs",
    "INSERT INTO runs VALUES ('r1', 'x')",
    "INSERT INTO phases VALUES (1, 'orphan', NULL)",
)


@pytest.fixture
def find(tmp_path):
    def build(*statements, run=None, models=None, table=None, key=None):
        door = read_door(make_database(tmp_path / "a.db", *statements))
        return find_layout(door, models, run, table, key)

    return build


def shape(layout):
    return [
        (one.role, one.table.name, one.via, one.parent and one.parent.table.name, one.parent_key)
        for one in layout.members
    ]


@pytest.mark.parametrize("run", [None, "r1", "orphan", "unknown"])
def test_the_run_table_and_its_children_are_found_by_their_references(find, run):
    assert shape(find(*INCIDENT, run=run)) == [
        ("run", "runs", "id", None, None),
        ("tier", "tiers", "run_id", "runs", "id"),
        ("phase", "phases", "run_id", "runs", "id"),
    ]


def test_names_do_not_matter(find):
    layout = find(
        "CREATE TABLE a (x TEXT PRIMARY KEY)",
        "CREATE TABLE b (y INTEGER PRIMARY KEY, z TEXT REFERENCES a)",
        "CREATE TABLE c (y INTEGER PRIMARY KEY, z INTEGER REFERENCES b (y))",
        "CREATE TABLE d (y INTEGER PRIMARY KEY, z INTEGER REFERENCES c (y))",
        "CREATE TABLE e (y INTEGER PRIMARY KEY, z INTEGER REFERENCES d (y))",
    )
    assert shape(layout) == [
        ("run", "a", "x", None, None),
        ("tier", "b", "z", "a", "x"),
        ("phase", "c", "z", "b", "y"),
        ("task", "d", "z", "c", "y"),
        ("task", "e", "z", "d", "y"),
    ]


@pytest.mark.parametrize(
    ("kind", "run", "value"),
    [
        ("INTEGER", "7", 7),
        ("BIGINT", "7", 7),
        (
            "CHAR(36)",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        ),
    ],
)
def test_a_run_is_found_by_the_type_of_its_key(find, kind, run, value):
    layout = find(
        f"CREATE TABLE jobs (id {kind} PRIMARY KEY)",
        f"CREATE TABLE steps (id INTEGER PRIMARY KEY, job {kind} REFERENCES jobs (id))",
        "CREATE TABLE hosts (id TEXT PRIMARY KEY)",
        "CREATE TABLE disks (id TEXT PRIMARY KEY, host TEXT REFERENCES hosts (id))",
        f"INSERT INTO jobs VALUES ('{run}')",
        run=run,
    )
    assert shape(layout)[0] == ("run", "jobs", "id", None, None)
    assert rows_of_run(layout.members[1], run) == Within("job", value)


def test_references_that_only_the_models_declare_count(find):
    link = CodeColumn("run", "String", nullable=True, foreign_key="runs.id")
    gone = CodeColumn("gone", "String", nullable=True, foreign_key="runs.id")
    other = CodeColumn("other", "String", nullable=True, foreign_key="nowhere.id")
    wrong = CodeColumn("wrong", "String", nullable=True, foreign_key="runs.nothing")
    layout = find(
        "CREATE TABLE runs (id TEXT PRIMARY KEY)",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT, other TEXT, wrong TEXT)",
        models=code(("steps", (link, gone, other, wrong))),
    )
    assert shape(layout) == [
        ("run", "runs", "id", None, None),
        ("phase", "steps", "run", "runs", "id"),
    ]


TWO = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY)",
    "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))",
    "CREATE TABLE hosts (id TEXT PRIMARY KEY)",
    "CREATE TABLE disks (id TEXT PRIMARY KEY, host TEXT REFERENCES hosts (id))",
    "INSERT INTO steps VALUES (1, 'orphan')",
)


@pytest.mark.parametrize("run", [None, "unknown"])
def test_two_tables_that_would_do_are_asked_about(find, run):
    with pytest.raises(SourceError) as caught:
        find(*TWO, run=run)
    assert str(caught.value) == "several tables look like the run table: hosts, runs"
    assert caught.value.hint == 'name it in doctor.toml: [system.runs] table = "..."'


def test_the_table_that_an_orphan_references_is_the_run_table(find):
    assert find(*TWO, run="orphan").run.table.name == "runs"


def test_the_configured_table_is_taken(find):
    assert shape(find(*TWO, table="hosts")) == [
        ("run", "hosts", "id", None, None),
        ("phase", "disks", "host", "hosts", "id"),
    ]


def test_a_configured_table_that_is_not_there_is_refused(find):
    with pytest.raises(UsageError) as caught:
        find(*TWO, table="jobs")
    assert str(caught.value) == "the database has no table 'jobs', which [system.runs] names"
    assert caught.value.hint == "its tables are disks, hosts, runs, steps"


def test_the_table_with_most_descendants_is_preferred(find):
    layout = find(*TWO, "CREATE TABLE parts (id INTEGER PRIMARY KEY, step REFERENCES steps (id))")
    assert layout.run.table.name == "runs"


def test_a_database_without_references_has_no_run_table(find):
    with pytest.raises(SourceError) as caught:
        find("CREATE TABLE runs (id TEXT PRIMARY KEY)", run="r1")
    assert str(caught.value) == "no table looks like a run table: none is referenced by another"


def test_a_table_that_references_itself_is_no_child_of_itself(find):
    layout = find(
        "CREATE TABLE runs (id TEXT PRIMARY KEY, parent TEXT REFERENCES runs (id))",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id),"
        " after INTEGER REFERENCES steps (id))",
    )
    assert shape(layout) == [
        ("run", "runs", "id", None, None),
        ("phase", "steps", "run", "runs", "id"),
    ]


def test_references_in_a_circle_end(find):
    layout = find(
        "CREATE TABLE runs (id TEXT PRIMARY KEY, now INTEGER REFERENCES steps (id))",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))",
        "INSERT INTO runs VALUES ('r1', NULL)",
        run="r1",
    )
    assert shape(layout) == [
        ("run", "runs", "id", None, None),
        ("phase", "steps", "run", "runs", "id"),
    ]


def test_a_circle_below_the_run_table_ends(find):
    layout = find(
        "CREATE TABLE runs (id TEXT PRIMARY KEY)",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, run REFERENCES runs (id), b REFERENCES b (id))",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id))",
    )
    assert [one.table.name for one in layout.members] == ["runs", "a", "b"]


def test_references_of_several_columns_are_passed_over(find):
    layout = find(
        *TWO[:2],
        "CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b))",
        "CREATE TABLE halves (a TEXT, b TEXT, FOREIGN KEY (a, b) REFERENCES pairs (a, b))",
        "CREATE TABLE loose (pair TEXT REFERENCES pairs)",
    )
    assert [one.table.name for one in layout.members] == ["runs", "steps"]


SLUGS = (
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, slug TEXT UNIQUE, state TEXT)",
    "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (slug))",
    "INSERT INTO runs VALUES (1, 'r1', 'x')",
)


def test_a_run_is_named_by_the_column_that_others_reference(find):
    layout = find(*SLUGS, run="r1")
    assert shape(layout) == [
        ("run", "runs", "slug", None, None),
        ("phase", "steps", "run", "runs", "slug"),
    ]
    assert rows_of_run(layout.members[1], "r1") == Within("run", "r1")


def test_a_run_may_be_named_by_a_configured_column(find):
    layout = find(*SLUGS, run="1", table="runs", key="id")
    steps = layout.members[1]
    assert shape(layout)[0] == ("run", "runs", "id", None, None)
    assert layout.run.names_run
    assert not steps.names_run
    assert rows_of_run(steps, "1") == Within(
        "run", parent=layout.run.table, parent_key="slug", parent_within=Within("id", 1)
    )


def test_a_configured_column_must_be_there(find):
    with pytest.raises(UsageError) as caught:
        find(*SLUGS, table="runs", key="name")
    assert str(caught.value) == "'runs' has no column 'name', which [system.runs] names"
    assert caught.value.hint == "its columns are id, slug, state"


@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (a, b)"])
def test_a_configured_table_without_a_key_of_one_column_asks_for_one(find, key):
    with pytest.raises(SourceError) as caught:
        find(f"CREATE TABLE runs (a TEXT, b TEXT{key})", table="runs")
    assert str(caught.value) == "no single column of 'runs' names its runs"
    assert caught.value.hint == 'name one in doctor.toml: [system.runs] key = "..."'


@pytest.mark.parametrize(
    ("kind", "run", "value"),
    [
        ("INTEGER", "7", 7),
        ("integer", "007", 7),
        ("BIGINT", "7", 7),
        ("SMALLINT UNSIGNED", "7", 7),
        ("BIGSERIAL", "7", 7),
        ("INT2", "7", 7),
        ("INTEGER", "9223372036854775807", 2**63 - 1),
        ("INTEGER", "9223372036854775808", "9223372036854775808"),
        ("INTEGER", "9" * 5000, "9" * 5000),
        ("INTEGER", "-7", "-7"),
        ("INTEGER", "٣", "٣"),
        ("INTEGER", "²", "²"),
        ("INTEGER", "r7", "r7"),
        ("INTEGER", "", ""),
        ("INTERVAL", "7", "7"),
        ("VARCHAR(9)", "7", "7"),
        ("POINT", "7", "7"),
    ],
)
def test_a_run_id_takes_the_type_of_its_column(kind, run, value):
    table = LiveTable("runs", (LiveColumn("id", kind, nullable=False),), ("id",), ())
    assert as_key(table, "id", run) == value
    assert type(as_key(table, "id", run)) is type(value)
    assert as_key(table, "other", run) == run


@pytest.mark.parametrize("declares", [True, False])
def test_a_reference_of_several_columns_is_one_reference(tmp_path, declares):
    live = "" if declares else ", FOREIGN KEY (no, run) REFERENCES steps (no, run)"
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY)",
        "CREATE TABLE steps (run TEXT REFERENCES runs (id), no INTEGER, PRIMARY KEY (run, no))",
        f"CREATE TABLE parts (id INTEGER PRIMARY KEY, no INTEGER, run TEXT{live})",
        "INSERT INTO runs VALUES ('r1'), ('r2')",
        "INSERT INTO steps VALUES ('r1', 1), ('r2', 1)",
        "INSERT INTO parts VALUES (1, 1, 'r1'), (2, 1, 'r2')",
    )
    columns = (
        CodeColumn("no", "Integer", True, foreign_key="steps.no"),
        CodeColumn("run", "String", True, foreign_key="steps.run"),
    )
    door = read_door(path)
    link = CodeLink(("no", "run"), "steps", ("no", "run"))
    models = CodeModels((CodeTable("parts", None, columns, "models.py:1", (link,)),))
    parts = find_layout(door, models, None, None).members[-1]
    assert (parts.table.name, parts.via, parts.more) == ("parts", "run", (("no", "no"),))
    rows = door.rows_not_in(parts.table, "no", (), within=rows_of_run(parts, "r2"), limit=9)
    assert [row["id"] for row in rows] == [2]


def test_two_references_to_one_column_stay_two(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY)",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, made TEXT, used TEXT)",
    )
    columns = tuple(
        CodeColumn(one, "String", True, foreign_key="runs.id") for one in ("made", "used")
    )
    steps = find_layout(read_door(path), code(("steps", columns)), None, None).members[-1]
    assert (steps.via, steps.more) == ("made", ())
