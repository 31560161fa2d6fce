"""What cannot be used or read: one clear error or Gap, the right code, nothing written."""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.jobs import jobs_ward, reply
from tests.support.terminal import run, say

pytestmark = pytest.mark.slow

RULE = """format: doctor/1
rule: team.one
code: TEAM001
revision: 1
title: A test rule
status: stable
level: high
owner: team
retryable: false
match:
  bad: {kind: database.invalid_value, role: run}
  condition: bad
join: [run]
diagnosis: {cause: team_cause, message: m, hint: h}
explanation: {what: w, why: y}
tests:
  - {name: none, given: {facts: []}, expect: {verdict: no_match}}
  - name: one
    given:
      facts:
        - kind: database.invalid_value
          run: r
          role: run
          table: t
          column: c
          key: {}
          value: v
          valid: [w]
          enum: E
          enum_location: "m:1"
          elsewhere: ""
    expect: {verdict: match}
"""
MISTAKES = {
    "an unknown key": RULE.replace("owner:", "onwer:"),
    "an unknown fact": RULE.replace("database.invalid_value", "database.invalid_valu"),
    "an unknown field": RULE.replace("role: run", "rol: run"),
    "a duplicate key": RULE.replace("revision: 1\n", "revision: 1\nrevision: 2\n"),
    "an anchor": RULE.replace("title: A test rule", "title: &a A test rule"),
    "a tag": RULE.replace("title: A test rule", "title: !!python/name:os.system x"),
    "no condition": RULE.replace("  condition: bad\n", ""),
    "an unknown selection": RULE.replace("condition: bad", "condition: bda"),
    "an unknown fixer": RULE + "remedies: [{id: r, fixer: no.such, tier: SAFE, verify: []}]\n",
    "a wrong level": RULE.replace("level: high", "level: huge"),
    "no yaml": "format: [doctor/1\n",
    "no format": RULE.replace("format: doctor/1\n", ""),
    "a wrong mapping": "format: doctor/1\nmapping: runs\nowner: t\nreason: r\nvalues: {A: B}\n",
    "control characters": "format: doctor/1\nrule: \x01\n",
}


@contextmanager
def socket_server(talk):
    """Accept connections and let ``talk`` do with each what it likes."""
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def accept():
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                talk(connection, stop)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        stop.set()
        with closing(socket.socket()) as last:
            last.connect_ex(server.getsockname())
        server.close()
        thread.join()


def diagnose(ward, name="healthy", *more, **options):
    return say("diagnose", ward.runs[name], *ward.options(**options), *more, "--format", "json")


def both(ward, name, code, *more):
    """Diagnose and heal: each ends with ``code``, says one error, and writes nothing."""
    folder = {one.name for one in ward.folder.iterdir()}
    raw = ward.database.read_bytes() if ward.database.is_file() else None
    found = []
    for command in ("diagnose", "heal"):
        said = say(command, ward.runs[name], *ward.options(api=False), *more, "--format", "json")
        assert (said.code, said.json["exit_code"]) == (code, code), (command, said)
        found.append(said)
    if raw is not None:
        assert ward.database.read_bytes() == raw
    assert {one.name for one in ward.folder.iterdir()} == folder
    assert not list(Path(os.environ["DOCTOR_STATE_DIR"]).glob("stores/*"))
    return found


def one_error(said):
    [error] = said.json["errors"]
    assert said.err.startswith(f"error[{error['code']}]: {error['message']}\n")
    assert said.err.count("error[") == 1
    return error["message"]


def gap(said):
    [reason] = {one["reason"] for one in said.json["gaps"]}
    return reason


def test_a_database_that_is_missing(ward, tmp_path, state):
    missing = f"sqlite:///{tmp_path}/missing.db"
    for command in (["diagnose", "r"], ["heal", "r"], ["preflight"], ["plan", "r"]):
        said = say(*command, "--database", missing, "--format", "json")
        assert said.code == 2
        assert "missing.db" in one_error(said)
    assert not (tmp_path / "missing.db").exists()
    assert not state.exists() or not list((state / "stores").glob("*"))


def test_a_file_that_is_no_database(jobs):
    jobs.database.write_bytes(b"This is a text file and no database.\n" * 400)
    for said in both(jobs, "case", 2):
        assert "not a SQLite database" in one_error(said)


def test_a_folder_or_another_engine_or_no_url(jobs, tmp_path):
    for url in (f"sqlite:///{tmp_path}", "oracle://u:secret@h/d", "not a url", "sqlite://"):
        said = say("diagnose", "r", "--database", url, "--format", "json")
        assert said.code == 2
        one_error(said)
        assert "secret" not in said.out + said.err


