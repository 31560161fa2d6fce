"""What speaks for a replacement beside mappings and folding."""

from __future__ import annotations

import pytest

from doctor.model.diagnosis import Subject
from doctor.model.rule import ValueMapping
from doctor.model.system import System
from doctor.model.tier import Tier
from doctor.schema import rank_values, replacement_hints
from doctor.system.code.migrations import renamings
from doctor.system.code.writers import writers
from doctor.system.database import open_read_door
from tests.support.columns import orders

VALID = ("QUEUED", "RUNNING", "DONE")
MIGRATION = """
revision = "a1"

def upgrade():
    op.execute("UPDATE orders SET state = 'WAITING' WHERE state = 'READY'")
    op.execute(sa.text("UPDATE orders SET state='QUEUED' WHERE state IN ('WAITING', 'IDLE')"))
    op.execute("UPDATE orders SET state = 'DONE' WHERE state = 'PART' AND revision = 1")
    op.execute("UPDATE others SET state = 'DONE' WHERE state = 'OTHER'")
    op.execute("UPDATE orders SET note = 'DONE' WHERE state = 'NOTED'")
    op.execute("UPDATE orders SET state = 'GONE' WHERE state = 'LOST'")
    op.execute("this is UPDATE no SQL ((")

def downgrade():
    op.execute("UPDATE orders SET state = 'RUNNING' WHERE state = 'BACK'")
"""


@pytest.fixture
def system(tmp_path):
    with orders("sqlite", tmp_path, bad=0, good=0) as made:
        (made.folder / "migrations" / "versions").mkdir(parents=True)
        file = made.folder / "migrations" / "versions" / "a1_rename.py"
        file.write_text(MIGRATION, encoding="utf-8")
        rows: list[tuple[object, ...]] = []
        for at in range(60):
            rows += [(at, "QUEUED", "", 0), (100 + at, "RUNNING", "x", 0)]
            rows.append((200 + at, "DONE", "x", 7))
        made.many("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        yield made


def ranked(system, value, *mappings, revision=3, note="x", terminal=()):
    system.execute("INSERT OR REPLACE INTO orders VALUES (999, ?, ?, ?)", value, note, revision)
    subject = Subject("orders", "state", {"number": 999}, value, VALID)
    door = open_read_door(system.url)
    about = System("x", database=door, project=system.folder)

    def hints():
        return replacement_hints(subject, about)

    return rank_values(subject, "State", mappings, frozenset(terminal), hints=hints)


@pytest.mark.parametrize(
    ("value", "to"), [("WAITING", "QUEUED"), ("IDLE", "QUEUED"), ("READY", "QUEUED")]
)
def test_a_data_migration_in_the_history_speaks_first_and_is_never_certain(system, value, to):
    first, *_ = ranked(system, value)
    assert (first.to, first.tier, first.certain) == (to, Tier.GUARDED, False)
    assert "a data migration says so at" in first.reason
    assert "a1_rename.py:" in first.reason


@pytest.mark.parametrize("value", ["PART", "OTHER", "NOTED", "LOST", "BACK"])
def test_a_migration_of_something_else_or_back_says_nothing(system, value):
    assert not any("migration" in one.reason for one in ranked(system, value))


@pytest.mark.parametrize(
    ("note", "revision", "to"), [("", 0, "QUEUED"), ("x", 0, "RUNNING"), ("x", 9, "DONE")]
)
def test_the_rows_other_columns_speak_for_a_value(system, note, revision, to):
    first, *others = ranked(system, "LIMBO", note=note, revision=revision)
    assert (first.to, first.tier, first.certain) == (to, Tier.GUARDED, False)
    assert "inferred from the row's other columns" in first.reason
    assert all("no evidence" in one.reason for one in others)


def test_with_too_few_rows_of_any_value_the_row_says_nothing(system):
    system.execute("DELETE FROM orders WHERE state = 'RUNNING' AND number > 103")
    assert all("inferred" not in one.reason for one in ranked(system, "LIMBO"))


def test_similarity_alone_never_stands_before_evidence(system):
    first, *_ = ranked(system, "RUNNIN_", note="", revision=0)
    assert first.to == "RUNNING"
    assert first.reason.startswith("one letter off")
    first, *_ = ranked(system, "DONNE_X", note="", revision=0)
    assert first.to == "QUEUED"


def test_an_ended_state_is_never_let_go_on_even_by_its_owner(system):
    mapping = ValueMapping("orders", "state", {"done!": "QUEUED"}, "me", "why", "m.yaml:1")
    one, *_ = ranked(system, "DONE_", terminal=["DONE"])
    assert (one.to, one.tier) == ("DONE", Tier.SAFE)
    mapped, *_ = ranked(system, "done!", mapping, terminal=["DONE!"])
    assert (mapped.to, mapped.tier) == ("QUEUED", Tier.IRREVERSIBLE)
    assert "names an ended state" in mapped.reason


def test_migrations_that_cannot_be_read_are_passed_over(tmp_path):
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "a.py").write_text("revision = 1\ndef upgrade(: UPDATE", encoding="utf-8")
    (folder / "b.py").write_bytes(b"revision\ndef upgrade():\n '\xff UPDATE'")
    (folder / "c.py").write_text("revision = 1\ndef upgrade():\n    '" + "(" * 9000 + "update'")
    (tmp_path / "elsewhere.py").write_text(MIGRATION, encoding="utf-8")
    assert renamings(tmp_path) == ()


def test_writers_are_named_with_their_lines_and_sql_comes_first(tmp_path):
    (tmp_path / "a.py").write_text("def f(run):\n    run.state = 'READY'\n", encoding="utf-8")
    script = "x = 1\ncursor.execute(f\"INSERT INTO orders VALUES ({x}, 'READY')\")\n"
    (tmp_path / "b.py").write_text(script, encoding="utf-8")
    (tmp_path / "c.py").write_text("'ALREADY'; 'GET READY'", encoding="utf-8")
    sql, text = writers(tmp_path, "orders", "state", "READY")
    assert sql == f"{tmp_path}/b.py:2: SQL that sets 'READY' in orders"
    assert text == f"{tmp_path}/a.py:2: the text 'READY'"
