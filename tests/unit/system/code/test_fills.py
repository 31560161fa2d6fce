"""What defaults of models come to, read from source and by import."""

from __future__ import annotations

import pytest

from doctor.model.schema import CodeFill
from doctor.system.code import read_models
from doctor.system.code.importing import import_models

MODELS = '''
import datetime as dt
import enum
import uuid
from datetime import UTC, date, datetime, timezone
from sqlalchemy import JSON, DateTime, Enum, Integer, PickleType, String, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

START = 7

class Upper(TypeDecorator):
    impl = String
    def process_bind_param(self, value, dialect):
        return value.upper()

class Kind(enum.Enum):
    OLD = "NEW"
    NEW = "OLD"

class Word(enum.StrEnum):
    ONE = "one"

def now():
    """The time."""
    return datetime.now(timezone.utc)

def later():
    return datetime.now(UTC) + dt.timedelta(days=1)

class Base(DeclarativeBase): ...

class Row(Base):
    __tablename__ = "rows"
    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: str(uuid.uuid4()))
    number: Mapped[int] = mapped_column(default=START * 2)
    text: Mapped[str] = mapped_column(insert_default="x")
    flag: Mapped[bool] = mapped_column(default=False)
    by_name: Mapped[Kind] = mapped_column(default=Kind.NEW)
    by_value: Mapped[Kind] = mapped_column(
        Enum(Kind, values_callable=lambda kind: [one.value for one in kind]), default=Kind.NEW)
    word: Mapped[str] = mapped_column(String, default=Word.ONE)
    plain: Mapped[dict] = mapped_column(JSON, default=dict)
    filled: Mapped[dict] = mapped_column(JSON, default={"a": [1]})
    stamp: Mapped[datetime] = mapped_column(DateTime, default=now)
    utc: Mapped[datetime] = mapped_column(default=datetime.utcnow)
    local: Mapped[datetime] = mapped_column(default=datetime.now)
    naive: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC).replace(tzinfo=None))
    server: Mapped[datetime] = mapped_column(default=func.now())
    tomorrow: Mapped[datetime] = mapped_column(default=later)
    upper: Mapped[str] = mapped_column(Upper, default="x")
    pickled: Mapped[str] = mapped_column(PickleType, default="x")
    none: Mapped[str | None] = mapped_column(default=None)
    nothing: Mapped[str] = mapped_column()
'''
CALL, CLOCK = CodeFill("call"), CodeFill("clock")
EXPECTED = {
    "id": CodeFill("uuid"),
    "number": CodeFill("value", 14),
    "text": CodeFill("value", "x"),
    "flag": CodeFill("value", value=False),
    "by_name": CodeFill("value", "NEW"),
    "by_value": CodeFill("value", "OLD"),
    "word": CodeFill("value", "one"),
    "plain": CodeFill("value", "{}"),
    "filled": CodeFill("value", '{"a": [1]}'),
    "stamp": CLOCK,
    "utc": CLOCK,
    "local": CodeFill("local clock"),
    "naive": CLOCK,
    "server": CLOCK,
    "tomorrow": CALL,
    "upper": CALL,
    "pickled": CALL,
    "none": None,
    "nothing": None,
}
FUNCTIONS = ("id", "plain", "stamp", "naive")


@pytest.fixture
def models(tmp_path):
    file = tmp_path / "models.py"
    file.write_text(MODELS, encoding="utf-8")
    return file


def test_a_default_is_read_as_what_would_be_stored(models):
    (table,) = read_models(models).tables
    assert {one.name: one.fill for one in table.columns} == EXPECTED


def test_by_import_values_are_the_same_and_functions_of_the_models_are_not_called(models):
    (table,) = import_models(models, timeout=60).tables
    found = {one.name: one.fill for one in table.columns}
    by_import = {**EXPECTED, **dict.fromkeys(FUNCTIONS, CALL)}
    by_import |= {"upper": CodeFill("value", "X")}  # its code runs, as it does in the system
    assert found == by_import
