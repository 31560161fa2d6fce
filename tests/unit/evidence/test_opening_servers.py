"""Models and databases of several schemas: only what belongs together is compared."""

from __future__ import annotations

import pytest

from doctor.errors import SourceError
from doctor.evidence.opening import open_system
from doctor.settings import Settings, SystemSettings

MODELS = """
from sqlalchemy import Enum, ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "runs"
    __table_args__ = {"schema": "app"}
    id: Mapped[int] = mapped_column(primary_key=True)


class Plain(Base):
    __tablename__ = "plain"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
TABLES = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.runs (id INT PRIMARY KEY)",
    "CREATE TABLE runs (id INT PRIMARY KEY)",
    "CREATE TABLE plain (id INT PRIMARY KEY)",
)


def code_of(url, models):
    settings = Settings(system=SystemSettings(database=url, models=str(models)))
    found = open_system(settings, None, "target", (), lambda _: ()).code
    assert found is not None
    return found


def names(code):
    return [one.name for one in code.models().tables]


def test_a_table_of_another_schema_is_not_compared_with_its_namesake(postgresql, tmp_path):
    postgresql.execute(*TABLES)
    file = tmp_path / "models.py"
    file.write_text(MODELS)
    assert names(code_of(postgresql.url, file)) == ["plain"]
    in_app = postgresql.with_query(options="-csearch_path=app")
    assert names(code_of(in_app, file)) == ["runs", "plain"]


def test_models_of_another_schema_alone_are_an_error_that_names_the_way_out(postgresql, tmp_path):
    postgresql.execute(*TABLES)
    file = tmp_path / "models.py"
    file.write_text(MODELS.split("class Plain", maxsplit=1)[0])
    with pytest.raises(SourceError) as caught:
        code_of(postgresql.url, file).models()
    assert str(caught.value) == (
        "the models declare their tables in schema 'app', and the database is looked at in 'public'"
    )
    assert "search_path" in str(caught.value.hint)
