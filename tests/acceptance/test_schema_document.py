"""``doctor schema document`` on three engines: made, filled in, written, held to what is true."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from doctor.treatment.pause import PausedError
from tests.support.incident import ABSENT, INCIDENT
from tests.support.incident_servers import copied
from tests.support.servers import fresh
from tests.support.terminal import say

MODELS = '''
import enum

from sqlalchemy import JSON, Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class JobState(enum.Enum):
    OPEN = 1
    DONE = 2


class Base(DeclarativeBase): ...


class Job(Base):
    """One piece of work."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True, comment="counts up")
    state: Mapped[JobState] = mapped_column(Enum(JobState))  # where it stands
    plan: Mapped[dict] = mapped_column(JSON)
    api_key: Mapped[str]
    email: Mapped[str]
'''
PLANS: list[dict[str, object]] = [{"kind": "script", "path": f"/p/{one}"} for one in range(4)]
PLANS += [{"kind": "call", "url": "/x", "retries": one} for one in range(4)]
JSON_TYPE = {"sqlite": "JSON", "postgresql": "JSONB", "mariadb": "JSON"}


@pytest.fixture
def options(base, tmp_path):
    kind = JSON_TYPE[base.engine]
    base.execute(
        f"CREATE TABLE jobs (id INTEGER PRIMARY KEY, state VARCHAR(20), plan {kind},"
        " api_key VARCHAR(40), email VARCHAR(40))",
        *(
            f"INSERT INTO jobs VALUES ({at}, 'OPEN', '{json.dumps(one)}', 'hunter2-{at}', 'a@b.c')"
            for at, one in enumerate(PLANS)
        ),
    )
    models = tmp_path / "models.py"
    models.write_text(MODELS)
    config = tmp_path / "doctor.toml"
    config.write_text("[system]\ncreate_marker = true\nruns = {table = 'jobs', key = 'id'}\n")
    store = f"sqlite:///{tmp_path / 'store.db'}"
    named = ["--config", str(config), "--database", base.url, "--models", str(models)]
    return [*named, "--store", store]


def stale(options):
    found = say("preflight", *options, "--format", "json").json
    assert found["gaps"] == []
    return [
        one["message"].partition(" is stale")[0].rpartition(" ")[2]
        for one in found["diagnoses"]
        if one["code"] == "DB060"
    ]


def filled(options, folder):
    """Write the file of what is missing, with a description for each."""
    text = say("schema", "document", *options, "--missing").out.replace("''", "'what it is'")
    file = folder / "descriptions.yaml"
    file.write_text(text)
    return ["--descriptions", str(file)]


def test_what_is_written_is_complete_after_a_fill_in_and_stale_when_it_changes(
    base, options, tmp_path
):
    first = say("schema", "document", *options, "--coverage")
    assert first.code == 3
    assert "50% of tables and columns are described: 3 of 6" in first.out
    with pytest.raises(Exception, match=r"(?i)schema_documentation"):
        base.query("SELECT * FROM schema_documentation")
    more = filled(options, tmp_path)
    assert say("schema", "document", *options, *more, "--write").code == 0
    again = say("schema", "document", *options, "--coverage")
    assert (again.code, again.out.split()[0]) == (0, "100%")
    rows = {
        (row[0], row[1]): row[2:]
        for row in base.query(
            "SELECT table_name, column_name, description, example, origin FROM schema_documentation"
        )
    }
    assert len(rows) == 6
    assert rows["jobs", ""][0] == "One piece of work."
    assert rows["jobs", "state"][:2] == ("where it stands", "OPEN")
    assert rows["jobs", "plan"][2] == "filled in by descriptions.yaml"
    assert rows["jobs", "api_key"][1] == rows["jobs", "email"][1] == "[redacted]"
    assert "hunter2" not in str(rows)
    assert "a@b.c" not in str(rows)
    assert stale(options) == []
    models = tmp_path / "models.py"
    models.write_text(MODELS.replace("DONE = 2", "DONE = 2\n    LATE = 3"))
    assert stale(options) == ["jobs.state"]
    models.write_text("# moved down\n\n" + MODELS)
    assert stale(options) == []
    base.execute("ALTER TABLE jobs DROP COLUMN email")
    models.write_text(MODELS.replace("    email: Mapped[str]\n", ""))
    assert stale(options) == ["jobs.email"]
    assert "1 removed" in say("schema", "document", *options, "--write").out
    assert stale(options) == []
    journal = say("history", *options, "--format", "json", "--verify").json
    assert [one["kind"] for one in journal["entries"]] == ["documented", "documented"]


def test_documents_are_held_to_the_shape_that_was_written(base, options):
    assert say("schema", "document", *options, "--write").code == 0
    [(text,)] = base.query(
        "SELECT json_schema FROM schema_documentation WHERE column_name = 'plan'"
    )
    assert len(json.loads(text)["anyOf"]) == 2

    def odd():
        found = say("preflight", *options, "--format", "json").json["diagnoses"]
        return [one["message"] for one in found if one["code"] == "DB061"]

    assert odd() == []
    bad = json.dumps({"kind": "call", "url": "/x", "retries": "twice"})
    base.execute(f"UPDATE jobs SET plan = '{bad}' WHERE id = 5")
    (message,) = odd()
    assert message == (
        "jobs.plan does not fit its description in 1 of 8 rows that were looked at;"
        " first in id=5: $.retries is a string, not an integer"
    )


def test_documents_of_a_class_are_told_once(tmp_path):
    path, models = tmp_path / "a.db", tmp_path / "models.py"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, plan JSON)")
        connection.execute("INSERT INTO jobs VALUES (1, '{\"retries\": 1}')")
    shape = "class Plan(TypedDict):\n    retries: int\n\n\nclass Job(Base):\n"
    columns = "    id: Mapped[int] = mapped_column(primary_key=True)\n"
    columns += "    plan: Mapped[Plan] = mapped_column(JSON)\n"
    models.write_text(
        MODELS.partition("class Job(")[0]
        .replace("import enum", "from typing import TypedDict")
        .partition("class JobState")[0]
        + f"class Base(DeclarativeBase): ...\n\n\n{shape}    __tablename__ = 'jobs'\n{columns}"
    )
    named = ["--database", f"sqlite:///{path}", "--models", str(models)]
    named += ["--store", f"sqlite:///{tmp_path / 'store.db'}"]
    assert say("schema", "document", *named, "--write").code == 0
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE jobs SET plan = '{}'")
    found = say("preflight", *named, "--format", "json").json
    every = [*found["diagnoses"], *(one for run in found["sick"] for one in run["diagnoses"])]
    assert [one["code"] for one in every] == ["DB055"]


def test_comments_of_the_database_are_read_where_it_has_them(base, options):
    if base.engine == "sqlite":
        pytest.skip("SQLite has no comments")
    if base.engine == "postgresql":
        base.execute("COMMENT ON COLUMN jobs.api_key IS 'of the caller'")
    else:
        base.execute("ALTER TABLE jobs MODIFY api_key VARCHAR(40) COMMENT 'of the caller'")
    found = say("schema", "document", *options, "--format", "json").json["entries"]
    (entry,) = [one for one in found if one["column"] == "api_key"]
    assert (entry["description"], entry["origin"]) == ("of the caller", "COMMENT in the database")


def test_another_table_of_that_name_is_left_alone_and_a_pause_is_kept(base, options):
    assert say("pause", *options).code == 0
    refused = say("schema", "document", *options, "--write")
    assert (refused.code, PausedError.code in refused.err) == (6, True)
    assert say("resume", *options).code == 0
    base.execute("CREATE TABLE schema_documentation (mine INTEGER)")
    refused = say("schema", "document", *options, "--write")
    assert refused.code == 7
    assert "no documentation of Doctor's" in refused.err
    assert "mine" in say("schema", "document", *options).out


def test_every_mistake_in_a_file_of_descriptions_is_named(options, tmp_path):
    file = tmp_path / "d.yaml"
    file.write_text("descriptions:\n  jobs.stat: x\n  jobs: [1]\nmore: 1\n")
    said = say("schema", "document", *options, "--descriptions", str(file))
    assert said.code == 2
    for text in (":2:3", "did you mean 'jobs.state'?", ":3:3", "is no text", ":4:1"):
        assert text in said.err


def test_markdown_has_a_picture_a_table_and_the_shapes_without_secrets(options):
    page = say("schema", "document", *options, "--format", "markdown").out
    assert "erDiagram" in page
    assert "\n    INTEGER id PK" in page.replace("integer", "INTEGER").replace("int_11", "INTEGER")
    assert '"const": "script"' in page
    assert "| api_key |" in page
    assert "hunter2" not in page


@pytest.mark.corpus
@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_the_incident_is_described_whole_and_a_changed_enum_makes_its_entries_stale(
    engine, tmp_path
):
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    (tmp_path / "models.py").write_text((INCIDENT / "models.py").read_text())
    if engine == "sqlite":
        path = tmp_path / "incident.db"
        path.write_bytes((INCIDENT / "incident.db").read_bytes())
        check_incident(f"sqlite:///{path}", tmp_path)
        return
    with fresh(engine) as ground:
        check_incident(copied(ground, tmp_path).url, tmp_path)


def check_incident(url, folder):
    config = folder / "doctor.toml"
    config.write_text("[system]\ncreate_marker = true\n")
    models = folder / "models.py"
    options = ["--config", str(config), "--database", url, "--models", str(models)]
    options += ["--store", f"sqlite:///{folder / 'store.db'}"]
    more = filled(options, folder)
    written = say("schema", "document", *options, *more, "--write", "--format", "json").json
    assert (written["coverage"], written["missing"], written["gaps"]) == (1.0, [], [])
    assert written["written"]["added"] == len(written["entries"]) > 100
    assert stale(options) == []
    source = models.read_text()
    models.write_text(source.replace('    SKIPPED = "SKIPPED"', '    LATE = "LATE"', 1))
    assert stale(options) == ["tiers.state"]


ODD = """it's "so"; DROP TABLE jobs; -- a\\b"""


def test_descriptions_are_offered_as_comments_of_the_database(base, options, tmp_path):
    file = tmp_path / "odd.yaml"
    file.write_text(f"format: doctor/1\ndescriptions:\n  jobs.email: {json.dumps(ODD)}\n")
    wanted = ["schema", "document", *options, "--descriptions", str(file), "--comments"]
    said = say(*wanted)
    if base.engine == "sqlite":
        assert (said.code, "keeps no comments" in said.err) == (2, True)
        return
    lines = said.out.splitlines()
    assert say(*wanted, "--format", "json").json["comments"] == lines
    assert any("One piece of work." in one for one in lines)
    if base.engine == "postgresql":
        assert len(lines) == 4
        base.execute(*lines)
        assert (ODD,) in base.query(
            "SELECT description FROM pg_description WHERE objoid='jobs'::regclass"
        )
        assert say(*wanted).out.strip() == ""
    else:
        made = [one for one in lines if not one.startswith("--")]
        assert (len(lines), len(made)) == (4, 1)
        base.execute(*made)
        assert not any("One piece of work." in one for one in say(*wanted).out.splitlines())
    assert len(base.query("SELECT * FROM jobs")) == len(PLANS)
