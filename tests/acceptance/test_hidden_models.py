"""Models that say what they are only when they run: a gap, and how to have them read."""

from __future__ import annotations

import pytest

from tests.support.ports import make_database
from tests.support.terminal import say

MODELS = """\
from sqlalchemy import Column, Enum, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase

class Base(DeclarativeBase):
    pass

class Run(Base):
    __tablename__ = "runs"
    id = Column(String, primary_key=True)
    state = Column(Enum(*[one.upper() for one in open(__file__ + ".states").read().split()]))

class Step(Base):
    __tablename__ = "steps"
    id = Column(Integer, primary_key=True)
    run = Column(ForeignKey("runs.id"))
"""


@pytest.fixture
def options(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT)",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))",
        "INSERT INTO runs VALUES ('r1', 'READY'), ('r2', 'OPEN')",
    )
    (tmp_path / "hidden.py").write_text(MODELS)
    (tmp_path / "hidden.py.states").write_text("open done")
    models = str(tmp_path / "hidden.py")
    return ["--database", f"sqlite:///{path}", "--models", models, "--format", "json"]


def test_what_is_hidden_is_unknown_and_the_gap_names_the_way_out(options):
    said = say("preflight", *options)
    [gap] = said.json["gaps"]
    assert (said.code, gap["reason"].startswith("runs.state at ")) == (9, True)
    assert "--import-models" in gap["reason"]


def test_imported_models_tell_it(options):
    said = say("preflight", *options, "--import-models")
    [sick] = said.json["sick"]
    assert (said.code, sick["run"]) == (3, "r1")
    assert sick["diagnoses"][0]["subject"]["valid"] == ["OPEN", "DONE"]
