"""New rows without trial and error: on the incident's schema, on three engines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from doctor import Doctor, load_settings, required_fields, validate_insert
from doctor.evidence.opening import open_system
from tests.support.incident import ABSENT, INCIDENT
from tests.support.incident_servers import copy_incident
from tests.support.inserting import by_trial, dumped, engine_of, insert
from tests.support.servers import ENGINES, fresh

pytestmark = pytest.mark.corpus
RUN = {"id": "build200-new-run"}
TIER = {"tier_id": "T1", "run_id": "build200-new-run", "name": "First"}
PHASE = {
    "phase_id": "build200-phase1-look",
    "run_id": "build200-new-run",
    "phase_index": 0,
    "name": "look",
}


@pytest.fixture(params=["sqlite", *ENGINES])
def place(request, tmp_path):
    """The incident's database on an engine, with an engine of the test's own to look behind."""
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    if request.param == "sqlite":
        shutil.copyfile(INCIDENT / "incident.db", tmp_path / "incident.db")
        yield from _opened(f"sqlite:///{tmp_path / 'incident.db'}")
        return
    with fresh(request.param) as ground:
        copy_incident(ground)
        yield from _opened(ground.url)


def _opened(url):
    engine = engine_of(url)
    yield url, engine
    engine.dispose()


def opened(url):
    settings = load_settings(
        None,
        overrides={
            ("system", "database"): url,
            ("system", "models"): str(INCIDENT / "models.py"),
        },
        environment={},
    )
    return settings, open_system(settings, None, "x", (), lambda _: ())


def asked(doctor, engine, table, known):
    """Ask what a row needs, give it, insert it; return how often the database refused."""
    needed = doctor.required_fields(table, known)
    assert (needed.missing, needed.problems) == ((), ())
    assert needed.proof == "inserted and rolled back"
    return int(insert(engine, table, needed.row) is not None)


def number_on(engine):
    """Let sequences stand behind the rows that were copied."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            for table in ("tiers", "phases"):
                text = f"SELECT setval('{table}_id_seq', max(id)) FROM {table}"
                connection.exec_driver_sql(text)


def tier_of(engine):
    with engine.connect() as connection:
        text = "SELECT max(id) FROM tiers WHERE run_id = 'build200-new-run'"
        return connection.exec_driver_sql(text).scalar()


def test_a_run_its_tier_and_its_phase_are_added_at_the_first_try(place, figure):
    url, engine = place
    settings, _ = opened(url)
    number_on(engine)
    with Doctor(settings) as doctor:
        refused = asked(doctor, engine, "runs", RUN) + asked(doctor, engine, "tiers", TIER)
        refused += asked(doctor, engine, "phases", {**PHASE, "tier_id": tier_of(engine)})
    assert refused == 0
    other = {"id": "build201-by-hand"}
    tried, _ = by_trial(engine, "runs", other)
    more, _ = by_trial(engine, "tiers", {**TIER, "run_id": other["id"]})
    last, _ = by_trial(
        engine, "phases", {**PHASE, "run_id": other["id"], "tier_id": tier_of(engine)}
    )
    figure(f"inserts refused on {engine.dialect.name}: 0 asking first, {tried + more + last} not")
    assert tried + more + last >= 30


def test_a_column_that_the_models_do_not_know_is_learned_from_the_rows(place):
    url, engine = place
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE runs ADD COLUMN origin VARCHAR(20) NOT NULL DEFAULT 'queue'"
        )
        if engine.dialect.name != "sqlite":  # SQLite adds no column without a default
            connection.exec_driver_sql("ALTER TABLE runs ALTER COLUMN origin DROP DEFAULT")
    if engine.dialect.name == "sqlite":
        _without_default(engine)
    settings, _ = opened(url)
    with Doctor(settings) as doctor:
        needed = doctor.required_fields("runs", RUN)
        (origin,) = [one for one in needed.fields if one.name == "origin"]
        assert (origin.origin, origin.value, origin.certain) == ("learned", "queue", False)
        assert (origin.support, origin.of, origin.known_to) == (30, 30, "database")
        assert 0.88 < origin.at_least < 0.90
        assert asked(doctor, engine, "runs", RUN) == 0


def _without_default(engine):
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'runs'")
        text = cursor.fetchone()[0].replace(" DEFAULT 'queue'", "").replace("runs", "runs2", 1)
        for one in (
            "PRAGMA foreign_keys = OFF",
            text,
            "INSERT INTO runs2 SELECT * FROM runs",
            "DROP TABLE runs",
            "ALTER TABLE runs2 RENAME TO runs",
        ):
            cursor.execute(one)
        raw.commit()
    finally:
        raw.close()


