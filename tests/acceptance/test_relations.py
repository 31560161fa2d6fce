"""Orphans and equal rows of a system with models, from the command line, on three engines."""

from __future__ import annotations

import pytest

from tests.support.terminal import say

MODELS = """
from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Job(Base):
    __tablename__ = "jobs"
    name: Mapped[str] = mapped_column(primary_key=True)


class Stage(Base):
    __tablename__ = "stages"
    job: Mapped[str] = mapped_column(ForeignKey("jobs.name"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)


class Step(Base):
    __tablename__ = "steps"
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(ForeignKey("jobs.name"))
    stage: Mapped[int | None]
    label: Mapped[str]
    __table_args__ = (
        UniqueConstraint("job", "label"),
        ForeignKeyConstraint(["job", "stage"], ["stages.job", "stages.no"]),
    )
"""
TABLES = (
    "CREATE TABLE jobs (name VARCHAR(20) NOT NULL PRIMARY KEY)",
    "CREATE TABLE stages (job VARCHAR(20) NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (job, no))",
    (
        "CREATE TABLE steps (id INTEGER NOT NULL PRIMARY KEY, job VARCHAR(20) NOT NULL,"
        " stage INTEGER, label VARCHAR(20) NOT NULL)"
    ),
    "INSERT INTO jobs VALUES ('build'), ('test'), ('ship')",
    "INSERT INTO stages VALUES ('build', 1), ('test', 1), ('ship', 1)",
    "INSERT INTO steps VALUES (1, 'build', 1, 'a'), (2, 'test', 1, 'a'), (3, 'ship', NULL, 'A')",
)
BAD = (
    "INSERT INTO steps VALUES (4, 'build', 2, 'b'), (5, 'build', 2, 'c'), (6, 'test', 1, 'a'),"
    " (7, 'lost', NULL, 'a')"
)


@pytest.fixture
def options(base, tmp_path):
    (tmp_path / "models.py").write_text(MODELS, encoding="utf-8")
    base.execute(*TABLES)
    return ["--database", base.url, "--models", str(tmp_path / "models.py"), "--format", "json"]


def test_a_healthy_system_has_no_finding_and_no_gap(options):
    said = say("preflight", *options)
    assert (said.code, said.json["gaps"]) == (0, [])


def test_each_run_is_told_of_its_own_rows_and_no_run_of_anothers(options, base):
    base.execute(BAD)
    said = say("preflight", *options)
    found = {
        one["run"]: [(each["code"], each["subject"]["column"]) for each in one["diagnoses"]]
        for one in said.json["sick"]
    }
    expected = {
        "build": [("DB012", "job, stage")],
        "test": [("DB013", "job, label")],
        "lost": [("DB005", "name")],
    }
    assert (said.code, found, said.json["gaps"]) == (3, expected, [])
    for run, [(code, column)] in expected.items():
        [one] = say("diagnose", run, *options).json["diagnoses"]
        assert (one["code"], one["subject"]["column"]) == (code, column)
    assert say("diagnose", "ship", *options).code == 0


def test_the_rows_the_cause_and_both_ways_out_are_told(options, base):
    base.execute(BAD)
    [orphans] = say("diagnose", "build", *options).json["diagnoses"]
    assert orphans["message"] == (
        "run build: 2 row(s) of steps name stages with job = 'build', no = 2, which is not there"
        " (id = 4; id = 5)"
    )
    assert "UPDATE steps SET stage = NULL WHERE " in orphans["hint"]
    assert "job = 'build' AND stage = 2" in orphans["hint"]
    assert "models.py:" in orphans["hint"]
    assert orphans["blast"].startswith("run build and every list")
    [equal] = say("diagnose", "test", *options).json["diagnoses"]
    assert equal["message"] == (
        "run test: 2 rows of steps have job = 'test', label = 'a', which the models call unique"
        " (id = 2; id = 6)"
    )
    text = say("diagnose", "test", *options[:-2])
    assert text.code == 3
    assert equal["message"] in text.out


def test_what_is_put_right_by_the_statements_is_told_no_more(options, base):
    base.execute(BAD)
    for run in ("build", "test"):
        [one] = say("diagnose", run, *options).json["diagnoses"]
        statement = next(
            part
            for part in one["hint"].replace(". ", ": ").replace(";", ": ").split(": ")
            if part.startswith(("UPDATE", "CREATE"))
        )
        if run == "test":
            base.execute("UPDATE steps SET label = 'd' WHERE id = 6")
        base.execute(statement)
        assert say("diagnose", run, *options).code == 0
    assert [one["run"] for one in say("preflight", *options).json["sick"]] == ["lost"]
