"""Conventions of a whole system: its runs, what is below them, and how one id follows another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from doctor import Doctor, Fact, Gap, UsageError, id_convention, unusual_ids
from doctor.evidence.opening import open_system
from doctor.ids import check_id
from doctor.settings import load_settings
from tests.support.ids import real_shaped
from tests.support.ports import make_database
from tests.support.servers import ENGINES, fresh

TABLES = (
    "CREATE TABLE runs (id VARCHAR(99) PRIMARY KEY, state VARCHAR(9))",
    """CREATE TABLE phases (id INTEGER NOT NULL PRIMARY KEY, phase_id VARCHAR(99) NOT NULL,
    run_id VARCHAR(99) NOT NULL REFERENCES runs (id), state VARCHAR(9))""",
)


def opened(url):
    settings = load_settings(None, overrides={("system", "database"): url}, environment={})
    return open_system(settings, None, "x", (), lambda _: ())


def rows(runs, phases):
    """Return statements: a row per run, and one per phase of each."""
    made = [f"INSERT INTO runs VALUES ('{one}', 'x')" for one in runs]
    pairs = [(run, phase) for run in runs for phase in phases(run)]
    numbers = [
        f"INSERT INTO phases VALUES ({at}, '{phase}', '{run}', 'x')"
        for at, (run, phase) in enumerate(pairs, 1)
    ]
    return (*made, *numbers)


def system(tmp_path, runs, phases):
    make_database(tmp_path / "a.db", *TABLES, *rows(runs, phases))
    return opened(f"sqlite:///{tmp_path / 'a.db'}")


def unrelated(_run):
    return ["phase-one", "phase-two", "phase-three", "Phase4"]


def test_ids_that_only_count_within_their_run_are_no_convention(tmp_path):
    found = id_convention(system(tmp_path, real_shaped(2), unrelated))
    runs, phases = found.columns
    assert (runs.column, runs.of, len(runs.convention.families) > 10) == ("runs.id", 76, True)
    assert (phases.column, phases.parent) == ("phases.phase_id", "runs.id")
    assert phases.convention.families == ()
    assert phases.convention.reason == (
        "304 rows hold 4 different ids ('phase-one' 76 times), and none of the 304 pairs of parent"
        " and child that were looked at shows how one follows"
    )
    (relation,) = phases.relations
    assert (relation.kind, relation.pairs, relation.counts["none"]) == ("none", 304, 304)
    assert len(relation.counterexamples) == 5
    check = check_id(phases, "whatever")
    assert (check.warnings, check.note.startswith("there is no convention")) == ((), True)


@pytest.mark.parametrize(
    ("phases", "kind"),
    [
        (lambda run: [run], "same id"),
        (lambda run: [f"{run}-p{at}" for at in (1, 2)], "parent prefix"),
        (lambda run: [f"{run.split('-')[0]}-phase{at}-x" for at in (1, 2)], "shared first token"),
        (lambda run: [f"{int(run[5:8]) * 7919}q{at}" for at in (1, 2)], "none"),
    ],
)
def test_the_relation_to_the_run_is_counted(tmp_path, phases, kind):
    runs = [f"build{at}-some-words" for at in range(100, 140)]
    (relation,) = id_convention(system(tmp_path, runs, phases)).columns[1].relations
    assert relation.kind == kind
    assert sum(relation.counts.values()) == relation.pairs
    assert (relation.at_least > 0.9) is (kind != "none")


def test_a_head_that_all_ids_share_is_no_relation(tmp_path):
    runs = [f"run-{at}" for at in range(40)]
    found = id_convention(system(tmp_path, runs, lambda run: [f"run-x{run[4:]}", "run-y"]))
    (relation,) = found.columns[1].relations
    assert (relation.kind, relation.by_chance) == ("none", 1.0)


def test_a_child_that_does_not_follow_is_warned_of_and_what_would_follow_is_said(tmp_path):
    runs = [f"build{at}-some-words" for at in range(100, 140)]
    made = system(tmp_path, runs, lambda r: [f"{r.split('-')[0]}-phase{at}-go" for at in (1, 2)])
    phases = id_convention(made).column_of("phases")
    assert check_id(phases, "build104-phase3-go", "build104-some-words").warnings == ()
    wrong = check_id(phases, "build105-phase3-go", "build104-some-words")
    assert wrong.nearest[0].startswith("build104-")
    (warning,) = wrong.warnings
    assert warning.startswith("'shared first token' does not hold between 'build104-some-words'")
    assert warning.endswith("it does for at least 95% of 80 others")
    with pytest.raises(UsageError, match="no ids of pages are known"):
        id_convention(made).column_of("pages")


def test_numbers_and_a_pinned_convention(tmp_path):
    make_database(
        tmp_path / "b.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT)",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run_id INTEGER REFERENCES runs (id))",
        *[f"INSERT INTO runs VALUES ({at}, 'x')" for at in range(1, 6)],
    )
    (runs,) = id_convention(opened(f"sqlite:///{tmp_path / 'b.db'}")).columns[:1]
    assert (runs.kind, runs.numbered, runs.convention.families[0].following) == (
        "number",
        True,
        "6",
    )
    made = system(tmp_path, real_shaped(1), unrelated)
    pinned = id_convention(made, pinned={"runs.id": ("build[0-9]+(?:-[a-z0-9]+)+",)}).columns[0]
    assert pinned.convention.is_pinned
    assert check_id(pinned, "research-x").warnings[0].endswith("doctor.toml has for runs.id")
    assert check_id(pinned, "build1-x").warnings == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_servers_are_read_the_same_and_large_tables_by_chance(engine):
    with fresh(engine) as ground:
        runs = [f"build{at}-some-words" for at in range(100, 140)]
        ground.execute(*TABLES, *rows(runs, lambda run: [f"{run}-p1", f"{run}-p2"]))
        known = opened(ground.url)
        columns = id_convention(known).columns
        assert [one.column for one in columns] == ["runs.id", "phases.phase_id"]
        assert columns[1].relations[0].kind == "parent prefix"
        (phases,) = [one for one in known.database.tables() if one.name == "phases"]
        some, of = known.database.sample(phases, ["phase_id"], ["phase_id"], limit=20)
        assert (of, len(some) <= 20) == (80, True)


def test_a_sample_of_a_large_table_is_not_its_first_rows(tmp_path):
    make_database(
        tmp_path / "c.db",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT)",
        "WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 20000)"
        " INSERT INTO runs SELECT at, 'x' FROM n",
    )
    door = opened(f"sqlite:///{tmp_path / 'c.db'}").database
    rows_, of = door.sample(door.tables()[0], ["id"], [], limit=1000)
    assert (of, 800 < len(rows_) <= 1000) == (20000, True)
    assert sum(row["id"] > 10000 for row in rows_) > 300


def test_what_only_the_rest_of_a_large_table_could_tell_is_not_claimed(tmp_path):
    make_database(
        tmp_path / "d.db",
        *TABLES,
        "WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < 5000)"
        " INSERT INTO runs SELECT 'build' || at || '-some-words', 'x' FROM n",
        "INSERT INTO phases SELECT 2 * rowid, substr(id, 1, instr(id, '-')) || 'phase1-go', id, 'x'"
        " FROM runs",
        "INSERT INTO phases SELECT 2 * rowid + 1, substr(id, 1, instr(id, '-')) || 'phase2-go', id,"
        " 'x' FROM runs",
    )
    runs, phases = id_convention(opened(f"sqlite:///{tmp_path / 'd.db'}")).columns
    assert (runs.of, phases.of, runs.rows <= 2000) == (5000, 10000, True)
    assert [one.following[:9] for one in runs.convention.families] == ["build<n>-"]
    assert [one.among for one in phases.relations] == ["children"]
    assert phases.relations[0].kind == "shared first token"


@pytest.mark.slow
def test_the_commands_say_the_same_as_text_and_as_json_and_pin_what_they_learned(tmp_path):
    system(tmp_path, real_shaped(4), unrelated)

    def run(*more):
        command = [sys.executable, "-m", "doctor", "ids", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    (tmp_path / "doctor.toml").write_text('[system]\ndatabase = "sqlite:///a.db"\n')
    code, text = run("infer")
    assert code == 0
    assert "phases.phase_id: no convention" in text
    document = json.loads(run("infer", "--format", "json")[1])
    assert [one["has_convention"] for one in document["columns"]] == [True, False]
    code, text = run("check", "Build_1", "--strict")
    assert (code, "warning: 'Build_1' is of none of" in text) == (4, True)
    assert run("check", "Build_1")[0] == 0
    with (tmp_path / "doctor.toml").open("a") as file:
        file.write(run("infer", "--toml")[1])
    code, text = run("check", "Build_1", "--strict")
    assert (code, "none of the patterns that doctor.toml has for runs.id" in text) == (4, True)
    assert run("check", real_shaped(4)[20], "--strict")[0] == 0


def test_a_preflight_is_told_of_unusual_ids_only_where_a_convention_is_pinned(tmp_path):
    made = system(tmp_path, real_shaped(4), unrelated)
    assert list(unusual_ids(made.database, {})) == []
    fact, gap = unusual_ids(
        made.database, {"runs.id": ("[a-z]+[0-9]*(?:-[a-z0-9]+)+",), "runs.gone": ("x",)}
    )
    assert isinstance(fact, Fact)
    assert isinstance(gap, Gap)
    assert dict(fact.fields) == {
        "run": "",
        "table": "runs",
        "column": "id",
        "ids": ", ".join(map(repr, sorted(i for i in real_shaped(4) if "T" in i)[:3])) + ", …",
        "odd": 4,
        "looked": 76,
        "rows": 76,
    }
    assert gap.reason == "[ids.'runs.gone'] names a column that is not there"


def test_a_preflight_shows_unusual_ids_as_info_and_stays_healthy(tmp_path):
    system(tmp_path, real_shaped(4), unrelated)
    text = '[system]\ndatabase = "sqlite:///a.db"\n[ids."runs.id"]\npatterns = ["build.*"]\n'
    (tmp_path / "doctor.toml").write_text(text)
    with Doctor(load_settings(tmp_path / "doctor.toml", environment={})) as doctor:
        examination = doctor.preflight().examination
    (found,) = [one for one in examination.diagnoses if one.code == "DB062"]
    assert found.message.startswith("57 ids in runs.id are of none of the pinned patterns")
    assert not found.is_finding


def test_a_pattern_that_is_none_is_refused_with_its_place(tmp_path):
    (tmp_path / "doctor.toml").write_text('[ids."runs.id"]\npatterns = ["(a"]\n')
    with pytest.raises(UsageError, match="no pattern that RE2 understands"):
        load_settings(tmp_path / "doctor.toml", environment={})
