"""The incident on PostgreSQL and MariaDB: the verdicts, rows and exit codes of SQLite."""

from __future__ import annotations

import http.client
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.support.incident import ABSENT, INCIDENT, SEED, expected
from tests.support.incident_servers import server_ward
from tests.support.soak import PART
from tests.support.terminal import say, typed
from tests.support.ward import changed

pytestmark = [pytest.mark.slow, pytest.mark.corpus]
MARKER = {
    "postgresql": "CREATE TABLE doctor_applied (fix VARCHAR(64), kind VARCHAR(16),"
    " images TEXT NOT NULL, PRIMARY KEY (fix, kind))",
    "mariadb": "CREATE TABLE doctor_applied (fix VARCHAR(64), kind VARCHAR(16),"
    " images LONGTEXT NOT NULL, PRIMARY KEY (fix, kind)) ENGINE=InnoDB",
}


@pytest.fixture
def copy(ground, tmp_path):
    """The incident on each server in turn, in a database of its own."""
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    folder = tmp_path / "copy"
    folder.mkdir()
    with server_ward(ground, folder) as ward:
        if ground.engine == "mariadb":  # its owner made the table, as a refusal would ask for
            ground.execute(MARKER["mariadb"])
        yield ward


def told(said):
    """Return what must be the same on every engine: all but hashes."""
    found = said.json
    diagnoses = [
        {**one, "candidates": [_plain(each) for each in one["candidates"]]}
        for one in found["diagnoses"]
    ]
    return said.code, found["status"], diagnoses, found["gaps"]


def _plain(candidate):
    statement = candidate["statement"].replace("AND BINARY ", "AND ")  # MariaDB says so
    return {**candidate, "plan": None, "statement": statement}


def asked(ward, *arguments):
    return say(*arguments, *ward.options(), "--format", "json")


def status(ward, run_id):
    connection = http.client.HTTPConnection(urlsplit(ward.api).netloc, timeout=10)
    connection.request("GET", f"/runs/{run_id}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.soak
def test_every_run_of_the_corpus_gets_the_verdict_that_it_gets_on_sqlite(incident, copy, figure):
    before = copy.dump()
    codes = []
    rows = list(expected())
    assert len(rows) == 31
    for row in rows[:: 1 if PART else 4]:
        here = asked(copy, "diagnose", row["run_id"])
        there = asked(replace(incident, models=copy.models), "diagnose", row["run_id"])
        assert told(here) == told(there), row
        codes.append(here.code)
    assert set(codes) == {0, 3}
    assert copy.dump() == before
    figure(f"{copy.ground.engine}: {len(codes)} of 31 runs asked for, the verdicts are SQLite's")


def test_preflight_says_the_same_as_on_sqlite(incident, copy):
    before = copy.dump()
    here, there = asked(copy, "preflight"), asked(incident, "preflight")
    assert (here.code, here.json["runs"]) == (3, 30)

    def sick(said):
        return {
            one["run"]: [(each["cause"], each["subject"]) for each in one["diagnoses"]]
            for one in said.json["sick"]
        }

    assert sick(here) == sick(there)
    assert len(sick(here)) == 15
    assert copy.dump() == before


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("space", "repr")]


@pytest.mark.parametrize("name", ["case", *SLOW])
def test_what_is_certain_is_healed_and_undone(copy, name):
    before = copy.dump()
    said = asked(copy, "heal", copy.runs[name])
    assert (said.code, said.json["status"]) == (0, "healed"), said.out
    [outcome] = said.json["outcomes"]
    assert outcome["verified"] == "clear"
    assert status(copy, copy.runs[name]) == 200
    assert changed(before, copy.dump()) == [("runs.state", copy.values[name], copy.healed[name])]
    again = asked(copy, "heal", copy.runs[name])
    assert (again.code, again.json["status"]) == (0, "healthy"), again.out
    assert asked(copy, "undo", outcome["fix"]).code == 0
    assert copy.dump() == before
    assert status(copy, copy.runs[name]) == 500


