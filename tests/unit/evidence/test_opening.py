from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from doctor.errors import UsageError
from doctor.evidence.opening import open_system
from doctor.settings import RunsSettings, Settings, SystemSettings
from doctor.system.database import sqlite
from tests.support.ports import answering, make_database, server

TABLES = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT)",
    "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))",
    "INSERT INTO runs VALUES ('r1', 'x')",
)
MODELS = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Step(Base):
    __tablename__ = "steps"
    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
"""


def opened(run="r1", paths=(), **system):
    settings = Settings(system=SystemSettings(**system))
    return open_system(settings, run, "me", (), lambda _logs: list(paths))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{make_database(tmp_path / 'a.db', *TABLES)}"


def test_a_system_of_which_nothing_is_configured_is_empty():
    system = opened()
    assert (system.identity, system.database, system.api, system.code) == ("me", None, None, None)
    assert (system.layout, system.layout_reason, system.route, system.route_reason) == (None,) * 4


def test_the_route_is_filled_in_and_its_prefix_kept(url):
    document = json.dumps({"paths": {"/api/runs/{id}": {"get": {}}}}).encode()
    with server(answering(200, document)) as port:
        system = opened("r 1", database=url, api=f"http://127.0.0.1:{port}")
        whole = opened(None, database=url, api=f"http://127.0.0.1:{port}")
    assert (system.route, system.route_reason, system.run_prefix) == (
        "/api/runs/r%201",
        None,
        "/api/runs/",
    )
    assert (whole.route, whole.route_reason, whole.run_prefix) == (None, None, None)
    assert system.layout is not None
    assert [one.table.name for one in system.layout.members] == ["runs", "steps"]


def test_an_api_that_names_no_route_is_a_reason():
    with server(answering(404)) as port:
        system = opened(api=f"http://127.0.0.1:{port}")
    assert system.route is None
    assert system.route_reason is not None
    assert "does not say how one run is read" in system.route_reason


def test_without_an_api_the_logs_tell_the_prefix(tmp_path, url):
    (tmp_path / "a.log").write_text("x")
    log = {"logs": (str(tmp_path / "a.log"),)}
    named = opened(paths=["/v1/runs/r1"], **log)
    stored = opened(None, paths=["/v2/runs/r1/steps"], database=url, **log)
    neither = opened("r2", paths=["/v2/jobs/x"], database=url, **log)
    assert [one.run_prefix for one in (named, stored, neither)] == ["/v1/runs/", "/v2/runs/", None]
    assert [one.name for one in named.logs] == [str(tmp_path / "a.log")]


def test_a_database_that_locks_while_paths_are_looked_up_costs_only_the_prefix(
    tmp_path, url, monkeypatch
):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    (tmp_path / "a.log").write_text("x")
    settings = Settings(system=SystemSettings(database=url, logs=(str(tmp_path / "a.log"),)))
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:

        def paths(_logs):
            other.execute("BEGIN EXCLUSIVE")
            return ["/runs/r1"]

        system = open_system(settings, None, "me", (), paths)
    assert system.layout is not None
    assert system.run_prefix is None


def test_a_database_whose_runs_are_not_found_is_a_reason(tmp_path):
    path = make_database(tmp_path / "a.db", "CREATE TABLE alone (id TEXT PRIMARY KEY)")
    system = opened(database=f"sqlite:///{path}")
    assert system.database is not None
    assert (system.layout, system.layout_reason) == (
        None,
        "no table looks like a run table: none is referenced by another",
    )


def test_the_read_only_url_is_the_one_that_probes_use(tmp_path, url):
    empty = make_database(tmp_path / "b.db")
    system = opened(database=f"sqlite:///{empty}", database_readonly=url)
    assert system.layout is not None


def test_references_of_the_models_count_and_broken_models_do_not(tmp_path):
    statements = [one.replace(" REFERENCES runs (id)", "") for one in TABLES]
    path = make_database(tmp_path / "b.db", *statements)
    models = tmp_path / "models.py"
    models.write_text(MODELS)
    database = f"sqlite:///{path}"
    assert opened(database=database, models=str(models)).layout is not None
    models.write_text("class (:")
    broken = opened(database=database, models=str(models))
    assert broken.layout is None
    assert broken.code is not None


def test_the_configured_table_key_and_states_are_taken(url):
    runs = RunsSettings(table="steps", key="run", terminal=("DONE",))
    system = opened(database=url, runs=runs)
    assert system.layout is not None
    assert (system.layout.run.table.name, system.layout.run.via) == ("steps", "run")
    assert system.terminal == {"DONE"}


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ({"models": "/gone/models.py"}, "there are no models at '/gone/models.py'"),
        ({"database": "sqlite:////gone/a.db"}, "there is no database file '/gone/a.db'"),
        ({"api": "gone"}, "'gone' is not an API address"),
        ({"logs": ("/gone/a.log",)}, "there is no log file '/gone/a.log'"),
        ({"error_reports": ("/gone/a.json",)}, "there is no log file '/gone/a.json'"),
    ],
)
def test_what_was_named_and_is_not_there_is_refused(system, message):
    with pytest.raises(UsageError) as caught:
        opened(**system)
    assert str(caught.value) == message
