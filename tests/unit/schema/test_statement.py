from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from doctor.model.change import SetCells
from doctor.schema import update_statement
from tests.support.ports import make_database


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            SetCells("runs", {"id": "a"}, {"state": "REDY"}, {"state": "READY"}),
            "UPDATE runs SET state = 'READY' WHERE id = 'a' AND state = 'REDY'",
        ),
        (
            SetCells("runs", {"a": 1, "b": None}, {"x": b"\xff", "y": True}, {"x": None, "y": 1.5}),
            "UPDATE runs SET x = NULL, y = 1.5 WHERE a = 1 AND b IS NULL AND x = X'ff' AND y = 1",
        ),
        (
            SetCells("Order", {"select": "it's"}, {'a"b': "x"}, {'a"b': "';--"}),
            """UPDATE "Order" SET "a""b" = ''';--' WHERE "select" = 'it''s' AND "a""b" = 'x'""",
        ),
        (
            SetCells("group", {"id": 1}, {"größe": -1}, {"größe": float("-inf")}),
            'UPDATE "group" SET "größe" = -9e999 WHERE id = 1 AND "größe" = -1',
        ),
    ],
)
def test_a_change_reads_as_sql(change, text):
    assert update_statement(change) == text
    assert update_statement(change, "sqlite:/a/b.db") == text


ODD = SetCells(
    "Order", {"id": "it's"}, {"a`b": "x\\", "y": True}, {"a`b": b"\xff", "y": float("-inf")}
)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (
            "postgresql://h/d",
            (
                """UPDATE "Order" SET "a`b" = '\\xff', y = '-Infinity' """
                """WHERE id = 'it''s' AND "a`b" = 'x\\' AND y = true"""
            ),
        ),
        (
            "mysql://h/d",
            (
                """UPDATE `Order` SET `a``b` = X'ff', y = -9e999 """
                """WHERE id = 'it''s' AND BINARY `a``b` = 'x\\\\' AND y = 1"""
            ),
        ),
    ],
)
def test_a_change_reads_as_the_sql_of_its_engine(target, text):
    assert update_statement(ODD, target) == text


@pytest.mark.parametrize("name", ["order", "Order", "a b", 'a"b', "1a", "ключ", "x;--", "index"])
@pytest.mark.parametrize("value", ["it's", "", 5, -1.5, b"\x00\xff", float("inf"), None])
def test_the_text_means_what_the_change_means(tmp_path, name, value):
    quoted = '"' + name.replace('"', '""') + '"'
    path = make_database(tmp_path / "a.db", f"CREATE TABLE {quoted} (id, {quoted})")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"INSERT INTO {quoted} VALUES ('k', 'old')")
        change = SetCells(name, {"id": "k"}, {name: "old"}, {name: value})
        assert connection.execute(update_statement(change)).rowcount == 1
        assert connection.execute(f"SELECT {quoted} FROM {quoted}").fetchall() == [(value,)]
        back = SetCells(name, {"id": "k"}, {name: value}, {name: "old"})
        assert connection.execute(update_statement(back)).rowcount == 1
