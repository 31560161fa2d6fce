"""After the change: verified, kept without being verified, undone, or beyond undoing."""

from __future__ import annotations

import contextlib

from tests.support.jobs import jobs_ward, reply
from tests.support.terminal import say
from tests.support.ward import changed

CLOSED = "http://127.0.0.1:9"


def broken(handler):
    """Answer 500 to the GET of any job, whatever its row holds."""
    if handler.path == "/openapi.json":
        return False
    reply(handler, 500, "Internal Server Error")
    return True


def heal(ward, name, *more, api=True):
    return say("heal", ward.runs[name], *ward.options(api=api), *more, "--format", "json")


def history(ward):
    return say("history", *ward.options(), "--format", "json").json["entries"]


def test_a_repair_that_does_not_cure_the_api_is_undone(tmp_path):
    with jobs_ward(tmp_path, broken) as jobs:
        before = jobs.dump()
        said = heal(jobs, "case")
        found = said.json
        assert (said.code, found["status"], found["exit_code"]) == (7, "undone", 7)
        [outcome] = found["outcomes"]
        assert (outcome["result"], outcome["verified"]) == ("undone", "failed")
        assert "500" in outcome["reason"]
        assert jobs.dump() == before
        assert [one["kind"] for one in history(jobs) if one["fix"]] == [
            "intent",
            "applied",
            "verify_failed",
            "undoing",
            "undone",
        ]


def test_a_repair_whose_end_to_end_check_cannot_run_is_kept_and_unknown(ward):
    before = ward.dump()
    said = heal(ward, "case", api=CLOSED)
    found = said.json
    assert (said.code, found["status"], found["exit_code"]) == (9, "unknown", 9)
    [outcome] = found["outcomes"]
    assert (outcome["result"], outcome["verified"]) == ("applied", "could_not_run")
    assert "refuses connections" in outcome["reason"]
    assert "answers 200" not in said.out
    assert len(changed(before, ward.dump())) == 1
    assert say("undo", outcome["fix"], *ward.options()).code == 0
    assert ward.dump() == before


def test_without_an_api_the_probe_that_diagnosed_is_enough(ward):
    before = ward.dump()
    said = heal(ward, "case", api=False)
    assert (said.code, said.json["status"]) == (0, "healed")
    [outcome] = said.json["outcomes"]
    assert outcome["verified"] == "clear"
    assert "GET" not in outcome["reason"]
    assert len(changed(before, ward.dump())) == 1


def test_an_undo_that_fails_calls_for_a_human(tmp_path):
    """Between the repair and its undo somebody else writes to the same row."""
    with contextlib.ExitStack() as stack:

        def meddling(handler):
            if handler.path != "/openapi.json" and jobs.cell(jobs.runs["case"]) == "waiting":
                jobs.execute("UPDATE jobs SET title = 'mine' WHERE uid = ?", jobs.runs["case"])
            return broken(handler)

        jobs = stack.enter_context(jobs_ward(tmp_path, meddling))
        before = jobs.dump()
        said = heal(jobs, "case")
        found = said.json
        assert (said.code, found["status"], found["exit_code"]) == (8, "undo_failed", 8)
        [outcome] = found["outcomes"]
        assert outcome["result"] == "undo_failed"
        assert jobs.runs["case"] in outcome["reason"]
        assert "title" in outcome["reason"]
        assert changed(before, jobs.dump()) == [
            ("jobs.status", "WAITING", "waiting"),
            ("jobs.title", "", "mine"),
        ]
        shown = say("heal", jobs.runs["space"], *jobs.options())
        assert shown.code == 7


def test_what_stays_sick_for_another_reason_is_not_called_healed(tmp_path):
    """Its own state is mapped, so it is repaired; the job still has a second illness."""
    with jobs_ward(tmp_path) as jobs:
        jobs.execute("UPDATE jobs SET status = 'WAITING' WHERE uid = ?", jobs.runs["phase"])
        before = jobs.dump()
        said = heal(jobs, "phase")
        assert said.code == 5
        assert jobs.dump() == before


def test_a_trigger_that_changes_more_than_the_plan_rolls_everything_back(ward):
    other = {"runs": "goal_anchor", "jobs": "title"}[ward.table]
    ward.execute(
        f"CREATE TRIGGER more AFTER UPDATE OF {ward.column} ON {ward.table} "
        f"BEGIN UPDATE {ward.table} SET {other} = 'by a trigger'; END"
    )
    before = ward.dump()
    said = heal(ward, "case")
    ward.execute("DROP TRIGGER more")
    assert (said.code, said.json["status"]) == (7, "undone")
    [outcome] = said.json["outcomes"]
    assert outcome["result"] == "not_applied"
    assert other in outcome["reason"]
    assert ward.dump() == before


def test_a_repair_of_two_stamps_leaves_every_stamp_alone(ward):
    stamp = {"runs": "updated_at", "jobs": "touched_at"}[ward.table]
    before = {one[stamp] for rows in ward.dump().values() for one in rows}
    assert heal(ward, "case").code == 0
    assert {one[stamp] for rows in ward.dump().values() for one in rows} == before
