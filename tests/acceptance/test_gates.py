"""Pause, approval and the engines: what stands between a plan and the data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import doctor
from doctor.doctor import Doctor
from doctor.settings import load_settings
from tests.support.terminal import run, say, typed
from tests.support.ward import changed

pytestmark = pytest.mark.slow


class Silent:
    """A rule engine that finds nothing, whatever it is asked."""

    name = "silent"

    def match(self, _rules, _selections):
        return frozenset()


class Clock:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


def configured(ward, folder, more=""):
    file = folder / "doctor.toml"
    file.write_text(
        f'[system]\ndatabase = "{ward.url}"\napi = "{ward.api}"\nmodels = "{ward.models}"\n{more}',
        encoding="utf-8",
    )
    return file


def heal(ward, name, *more):
    return say("heal", ward.runs[name], *ward.options(), *more, "--format", "json")


def test_with_an_engine_that_returns_nothing_heal_writes_nothing(ward, tmp_path):
    before, raw = ward.dump(), ward.database.read_bytes()
    settings = load_settings(configured(ward, tmp_path))
    with Doctor(settings, engine=Silent()) as opened:
        for name in ("case", "all", "foreign"):
            done = opened.treat(ward.runs[name])
            assert (done.status, done.exit_code, done.outcomes) == ("unknown", 9, ())
            assert done.examination.plan is None
            assert done.examination.note
    assert (ward.dump(), ward.database.read_bytes()) == (before, raw)


def test_with_the_durable_engine_replaced_heal_writes_nothing(ward, tmp_path):
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / "durable_rules_engine.py").write_text(
        "def create_ruleset(name, definition):\n    return 1\n"
        "def assert_fact(ruleset, fact):\n    return 0, 1\n"
        "def start_action_for_state(ruleset, state):\n    return None\n",
        encoding="utf-8",
    )
    raw = ward.database.read_bytes()
    arguments = ["heal", ward.runs["case"], *ward.options(), "--format", "json"]
    said = run(*arguments, environment={"PYTHONPATH": str(fake), "DOCTOR_ENGINE": "durable"})
    assert (said.code, said.json["status"], said.json["outcomes"]) == (9, "unknown", [])
    note = said.json["note"]
    assert note
    assert ward.database.read_bytes() == raw
    shown = run(*arguments[:-2], environment={"PYTHONPATH": str(fake), "DOCTOR_ENGINE": "durable"})
    assert f"nothing is concluded: {note}" in shown.out
    assert heal(ward, "case").code == 0


def test_a_pause_binds_every_folder_and_every_store(ward, tmp_path):
    fixed = heal(ward, "space").json["outcomes"][0]["fix"]
    before = ward.dump()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "link.db"
    link.symlink_to(ward.database)
    stop = ["pause", "--database", f"sqlite:///{link}", "--reason", "release day"]
    other = f"sqlite:///{elsewhere}/other.db"
    assert run(*stop, "--store", other, cwd=elsewhere).code == 0
    for store in ([], ["--store", f"sqlite:///{tmp_path}/third.db"]):
        said = heal(ward, "case", *store)
        assert (said.code, said.json["status"]) == (6, "refused")
        assert said.json["incident"]
        assert "release day" in said.json["decision"]["reason"]
    undone = say("undo", fixed, *ward.options(), "--format", "json")
    assert (undone.code, undone.json["exit_code"]) == (6, 6)
    assert "release day" in undone.err
    assert ward.dump() == before
    assert say("diagnose", ward.runs["case"], *ward.options()).code == 3
    assert say("resume", *ward.options()).code == 0
    assert heal(ward, "case").code == 0
    assert say("undo", fixed, *ward.options()).code == 0


def test_a_pause_binds_what_was_approved_before_it(ward):
    asked = heal(ward, "foreign").json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    word = ["approvals", "approve", asked["incident"], "--plan", plan, *ward.options()]
    assert typed(*word).code == 0
    before = ward.dump()
    assert say("pause", *ward.options()).code == 0
    assert heal(ward, "foreign").code == 6
    assert ward.dump() == before
    assert say("resume", *ward.options()).code == 0
    assert heal(ward, "foreign").code == 0


def test_recovery_is_not_stopped_by_a_second_pause_and_resume_says_who(jobs):
    assert say("pause", *jobs.options(), "--reason", "first").code == 0
    assert "first" in say("pause", *jobs.options(), "--reason", "second").out
    assert say("recover", *jobs.options()).code == 0
    was = say("resume", *jobs.options(), "--format", "json").json["was"]
    assert was["reason"] == "first"
    assert say("resume", *jobs.options()).out == "writes were not paused\n"


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_program_cannot_decide(ward, decision):
    asked = heal(ward, "foreign").json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    more = ["--plan", plan] if decision == "approve" else []
    word = ["approvals", decision, asked["incident"], *more, *ward.options()]
    said = say(*word, "--format", "json")
    assert (said.code, said.json["exit_code"]) == (2, 2)
    assert "terminal" in said.err
    assert heal(ward, "foreign").code == 5
    assert typed(*word).code == 0


def test_an_approval_in_a_process_of_its_own_needs_a_terminal_and_asks_nothing_more(jobs):
    asked = heal(jobs, "foreign").json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    word = ["approvals", "approve", asked["incident"], "--plan", plan, *jobs.options()]
    assert run(*word).code == 2
    said = run(*word, at_terminal=True)
    assert said.code == 0
    assert plan in said.out
    assert "share an account" in said.out
    assert run("heal", jobs.runs["foreign"], *jobs.options()).code == 0


def test_only_a_plan_that_was_asked_for_can_be_approved(ward):
    asked = heal(ward, "foreign").json
    other = say("plan", ward.runs["case"], *ward.options(), "--format", "json").json["plan"]
    for plan in (other, "0" * 32, ""):
        word = ["approvals", "approve", asked["incident"], "--plan", plan]
        assert typed(*word, *ward.options()).code == 2
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    assert typed("approvals", "approve", "I-0", "--plan", plan, *ward.options()).code == 2
    before = ward.dump()
    assert heal(ward, "foreign").code == 5
    assert ward.dump() == before


def test_what_was_denied_stays_denied(ward):
    asked = heal(ward, "foreign").json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    assert typed("approvals", "deny", asked["incident"], *ward.options()).code == 0
    word = ["approvals", "approve", asked["incident"], "--plan", plan, *ward.options()]
    assert typed(*word).code == 2
    before = ward.dump()
    assert heal(ward, "foreign").code == 5
    assert ward.dump() == before


def test_an_approval_is_used_once(ward):
    asked = heal(ward, "foreign").json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    word = ["approvals", "approve", asked["incident"], "--plan", plan, *ward.options()]
    assert typed(*word).code == 0
    done = heal(ward, "foreign")
    assert done.code == 0
    assert typed(*word).code == 2
    before_undo = ward.dump()
    undone = say("undo", done.json["outcomes"][0]["fix"], *ward.options())
    assert undone.code == 0
    sick_again = ward.dump()
    assert sick_again != before_undo
    assert heal(ward, "foreign").code == 5
    assert ward.dump() == sick_again


def test_an_approval_expires_and_then_means_no(ward, tmp_path):
    settings = load_settings(configured(ward, tmp_path, '[approvals]\nttl = "90s"\n'))
    clock = Clock()
    before = ward.dump()
    with Doctor(settings, clock=clock) as opened:
        asked = opened.treat(ward.runs["foreign"])
        assert asked.status == "asked"
        store = opened.memory.open_for_writing()
        plan = next(iter(asked.examination.plans))
        store.approvals.approve(str(asked.incident), plan, "somebody")
        clock.now += timedelta(seconds=91)
        late = opened.treat(ward.runs["foreign"])
        assert late.status == "asked"
        assert ward.dump() == before
        store.approvals.approve(str(late.incident), plan, "somebody")
        clock.now += timedelta(seconds=30)
        assert opened.treat(ward.runs["foreign"]).status == "healed"


def test_a_plan_that_changed_since_its_approval_is_asked_again(ward):
    asked = heal(ward, "foreign").json
    plan = asked["diagnoses"][0]["candidates"][0]["plan"]
    word = ["approvals", "approve", asked["incident"], "--plan", plan, *ward.options()]
    assert typed(*word).code == 0
    key = "id" if ward.table == "runs" else "uid"
    ward.execute(
        f"UPDATE {ward.table} SET {ward.column} = 'SOMETHING' WHERE {key} = ?",
        ward.runs["foreign"],
    )
    before = ward.dump()
    said = heal(ward, "foreign")
    assert said.code == 5
    assert plan not in {one["plan"] for one in said.json["diagnoses"][0]["candidates"]}
    assert ward.dump() == before


def test_two_mappings_that_disagree_are_asked(ward, tmp_path):
    column = ward.columns[0]
    first = ward.mapping(column)
    second = tmp_path / "second.yaml"
    text = Path(first).read_text(encoding="utf-8")
    [good] = ward.declared[column].values()
    other = next(one for one in ward.valid if one != good)
    second.write_text(text.replace(good, other).replace("team", "others"), encoding="utf-8")
    before = ward.dump()
    said = heal(ward, "foreign", "--rules", first, "--rules", str(second))
    assert said.code == 5
    assert {one["to"] for one in said.json["diagnoses"][0]["candidates"]} == {good, other}
    assert ward.dump() == before


def test_unattended_healing_is_off_until_the_owner_raises_it(ward, tmp_path):
    def ask(name, config):
        error = RuntimeError("500 Server Error")
        return doctor.consult(error, run=ward.runs[name], config=config, deadline=30.0)

    raised = tmp_path / "raised"
    raised.mkdir()
    off = configured(ward, tmp_path)
    on = configured(ward, raised, '[hook]\nmax_tier = "SAFE"\n')
    before = ward.dump()
    advice = ask("case", off)
    assert (advice.action, advice.cause) == ("stop", "enum_drift")
    assert ward.dump() == before
    asked = ask("foreign", on)
    assert (asked.action, bool(asked.incident)) == ("asked", True)
    assert ward.dump() == before
    assert ask("space", on).action == "fixed"
    assert len(changed(before, ward.dump())) == 1


def test_unattended_writes_need_both_engines_unless_the_owner_chose_one(jobs, tmp_path):
    from doctor.inference import ReferenceEngine
    from doctor.model.tier import Tier

    before = jobs.dump()
    alone = load_settings(configured(jobs, tmp_path))
    with Doctor(alone, engine=ReferenceEngine()) as opened:
        done = opened.treat(jobs.runs["case"], max_tier=Tier.SAFE, attended=False)
        assert (done.status, done.exit_code) == ("refused", 6)
        assert jobs.dump() == before
        assert opened.treat(jobs.runs["case"]).status == "healed"
    chosen = tmp_path / "chosen.toml"
    chosen.write_text('engine = "reference"\n' + (tmp_path / "doctor.toml").read_text())
    with Doctor(load_settings(chosen)) as opened:
        done = opened.treat(jobs.runs["space"], max_tier=Tier.SAFE, attended=False)
        assert done.status == "healed"
