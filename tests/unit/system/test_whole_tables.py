"""Enum checks of whole tables: through an index, together, one by one; always the same rows."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from doctor.system.database import open_read_door
from doctor.system.database.scans import MOST_DISTINCT, distinct_values, index_of
from tests.support.ports import make_database, read_door

ACCEPTED = ("READY", "DONE", "Ä", "")
SPELLINGS = ("READY", "ready", "Ready", "READY ", " READY", "RÉADY", "DONE", "done", "Ä", "A", "")
FOLDING = {
    "sqlite": "VARCHAR(20) COLLATE NOCASE",
    "postgresql": "VARCHAR(20) COLLATE folding",
    "mariadb": "VARCHAR(20) COLLATE utf8mb4_general_ci",
}
PADDING = {
    "sqlite": "VARCHAR(20) COLLATE RTRIM",
    "postgresql": "CHAR(20)",
    "mariadb": "VARCHAR(20) COLLATE utf8mb4_bin",
}
EXACT = {
    "sqlite": "VARCHAR(20)",
    "postgresql": "VARCHAR(20)",
    "mariadb": "VARCHAR(20) COLLATE utf8mb4_nopad_bin",
}


@pytest.fixture
def fill(base):
    def build(kind, values, *more):
        if base.engine == "postgresql":
            locale = "provider = icu, locale = 'und-u-ks-level2', deterministic = false"
            base.execute(f"CREATE COLLATION folding ({locale})")
        base.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, a {kind}, b {kind})")
        for at in range(0, len(values), 500):
            rows = ", ".join(
                f"({at + number}, {_text(one)}, {_text(one)})"
                for number, one in enumerate(values[at : at + 500])
            )
            base.execute(f"INSERT INTO t VALUES {rows}")
        base.execute("CREATE INDEX t_a ON t (a)", *more)
        return open_read_door(base.url)

    return build


def _text(value):
    return "NULL" if value is None else f"'{value}'"


def found(door, *columns, accepted=ACCEPTED, limit=5000):
    with closing(door):
        [table] = door.tables()
        asked = dict.fromkeys(columns, accepted)
        rows = door.rows_not_in_each(table, asked, within=None, limit=limit)
        return {name: [row["id"] for row in rows[name]] for name in columns}


def led_by_index(door, column="a"):
    [table] = door.tables()
    return index_of(door._dialect, table, column)


@pytest.mark.parametrize(("kinds", "led"), [(EXACT, True), (FOLDING, False), (PADDING, False)])
def test_no_collation_hides_a_value_from_an_index(fill, base, kinds, led):
    values = [*SPELLINGS, None] * 3
    door = fill(kinds[base.engine], values)
    assert led_by_index(door) == led
    assert not led_by_index(door, "b")
    stripped = base.engine == "postgresql" and kinds is PADDING  # CHAR(n) has its blanks
    bad = [
        at for at, one in enumerate(values) if one is not None and (stripped or one not in ACCEPTED)
    ]
    assert found(door, "a", "b") == {"a": bad, "b": bad}


def test_random_values_are_found_alike_with_an_index_and_without(fill, base):
    chance = random.Random(7)
    letters = "abAB _%é'"
    values = ["".join(chance.choices(letters, k=chance.randint(0, 3))) for _ in range(600)]
    values = [one.replace("'", "''") for one in values]
    accepted = tuple(one.replace("''", "'") for one in set(chance.choices(values, k=90)))
    door = fill(EXACT[base.engine], values)
    bad = [at for at, one in enumerate(values) if one.replace("''", "'") not in accepted]
    assert 50 < len(bad) < 550
    assert found(door, "a", "b", accepted=accepted) == {"a": bad, "b": bad}


def test_more_kinds_of_values_than_are_stepped_through_are_all_found(fill, base):
    values = [f"v{number:04}" for number in range(MOST_DISTINCT + 5)]
    door = fill(EXACT[base.engine], values)
    with door._session() as connection:
        clause = door._clause(connection, door.tables()[0])
        assert distinct_values(connection, door._dialect, clause, "a") is None
    assert found(door, "a", accepted=values[1:-1]) == {"a": [0, len(values) - 1]}


def test_as_many_kinds_as_are_stepped_through_are_each_seen(fill, base):
    values = [f"v{number:04}" for number in range(MOST_DISTINCT)]
    door = fill(EXACT[base.engine], values)
    with closing(door), door._session() as connection:
        clause = door._clause(connection, door.tables()[0])
        held = distinct_values(connection, door._dialect, clause, "a")
        assert {*(held or ())} == {*values}


def test_many_bad_rows_of_one_column_hide_none_of_another(fill, base):
    door = fill(EXACT[base.engine], ["bad"] * 30, "UPDATE t SET b = 'DONE' WHERE id < 29")
    assert found(door, "b", "a", limit=10) == {"a": list(range(10)), "b": [29]}
    base.execute("DROP INDEX t_a" if base.engine != "mariadb" else "DROP INDEX t_a ON t")
    door = open_read_door(base.url)
    assert found(door, "b", "a", limit=10) == {"a": list(range(10)), "b": [29]}


@pytest.mark.parametrize("base", ["sqlite", "postgresql"], indirect=True)
def test_an_index_over_some_rows_or_an_expression_leads_nowhere(fill, base):
    door = fill(
        EXACT[base.engine],
        ["DONE", "bad"],
        "DROP INDEX t_a",
        "CREATE INDEX t_part ON t (a) WHERE id < 1",
        "CREATE INDEX t_low ON t (lower(a))",
        "CREATE INDEX t_second ON t (b, a)",
    )
    assert (led_by_index(door), led_by_index(door, "b")) == (False, True)
    assert found(door, "a", "b") == {"a": [1], "b": [1]}


def test_other_types_beside_text_are_found_through_an_index_of_sqlite(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)",
        "CREATE INDEX t_a ON t (a)",
        "INSERT INTO t VALUES (1, 1, 1), (2, 'x', 'x'), (3, x'78', x'78'), (4, 1.5, 1.5),"
        " (5, NULL, NULL), (6, '1', '1'), (7, 9e999, 9e999)",
    )
    assert found(read_door(path), "a", "b", accepted=("x", "1")) == {
        "a": [1, 3, 4, 7],
        "b": [1, 3, 4, 7],
    }
