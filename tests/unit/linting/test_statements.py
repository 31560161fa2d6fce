"""What is found in single statements, and what is silent because it cannot be decided."""

from __future__ import annotations

import pytest

from doctor.linting.catalogue import Catalogue, KnownColumn, KnownTable
from doctor.linting.parsing import DIALECTS
from doctor.linting.python_file import lint_python
from doctor.model.schema import EnumValues

STATE = EnumValues("JobState", ("QUEUED", "DONE"), "models.py:1")
JOBS = {
    "id": KnownColumn("id"),
    "state": KnownColumn("state", STATE),
    "title": KnownColumn("title", required="it is NOT NULL and has no default"),
    "note": KnownColumn("note"),
}
STEPS = {name: KnownColumn(name) for name in ("id", "job_id")}
KNOWN = Catalogue(
    {
        "jobs": KnownTable("jobs", JOBS, whole=True, origin="models.py:3"),
        "steps": KnownTable("steps", STEPS, whole=True, origin="models.py:9"),
    },
    whole=True,
)
_INSERT = "INSERT INTO jobs (id, state, title)"

WRONG_VALUES = [
    f'c.execute("{_INSERT} VALUES (%s, %s, %s)", (a, "READY", b))',
    f'c.execute("{_INSERT} VALUES (%(a)s, %(s)s, %(t)s)", {{"a": 1, "s": "READY", "t": t}})',
    f'c.executemany("{_INSERT} VALUES (?, ?, ?)", [(1, "DONE", 2), (1, "READY", 2)])',
    f'c.execute("{_INSERT} VALUES ($1, $2, $3)", a, "READY", b)',
    'c.execute(text("UPDATE jobs SET state = :s WHERE id = :i").bindparams(s="READY", i=3))',
    'c.execute(sa.text("UPDATE jobs SET state=:s"), dict(s="READY"))',
    'c.execute(sa.text("UPDATE jobs SET state=:s"), {"s": "DONE" if a else "READY"})',
    's = "READY"\nc.execute("UPDATE jobs SET state = ?", (s,))',
    's = "UPDATE jobs SET state = ?"\nc.execute(s, ("READY",))',
    'S = "READY"\ndef f(c): c.execute(f"UPDATE jobs SET state = \'{S}\'")',
    "c.execute(\"INSERT OR REPLACE INTO jobs (id, state, title) VALUES (1, 'READY', 'x')\")",
    "c.execute(\"REPLACE INTO jobs (id, state, title) VALUES (1, 'READY', 'x')\")",
    f"c.execute(\"{_INSERT} SELECT id, 'READY', 'x' FROM steps\")",
    f"c.execute(\"{_INSERT} VALUES (1,'DONE','x') ON CONFLICT (id) DO UPDATE SET state='READY'\")",
    f"c.execute(\"{_INSERT} VALUES (1,'DONE','x') ON DUPLICATE KEY UPDATE state = 'READY'\")",
    "c.execute(\"INSERT INTO jobs SET id=1, state='READY', title='y'\")",
    "c.execute(\"UPDATE jobs SET state = CASE WHEN id=1 THEN 'DONE' ELSE 'READY' END\")",
    "c.execute('UPDATE jobs SET state = \"READY\"')",
    "c.execute(\"UPDATE jobs SET state = 'READY'::state\")",
    "c.execute(\"UPDATE `jobs` SET `state` = 'READY'\")",
    "c.execute(\"BEGIN; UPDATE jobs SET state='READY'; COMMIT;\")",
    'c.execute("UPDATE jobs SET state = \'%s\' WHERE id = 1" % "READY")',
    'c.execute("UPDATE jobs SET state = \'{}\'".format("READY"))',
    'c.execute("UPDATE jobs " + "SET state = \'" + "READY" + "\'")',
]
UNKNOWN_COLUMNS = [
    'c.execute("DELETE FROM jobs WHERE idd = ?", (1,))',
    'c.execute("DELETE FROM jobs USING steps WHERE steps.nope = jobs.id")',
    "c.execute(\"UPDATE jobs SET title='x' FROM steps s WHERE s.nope = jobs.id\")",
    'c.execute("SELECT a.id FROM jobs a LEFT JOIN steps b USING (id) WHERE nope = 1")',
    'c.execute("SELECT * FROM (SELECT nope FROM jobs) q")',
    'c.execute("WITH x AS (SELECT nope FROM jobs) SELECT * FROM x")',
    "c.execute(\"UPDATE jobs SET sttae = 'DONE'\")",
    "c.execute(\"INSERT INTO jobs (id, titel, title) VALUES (1, 'x', 'y')\")",
]
FORMATTED = [
    'c.execute("UPDATE jobs SET note = \'" + note + "\' WHERE id = ?", (1,))',
    "c.execute(\"UPDATE jobs SET note = '%s'\" % note)",
    "c.execute(\"UPDATE jobs SET note = '{}'\".format(note))",
    'c.execute(f"SELECT * FROM jobs WHERE id = {job_id}")',
    'c.execute(f"INSERT INTO jobs (id, title) VALUES (1, {title})")',
    "c.execute(f\"SELECT * FROM other WHERE title LIKE '%{title}%'\")",
]
SILENT = [
    'c.execute(f"SELECT * FROM jobs WHERE id IN ({marks})", ids)',
    'c.execute(f"SELECT * FROM {table} WHERE id = 3")',
    'c.execute("SELECT * FROM jobs WHERE {}".format(where))',
    'c.execute("WITH x AS (SELECT id AS y FROM jobs) SELECT y, z FROM x")',
    'c.execute("SELECT (SELECT 1 FROM steps s WHERE s.job_id = j.id AND note = 3) FROM jobs j")',
    'c.execute("SELECT count(*) n FROM jobs GROUP BY state HAVING n > 1 ORDER BY n")',
    "c.execute(\"UPDATE jobs SET state = (SELECT 'x' FROM steps)\")",
    f'c.execute("{_INSERT} VALUES (?, ?, ?)", row)',
    'c.execute("UPDATE jobs SET state = ?", (state.value,))',
    'def f(state): c.execute("UPDATE jobs SET state = ?", (state,))',
    's = "READY"\ns = other()\nc.execute("UPDATE jobs SET state = ?", (s,))',
    "c.execute(\"SELECT date(x.v) FROM json_each('[1]') x\")",
    'c.execute("SELECT rowid, * FROM jobs WHERE rowid > ?", (1,))',
    "c.execute(\"SELECT * FROM jobs WHERE title LIKE '%s' COLLATE nocase\")",
    'c.execute("SELECT * FROM information_schema.tables; SELECT name FROM sqlite_master")',
    f'c.execute("{_INSERT} VALUES (1, ?, 3) ON CONFLICT (id) DO UPDATE SET id = excluded.id")',
    "log.info(f\"select {x} from the list where a = '{b}' ok then\")",
    "raise E(f\"Delete from {x} failed for '{y}'\")",
    'c.execute(f"UPDATE jobs SET note = {int(x)}")',
    'c.execute("UPDATE jobs SET note = %d" % x)',
    'c.execute(f"SELECT * FROM jobs WHERE title = {quote(x)}")',
    "c.execute(\"SELECT * FROM jobs AS OF SYSTEM TIME '-1s'\")",
    "def f():\n    \"UPDATE jobs SET state = 'READY'\"",
    "c.execute(\"UPDATE jobs SET state = 'READY'\")  # doctor: ignore",
    "c.execute(\"UPDATE jobs SET state = 'READY'\")  # doctor: ignore[LINT001, LINT002]",
    "c.execute(\"UPDATE other.jobs SET nope = 'READY' WHERE x = (\")",
]


