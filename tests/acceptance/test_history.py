"""The record of what was done: from the write back to the log line, and how long it is kept."""

from __future__ import annotations

import sqlite3

from tests.support.terminal import say

GONE = "dropped: it was older than what is kept"


def log_of(ward, tmp_path, name):
    log = tmp_path / "executor.log"
    run = ward.runs[name]
    line = "LookupError: 'x' is not among the defined enum values. Enum name: jobstatus."
    log.write_text(f"all is well\nrun {run}: {line}\n")
    return log


def test_plan_and_history_lead_from_the_change_to_the_probe_and_the_log_line(jobs, tmp_path):
    log = log_of(jobs, tmp_path, "case")
    options = [*jobs.options(), "--log", str(log)]
    plan = say("plan", jobs.runs["case"], *options, "--format", "json").json
    kinds = {one["kind"]: one for one in plan["because"]}
    assert kinds["database.invalid_value"]["change"] == 0
    assert (kinds["error.enum_lookup"]["line"], kinds["error.enum_lookup"]["change"]) == (2, None)
    shown = say("plan", jobs.runs["case"], *options).out
    assert "because" in shown
    assert "justifies change 1" in shown
    assert "executor.log:2  tells of it" in shown
    healed = say("heal", jobs.runs["case"], *options, "--format", "json").json
    assert healed["plan"] == plan["plan"]
    history = say("history", *options).out
    assert "because of 1 x database.invalid_value in database" in history
    assert f"told by 1 x error.enum_lookup in log:{log}:2" in history


def test_what_is_old_is_dropped_and_the_chain_still_verifies(jobs):
    options = jobs.options()
    healed = say("heal", jobs.runs["case"], *options, "--format", "json").json
    refused = say("history", *options, "--prune")
    assert refused.code == 2
    assert "help: give --older-than 90d, or set [store] keep" in refused.err
    assert "'soon' is not a duration" in say("history", *options, "--older-than", "soon").err
    kept = say("history", *options, "--prune", "--older-than", "1d", "--format", "json").json
    assert GONE not in str(kept)
    pruned = say("history", *options, "--prune", "--older-than", "1ms", "--verify")
    assert pruned.code == 0, pruned.err
    assert GONE in pruned.out
    assert "entries is whole; what" in pruned.out
    undone = say("undo", healed["outcomes"][0]["fix"], *options)
    assert (undone.code, "there is nothing to undo" in undone.err) == (2, True)


def test_pruning_what_was_never_begun_makes_no_store(jobs, state):
    said = say("history", *jobs.options(), "--prune", "--older-than", "1d", "--verify")
    assert (said.code, said.out) == (0, "nothing was done yet\n")
    assert not (state / "stores").exists()


def test_a_treatment_prunes_as_it_is_configured(jobs, tmp_path):
    config = tmp_path / "doctor.toml"
    config.write_text('[store]\nkeep = "1ms"\nmax_size = "64MB"\n')
    options = [*jobs.options(), "--config", str(config)]
    assert say("heal", jobs.runs["case"], *options).code == 0
    checked = say("history", *options, "--verify", "--format", "json").json
    assert checked["verified"]["ok"]
    assert checked["verified"]["pruned"] > 0


def test_a_size_that_is_none_is_a_wrong_setting(jobs, tmp_path):
    config = tmp_path / "doctor.toml"
    for text in ("64", "0MB", "-1MB", "many"):
        config.write_text(f'[store]\nmax_size = "{text}"\n')
        said = say("history", *jobs.options(), "--config", str(config))
        assert said.code == 2
        assert f"setting 'store.max_size': '{text}' is not a size such as '64MB'" in said.err


def test_a_secret_that_is_repaired_is_written_and_undone_exactly(jobs, state):
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    run = jobs.runs["case"]
    jobs.execute("UPDATE jobs SET status = ?, title = ? WHERE uid = ?", secret, secret, run)
    mapping = jobs.folder / "map.yaml"
    mapping.write_text(
        "format: doctor/1\nmapping: jobs.status\nowner: team\nreason: T-1\n"
        f"values: {{'{secret}': waiting}}\n"
    )
    options = [*jobs.options(), "--rules", str(mapping)]
    before = jobs.dump()
    healed = say("heal", run, *options, "--format", "json").json
    assert healed["status"] == "healed"
    assert jobs.cell(run) == "waiting"
    [fix] = [one["fix"] for one in healed["outcomes"]]
    undone = say("undo", fix, *options)
    assert undone.code == 0, undone.err
    assert jobs.dump() == before
    assert secret not in str(healed) + undone.out
    held = b"".join(one.read_bytes() for one in state.rglob("*") if one.is_file())
    assert secret.encode() not in held


def test_undo_of_a_secret_refuses_a_marker_that_was_changed(jobs):
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    run = jobs.runs["case"]
    jobs.execute("UPDATE jobs SET title = ? WHERE uid = ?", secret, run)
    healed = say("heal", run, *jobs.options(), "--format", "json").json
    connection = sqlite3.connect(jobs.database)
    with connection:
        connection.execute("UPDATE doctor_applied SET images = replace(images, 'waiting', 'done')")
    connection.close()
    before = jobs.dump()
    undone = say("undo", healed["outcomes"][0]["fix"], *jobs.options())
    assert undone.code == 8
    assert "was changed: nothing is undone by it" in undone.err
    assert jobs.dump() == before
