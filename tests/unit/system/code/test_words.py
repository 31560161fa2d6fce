"""What source code says about its tables and columns, from wherever it says it."""

from __future__ import annotations

from doctor.model.documentation import Words
from doctor.system.code import read_models
from doctor.system.code.fields import field_words
from doctor.system.code.words import SourceFiles, source_words

SOURCE = '''
from sqlalchemy import Column, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

tags = Table(
    "tags",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("label", String, comment="what is shown"),
    Column("color", String),  # as hex
    comment="labels that people give",
)


class Base(DeclarativeBase):
    pass


class Stamped:
    created: Mapped[str]
    """When the row was written."""


class Job(Stamped, Base):
    """One piece of work.

    More that is not for the first look.
    """

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)  # noqa: A003
    state: Mapped[str] = mapped_column(
        String,
        comment="where it "
        "stands",
    )
    title: Mapped[str] = mapped_column(doc="what people call it")
    # How urgent it is:
    # the lower, the sooner
    priority: Mapped[int]
    note: Mapped[str | None]  # free text
    #: who asked for it
    owner: Mapped[str]
    after: Mapped[str]

    late: Mapped[bool]


class Step(Base):
    __tablename__ = "steps"
    __table_args__ = {"comment": "parts of a job"}
    id: Mapped[int] = mapped_column(primary_key=True)
'''


def test_everything_that_is_said_is_found_with_its_place(tmp_path):
    path = tmp_path / "models.py"
    path.write_text(SOURCE)
    found = source_words(read_models(path), SourceFiles())
    assert {place: one.text for place, one in found.items()} == {
        ("tags", ""): "labels that people give",
        ("tags", "label"): "what is shown",
        ("tags", "color"): "as hex",
        ("jobs", ""): "One piece of work.",
        ("jobs", "created"): "When the row was written.",
        ("jobs", "state"): "where it stands",
        ("jobs", "title"): "what people call it",
        ("jobs", "priority"): "How urgent it is: the lower, the sooner",
        ("jobs", "note"): "free text",
        ("jobs", "owner"): "who asked for it",
        ("steps", ""): "parts of a job",
    }
    (line,) = [at for at, one in enumerate(SOURCE.splitlines(), 1) if "    title:" in one]
    assert found["jobs", "title"].origin == f"{path}:{line}"


def test_fields_of_pydantic_models_speak_for_the_class_that_they_are_named_after(tmp_path):
    path = tmp_path / "models.py"
    path.write_text(SOURCE)
    (tmp_path / "api.py").write_text(
        "class JobOut(BaseModel):\n"
        "    after: str = Field(description='what comes\\n before')\n"
        "    other: str = Field(description='no column')\n"
        "class Jobs(BaseModel):\n"
        "    owner: str = Field(description='of many')\n"
    )
    found = field_words(read_models(path), SourceFiles(), tmp_path)
    assert found == {("jobs", "after"): Words("what comes before", f"{tmp_path / 'api.py'}:2")}


def test_a_file_that_is_gone_says_nothing(tmp_path):
    path = tmp_path / "models.py"
    path.write_text(SOURCE)
    models = read_models(path)
    path.unlink()
    assert source_words(models, SourceFiles()) == {}
