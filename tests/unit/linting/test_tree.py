"""What a whole tree says: which tables are known, and which files are of another day."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from doctor.linting import lint_paths
from doctor.system.database import open_read_door
from tests.support.sql_tree import MODELS

SECONDS = 60  # what was quadratic took ten minutes
BAD = "c.execute(\"UPDATE jobs SET state = 'READY'\")\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def found(report):
    return [(Path(one.path).name, one.line, one.code) for one in report.findings]


def test_models_are_found_from_a_single_file_of_the_project(project):
    (project / "scripts").mkdir()
    script = project / "scripts" / "a.py"
    script.write_text(BAD)
    assert found(lint_paths([script])) == [("a.py", 1, "LINT001")]


def test_a_table_that_the_file_creates_is_its_own(project):
    (project / "a.py").write_text('c.execute("CREATE TABLE jobs (x)")\n' + BAD)
    (project / "b.py").write_text('c.execute("DELETE FROM cache")\n')
    (project / "c.py").write_text('c.execute("CREATE TABLE IF NOT EXISTS cache (x)")\n')
    assert lint_paths([project]).findings == ()


def test_migrations_are_about_the_tables_of_another_day(project):
    folder = project / "alembic" / "versions"
    folder.mkdir(parents=True)
    (folder / "001.py").write_text("revision = '1'\ndef upgrade():\n    " + BAD)
    assert lint_paths([project]).findings == ()


def test_a_test_with_models_of_its_own_hides_nothing(project):
    (project / "tests").mkdir()
    (project / "tests" / "test_jobs.py").write_text(MODELS.replace("QUEUED", "READY"))
    (project / "a.py").write_text(BAD)
    assert found(lint_paths([project])) == [("a.py", 1, "LINT001")]


def test_tables_of_which_a_part_is_hidden_lack_nothing(project):
    hidden = MODELS.replace(
        "class Job(Base):", "from lib import Mixin\n\n\nclass Job(Mixin, Base):"
    )
    (project / "models.py").write_text(hidden)
    (project / "a.py").write_text('c.execute("INSERT INTO jobs (id, remark) VALUES (1, 2)")\n')
    assert lint_paths([project]).findings == ()


def test_tests_speak_of_tables_that_tests_make(project):
    (project / "tests").mkdir()
    (project / "tests" / "make.py").write_text('c.execute("CREATE TABLE jobs (other)")\n')
    (project / "tests" / "test_it.py").write_text(BAD + 'c.execute("SELECT nope FROM steps")\n')
    (project / "a.py").write_text(BAD)
    assert found(lint_paths([project])) == [("a.py", 1, "LINT001"), ("test_it.py", 2, "LINT003")]


def test_a_table_of_another_database_is_not_missed_and_a_misspelt_one_is(project):
    (project / "a.py").write_text('c.execute("DELETE FROM trials")\nc.execute("DELETE FROM job")\n')
    assert found(lint_paths([project])) == [("a.py", 2, "LINT002")]


@pytest.mark.slow
def test_hostile_texts_take_no_time(project):
    texts = [
        "update " * 9_000,
        "'\\\\" * 15_000,
        "/*" * 30_000,
        "$a$ $b$ " * 8_000,
        "select (" * 8_000,
    ]
    lines = [f'c.execute("INSERT INTO jobs (id) VALUES (1) {one}")' for one in texts]
    (project / "a.py").write_text("\n".join(lines))
    wide = ["/*" * 300_000, "select " * 90_000, "'\\" * 300_000, ";" * 600_000, "$a$ " * 150_000]
    for number, one in enumerate(wide):
        (project / f"{number}.sql").write_text("UPDATE jobs SET state = 1;" + one)
    start = time.process_time()
    lint_paths([project])
    assert time.process_time() - start < SECONDS


def test_sql_files_are_read_statement_by_statement(project):
    (project / "a.sql").write_text(
        "-- one; two\nUPDATE jobs SET note = 'a;b';\n\nUPDATE jobs\nSET state = 'READY';\n"
        "DELETE FROM {{ jobs }} WHERE x = 'y';\nSELECT broken FROM (;\n"
        "UPDATE jobs SET state = 'READY'; -- doctor: ignore\n"
    )
    report = lint_paths([project])
    assert found(report) == [("a.sql", 5, "LINT001")]
    assert report.statements == 3


def test_what_cannot_be_read_is_a_gap_and_the_rest_is_read(project):
    (project / "a.py").write_text(BAD)
    (project / "b.py").write_text(BAD + "def broken(:\n")
    (project / "c.py").write_bytes(BAD.encode() + b"\0")
    (project / "d.py").write_text(BAD + "x = " + "(" * 5_000 + ")" * 5_000)
    (project / "e.py").write_text('c.execute("SELECT ' + "(" * 5_000 + ' FROM jobs")\n')
    (project / "f.sql").write_bytes(b"UPDATE jobs SET state = '\xff'")
    os.mkfifo(project / "g.py")
    report = lint_paths([project])
    assert found(report) == [("a.py", 1, "LINT001")]
    assert [Path(one.reason.partition(": ")[0]).name for one in report.gaps] == [
        "b.py",
        "c.py",
        "d.py",
        "f.sql",
        "g.py",
    ]


def test_the_database_says_which_tables_and_columns_there_are(project):
    with closing(sqlite3.connect(project / "live.db")) as connection:
        connection.execute(
            "CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT, extra TEXT NOT NULL,"
            " title TEXT NOT NULL DEFAULT 'x', note TEXT GENERATED ALWAYS AS (1))"
        )
    (project / "a.py").write_text(
        'c.execute("SELECT extra FROM jobs")\n'
        'c.execute("SELECT created_at FROM jobs")\n'
        'c.execute("SELECT 1 FROM steps")\n'
        'c.execute("INSERT INTO jobs (id) VALUES (1)")\n' + BAD
    )
    report = lint_paths([project], door=open_read_door(f"sqlite:///{project / 'live.db'}"))
    assert found(report) == [
        ("a.py", 2, "LINT003"),
        ("a.py", 3, "LINT002"),
        ("a.py", 4, "LINT004"),
        ("a.py", 5, "LINT001"),
    ]
    assert report.findings[1].severity == "error"
    assert report.findings[2].message == "this INSERT into jobs leaves out extra"
