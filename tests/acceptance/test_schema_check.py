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
