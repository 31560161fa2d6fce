"""CHECK conditions decided on values: never other than the database does."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing

import pytest

from doctor import validate_insert
from doctor.model.system import System
from doctor.schema.conditions import fails
from doctor.system.database import open_read_door

CONDITIONS = (
    "n > 0",
    "n >= 0 AND n <= 10",
    "n BETWEEN 1 AND 5",
    "s IN ('a', 'b')",
    "s = 'a' OR n = 3",
    "NOT (s = 'a')",
    "s IS NOT NULL",
    "s IS NULL OR length(s) <= 2",
    "s <> 'abc' AND n <> 7",
    "n IN (1, 2, -3)",
    "n NOT IN (1, 2, -3) AND s NOT IN ('a', 'x')",
    "n NOT BETWEEN 1 AND 5",
    "json_valid(s)",
    "upper(s) = 'A' OR n > 0",
    "n + 1 > 2 AND s = 'a'",
)
VALUES = {"n": (None, -3, 0, 1, 3, 7, 11, 2.5), "s": (None, "a", "b", "abc", "", "[1]")}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_is_decided_is_what_the_database_decides(condition):
    decided = 0
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t (n NUMERIC, s TEXT, CHECK ({condition}))")
        for n, s in itertools.product(*VALUES.values()):
            found = fails(condition, {"n": n, "s": s})
            if found is None:
                continue
            decided += 1
            try:
                connection.execute("INSERT INTO t VALUES (?, ?)", (n, s))
            except sqlite3.IntegrityError:
                assert found is True, (n, s)
            else:
                assert found is False, (n, s)
    assert decided > 0


@pytest.mark.parametrize(
    ("condition", "row", "found"),
    [
        ("((state)::text = ANY ((ARRAY['a'::character varying, 'b'::text])::text[]))", "c", True),
        ("((state)::text = ANY ((ARRAY['a'::character varying, 'b'::text])::text[]))", "b", False),
        ("`state` in ('a','b')", "c", True),
        ("`state` in ('a','b')", "A", None),
        ("state = 'straße'", "strasse", None),
        ("state ~ '^[a-z]+$'", "1", None),
        ("state LIKE 'a%'", "b", None),
        ("other = 'a'", "a", None),
        ("this is no condition ((", "a", None),
    ],
)
def test_spellings_of_servers_and_what_only_they_can_tell(condition, row, found):
    assert fails(condition, {"state": row}) is found


def test_a_row_is_told_which_condition_it_does_not_meet(ground):
    ground.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(9) NOT NULL, n INT NOT NULL,"
        " CONSTRAINT known CHECK (state IN ('new', 'done')), CONSTRAINT few CHECK (n < 5),"
        " CONSTRAINT odd CHECK (mod(n, 2) = 1))"
    )
    system = System("x", database=open_read_door(ground.url))
    found = validate_insert(system, "runs", {"id": 1, "state": "old", "n": 7})
    assert sorted((one.column, one.fault) for one in found.problems) == [
        ("n", "check"),
        ("state", "check"),
    ]
    assert [one.reason for one in found.gaps if one.probe == "schema.condition"] == [
        "the condition 'odd' is left to the database"
    ]
