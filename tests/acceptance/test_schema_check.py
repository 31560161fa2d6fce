from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doctor.cli import cli
from tests.support.ports import make_database

MODELS = """
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("name", "size", name="uq_jobs"),
        CheckConstraint("size > 0", name="ck_size"),
        Index("ix_size", "size"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    size: Mapped[int | None]
    made: Mapped[str] = mapped_column(server_default=text("'x'"))

class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
"""
JOBS = """CREATE TABLE jobs (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL,
 size INTEGER, made VARCHAR DEFAULT 'x' NOT NULL,
 CONSTRAINT uq_jobs UNIQUE (name, size), CONSTRAINT ck_size CHECK (size > 0))"""
PARTS = """CREATE TABLE parts (id INTEGER NOT NULL PRIMARY KEY, job_id INTEGER NOT NULL,
 FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE)"""
INDEXES = ("CREATE INDEX ix_size ON jobs (size)", "CREATE INDEX ix_parts_job_id ON parts (job_id)")


@pytest.fixture
def check(tmp_path: Path) -> Any:
    """Return a function that makes a database, and compares it with the models."""
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = moves\n")
    (tmp_path / "connect.py").write_text('cursor.execute("PRAGMA foreign_keys=ON")\n')

    def run(*statements: str, more: tuple[str, ...] = (), form: str = "json") -> Result:
        file = tmp_path / "live.db"
        file.unlink(missing_ok=True)
        make_database(file, *statements)
        arguments = ["schema", "check", "--database", f"sqlite:///{file}"]
        arguments += ["--models", str(tmp_path / "models.py"), "--config", "/dev/null"]
        arguments += ["--store", f"sqlite:///{tmp_path}/store.db"]
        return CliRunner().invoke(cli, [*arguments, "--format", form, *more], standalone_mode=False)

    return run


def found(result: Result) -> dict[tuple[str, str, str], dict[str, Any]]:
    document = json.loads(result.output)
    return {(one["code"], one["table"], one["column"]): one for one in document["findings"]}


def test_a_database_that_the_models_made_has_no_drift(check: Any) -> None:
    result = check(JOBS, PARTS, *INDEXES)
    assert result.return_value == 0, result.output
    assert json.loads(result.output)["findings"] == []


def test_missing_and_extra_tables_and_columns_are_found_with_both_ways_out(check: Any) -> None:
    jobs = JOBS.replace("size INTEGER,", "size INTEGER, old INTEGER,").replace(
        "made VARCHAR DEFAULT 'x' NOT NULL,", ""
    )
    result = check(jobs, "CREATE TABLE other (a INTEGER PRIMARY KEY)", INDEXES[0])
    assert result.return_value == 3
    drifts = found(result)
    assert set(drifts) == {
        ("DB020", "parts", ""),
        ("DB021", "other", ""),
        ("DB022", "jobs", "made"),
        ("DB023", "jobs", "old"),
    }
    one = drifts["DB022", "jobs", "made"]
    assert one["severity"] == "error"
    assert one["change_database"].startswith("ALTER TABLE jobs ADD COLUMN made VARCHAR")
    assert "made" in one["change_code"]
    assert drifts["DB021", "other", ""]["severity"] == "warning"


def test_warnings_alone_are_no_failure_unless_strict(check: Any) -> None:
    tables = JOBS, PARTS, *INDEXES, "CREATE TABLE other (a INTEGER PRIMARY KEY)"
    assert check(*tables).return_value == 0
    assert check(*tables, more=("--strict",)).return_value == 4
    assert check(*tables, more=("--strict", "--table", "jobs")).return_value == 0


def test_a_table_that_is_nowhere_is_named(check: Any) -> None:
    result = check(JOBS, PARTS, *INDEXES, more=("--table", "nowhere"))
    assert "have a table 'nowhere'" in str(result.exception)


def test_models_that_cannot_be_read_completely_are_a_gap_and_no_finding(
    check: Any, tmp_path: Path
) -> None:
    size = "    size: Mapped[int | None]\n"
    text = MODELS.replace(size, f"{size}    more = make()\n")
    text = text.replace("class Base", "from elsewhere import make_column as make\n\nclass Base")
    (tmp_path / "models.py").write_text(text)
    result = check(JOBS.replace("size INTEGER,", "size INTEGER, more INTEGER,"), PARTS, *INDEXES)
    assert json.loads(result.output)["findings"] == []
    assert result.return_value == 9


def test_people_and_code_hosts_are_told_the_same(check: Any) -> None:
    tables = JOBS.replace("name VARCHAR(50) NOT NULL", "name VARCHAR(20)"), PARTS, *INDEXES
    shown = check(*tables, form="human").output
    assert "DB026 jobs.name is VARCHAR(20), the models declare VARCHAR(50)" in shown
    document = json.loads(check(*tables, form="sarif").output)
    results = document["runs"][0]["results"]
    assert {one["ruleId"] for one in results} == {"DB026", "DB028"}
    assert {one["level"] for one in results} == {"warning"}
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 7


def migration(folder: Path, name: str, below: object) -> None:
    (folder / "moves" / "versions").mkdir(parents=True, exist_ok=True)
    text = f"revision = {name!r}\ndown_revision: str | None = {below!r}\ndef upgrade(): ...\n"
    (folder / "moves" / "versions" / f"{name}.py").write_text(text)


VERSIONS = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


@pytest.mark.parametrize(
    ("noted", "code"), [("b2", None), ("a1", "DB043"), ("zz", "DB044"), (None, "DB043")]
)
def test_the_noted_revision_is_held_against_the_heads(
    check: Any, tmp_path: Path, noted: str | None, code: str | None
) -> None:
    migration(tmp_path, "a1", None)
    migration(tmp_path, "b2", "a1")
    rows = [f"INSERT INTO alembic_version VALUES ('{noted}')"] if noted else []
    result = check(JOBS, PARTS, *INDEXES, VERSIONS, *rows)
    assert {one[0] for one in found(result)} == ({code} if code else set())
    assert result.return_value == 0


def test_several_heads_are_found(check: Any, tmp_path: Path) -> None:
    for name, below in (("a1", None), ("b2", "a1"), ("c3", "a1")):
        migration(tmp_path, name, below)
    rows = [f"INSERT INTO alembic_version VALUES ('{one}')" for one in ("b2", "c3")]
    assert {one[0] for one in found(check(JOBS, PARTS, *INDEXES, VERSIONS, *rows))} == {"DB045"}


def test_a_migration_that_cannot_be_read_is_a_gap(check: Any, tmp_path: Path) -> None:
    migration(tmp_path, "a1", None)
    (tmp_path / "moves" / "versions" / "b2.py").write_text("revision = down_revision = make()\n")
    assert check(JOBS, PARTS, *INDEXES, VERSIONS).return_value == 9


def test_references_that_nothing_enforces_are_told(check: Any, tmp_path: Path) -> None:
    (tmp_path / "connect.py").unlink()
    assert {one[0] for one in found(check(JOBS, PARTS, *INDEXES))} == {"DB042"}


def test_imported_models_are_compared_like_read_ones(check: Any) -> None:
    name = JOBS.replace("name VARCHAR(50)", "name VARCHAR(20)").replace("size > 0", "size > 3")
    read = check(name, PARTS, *INDEXES)
    imported = check(name, PARTS, *INDEXES, more=("--import-models",))
    assert set(found(read)) == {("DB026", "jobs", "name"), ("DB039", "jobs", "")}
    assert json.loads(imported.output)["gaps"] == []
    assert set(found(imported)) == set(found(read))
