"""What a new row needs, by origin, on a table that has every kind of column."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from doctor import UsageError, required_fields, validate_insert
from doctor.model.evidence import Scalar
from doctor.model.schema import CodeColumn, CodeFill, CodeModels, CodeTable
from doctor.model.system import System
from doctor.schema.required import Sources
from tests.support.ports import enum_column, make_database, read_door

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SOURCES = Sources(NOW, lambda: UUID(int=7, version=4))
TABLE = """CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    token CHAR(36) NOT NULL,
    state VARCHAR(9) NOT NULL,
    kind VARCHAR(9) NOT NULL,
    name VARCHAR(9) NOT NULL UNIQUE,
    place VARCHAR(9) NOT NULL DEFAULT 'here',
    owner INTEGER NOT NULL REFERENCES owners (id),
    mode VARCHAR(9) NOT NULL,
    ending VARCHAR(9) NOT NULL,
    password VARCHAR(9) NOT NULL,
    mixed VARCHAR(9) NOT NULL,
    made DATETIME NOT NULL,
    seen DATETIME NOT NULL,
    costs INTEGER NOT NULL,
    note TEXT,
    double INTEGER GENERATED ALWAYS AS (costs * 2)
)"""
CODE = CodeTable(
    "runs",
    None,
    (
        CodeColumn("token", "String", nullable=False, default="uuid4", fill=CodeFill("uuid")),
        enum_column("state", "NEW", "DONE"),
        CodeColumn("made", "DateTime", nullable=False, default="_now", fill=CodeFill("clock")),
        CodeColumn("costs", "Integer", nullable=False, default="price()", fill=CodeFill("call")),
        CodeColumn("note", "Text", nullable=False, default="'-'", fill=CodeFill("value", "-")),
        CodeColumn("gone", "Text", nullable=True),
    ),
    "models.py:1",
)


class Models:
    """Models as values."""

    def models(self):
        return CodeModels((CODE,))


@pytest.fixture
def system(tmp_path):
    rows = [
        f"INSERT INTO runs VALUES ({at}, '{at}', 'DONE', 'k', 'n{at}', 'x', 1, 'usual', 'Done',"
        f" 'pw', 'm{at % 3}', '2026-01-01T00:00:00.123Z', '2026-01-01 00:00:00', {at}, NULL)"
        for at in range(1, 31)
    ]
    make_database(
        tmp_path / "a.db",
        "CREATE TABLE owners (id INTEGER PRIMARY KEY)",
        "INSERT INTO owners VALUES (1)",
        TABLE,
        *rows,
    )
    return System(
        "x", database=read_door(tmp_path / "a.db"), code=Models(), terminal=frozenset({"DONE"})
    )


def test_every_column_has_its_origin_and_nothing_is_invented(system):
    needed = required_fields(system, "runs", sources=SOURCES)
    assert {one.name: (one.origin, one.value) for one in needed.fields} == {
        "id": ("autoincrement", None),
        "token": ("ORM default", "00000000-0000-4000-8000-000000000007"),
        "state": ("you", None),
        "kind": ("learned", "k"),
        "name": ("you", None),
        "place": ("server default", None),
        "owner": ("you", None),
        "mode": ("learned", "usual"),
        "ending": ("you", None),
        "password": ("you", None),
        "mixed": ("you", None),
        "made": ("clock", "2026-01-02T03:04:05.678Z"),
        "seen": ("clock", "2026-01-02 03:04:05"),
        "costs": ("you", None),
        "note": ("ORM default", "-"),
    }
    certain = {one.name: one.certain for one in needed.fields}
    assert [name for name, is_certain in certain.items() if not is_certain] == [
        "kind",
        "mode",
        "seen",
    ]
    left = {one.name: one.reason for one in needed.missing}
    assert left["state"] == "which one a new row has is not declared: NEW, DONE"
    assert left["name"] == "no two rows share it"
    assert left["costs"] == "its default price() is only known when the code runs"
    assert left["mixed"] == "no default is declared; 30 rows hold 3 different values"
    assert [one.reason for one in needed.gaps] == ["the models write runs.gone, which is not there"]


def test_what_is_given_is_kept_and_judged(system):
    given: dict[str, Scalar] = {
        "state": "done",
        "owner": 9,
        "name": "n1",
        "double": 4,
        "costs": "many",
    }
    needed = required_fields(system, "runs", given, sources=SOURCES)
    assert {one.column: one.fault for one in needed.problems} == {
        "state": "enum",
        "double": "computed",
        "costs": "type",
        "owner": "reference",
        "name": "unique",
    }
    assert {name: needed.row[name] for name in given} == given


def test_a_row_that_lacks_everything_is_told_everything(system):
    found = validate_insert(system, "runs", {})
    faults = {one.column: (one.fault, one.right) for one in found.problems}
    assert faults["note"] == ("missing", "'-' (ORM default: default='-')")
    assert faults["owner"] == ("missing", "it references owners (id)")
    assert {"id", "place", "double"}.isdisjoint(faults)
    assert len(faults) == 13


def test_twenty_rows_are_needed_to_learn_anything(system, tmp_path):
    make_database(
        tmp_path / "b.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, mode TEXT NOT NULL)",
        *[f"INSERT INTO runs VALUES ({at}, 'usual')" for at in range(19)],
    )
    few = System("x", database=read_door(tmp_path / "b.db"))
    (mode,) = required_fields(few, "runs").missing
    assert mode.reason == "no default is declared; 19 rows, fewer than 20 hold 1 different values"
    with pytest.raises(UsageError, match="there is no table 'rums'"):
        required_fields(few, "rums")