def codes(source):
    """Return the codes of what is found in a source text."""
    found = lint_python("x.py", source.encode(), KNOWN, DIALECTS)
    return [one.code for result in found for one in result.findings]


@pytest.mark.parametrize("source", WRONG_VALUES)
def test_a_value_that_the_enum_does_not_have_is_found(source):
    assert codes(source) == ["LINT001"]


@pytest.mark.parametrize("source", UNKNOWN_COLUMNS)
def test_a_column_that_is_not_there_is_found(source):
    assert codes(source) == ["LINT003"]


@pytest.mark.parametrize("source", FORMATTED)
def test_a_value_that_is_formatted_into_the_text_is_found(source):
    assert [one for one in codes(source) if one not in {"LINT002", "LINT004"}] == ["LINT005"]


@pytest.mark.parametrize("source", SILENT)
def test_what_cannot_be_decided_is_silent(source):
    assert codes(source) == []


def test_required_fields_are_named_all_at_once():
    (result,) = lint_python(
        "x.py", b'c.execute("INSERT INTO jobs (id) VALUES (1)")', KNOWN, DIALECTS
    )
    (found,) = result.findings
    assert found.location == "x.py:1:24"
    assert found.message == "this INSERT into jobs leaves out title"
    assert found.hint == "give it a value: it is NOT NULL and has no default"


def test_another_code_does_not_silence_a_line():
    source = "c.execute(\"UPDATE jobs SET state = 'READY'\")  # doctor: ignore[LINT003]"
    assert codes(source) == ["LINT001"]


def test_the_place_is_that_of_the_word_also_across_lines_and_letters_of_many_bytes():
    source = (
        "ü = 'ä'; c.execute(\n"
        "    \"UPDATE jobs SET note = 'READY ä', \"\n"
        "    \"title = 'x', state = 'READY'\")\n"
    )
    (result,) = lint_python("x.py", source.encode(), KNOWN, DIALECTS)
    assert [one.location for one in result.findings] == ["x.py:3:28"]
