"""Models of every shape, the whole way: schema, quoted names, mixins, keys of several columns."""

from __future__ import annotations

import importlib.util

import pytest
import sqlalchemy as sa

from tests.support.terminal import say

MODELS = """
import enum
from sqlalchemy import JSON, Enum, ForeignKey, ForeignKeyConstraint, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class State(enum.Enum):
    OPEN = "open"
    DONE = "done"


class Base(DeclarativeBase):
    pass


class Stated:
    @declared_attr
    def state(cls) -> Mapped[State]:
        return mapped_column("State", Enum(State, native_enum=False), nullable=False)


class Common(Stated, Base):
    __abstract__ = True
    __table_args__ = {"schema": "My App"}


class Run(Common):
    __tablename__ = "Run Table"
    uid: Mapped[str] = mapped_column("Uid", String(20), primary_key=True)


class Step(Stated, Base):
    __tablename__ = "step;x"
    run: Mapped[str] = mapped_column(ForeignKey("My App.Run Table.Uid"), primary_key=True)
    no: Mapped[int] = mapped_column("no:", Integer, primary_key=True)
    doc: Mapped[dict] = mapped_column("select", JSON, nullable=True)
    __table_args__ = {"schema": "My App"}


class Part(Stated, Base):
    __tablename__ = 'pa"rt'
    id: Mapped[int] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column()
    run: Mapped[str] = mapped_column()
    __table_args__ = (
        ForeignKeyConstraint(["no", "run"], ["My App.step;x.no:", "My App.step;x.run"]),
        {"schema": "My App"},
    )
"""
ROWS = (
    """INSERT INTO "My App"."Run Table" VALUES ('r1', 'OPEN'), ('r2', 'Done')""",
    """INSERT INTO "My App"."step;x" VALUES ('r1', 1, NULL, 'OPEN'), ('r2', 1, NULL, 'OPEN')""",
    """INSERT INTO "My App"."pa""rt" VALUES (1, 1, 'r1', 'open'), (2, 1, 'r2', 'OPEN')""",
)


@pytest.fixture
def options(postgresql, tmp_path):
    file = tmp_path / "odd_models.py"
    file.write_text(MODELS, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("odd_models", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    postgresql.execute('CREATE SCHEMA "My App"')
    engine = sa.create_engine(postgresql.url.replace("postgresql://", "postgresql+psycopg://"))
    module.Base.metadata.create_all(engine)
    engine.dispose()
    postgresql.execute(*ROWS)
    url = postgresql.with_query(options='-csearch_path="My\\ App"')
    return ["--database", url, "--models", str(file), "--format", "json"]


def test_each_bad_value_is_found_healed_and_gone(options, postgresql):
    said = say("preflight", *options)
    found = {
        one["run"]: [(each["code"], each["subject"]["table"]) for each in one["diagnoses"]]
        for one in said.json["sick"]
    }
    expected = {"r1": [("DB003", 'pa"rt')], "r2": [("DB001", "Run Table")]}
    assert (said.code, found, said.json["gaps"]) == (3, expected, [])
    for run in found:
        assert say("heal", run, *options).json["status"] == "healed"
    assert say("preflight", *options).code == 0
    states = postgresql.query("""SELECT "State" FROM "My App"."pa""rt" ORDER BY id""")
    assert states == [("OPEN",), ("OPEN",)]


def test_a_child_behind_two_columns_belongs_to_one_run_only(options, postgresql):
    told = say("diagnose", "r1", *options).json["diagnoses"]
    assert [one["subject"]["key"] for one in told] == [{"id": 1}]
    told = say("diagnose", "r2", *options).json["diagnoses"]
    assert [one["subject"]["key"] for one in told] == [{"Uid": "r2"}]
    postgresql.execute("""UPDATE "My App"."step;x" SET "State" = 'gone' WHERE run = 'r2'""")
    told = say("diagnose", "r1", *options).json["diagnoses"]
    assert [one["subject"]["key"] for one in told] == [{"id": 1}]
