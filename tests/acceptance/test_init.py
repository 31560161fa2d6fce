"""The first minute of a new user: doctor init in the folder of a system, then a preflight."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.jobs import fill
from tests.support.ports import make_database
from tests.support.terminal import say

APSCHEDULER = (
    (
        "CREATE TABLE apscheduler_jobs (id VARCHAR(191) PRIMARY KEY, next_run_time FLOAT,"
        " job_state BLOB NOT NULL)"
    ),
    "INSERT INTO apscheduler_jobs VALUES ('a', 1.0, x'8004')",
)
MODELS = Path(__file__).parents[1] / "support" / "jobs_models.py"


@pytest.fixture
def here():
    return Path.cwd()


def test_a_described_system_is_recognised_by_its_tables(here):
    make_database(here / "jobs.sqlite", *APSCHEDULER)
    said = say("init")
    assert said.code == 0
    assert "apscheduler" in said.out
    assert "apscheduler_jobs.id names a run" in said.out
    assert "next: doctor preflight" in said.out
    config = tomllib.loads((here / "doctor.toml").read_text())
    assert config["system"] == {"kind": "apscheduler", "database": "sqlite:///jobs.sqlite"}
    found = say("preflight", "--format", "json")
    assert (found.code, found.json["sick"][0]["run"]) == (3, "a")


def test_a_system_with_models_is_discovered_and_what_is_not_certain_is_said(here):
    runs = fill(here / "app.db")
    (here / "models.py").write_bytes(MODELS.read_bytes())
    said = say("init", "--format", "json").json
    assert said["found"]["kind"] == "discovered"
    assert (said["runs"], said["belongs"]) == ("jobs.uid", ["stages", "steps"])
    assert any("which states end a run is not known" in one for one in said["unsure"])
    assert "waiting" in said["text"].partition("# terminal")[2]
    assert say("diagnose", runs["case"]).code == 3


def test_what_would_be_written_is_shown_and_nothing_is_written(here):
    make_database(here / "jobs.sqlite", *APSCHEDULER)
    said = say("init", "--print")
    assert tomllib.loads(said.out)["system"]["kind"] == "apscheduler"
    assert say("init", "--print", "--format", "json").json["file"] is None
    assert not (here / "doctor.toml").exists()


def test_a_file_is_replaced_only_by_force_and_its_own_values_do_not_count(here):
    make_database(here / "jobs.sqlite", *APSCHEDULER)
    (here / "doctor.toml").write_text('[system]\nkind = "gone"\ndatabase = "sqlite:///gone.db"\n')
    refused = say("init")
    assert (refused.code, "--force" in refused.err) == (2, True)
    assert say("init", "--force").code == 0
    assert 'kind = "apscheduler"' in (here / "doctor.toml").read_text()


def test_an_empty_folder_says_what_to_do_next(here):
    said = say("init")
    assert said.code == 0
    assert "next: fill in the database" in said.out
    assert say("preflight").code != 0


def test_a_database_of_nobody_known_says_what_is_missing(here):
    make_database(here / "x.db", "CREATE TABLE a (id INTEGER PRIMARY KEY, state TEXT)")
    said = say("init", "--format", "json").json
    assert said["runs"] is None
    assert any(one.startswith("runs: ") for one in said["unsure"])
    assert any(one.startswith("values: ") for one in said["unsure"])
    assert "[system.runs]" in said["next"]


def test_the_models_that_cannot_be_read_without_import_are_named(here):
    make_database(here / "x.db", "CREATE TABLE a (id INTEGER PRIMARY KEY, state TEXT)")
    (here / "models.py").write_text(
        "from sqlalchemy import Column, Enum, Integer\n"
        "from sqlalchemy.orm import DeclarativeBase\n"
        "class Base(DeclarativeBase): ...\n"
        "class A(Base):\n    __tablename__ = 'a'\n    id = Column(Integer, primary_key=True)\n"
        "    state = Column(Enum(*open('states').read().split()))\n"
    )
    said = say("init", "--format", "json").json
    assert any("a.state" in one and "was not read" in one for one in said["unsure"])
    assert "# import_models = true" in said["text"]
