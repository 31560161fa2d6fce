"""Repairs under bad conditions: one clear outcome, its exit code, and nothing half done."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from doctor.doctor import Doctor
from doctor.model.change import SetColumn, pins_of
from doctor.model.ports import Batch
from doctor.settings import load_settings
from doctor.system.database import open_read_door, open_write_door, server, sqlite
from tests.support.columns import ENGINES, MODELS, orders
from tests.support.soak import PART, sized
from tests.support.terminal import say

pytestmark = pytest.mark.slow
BAD = 450
SERVERS = ["postgresql", "mariadb"]
SECRET = "hunter2-7f3a"
HOSTILE = sized(1_000, 20_000)


@pytest.fixture(params=ENGINES)
def system(request, tmp_path):
    with orders(request.param, tmp_path, bad=BAD) as made:
        yield made


@pytest.fixture(params=SERVERS)
def on_server(request, tmp_path):
    with orders(request.param, tmp_path, bad=BAD) as made:
        yield made


def ask(system, *arguments):
    return say(*arguments, "--config", str(system.config), "--format", "json")


@pytest.fixture
def narrow(on_server):
    """The same system by an account that may read and change orders, and nothing else."""
    ground = on_server.ground
    name = ground.name[:30]
    if on_server.engine == "postgresql":
        ground.execute(f"CREATE ROLE {name} LOGIN", f"GRANT SELECT, UPDATE ON orders TO {name}")
    else:
        ground.execute(
            f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{SECRET}'",
            f"GRANT SELECT, UPDATE ON {ground.name}.orders TO {name}@'127.0.0.1'",
        )
    narrowed = replace(on_server, url=ground.as_user(name, SECRET))
    narrowed.configure()
    yield narrowed
    if on_server.engine == "postgresql":
        ground.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
    else:
        ground.execute(f"DROP USER {name}@'127.0.0.1'")


@pytest.mark.parametrize("command", [("heal", "3"), ("repair", "orders.state")])
def test_no_permission_for_the_markers_table_changes_nothing(narrow, command):
    before = narrow.dump()
    done = ask(narrow, *command)
    assert (done.code, done.json["status"]) == (7, "undone")
    outcome = done.json.get("outcome") or done.json["outcomes"][0]
    assert outcome["result"] == "not_applied"
    assert "denied" in outcome["reason"]
    assert narrow.dump() == before
    assert ask(narrow, "recover").json["fixes"] == []
    assert all(one["spent"] == 0 for one in ask(narrow, "budget").json["spent"])


def is_written(raw):
    """Tell whether a connection is that of the write door to the orders."""
    if not isinstance(raw, sqlite3.Connection) or raw.isolation_level is not None:
        return False
    return raw.execute("PRAGMA database_list").fetchone()[2].endswith("orders.db")


def test_a_database_that_takes_no_writes_is_left_alone(system):
    before = system.dump()
    if system.engine == "sqlite":

        def read_only(raw, _record):
            if is_written(raw):
                raw.execute("PRAGMA query_only = ON")

        sa.event.listen(sa.Engine, "connect", read_only)
    elif system.engine == "postgresql":
        name = system.ground.name
        system.ground.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    else:
        init = "SET SESSION TRANSACTION READ ONLY"
        replace(system, url=system.ground.with_query(init_command=init)).configure()
    try:
        done = ask(system, "repair", "orders.state")
    finally:
        if system.engine == "sqlite":
            sa.event.remove(sa.Engine, "connect", read_only)
    assert (done.code, done.json["status"]) == (7, "undone")
    assert done.json["outcome"]["result"] == "not_applied"
    assert "read" in done.json["outcome"]["reason"].lower()
    assert system.dump() == before


def cut(system):
    """End every connection to the database but one's own."""
    ground = system.ground
    if system.engine == "postgresql":
        ground.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
    for (number,) in ground.query(
        "SELECT id FROM information_schema.processlist"
        " WHERE db = database() AND id <> connection_id()"
    ):
        with suppress(Exception):
            ground.execute(f"KILL {number}")


@pytest.mark.parametrize("point", ["write", "marker", "commit"] if PART else ["marker"])
def test_a_connection_that_is_cut_between_batches_is_made_again(on_server, point):
    before, times = on_server.dump(), []

    def step(done):
        times.append(done)
        if done == point and times.count(point) == 2:
            cut(on_server)

    with Doctor(load_settings(on_server.config), step=step) as doctor:
        done = doctor.repair("orders.state")
    assert done.status == "healed", done
    assert on_server.states() == {"QUEUED": 457, "RUNNING": 7, "DONE": 6}
    assert done.outcome is not None
    assert done.outcome.moved == 0
    assert ask(on_server, "undo", done.outcome.fix).code == 0
    assert on_server.dump() == before


