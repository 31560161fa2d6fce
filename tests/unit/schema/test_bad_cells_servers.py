"""Bad cells on PostgreSQL and MariaDB: what a type already promises is never called bad."""

from __future__ import annotations

from doctor.model.layout import Layout, Member
from doctor.model.schema import CodeColumn, CodeModels, CodeTable
from doctor.schema.bad_cells import bad_cells
from doctor.system.database import open_read_door
from tests.support.ports import fields


def test_only_the_cell_that_is_missing_is_bad_in_a_row_of_many_types(ground):
    moment = ground.of(postgresql="TIMESTAMPTZ", mariadb="DATETIME(3)")
    ground.execute(
        f"CREATE TABLE runs (id INT PRIMARY KEY, goal TEXT, cost NUMERIC(9,2), size NUMERIC(9),"
        f" at {moment}, day DATE, clock TIME, data JSON, share DOUBLE PRECISION)",
        "INSERT INTO runs VALUES (1, NULL, 1.50, 7, '2026-01-02 03:04:05.678', '2026-01-02',"
        " '03:04:05', '[1]', 0.1), (2, 'x', 1.50, 7, '2026-01-02', '2026-01-02', '03:04', '{}', 1)",
    )
    columns = (
        CodeColumn("id", "Integer", nullable=False, primary_key=True),
        CodeColumn("goal", "Text", nullable=False),
        CodeColumn("cost", "Numeric", nullable=False),
        CodeColumn("size", "Integer", nullable=False),
        CodeColumn("at", "DateTime", nullable=False),
        CodeColumn("day", "Date", nullable=False),
        CodeColumn("clock", "Time", nullable=False),
        CodeColumn("data", "JSON", nullable=False),
        CodeColumn("share", "Float", nullable=False),
    )
    found = looked_at(ground, columns)
    assert [(one["column"], one["value"]) for one in fields(found)] == [("goal", "NULL")]


def test_json_in_a_column_of_text_is_judged_wherever_it_is_kept(ground):
    ground.execute(
        "CREATE TABLE runs (id INT PRIMARY KEY, data TEXT, goal TEXT)",
        "INSERT INTO runs VALUES (1, '[1]', 'x'), (2, '{bad', 'x'), (3, NULL, 'x'), (4, '1', NULL)",
    )
    columns = (CodeColumn("data", "JSON", nullable=True), CodeColumn("goal", "Text", False))
    found = fields(looked_at(ground, columns))
    cells = sorted((one["run"], one["column"], one["value"]) for one in found)
    assert cells == [("2", "data", "{bad"), ("4", "goal", "NULL")]


def looked_at(ground, columns):
    door = open_read_door(ground.url)
    (runs,) = door.tables()
    code = CodeModels((CodeTable("runs", None, columns, "models.py:1"),))
    return list(bad_cells(door, code, Layout((Member("run", runs, "id"),)), None))