@pytest.mark.slow
def test_what_is_not_certain_is_asked_approved_healed_and_undone(copy):
    before = copy.dump()
    said = asked(copy, "heal", SEED)
    assert (said.code, said.json["status"]) == (5, "asked")
    assert copy.dump() == before
    candidates = said.json["diagnoses"][0]["candidates"]
    assert len(candidates) == 13
    wanted = next(one for one in candidates if one["to"] == "RUN_CREATED")
    word = ["approvals", "approve", said.json["incident"], "--plan", wanted["plan"]]
    assert typed(*word, *copy.options()).code == 0
    healed = asked(copy, "heal", SEED)
    assert (healed.code, healed.json["status"]) == (0, "healed"), healed.out
    assert changed(before, copy.dump()) == [("runs.state", "READY", "RUN_CREATED")]
    assert status(copy, SEED) == 200
    assert asked(copy, "undo", healed.json["outcomes"][0]["fix"]).code == 0
    assert copy.dump() == before


def test_three_sick_tables_are_one_plan_and_one_transaction(copy):
    before = copy.dump()
    rules = ["--rules", copy.mapping()]
    said = asked(copy, "heal", copy.runs["all"], *rules)
    assert (said.code, said.json["status"]) == (0, "healed"), said.out
    assert sorted(changed(before, copy.dump())) == sorted(
        (column, bad, good)
        for column in copy.columns
        for bad, good in copy.declared[column].items()
    )
    [outcome] = said.json["outcomes"]
    assert asked(copy, "undo", outcome["fix"]).code == 0
    assert copy.dump() == before


@pytest.mark.slow
def test_an_undo_refuses_when_the_row_moved_on(copy):
    said = asked(copy, "heal", copy.runs["case"])
    copy.execute("UPDATE runs SET goal_anchor = 'edited by somebody'")
    before = copy.dump()
    undone = asked(copy, "undo", said.json["outcomes"][0]["fix"])
    assert undone.code == 8
    assert "goal_anchor" in undone.err
    assert copy.dump() == before


@pytest.mark.slow
def test_a_lock_on_the_row_leaves_it_alone(copy, monkeypatch):
    from doctor.system.database import server

    monkeypatch.setattr(server, "WRITE_LOCK_SECONDS", 1.0)
    before = copy.dump()
    connection = copy.ground.connect()
    connection.cursor().execute(
        "UPDATE runs SET goal_anchor = 'mine' WHERE id = %s", (copy.runs["case"],)
    )
    said = asked(copy, "heal", copy.runs["case"])
    connection.rollback()
    connection.close()
    assert said.code == 7
    [outcome] = said.json["outcomes"]
    assert (outcome["result"], "lock" in outcome["reason"].lower()) == ("not_applied", True)
    assert copy.dump() == before
    assert asked(copy, "heal", copy.runs["case"]).code == 0


@pytest.mark.slow
def test_a_password_in_the_url_is_shown_nowhere(copy, state, tmp_path):
    if copy.ground.engine == "mariadb":
        copy.ground.execute(
            f"CREATE USER {copy.ground.name[:30]}@'127.0.0.1' IDENTIFIED BY 'Xk3-vW9.pQ7'",
            f"GRANT ALL ON {copy.ground.name}.* TO {copy.ground.name[:30]}@'127.0.0.1'",
        )
        account = copy.ground.name[:30]
    else:
        account = copy.ground.place.username
    url = copy.ground.as_user(account, "Xk3-vW9.pQ7")
    options = ["--database", url, "--models", str(copy.models), "--api", copy.api]
    texts = []
    try:
        for command in (
            ["diagnose", SEED],
            ["heal", copy.runs["case"]],
            ["heal", SEED],
            ["approvals", "list"],
            ["history"],
        ):
            for more in ([], ["--format", "json"]):
                said = say(*command, *options, *more)
                texts.append(said.out + said.err)
        wrong = url.replace("Xk3-vW9.pQ7", "Yk3-vW9.pQ7").replace(copy.ground.name, "no_such", 1)
        texts += [one for one in (say("diagnose", SEED, "--database", wrong).err,) if one]
    finally:
        if copy.ground.engine == "mariadb":
            copy.ground.execute(f"DROP USER {account}@'127.0.0.1'")
    kept = [path.read_bytes() for path in state.rglob("*") if path.is_file()]
    assert len(kept) > 1
    assert not any("k3-vW9.pQ7" in one for one in texts)
    assert not any(b"k3-vW9.pQ7" in one for one in kept)