def test_a_lock_that_does_not_end_stops_it_between_two_batches(system, monkeypatch):
    monkeypatch.setattr(server, "WRITE_LOCK_SECONDS", 1.0)
    monkeypatch.setattr(sqlite, "WRITE_BUSY_SECONDS", 0.2)
    before = system.dump()
    held: list[Any] = []

    def step(done):
        if done == "commit" and not held:
            held.append(system.connect())
            if system.engine == "sqlite":
                held[0].execute("BEGIN IMMEDIATE")
            update = "UPDATE orders SET revision = 0 WHERE number = 444"
            held[0].cursor().execute(update)

    with Doctor(load_settings(system.config), step=step) as doctor:
        done = doctor.repair("orders.state")
    assert (done.status, done.exit_code) == ("unknown", 9)
    assert done.outcome is not None
    assert done.outcome.result == "unknown"
    assert 100 <= done.outcome.done < BAD
    assert f"{done.outcome.done} of {BAD} rows" in done.outcome.reason
    assert "lock" in done.outcome.reason.lower()
    held[0].rollback()
    held[0].close()
    assert system.states()["READY"] == BAD - done.outcome.done
    assert [one["state"] for one in ask(system, "recover").json["fixes"]] == ["verified"]
    assert system.states() == {"QUEUED": 457, "RUNNING": 7, "DONE": 6}
    assert ask(system, "undo", done.outcome.fix).code == 0
    assert system.dump() == before


def test_a_disk_that_is_full_leaves_whole_batches(tmp_path, monkeypatch):
    """SQLite's own limit of pages stands for the disk."""
    with orders("sqlite", tmp_path, bad=3_000) as system:
        before = system.dump()
        limit: list[int] = []

        def small(raw, _record):
            if limit and is_written(raw):
                raw.execute(f"PRAGMA max_page_count = {limit[0]}")

        monkeypatch.setattr("doctor.treatment.column_plan.MANY_ROWS", 10_000)
        sa.event.listen(sa.Engine, "connect", small)
        try:
            with closing(system.connect()) as connection:
                limit.append(connection.execute("PRAGMA page_count").fetchone()[0] + 8)
            done = ask(system, "repair", "orders.state")
        finally:
            sa.event.remove(sa.Engine, "connect", small)
        assert done.json["outcome"], done.out
        assert (done.code, done.json["outcome"]["result"]) == (9, "unknown")
        assert "full" in done.json["outcome"]["reason"]
        visited = done.json["outcome"]["done"]
        assert 0 < visited < 3_000
        assert system.states()["READY"] == 3_000 - visited
        assert ask(system, "recover").code == 0
        assert "READY" not in system.states()
        assert ask(system, "undo", done.json["outcome"]["fix"]).code == 0
        assert system.dump() == before


def test_a_wrong_account_is_named_and_its_password_is_not(on_server):
    before = on_server.dump()
    place = on_server.ground.place.set(username="nobody_here", password=SECRET)
    replace(on_server, url=place.render_as_string(False)).configure()
    for command in (["repair", "orders.state"], ["plan", "--column", "orders.state"]):
        done = ask(on_server, *command)
        assert done.code == 2, done.out
        assert "nobody_here" in done.out + done.err
        assert SECRET not in done.out + done.err
    assert on_server.dump() == before


def test_a_table_without_a_primary_key_is_refused(system):
    system.execute("ALTER TABLE orders RENAME TO kept")
    system.execute(
        "CREATE TABLE orders (number INTEGER NOT NULL, state VARCHAR(20) NOT NULL,"
        " note VARCHAR(200) NOT NULL, revision INTEGER NOT NULL)"
    )
    system.execute("INSERT INTO orders SELECT * FROM kept")
    system.execute("DROP TABLE kept")
    before = system.dump()
    done = ask(system, "repair", "orders.state")
    assert done.code in (2, 9), done.out
    assert "primary key" in done.out + done.err
    assert system.dump() == before


@pytest.mark.parametrize("kept_by", ["MyISAM", "Aria"])
def test_a_table_that_cannot_roll_back_is_refused(kept_by, tmp_path):
    with orders("mariadb", tmp_path, bad=BAD) as system:
        system.execute(f"ALTER TABLE orders ENGINE={kept_by}")
        before = system.dump()
        done = ask(system, "repair", "orders.state")
        assert (done.code, done.json["outcome"]["result"]) == (7, "not_applied")
        assert f"{kept_by}, which cannot roll back" in done.json["outcome"]["reason"]
        assert system.dump() == before


