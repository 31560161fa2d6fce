from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from doctor.model.evidence import Fact, Gap
from doctor.model.schema import CodeColumn, Need
from doctor.runs import find_layout
from doctor.schema import bad_cells
from doctor.schema.bad_cells import ROW_LIMIT, fits
from tests.support.ports import code, make_database, read_door

KIND = "database.bad_cell"
MODELS = code(
    (
        "runs",
        (
            CodeColumn("id", "String", nullable=False, primary_key=True),
            CodeColumn("goal", "String", nullable=False),
            CodeColumn("cap", "Integer", nullable=True),
            CodeColumn("cost", "Float", nullable=True),
            CodeColumn("begun", "DateTime", nullable=True),
            CodeColumn("day", "Date", nullable=True),
            CodeColumn("hour", "Time", nullable=True),
            CodeColumn("plan", "JSON", nullable=True),
            CodeColumn("absent", "JSON", nullable=False),
        ),
    ),
    ("phases", (CodeColumn("name", "String", nullable=False),)),
)
TABLES = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY, goal TEXT, cap, cost, begun, day, hour, plan)",
    "CREATE TABLE phases (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id), name TEXT)",
)
GOOD = {
    "goal": "'g'",
    "cap": "1",
    "cost": "1.5",
    "begun": "'2026-01-02 03:04:05.000006'",
    "day": "'2026-01-02'",
    "hour": "'03:04:05'",
    "plan": "'{\"a\": [1, null]}'",
}


@pytest.fixture
def look(tmp_path):
    def build(*statements, run="r1"):
        door = read_door(make_database(tmp_path / f"{run}.db", *TABLES, *statements))
        return list(bad_cells(door, MODELS, find_layout(door, MODELS, run, None), run))

    return build


def row(run="r1", **cells):
    values = {**GOOD, **cells}
    return f"INSERT INTO runs VALUES ('{run}', {', '.join(values.values())})"


def places(found):
    return [
        (one.fields["run"], one.fields["table"], one.fields["column"], one.fields["need"])
        for one in found
    ]


@pytest.mark.parametrize("run", ["r1", "r2", None])
def test_what_is_as_declared_is_no_finding(look, run):
    empty = dict.fromkeys(GOOD.keys() - {"goal"}, "NULL")
    assert look(row(begun="'2026-01-02'"), row("r2", **empty), run=run) == []


def test_null_fits_every_column_that_may_be_null(look):
    nulls = dict.fromkeys(("cap", "cost", "begun", "day", "hour", "plan"), "NULL")
    assert look(row(**nulls)) == []


@pytest.mark.parametrize(
    ("cells", "need"),
    [
        ({"goal": "NULL"}, "set"),
        ({"cap": "'many'"}, "whole number"),
        ({"cap": "1.5"}, "whole number"),
        ({"cap": "x'00'"}, "whole number"),
        ({"cost": "'much'"}, "number"),
        ({"begun": "1767312000"}, "date and time"),
        ({"begun": "'soon'"}, "date and time"),
        ({"begun": "'now'"}, "date and time"),
        ({"begun": "''"}, "date and time"),
        ({"begun": "'2026-02-30 00:00:00'"}, "date and time"),
        ({"begun": "'2026-01-02 25:00:00'"}, "date and time"),
        ({"day": "'02.01.2026'"}, "date"),
        ({"day": "'2026-01-02 03:04:05'"}, "date"),
        ({"hour": "'25:00:00'"}, "time"),
        ({"plan": "'{bad'"}, "JSON"),
        ({"plan": "''"}, "JSON"),
        ({"plan": "\"{'a': 1}\""}, "JSON"),
    ],
)
def test_a_cell_that_is_not_as_declared_is_found_and_no_other(look, cells, need):
    [found] = look(row(**cells), row("r2", goal="NULL"))
    assert places([found]) == [("r1", "runs", next(iter(cells)), need)]
    assert found.fields["key"] == {"id": "r1"}
    assert found.fields["declared_at"] == "models.py:1"


def test_every_row_below_a_run_is_looked_at_and_all_runs_where_none_is_named(look):
    rows = (
        row(),
        row("r2", cap="'x'", plan="'{'"),
        "INSERT INTO phases VALUES (1, 'r1', NULL), (2, 'r2', 'b')",
    )
    assert places(look(*rows)) == [("r1", "phases", "name", "set")]
    assert places(look(*rows, run=None)) == [
        ("r2", "runs", "cap", "whole number"),
        ("r2", "runs", "plan", "JSON"),
        ("r1", "phases", "name", "set"),
    ]


def test_more_rows_than_are_looked_at_are_a_gap(look):
    rows = [f"INSERT INTO phases VALUES ({one}, 'r1', NULL)" for one in range(ROW_LIMIT + 1)]
    found = look(row(), *rows)
    assert sum(isinstance(one, Fact) for one in found) == ROW_LIMIT
    assert [one.reason for one in found if isinstance(one, Gap)] == [
        f"phases has more than {ROW_LIMIT} bad rows; the first are shown"
    ]


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime | None]
    day: Mapped[date | None]
    hour: Mapped[time | None]
    plan: Mapped[dict[str, int] | None] = mapped_column(sa.JSON(none_as_null=True))


NEEDS: dict[str, Need] = {"at": "date and time", "day": "date", "hour": "time", "plan": "JSON"}
TEXTS = st.one_of(
    st.text(max_size=12),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{3,6})?)?)?",
        fullmatch=True,
    ),
    st.from_regex(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|\+01:00)?", fullmatch=True),
    st.from_regex(r"[\[{][\"a:1, ]{0,6}[\]}]", fullmatch=True),
    st.datetimes().map(str),
    st.dates().map(str),
    st.times().map(str),
    st.dictionaries(st.text(max_size=3), st.integers()).map(json.dumps),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.binary(max_size=4),
)


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    path = Path(tmp_path_factory.mktemp("things")) / "a.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO things (id) VALUES (1)")
    yield engine, read_door(path)
    engine.dispose()


@given(column=st.sampled_from(sorted(NEEDS)), value=TEXTS)
@settings(max_examples=400, deadline=None)
def test_what_sqlalchemy_cannot_load_is_found_and_what_it_loads_is_not(things, column, value):
    """The oracle is SQLAlchemy itself, reading the row."""
    engine, door = things
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE things SET {column} = ?", (value,))
    with Session(engine) as session:
        try:
            session.get(Thing, 1)
            loads = True
        except (ValueError, TypeError, RecursionError):
            loads = False
    [table] = door.tables()
    rows = door.rows_unfit(table, [(column, NEEDS[column])], within=None, limit=2)
    found = [one for one in rows if not fits(one[column], NEEDS[column])]
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE things SET {column} = NULL")
    assert bool(found) is not loads, (column, value)
