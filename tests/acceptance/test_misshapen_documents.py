"""JSON documents against the class that reads them, or a described schema, on three engines."""

from __future__ import annotations

import json

import pytest

from doctor.schema.documents import misshapen
from tests.support.terminal import say

MODELS = """
from dataclasses import dataclass
from typing import Literal, TypedDict

from pydantic import BaseModel
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Step(BaseModel):
    name: str
    tries: int = 0


class Plan(BaseModel):
    steps: list[Step]
    kind: Literal["fast", "slow"]
    note: str | None = None


class Result(TypedDict):
    ok: bool
    share: float


class Job(Base):
    __tablename__ = "jobs"
    name: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[Plan] = mapped_column(JSON)
    result: Mapped[Result | None] = mapped_column(JSON, nullable=True)
    tags: Mapped[dict] = mapped_column(JSON, nullable=True)


class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column("job")
"""
PLAN = {"steps": [{"name": "a"}, {"name": "b", "tries": "3"}], "kind": "fast", "more": 1}
GOOD = {
    "plain": (PLAN, {"ok": True, "share": 1}, {"x": 1}),
    "none": ({**PLAN, "note": None}, None, None),
    "lax": ({**PLAN, "note": "n"}, {"ok": "yes", "share": "0.5"}, [1]),
}
BAD = {
    "a key": ({"kind": "fast"}, "plan", "$ has no 'steps'"),
    "a type": ({**PLAN, "steps": [{"name": 1}]}, "plan", "$.steps[0].name is an integer"),
    "a number": (
        {**PLAN, "steps": [{"name": "a", "tries": "x"}]},
        "plan",
        "$.steps[0].tries is a string, not an integer",
    ),
    "a choice": ({**PLAN, "kind": "Fast"}, "plan", "$.kind is 'Fast', none of the 2"),
    "no object": ([1], "plan", "$ is an array, not an object"),
    "another class": ({"ok": True}, "result", "$ has no 'share'"),
}


def written(value):
    return "NULL" if value is None else "'" + json.dumps(value).replace("'", "''") + "'"


def row(name, plan, result, tags):
    return (
        f"INSERT INTO jobs VALUES ('{name}', {written(plan)}, {written(result)}, {written(tags)})"
    )


@pytest.fixture
def options(base, tmp_path):
    (tmp_path / "models.py").write_text(MODELS, encoding="utf-8")
    base.execute(
        "CREATE TABLE jobs (name VARCHAR(20) NOT NULL PRIMARY KEY, plan JSON NOT NULL,"
        " result JSON, tags JSON)",
        "CREATE TABLE parts (id INTEGER NOT NULL PRIMARY KEY, job VARCHAR(20) NOT NULL,"
        " FOREIGN KEY (job) REFERENCES jobs (name))",
        *(row(name, *documents) for name, documents in GOOD.items()),
    )
    return ["--database", base.url, "--models", str(tmp_path / "models.py"), "--format", "json"]


def test_documents_that_the_classes_take_are_no_finding(options):
    said = say("preflight", *options)
    assert (said.code, said.json["sick"], said.json["gaps"]) == (0, [], [])


def test_each_document_that_does_not_fit_is_told_with_its_place(options, base):
    for name, (value, column, _) in BAD.items():
        plan, result = (value, None) if column == "plan" else (PLAN, value)
        base.execute(row(name, plan, result, None))
    said = say("preflight", *options)
    found = {
        one["run"]: [(each["code"], each["subject"]["column"]) for each in one["diagnoses"]]
        for one in said.json["sick"]
    }
    assert (said.code, said.json["gaps"]) == (3, [])
    assert found == {name: [("DB055", column)] for name, (_, column, _) in BAD.items()}
    for name, (_, column, problem) in BAD.items():
        [one] = say("diagnose", name, *options).json["diagnoses"]
        expected = f"run {name}: the document in jobs.{column} does not fit: {problem}"
        assert one["message"].startswith(expected)
        assert "models.py:" in one["hint"]
    assert say("diagnose", "plain", *options).code == 0


@pytest.mark.parametrize("base", ["sqlite"], indirect=True)
def test_documents_that_were_not_looked_at_are_never_called_fitting(options, monkeypatch):
    monkeypatch.setattr(misshapen, "MOST_ROWS", 2)
    said = say("preflight", *options)
    assert said.code == 9
    [one] = said.json["gaps"]
    assert one["reason"] == "jobs.plan: only the first 2 documents were looked at"


DESCRIPTION = """
format: doctor/1
system: nightly
tables:
  runs: {table: jobs, key: name}
columns:
  jobs.tags:
    holds: json
    schema:
      type: object
      required: [owner]
      properties: {owner: {type: string}, cost: {type: number}, "12": {enum: [1, yes, null]}}
      additionalProperties: false
"""


@pytest.mark.parametrize("base", ["sqlite", "postgresql"], indirect=True)
def test_a_described_schema_is_held_to_as_it_stands(options, base, tmp_path):
    file = tmp_path / "nightly.yaml"
    file.write_text(DESCRIPTION, encoding="utf-8")
    base.execute(
        "DELETE FROM jobs",
        row("good", PLAN, None, {"owner": "ann", "cost": 1.5, "12": "yes"}),
        row("text", PLAN, None, {"owner": "ann", "cost": "1.5"}),
        row("more", PLAN, None, {"owner": "ann", "price": 1}),
    )
    system = ["--system", "nightly", "--rules", str(file), "--database", base.url]
    said = say("preflight", *system, "--format", "json")
    found = {
        one["run"]: [each["message"] for each in one["diagnoses"]] for one in said.json["sick"]
    }
    does = "the document in jobs.tags does not fit:"
    assert (said.code, found) == (
        3,
        {
            "more": [f"run more: {does} $ has 'price', which nobody described"],
            "text": [f"run text: {does} $.cost is a string, not a number"],
        },
    )
    file.write_text(DESCRIPTION.replace("type: number", "minimum: 3"), encoding="utf-8")
    said = say("preflight", *system, "--format", "json")
    assert any("'minimum', which is not checked" in one["reason"] for one in said.json["gaps"])