def test_asking_leaves_nothing_and_uses_no_number_up(place):
    url, engine = place
    settings, _ = opened(url)
    known = {**TIER, "run_id": "build142-parent"}
    number_on(engine)
    before = dumped(engine)
    with Doctor(settings) as doctor:
        for _ in range(3):
            assert doctor.required_fields("tiers", known).proof == "inserted and rolled back"
    assert dumped(engine) == before
    engine.dispose()
    highest = max(row[0] for row in before["tiers"])
    with Doctor(settings) as doctor:
        row = doctor.required_fields("tiers", known).row
    assert insert(engine, "tiers", row) is None
    assert max(one[0] for one in dumped(engine)["tiers"]) == highest + 1


def test_a_sequence_that_would_give_a_number_twice_is_told(postgresql):
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    copy_incident(postgresql)
    _, system = opened(postgresql.url)
    (problem,) = required_fields(system, "tiers", {**TIER, "run_id": "build142-parent"}).problems
    assert (problem.column, problem.fault) == ("id", "unique")
    assert problem.message == "the database would number tiers.id 1, which is taken"


def test_every_fault_of_a_row_is_told_at_once_with_what_would_be_right(place):
    url, _ = place
    _, system = opened(url)
    row = {
        "phase_id": "p1",
        "run_id": "not-there",
        "tier_id": "x",
        "phase_index": None,
        "state": "queued",
        "scope": "{bad",
        "created_at": "yesterday",
        "nmae": "look",
    }
    found = validate_insert(system, "phases", row)
    told = {(one.column, one.fault) for one in found.problems}
    expected = {
        ("run_id", "reference"),
        ("tier_id", "type"),
        ("phase_index", "NULL"),
        ("state", "enum"),
        ("scope", "JSON"),
        ("created_at", "type"),
        ("nmae", "unknown column"),
        ("name", "missing"),
        ("issue_state", "missing"),
        ("updated_at", "missing"),
    }
    assert expected <= told
    rights = {(one.column, one.fault): one.right for one in found.problems}
    assert rights["state", "enum"].startswith("'QUEUED'? one of QUEUED, EXECUTING")
    assert rights["issue_state", "missing"].startswith("'no_issues' (ORM default")
    assert rights["nmae", "unknown column"] == "did you mean 'name'?"
    assert not any(one.fault == "refused" for one in found.problems)
    assert validate_insert(system, "phases", required_fields(system, "phases").row).problems


def test_keys_unique_values_and_references_are_never_invented(place):
    url, _ = place
    _, system = opened(url)
    needed = required_fields(system, "phases")
    left = {one.name: one.reason for one in needed.missing}
    assert {"phase_id", "run_id", "tier_id", "phase_index", "name"} == set(left)
    assert left["run_id"] == "it references runs (id)"
    assert {one.name for one in required_fields(system, "runs").missing} == {"id"}
    taken = required_fields(system, "runs", {"id": "build142-parent"})
    assert [one.fault for one in taken.problems] == ["unique"]


@pytest.mark.slow
def test_the_command_says_the_same_as_text_and_as_json(tmp_path, monkeypatch):
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    shutil.copyfile(INCIDENT / "incident.db", tmp_path / "incident.db")
    monkeypatch.chdir(tmp_path)
    base = ["--database", "sqlite:///incident.db", "--models", str(INCIDENT / "models.py")]

    def run(*more):
        command = [sys.executable, "-m", "doctor", "schema", "required", *more, *base]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, text = run("runs")
    assert (code, text.splitlines()[0]) == (0, "runs: 1 to give, 13 filled")
    code, text = run("runs", "--given", "id=build200-x")
    assert code == 0
    assert "proven: the database took this row, and it was rolled back" in text
    code, text = run("tiers", "--given", "run_id=nope", "--format", "json")
    document = json.loads(text)
    assert (code, document["exit_code"], document["proof"]) == (3, 3, "not tried")
    assert [one["fault"] for one in document["problems"]] == ["reference"]
    assert run("tears")[1].splitlines()[1] == "help: did you mean tiers?"
    assert run("tears")[0] == 2


def test_while_writes_are_paused_nothing_is_tried(place):
    url, _ = place
    settings, _ = opened(url)
    with Doctor(settings) as doctor:
        doctor.pause("backup")
        needed = doctor.required_fields("runs", RUN)
        doctor.resume()
    assert (needed.proof, needed.missing, needed.exit_code) == ("not tried", (), 9)
    assert needed.proof_reason.startswith("writes are paused: backup")


def test_what_cannot_be_taken_back_is_a_gap_and_not_a_proof(mariadb):
    mariadb.execute("CREATE TABLE kept (id INT PRIMARY KEY) ENGINE=MyISAM")
    settings, _ = opened(mariadb.url)
    with Doctor(settings) as doctor:
        needed = doctor.required_fields("kept", {"id": 1})
    reason = "no row of kept is tried: MyISAM cannot roll back"
    assert (needed.proof, needed.proof_reason, needed.exit_code) == ("not tried", reason, 9)
    assert reason in [one.reason for one in needed.gaps]
    assert mariadb.query("SELECT count(*) FROM kept") == [(0,)]
