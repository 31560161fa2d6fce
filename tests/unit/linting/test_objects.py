"""Writes through mapped classes: what SQLAlchemy would store and never be able to read."""

from __future__ import annotations

import pytest

from doctor.linting import lint_paths

MODELS = """
import enum
from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Plain(enum.Enum):
    OPEN = "open"

class Text(enum.StrEnum):
    OPEN = "open"

class Base(DeclarativeBase): ...

class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[Plain] = mapped_column("state", Enum(Plain))
    text: Mapped[Text] = mapped_column(Enum(Text))
"""
WRONG = [
    'from app.models import Job\nJob(status="READY")',
    'from app.models import Job as J, Job\nJob(id=1, status="open")',
    'from app import models\nmodels.Job(status="READY")',
    'from .models import Job\nJob(status="READY")',
    'from app.models import Job\ns.execute(insert(Job).values(status="READY"))',
    'from app.models import Job\ns.execute(sa.update(Job).where(x).values({"status": "READY"}))',
    'from app.models import Job\ns.query(Job).filter(x).update({Job.status: "READY"})',
    'from app.models import Job\ns.execute(insert(Job).values([{"text": "no"}]))',
]
SILENT = [
    'from app.models import Job\nJob(status="OPEN")',
    'from app.models import Job\nJob(text="open")',
    "from app.models import Job\nJob(status=Plain.OPEN, text=given)",
    'from other.library import Job\nJob(status="READY")',
    'class Job: ...\nJob(status="READY")',
    'from app.models import Job\nJob(nothing="READY")',
    'from app.models import Job\nJob(status="READY")  # doctor: ignore[LINT001]',
    'from app.models import Job\nd.update({"status": "READY"})\nBox(Job).values(status="READY")',
]


@pytest.fixture
def lint(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "models.py").write_text(MODELS)

    def found(source):
        (tmp_path / "app" / "a.py").write_text(source)
        return [one.code for one in lint_paths([tmp_path]).findings]

    return found


@pytest.mark.parametrize("source", WRONG)
def test_a_text_that_is_no_member_is_found(lint, source):
    assert lint(source) == ["LINT001"]


@pytest.mark.parametrize("source", SILENT)
def test_what_is_a_member_or_another_class_is_silent(lint, source):
    assert lint(source) == []


def test_a_column_that_no_attribute_names_is_found_in_a_statement(lint):
    assert lint("from app.models import Job\ninsert(Job).values(stat=1)") == ["LINT003"]