def test_rows_that_are_named_by_secrets_are_not_pinned(tmp_path):
    with orders("sqlite", tmp_path, bad=5) as system:
        system.execute("ALTER TABLE orders RENAME COLUMN number TO api_key")
        models = MODELS.replace("number:", "api_key:")
        (system.folder / "models.py").write_text(models, encoding="utf-8")
        done = ask(system, "repair", "orders.state")
        assert done.code == 2
        assert "secrets" in done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("orders", "no column"),
        ("orders.stat", "did you mean orders.state"),
        ("orders.note", "not read through an enum"),
        ("orders.state; DROP TABLE orders", "no column"),
        ("", "no column"),
    ],
)
def test_a_column_that_cannot_be_repaired_is_a_usage_error(tmp_path, name, words):
    with orders("sqlite", tmp_path, bad=3) as system:
        done = ask(system, "repair", name)
        assert done.code == 2
        assert words in done.err
        assert system.states()["READY"] == 3


def test_a_value_that_the_code_accepts_meanwhile_is_left_alone(tmp_path):
    with orders("sqlite", tmp_path, bad=1_200) as system:
        asked = ask(system, "repair", "orders.state")
        assert asked.code == 5
        with Doctor(load_settings(system.config)) as doctor:
            store = doctor.memory.open_for_writing()
            store.approvals.approve(asked.json["incident"], asked.json["plan"], "somebody")
        models = MODELS.replace("DONE =", 'READY = "ready"\n    DONE =')
        (system.folder / "models.py").write_text(models, encoding="utf-8")
        done = ask(system, "repair", "orders.state")
        assert (done.code, done.json["status"]) == (6, "refused")
        assert "accepts 'READY'" in done.json["decision"]["reason"]
        assert system.states()["READY"] == 1_200


@pytest.mark.parametrize("engine", ENGINES)
def test_hostile_keys_and_values_are_only_keys_and_values(engine, tmp_path, figure):
    chance = random.Random(20261124)
    pieces = (
        *('"', "'", "`", ";", "--", "%s", "%(x)s", ":x", "\\", "{}", "{", "}", ",", "é", "日"),
        *(" ", "$$", "/*", "\n", "?", "x'00'", "NULL", "null", "\t", "%%", "\\'", "0", "[", "]"),
    )
    hostile = [
        "".join(chance.choice(pieces) for _ in range(chance.randint(1, 9))) + str(at)
        for at in range(HOSTILE)
    ]
    hostile += ["", "NULL", '"', "\\", "{}", "%s", "1", " 1"]
    value, to = "a'b\"c\\d%s{}`;--", "\"NEW'\\%(x)s"
    marks = {"sqlite": '"', "postgresql": '"', "mariadb": "`"}
    mark = marks[engine]
    table, key, column = (f"{one}{mark}{mark};--" for one in ("ta'ble", "k%s", "co\\l"))
    shown = [one.replace(mark * 2, mark) for one in (table, key, column)]
    kind = "VARCHAR(90) COLLATE utf8mb4_bin" if engine == "mariadb" else "VARCHAR(90)"
    quoted = [f"{mark}{one}{mark}" for one in (table, key, column)]
    with orders(engine, tmp_path, bad=1) as system:
        system.execute(
            f"CREATE TABLE {quoted[0]} ({quoted[1]} {kind} NOT NULL PRIMARY KEY,"
            f" {quoted[2]} {kind}, other {kind})".replace("%", "%%" if system.ground else "%")
        )
        name = quoted[0].replace("%", "%%" if system.ground else "%")
        rows: list[tuple[object, ...]] = [(one, value, one) for one in hostile]
        system.many(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
        before = sorted(system.query(f"SELECT * FROM {quoted[0]}"))
        read = open_read_door(system.url)
        found = next(one for one in read.tables() if one.name == shown[0])
        keys = read.keys(found, {shown[2]: value}, limit=100_000)
        assert sorted(keys) == sorted((one,) for one in hostile)
        pinned = pins_of(keys)
        change = SetColumn(shown[0], (shown[1],), shown[2], value, to, len(keys), pinned)
        door = open_write_door(system.url, create_marker=True)
        batch = Batch(0, 0, len(keys))
        with door.transaction() as transaction:
            image = transaction.set_rows(change, keys, rehearsed=5)
            transaction.mark_batch("F1", batch, image)
        assert image.moved == ()
        after = sorted(system.query(f"SELECT * FROM {quoted[0]}"))
        assert after == sorted((one, to, one) for one in hostile)
        with door.transaction() as transaction:
            transaction.restore_rows(change, transaction.batch_image("F1", batch))
        assert sorted(system.query(f"SELECT * FROM {quoted[0]}")) == before
    figure(f"{engine}: {len(hostile)} hostile keys in one batch: all set, all put back")