def test_a_database_that_is_locked(jobs):
    before = jobs.dump()
    with closing(sqlite3.connect(jobs.database)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        said = diagnose(jobs, "case", api=False)
        assert said.code == 9
        assert "locked" in gap(said)
        assert said.json["diagnoses"] == []
        holder.rollback()
    assert jobs.dump() == before


def test_a_database_whose_write_lock_is_taken_is_left_alone(jobs):
    before = jobs.dump()
    with closing(sqlite3.connect(jobs.database)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        said = say("heal", jobs.runs["case"], *jobs.options(api=False), "--format", "json")
        holder.rollback()
    assert said.code == 7
    [outcome] = said.json["outcomes"]
    assert outcome["result"] == "not_applied"
    assert "locked" in outcome["reason"]
    assert jobs.dump() == before
    assert say("heal", jobs.runs["case"], *jobs.options()).code == 0


def test_a_database_that_is_corrupt(jobs):
    raw = bytearray(jobs.database.read_bytes())
    raw[100:] = os.urandom(64) * ((len(raw) - 100) // 64) + bytes((len(raw) - 100) % 64)
    jobs.database.write_bytes(raw)
    for said in both(jobs, "case", 9):
        assert "malformed" in gap(said)


def test_a_database_that_is_cut_off(jobs):
    raw = jobs.database.read_bytes()
    jobs.database.write_bytes(raw[: len(raw) // 2])
    for said in both(jobs, "case", 9):
        assert gap(said)


def test_an_empty_database_knows_no_run(jobs):
    jobs.database.write_bytes(b"")
    said = say("diagnose", "r", "--database", jobs.url, "--format", "json")
    assert said.code == 9
    assert jobs.database.read_bytes() == b""


def bound_by_modes(*arguments):
    """Call the command as somebody whom file modes bind: root gives that privilege up first."""
    if os.geteuid() != 0:
        return run(*arguments)
    give_up = (
        "import ctypes, os, sys\n"
        "PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1\n"
        "if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):\n"
        "    sys.exit(77)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'doctor', *sys.argv[1:]])\n"
    )
    said = run(*arguments, command=(sys.executable, "-c", give_up))
    if said.code == 77:
        pytest.skip("root is not bound by file modes here, and cannot give that up")
    return said


def test_a_database_that_is_read_only(jobs):
    jobs.database.chmod(0o444)
    jobs.folder.chmod(0o555)
    raw = jobs.database.read_bytes()
    options = [*jobs.options(api=False), "--format", "json"]
    said = bound_by_modes("diagnose", jobs.runs["case"], *options)
    assert (said.code, said.err) == (3, "")
    said = bound_by_modes("heal", jobs.runs["case"], *options)
    jobs.folder.chmod(0o755)
    assert (said.code, said.json["status"]) == (7, "undone")
    [outcome] = said.json["outcomes"]
    assert (outcome["result"], "readonly" in outcome["reason"]) == ("not_applied", True)
    assert jobs.database.read_bytes() == raw


def test_a_wal_database_in_a_read_only_folder(jobs):
    with closing(sqlite3.connect(jobs.database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    assert not (jobs.folder / "jobs.db-wal").exists()
    jobs.database.chmod(0o444)
    jobs.folder.chmod(0o555)
    raw = jobs.database.read_bytes()
    options = [*jobs.options(api=False), "--format", "json"]
    for command in ("diagnose", "heal"):
        said = bound_by_modes(command, jobs.runs["case"], *options)
        assert (said.code, said.json["exit_code"]) == (9, 9)
        assert "unable to open" in gap(said) or "readonly" in gap(said)
    jobs.folder.chmod(0o755)
    assert jobs.database.read_bytes() == raw
    assert not (jobs.folder / "jobs.db-wal").exists()


def test_a_run_id_that_is_found_nowhere(ward):
    for command in ("diagnose", "heal", "plan"):
        said = say(command, "no-such-run", *ward.options(), "--format", "json")
        assert said.code == 2
        assert "no-such-run" in one_error(said)


@pytest.mark.parametrize(
    "name", ["", "a/b", "../x", "r'; DROP TABLE jobs; --", "\x1b[31m", "é" * 999]
)
def test_a_strange_run_id_is_only_an_unknown_one(jobs, name):
    before = jobs.dump()
    said = say("diagnose", name, *jobs.options(), "--format", "json")
    assert said.code == 2
    assert "\x1b" not in said.err
    assert jobs.dump() == before


def test_a_column_that_the_database_does_not_have(jobs):
    jobs.execute("ALTER TABLE steps RENAME COLUMN progress TO advance")
    raw = jobs.database.read_bytes()
    found = diagnose(jobs, "case", api=False)
    assert found.code == 3
    causes = [one["cause"] for one in found.json["diagnoses"]]
    assert "no_such_column" in causes
    assert "enum_drift" in causes
    assert jobs.database.read_bytes() == raw


def test_a_table_that_the_database_does_not_have(jobs):
    jobs.execute("ALTER TABLE steps RENAME TO strides")
    found = diagnose(jobs, "healthy", api=False)
    assert found.code == 3
    assert "no_such_table" in [one["cause"] for one in found.json["diagnoses"]]


def test_a_configured_run_table_that_is_not_there(jobs, tmp_path):
    file = tmp_path / "doctor.toml"
    file.write_text('[system.runs]\ntable = "job"\n', encoding="utf-8")
    said = diagnose(jobs, "case", "--config", str(file))
    assert said.code == 2
    assert "job" in one_error(said)


def test_models_with_a_syntax_error(jobs):
    jobs.models.write_text("class Job(:\n", encoding="utf-8")
    for said in both(jobs, "case", 9):
        assert f"{jobs.models.name}:1:" in gap(said)
        assert "not valid Python" in gap(said)
    assert diagnose(jobs, "case").code == 3, "the API still says that something is wrong"


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02", b"\xff\xfe\xfa", b"", b"x = 1\n", b"(" * 5000, b"-" * 100_000 + b"1"],
)
def test_models_that_say_nothing(jobs, content):
    jobs.models.write_bytes(content)
    raw = jobs.database.read_bytes()
    said = say("heal", jobs.runs["case"], *jobs.options(api=False), "--format", "json")
    assert said.code in (0, 9), said.out
    assert said.json["outcomes"] == []
    assert jobs.database.read_bytes() == raw


def test_models_that_are_not_there(jobs, tmp_path):
    said = say("diagnose", "r", "--database", jobs.url, "--models", f"{tmp_path}/no.py")
    assert said.code == 2
    assert "no.py" in said.err


def hang(connection, stop):
    stop.wait(30)


def drip(connection, stop):
    until = time.monotonic() + 30
    while time.monotonic() < until and not stop.is_set():
        try:
            connection.sendall(b"H")
        except OSError:
            return
        stop.wait(0.05)


def garbage(connection, stop):
    connection.recv(4096)
    connection.sendall(b"\x00\x01\x02 what?\r\n\r\n" * 100)


def closing_at_once(connection, stop):
    connection.recv(1)


@pytest.mark.parametrize("talk", [hang, drip, garbage, closing_at_once])
def test_an_api_that_gives_no_answer_is_a_gap_in_bounded_time(jobs, talk):
    with socket_server(talk) as address:
        started = time.monotonic()
        said = diagnose(jobs, "healthy", api=address)
        assert time.monotonic() - started < 12
        assert (said.code, said.json["status"], said.json["diagnoses"]) == (9, "unknown", [])
        assert all(address in one["reason"] for one in said.json["gaps"])
        assert said.json["gaps"]
        if talk is garbage:
            sick = diagnose(jobs, "case", api=address)
            assert sick.code == 3
            assert sick.json["diagnoses"][0]["cause"] == "enum_drift"


@pytest.mark.parametrize("body", ["<html>", "[" * 100_000, '{"paths": {"/jobs/{id}": []}}', "null"])
def test_an_api_whose_openapi_is_garbage_is_a_gap(tmp_path, body):
    def answer(handler):
        reply(handler, 200, body)
        return True

    with jobs_ward(tmp_path, answer) as jobs:
        said = diagnose(jobs, "healthy")
        assert said.code == 9
        assert said.json["gaps"]
        assert diagnose(jobs, "case").code == 3


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ftp://h", "http://", "http://h:99999", "x"])
def test_an_address_that_is_none(jobs, address):
    said = diagnose(jobs, "healthy", api=address)
    assert said.code == 2
    one_error(said)


def test_a_log_that_is_binary(jobs, tmp_path):
    log = tmp_path / "core.bin"
    log.write_bytes(os.urandom(200_000))
    for said in both(jobs, "healthy", 9, "--log", str(log)):
        assert "not a text file" in gap(said)
    assert diagnose(jobs, "case", "--log", str(log)).code == 3


def test_a_log_that_is_not_there(jobs, tmp_path):
    said = diagnose(jobs, "healthy", "--log", str(tmp_path / "no.log"))
    assert said.code == 2
    assert "no.log" in one_error(said)


@pytest.mark.slow
@pytest.mark.alone
def test_a_log_of_one_huge_line_takes_bounded_time_and_memory(jobs, tmp_path):
    log = tmp_path / "one-line.log"
    with log.open("wb") as stream:
        stream.write(b"[2026-01-02 03:04:05] INFO: ")
        block = b"x" * (1 << 20)
        for _ in range(50):
            stream.write(block)
        stream.write(b"\n")
        for number in range(6):
            line = f"[2026-01-02 03:05:0{number}] ERROR: GET http://h/jobs/{jobs.runs['healthy']}"
            stream.write(f"{line} failed: HTTP 503 (attempt {number + 1}/9)\n".encode())
        stream.truncate(stream.tell() + (64 << 20))
    alone = ["diagnose", jobs.runs["healthy"], *jobs.options(api=False), "--format", "json"]
    probe = (
        "import resource, sys\n"
        "from doctor.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    command = (sys.executable, "-c", probe)
    plain = run(*alone, command=command)
    started = time.monotonic()
    said = run(*alone, "--log", str(log), command=command)
    assert time.monotonic() - started < 15
    assert said.code == 3
    evidence = said.json["diagnoses"][0]["evidence"]
    assert [one["count"] for one in evidence if one["kind"] == "http.failure"] == [6]
    grown = int(said.err) - int(plain.err)
    assert grown < 64 * 1024, f"{grown} KiB"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_rule_file_with_a_mistake(jobs, tmp_path, name):
    file = tmp_path / "rule.yaml"
    file.write_text(MISTAKES[name], encoding="utf-8")
    raw = jobs.database.read_bytes()
    for command in (
        ["diagnose", jobs.runs["case"]],
        ["heal", jobs.runs["case"]],
        ["rules", "lint"],
    ):
        said = say(*command, *jobs.options(api=False), "--rules", str(file), "--format", "json")
        assert (said.code, said.json["exit_code"]) == (2, 2)
        place, line, column = said.json["errors"][0]["location"].rsplit(":", 2)
        assert (place, int(line) > 0, int(column) > 0) == (str(file), True, True)
        assert f"at {file}:{line}:{column}" in said.err
    assert jobs.database.read_bytes() == raw


def test_the_rule_that_the_mistakes_are_made_in_is_right(tmp_path):
    file = tmp_path / "rule.yaml"
    file.write_text(RULE, encoding="utf-8")
    said = say("rules", "lint", str(file))
    assert said.code == 0, said.err


def test_rules_that_are_not_there(jobs, tmp_path):
    said = diagnose(jobs, "case", "--rules", str(tmp_path / "no.yaml"))
    assert said.code == 2
    assert "no.yaml" in said.err


def test_a_store_that_is_newer_than_the_code(jobs, tmp_path):
    store = tmp_path / "doctor.db"
    named = ["--store", f"sqlite:///{store}"]
    assert say("heal", jobs.runs["foreign"], *jobs.options(), *named).code == 5
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'doctor_schema'")
    for said in both(jobs, "case", 2, *named):
        assert "newer version" in one_error(said)


@pytest.mark.parametrize("damage", ["text", "foreign", "halved", "column"])
def test_a_store_that_is_damaged(jobs, tmp_path, damage):
    store = tmp_path / "doctor.db"
    named = ["--store", f"sqlite:///{store}"]
    assert say("heal", jobs.runs["foreign"], *jobs.options(), *named).code == 5
    for leftover in tmp_path.glob("doctor.db-*"):
        leftover.unlink()
    if damage == "text":
        store.write_text("no database at all, but long enough to be looked at" * 9)
    elif damage == "foreign":
        store.write_bytes(jobs.database.read_bytes())
    elif damage == "halved":
        raw = store.read_bytes()
        store.write_bytes(raw[: len(raw) // 2 - 700])
    else:
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("ALTER TABLE fixes RENAME COLUMN state TO condition")
    digest = hashlib.sha256(store.read_bytes()).hexdigest()
    for said in both(jobs, "case", 2, *named):
        one_error(said)
    assert hashlib.sha256(store.read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    "content",
    ['[system]\ndatabse = "x"\n', "[system\n", 'engine = "magic"\n', '[budget]\nrun = "much"\n'],
)
def test_a_configuration_with_a_mistake(jobs, tmp_path, content):
    file = tmp_path / "doctor.toml"
    file.write_text(content, encoding="utf-8")
    said = diagnose(jobs, "case", "--config", str(file))
    assert said.code == 2
    assert said.json["errors"][0]["location"] == str(file)


def test_rules_of_a_plugin_that_is_missing_take_no_others_down(jobs, monkeypatch):
    monkeypatch.setenv("DOCTOR_PLUGINS", "enum_values,tables,error_reports,get_run")
    said = diagnose(jobs, "case", api=False)
    assert (said.code, said.json["diagnoses"][0]["cause"]) == (3, "enum_drift")
    assert any(one["probe"] == "rules builtin" for one in said.json["gaps"])