def test_a_table_that_cannot_be_taken_back_is_made_only_where_its_owner_says_so(copy, tmp_path):
    if copy.ground.engine != "mariadb":
        pytest.skip("creating a table is a part of the transaction here")
    copy.ground.execute("DROP TABLE doctor_applied")
    before, run = copy.dump(), copy.runs["case"]
    refused = asked(copy, "heal", run)
    assert refused.code == 7
    [outcome] = refused.json["outcomes"]
    assert "creating it cannot be rolled back" in outcome["reason"]
    assert copy.dump() == before
    assert copy.ground.query("SHOW TABLES LIKE 'doctor_applied'") == []
    file = tmp_path / "doctor.toml"
    file.write_text("[system]\ncreate_marker = true\n", encoding="utf-8")
    assert asked(copy, "heal", run, "--config", str(file)).code == 0


@pytest.fixture
def clerk(copy):
    """Return the URL of an account that may change rows and create no table."""
    ground, name = copy.ground, copy.ground.name[:30]
    if ground.engine == "postgresql":
        ground.execute(
            f"CREATE ROLE {name} LOGIN",
            f"GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {name}",
        )
    else:
        ground.execute(
            f"CREATE USER {name}@'127.0.0.1'",
            f"GRANT SELECT, UPDATE ON {ground.name}.* TO {name}@'127.0.0.1'",
        )
    yield ground.as_user(name, "")
    if ground.engine == "postgresql":
        ground.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
    else:
        ground.execute(f"DROP USER {name}@'127.0.0.1'")


@pytest.mark.slow
def test_where_the_marker_may_not_be_made_nothing_is_changed(copy, clerk, tmp_path):
    copy.ground.execute("DROP TABLE IF EXISTS doctor_applied")
    file = tmp_path / "doctor.toml"
    file.write_text("[system]\ncreate_marker = true\n", encoding="utf-8")
    before = copy.dump()
    options = ["--config", str(file), "--database", clerk, "--models", str(copy.models)]
    options += ["--format", "json"]
    assert say("diagnose", copy.runs["case"], *options).code == 3
    said = say("heal", copy.runs["case"], *options)
    assert said.code == 7
    [outcome] = said.json["outcomes"]
    assert (outcome["result"], "denied" in outcome["reason"]) == ("not_applied", True)
    assert copy.dump() == before
    spent = say("budget", "--database", clerk, "--format", "json").json["spent"]
    assert {one["spent"] for one in spent} == {0}
    copy.ground.execute(MARKER[copy.ground.engine])
    name = copy.ground.name[:30]
    copy.ground.execute(
        copy.ground.of(
            postgresql=f"GRANT SELECT, INSERT, UPDATE ON doctor_applied TO {name}",
            mariadb=f"GRANT INSERT ON {copy.ground.name}.doctor_applied TO {name}@'127.0.0.1'",
        )
    )
    assert say("heal", copy.runs["case"], *options).code == 0


@pytest.mark.parametrize("command", ["diagnose", "heal", "plan"])
def test_what_cannot_be_used_is_2_and_what_does_not_answer_is_9(ground, tmp_path, command):
    models = tmp_path / "models.py"
    models.write_text("", encoding="utf-8")
    nobody = ground.as_user("no_such_account", "Xk3-vW9.pQ7")
    nowhere = ground.place.set(database="no_such_database").render_as_string(False)
    silent = ground.place.set(port=1).render_as_string(False)
    for url, code in ((nobody, 2), (nowhere, 2), (silent, 9)):
        said = say(command, "r", "--database", url, "--models", str(models), "--format", "json")
        assert said.code == code, said.out + said.err
        assert "k3-vW9.pQ7" not in said.out + said.err
