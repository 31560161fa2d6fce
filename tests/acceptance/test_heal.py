"""What heal does, and what undo takes back; the dump of all user tables is the witness."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.support.terminal import run, say, typed
from tests.support.ward import changed

ASKING = ["foreign", "other", "blank", "typo"]
CERTAIN = ["case", "space", "repr"]


def status(ward, run_id):
    """Return what the API answers to the GET of a run."""
    connection = http.client.HTTPConnection(urlsplit(ward.api).netloc, timeout=10)
    connection.request("GET", f"/{ward.table}/{run_id}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def heal(ward, name, *more):
    return say("heal", ward.runs[name], *ward.options(), *more, "--format", "json")


def applied(said):
    [outcome] = said.json["outcomes"]
    return outcome["fix"]


def undo(ward, fix, *more):
    return say("undo", fix, *ward.options(), *more)


@pytest.mark.parametrize("name", ASKING)
def test_what_is_not_certain_is_asked_with_ranked_candidates_and_nothing_is_written(ward, name):
    before, raw = ward.dump(), ward.database.read_bytes()
    said = heal(ward, name)
    found = said.json
    assert (said.code, found["status"], found["exit_code"]) == (5, "asked", 5)
    candidates = found["diagnoses"][0]["candidates"]
    assert sorted(one["to"] for one in candidates) == sorted(ward.valid)
    assert all(one["reason"] and one["tier"] == "GUARDED" and one["plan"] for one in candidates)
    assert found["decision"]["ruling"] == "ask"
    assert found["diagnoses"][0]["decision"] == "ask"
    if name == "typo":
        assert candidates[0]["to"] == ward.healed["typo"]
        assert "one letter" in candidates[0]["reason"]
    else:
        assert not any("one letter" in one["reason"] for one in candidates)
    assert ward.database.read_bytes() == raw
    assert ward.dump() == before
    [waiting] = say("approvals", "list", *ward.options(), "--format", "json").json["approvals"]
    assert (waiting["id"], waiting["state"]) == (found["incident"], "pending")
    assert {one["hash"] for one in waiting["plans"]} == {one["plan"] for one in candidates}


@pytest.mark.corpus
@pytest.mark.parametrize(
    "run_id",
    ["build127-phase1-self-healing-governance", "build172-foreign", "build174-foreign"],
)
def test_every_foreign_value_of_the_corpus_is_asked(incident, run_id):
    raw = incident.database.read_bytes()
    said = say("heal", run_id, *incident.options(), "--format", "json")
    assert said.code == 5
    assert len(said.json["diagnoses"][0]["candidates"]) == 13
    assert incident.database.read_bytes() == raw


@pytest.mark.parametrize("name", ASKING)
def test_what_a_person_approved_is_applied_and_the_run_answers(ward, name):
    before = ward.dump()
    asked = heal(ward, name).json
    wanted = asked["diagnoses"][0]["candidates"][2]
    word = ["approvals", "approve", asked["incident"], "--plan", wanted["plan"]]
    assert typed(*word, *ward.options()).code == 0
    assert ward.dump() == before
    said = heal(ward, name)
    assert (said.code, said.json["status"]) == (0, "healed")
    assert status(ward, ward.runs[name]) == 200
    assert changed(before, ward.dump()) == [(ward.columns[0], ward.values[name], wanted["to"])]
    assert undo(ward, applied(said)).code == 0
    assert ward.dump() == before
    assert status(ward, ward.runs[name]) == 500


@pytest.mark.parametrize("name", CERTAIN)
def test_the_same_value_in_other_spelling_is_repaired_at_once(ward, name):
    before = ward.dump()
    found = say("diagnose", ward.runs[name], *ward.options(), "--format", "json").json
    assert [one["tier"] for one in found["diagnoses"][0]["candidates"]] == ["SAFE"]
    said = heal(ward, name)
    assert (said.code, said.json["status"]) == (0, "healed")
    assert said.json["outcomes"][0]["verified"] == "clear"
    assert said.json["plan"] == found["plan"]
    assert status(ward, ward.runs[name]) == 200
    cell = (ward.columns[0], ward.values[name], ward.healed[name])
    assert changed(before, ward.dump()) == [cell]
    assert undo(ward, applied(said)).code == 0
    assert ward.dump() == before


def test_an_owners_mapping_makes_the_repair_at_once(ward):
    before = ward.dump()
    rules = ["--rules", ward.mapping(ward.columns[0])]
    said = heal(ward, "foreign", *rules)
    bad = ward.values["foreign"]
    good = ward.declared[ward.columns[0]][bad]
    assert (said.code, said.json["status"]) == (0, "healed")
    assert status(ward, ward.runs["foreign"]) == 200
    assert changed(before, ward.dump()) == [(ward.columns[0], bad, good)]
    fix = applied(said)
    again = heal(ward, "foreign", *rules)
    assert (again.code, again.json["status"], again.json["outcomes"]) == (0, "healthy", [])
    assert undo(ward, fix).code == 0
    assert ward.dump() == before
    assert undo(ward, fix).code == 0
    assert ward.dump() == before


def test_three_sick_tables_are_one_plan_one_transaction_three_cells(ward):
    before = ward.dump()
    rules = ["--rules", ward.mapping()]
    plan = say("plan", ward.runs["all"], *ward.options(), *rules, "--format", "json")
    assert plan.code == 3
    tables = [one.partition(".")[0] for one in ward.columns]
    assert sorted(one["table"] for one in plan.json["changes"]) == sorted(tables)
    said = heal(ward, "all", *rules)
    assert said.code == 0, said.out
    [outcome] = said.json["outcomes"]
    assert outcome["plan"] == plan.json["plan"]
    assert len(outcome["changes"]) == 3
    cells = changed(before, ward.dump())
    assert sorted(cells) == sorted(
        (column, bad, good)
        for column in ward.columns
        for bad, good in ward.declared[column].items()
    )
    assert status(ward, ward.runs["all"]) == 200
    kinds = [
        one["kind"] for one in say("history", *ward.options(), "--format", "json").json["entries"]
    ]
    assert (kinds.count("intent"), kinds.count("applied")) == (1, 1)
    assert undo(ward, outcome["fix"]).code == 0
    assert ward.dump() == before


def test_with_one_mapping_missing_nothing_is_written(ward):
    before, raw = ward.dump(), ward.database.read_bytes()
    said = heal(ward, "all", "--rules", ward.mapping(*ward.columns[:2]))
    assert (said.code, said.json["status"]) == (5, "asked")
    assert (ward.dump(), ward.database.read_bytes()) == (before, raw)


def test_a_cell_that_cannot_be_set_leaves_the_others_alone_too(ward):
    column = ward.columns[2].partition(".")[2]
    table = ward.columns[2].partition(".")[0]
    ward.execute(
        f"CREATE TRIGGER no BEFORE UPDATE OF {column} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'not now'); END"
    )
    before = ward.dump()
    said = heal(ward, "all", "--rules", ward.mapping())
    ward.execute("DROP TRIGGER no")
    assert (said.code, said.json["status"]) == (7, "undone")
    assert "not now" in said.out
    assert ward.dump() == before
    spent = say("budget", *ward.options(), "--format", "json").json["spent"]
    assert {one["spent"] for one in spent} == {0}


def test_where_several_cells_are_open_a_person_composes_the_plan(ward):
    before = ward.dump()
    asked = heal(ward, "all")
    assert asked.code == 5
    candidates = [one for d in asked.json["diagnoses"] for one in d["candidates"]]
    assert candidates
    assert {one["plan"] for one in candidates} == {None}
    choices = []
    for column in ward.columns:
        [good] = ward.declared[column].values()
        choices += ["--choose", f"{column}={good}"]
    run_id = ward.runs["all"]
    composed = say("plan", run_id, *ward.options(), *choices, "--format", "json")
    assert composed.code == 3
    chosen = composed.json["plan"]
    assert len(composed.json["changes"]) == 3
    assert chosen
    assert heal(ward, "all").code == 5
    assert ward.dump() == before
    incident = composed.json["incident"]
    word = typed("approvals", "approve", incident, "--plan", chosen, *ward.options())
    assert word.code == 0, word.err
    said = heal(ward, "all")
    assert (said.code, said.json["plan"]) == (0, chosen), said.out
    assert len(changed(before, ward.dump())) == 3
    assert status(ward, run_id) == 200
    assert undo(ward, applied(said)).code == 0
    assert ward.dump() == before


@pytest.mark.parametrize("choice", ["nowhere.state=X", "{0}=NOT-A-VALUE", "no-equals-sign"])
def test_a_choice_that_nothing_offers_is_a_usage_error(ward, choice):
    before = ward.dump()
    text = choice.format(ward.columns[0])
    said = say("plan", ward.runs["all"], *ward.options(), "--choose", text, "--format", "json")
    assert (said.code, said.json["exit_code"]) == (2, 2)
    assert ward.dump() == before


def test_an_undo_refuses_when_the_row_moved_on_and_names_it(ward):
    fix = applied(heal(ward, "case"))
    stamp = {"runs": "goal_anchor", "jobs": "title"}[ward.table]
    ward.execute(f"UPDATE {ward.table} SET {stamp} = 'edited by somebody'")
    before = ward.dump()
    said = undo(ward, fix, "--format", "json")
    assert (said.code, said.json["exit_code"]) == (8, 8)
    assert ward.runs["case"] in said.err
    assert stamp in said.err
    assert ward.dump() == before
    again = undo(ward, fix)
    assert again.code == 8
    assert ward.dump() == before


def test_the_plan_that_was_named_is_the_only_one_that_is_applied(ward):
    before = ward.dump()
    other = say("plan", ward.runs["case"], *ward.options(), "--format", "json").json["plan"]
    said = heal(ward, "space", "--plan", other)
    assert (said.code, said.json["exit_code"]) == (2, 2)
    assert ward.dump() == before
    mine = say("plan", ward.runs["space"], *ward.options(), "--format", "json").json["plan"]
    assert heal(ward, "space", "--plan", mine).code == 0


def test_a_lower_tier_than_the_plans_asks(ward):
    before = ward.dump()
    said = heal(ward, "case", "--max-tier", "ADVISE")
    assert (said.code, said.json["status"]) == (5, "asked")
    assert ward.dump() == before
    assert heal(ward, "case").code == 0


def test_a_guarded_plan_is_confirmed_at_the_terminal_or_not_at_all(ward):
    before = ward.dump()
    command = ["heal", ward.runs["all"], *ward.options(), "--max-tier", "GUARDED"]
    choices = []
    for column in ward.columns:
        [good] = ward.declared[column].values()
        choices += ["--choose", f"{column}={good}"]
    assert typed(*command, *choices, answer="n\n").code == 5
    assert typed(*command, *choices, "--yes", answer="y\n").code == 5
    assert say(*command, *choices).code == 5
    assert ward.dump() == before
    said = typed(*command, *choices, answer="y\n")
    assert said.code == 0, said.err
    assert "UPDATE" in said.err
    assert len(changed(before, ward.dump())) == 3


@pytest.mark.slow
def test_the_second_heal_of_a_budget_of_one_is_refused_in_every_process(ward, tmp_path):
    config = tmp_path / "doctor.toml"
    config.write_text('[budget]\nsystem = {points = 1, per = "1h"}\n', encoding="utf-8")
    budget = ["--config", str(config)]
    assert heal(ward, "case", *budget).code == 0
    before = ward.dump()
    said = heal(ward, "space", *budget)
    assert (said.code, said.json["status"]) == (6, "refused")
    assert said.json["incident"]
    arguments = ["heal", ward.runs["repr"], *ward.options(), *budget, "--format", "json"]
    elsewhere = run(*arguments)
    assert (elsewhere.code, elsewhere.json["status"]) == (6, "refused")
    opened = elsewhere.json["incident"]
    assert opened
    assert opened != said.json["incident"]
    shown = say("history", *ward.options(), "--format", "json").json["entries"]
    assert {one["incident"] for one in shown if one["kind"] == "refused"} == {
        opened,
        said.json["incident"],
    }
    assert ward.dump() == before


@pytest.mark.slow
def test_a_cell_that_breaks_again_and_again_is_asked(ward):
    for _ in range(2):
        assert heal(ward, "space").code == 0
        key = "id" if ward.table == "runs" else "uid"
        ward.execute(
            f"UPDATE {ward.table} SET {ward.column} = ? WHERE {key} = ?",
            ward.values["space"],
            ward.runs["space"],
        )
    before = ward.dump()
    said = heal(ward, "space")
    assert (said.code, said.json["status"]) == (5, "asked")
    assert "writer still active" in said.json["decision"]["reason"]
    assert ward.dump() == before
