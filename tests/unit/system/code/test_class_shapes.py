"""The shapes of classes that JSON columns are annotated with, read from their statements."""

from __future__ import annotations

import json

import pydantic
import pytest

from doctor.schema.documents.fits import misfit
from doctor.system.code import read_models
from doctor.system.code.shapes import class_schemas
from doctor.system.code.words import SourceFiles

HEAD = """
from __future__ import annotations
import dataclasses
from datetime import datetime
from typing import Any, Literal, Optional, TypedDict
from pydantic import BaseModel, Field
"""
SHAPES = '''
class Step(BaseModel):
    name: str
    retries: int = 0

class Plan(BaseModel):
    """How it is done."""
    kind: Literal["script", "call"]
    steps: list[Step] = Field(description="in their order")
    labels: dict[str, str] = Field(default_factory=dict)
    limit: Optional[float] = None
    at: datetime | None = None
    more: Any = None

class Loose(TypedDict):
    id: int
    name: "str | None"

@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0

class Renamed(BaseModel):
    id: int = Field(alias="ID")

class Strange(BaseModel):
    id: Something
'''
MODELS = """
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    plan: Mapped[Plan] = mapped_column(JSON)
    loose: Mapped[Loose | None] = mapped_column(JSON)
    point: Mapped[Point] = mapped_column(JSON)
    renamed: Mapped[Renamed] = mapped_column(JSON)
    strange: Mapped[Strange] = mapped_column(JSON)
    other: Mapped[dict] = mapped_column(JSON)
"""
PLAN = {"kind": "script", "steps": [{"name": "a"}]}
CANDIDATES = [
    PLAN,
    {**PLAN, "labels": {"a": "b"}, "limit": 1.5, "at": None, "more": [1]},
    {**PLAN, "kind": "other"},
    {**PLAN, "steps": [{}]},
    {**PLAN, "steps": None},
    {"kind": "call"},
    {**PLAN, "labels": {"a": 1}},
    {**PLAN, "limit": []},
    [PLAN],
]


@pytest.fixture
def schemas(tmp_path):
    path = tmp_path / "models.py"
    path.write_text(HEAD + SHAPES + MODELS)
    found = class_schemas(read_models(path), SourceFiles())
    return {place[1]: json.loads(one.text) for place, one in found.items()}


def test_classes_of_plain_fields_are_read_and_others_say_nothing(schemas):
    assert sorted(schemas) == ["loose", "plan", "point"]
    assert schemas["point"] == {
        "type": "object",
        "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
        "required": ["x"],
    }
    assert schemas["plan"]["properties"]["steps"]["description"] == "in their order"
    assert schemas["plan"]["required"] == ["kind", "steps"]
    assert schemas["loose"]["required"] == ["id", "name"]


@pytest.mark.parametrize("document", CANDIDATES)
def test_what_fits_is_what_pydantic_accepts(schemas, document):
    source = (
        HEAD.replace("from __future__ import annotations", "") + SHAPES.partition("class Ren")[0]
    )
    names: dict[str, object] = {"__name__": "shapes"}
    exec(compile(source, "shapes.py", "exec", dont_inherit=True), names)
    model = names["Plan"]
    try:
        model.model_validate(document, strict=True)  # type: ignore[attr-defined]
        accepted = True
    except pydantic.ValidationError:
        accepted = False
    assert (misfit(document, schemas["plan"]) is None) == accepted
