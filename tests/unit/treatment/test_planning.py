"""From diagnoses to plans that cover all sick cells of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.errors import UsageError
from doctor.model.change import Plan, SetCells
from doctor.model.diagnosis import Diagnosis, Subject
from doctor.model.rule import Limits, Remedy, Verify
from doctor.model.system import Proposal, System
from doctor.model.tier import Tier
from doctor.treatment.planning import parse_choice, prescribe
from tests.unit.inference.test_diagnose import make

SYSTEM = System("sqlite:/x.db")
VERIFY = (Verify("confirm"), Verify("api.get_run", 200))
RULE = replace(
    make("t.cell", "cell"),
    confirm="cells",
    remedies=(Remedy("set", "setter", Tier.SAFE, VERIFY),),
)


class Setter:
    """Proposes what the test says."""

    name = "setter"

    def __init__(self, **values):
        self.values = values

    def propose(self, diagnosis, system):
        subject = diagnosis.subject
        return tuple(
            Proposal(
                SetCells(
                    subject.table,
                    subject.key,
                    {subject.column: subject.value},
                    {subject.column: to},
                ),
                to,
                tier,
                "because",
                certain,
            )
            for to, tier, certain in self.values.get(subject.table, ())
        )


CERTAIN = (("OPEN", Tier.SAFE, True),)
TWO = (("OPEN", Tier.GUARDED, False), ("DONE", Tier.GUARDED, False))


def sick(table, key=1, column="state", rule=RULE):
    subject = Subject(table, column, {"id": key}, "NEW", ("OPEN", "DONE"))
    return Diagnosis(
        rule.code, rule.id, "high", rule.cause, False, subject, "message", "hint", ("r1",)
    )


def prescribed(diagnoses, choices=None, rules=(RULE,), **values):
    setter = Setter(**values)
    return prescribe(
        diagnoses,
        {rule.id: rule for rule in rules},
        lambda name: setter if name == "setter" else None,
        SYSTEM,
        "r1",
        choices,
    )


def test_certain_cells_make_one_complete_plan():
    found = prescribed([sick("jobs"), sick("steps")], jobs=CERTAIN, steps=CERTAIN)
    assert found.plan == Plan(
        "sqlite:/x.db",
        "r1",
        ("t.cell@1/set",),
        (
            SetCells("jobs", {"id": 1}, {"state": "NEW"}, {"state": "OPEN"}),
            SetCells("steps", {"id": 1}, {"state": "NEW"}, {"state": "OPEN"}),
        ),
        Tier.SAFE,
        1,
        (Verify("cells"), Verify("api.get_run", 200)),
        ("the fix leaves its marker in the table doctor_applied, in the same transaction",),
    )
    assert found.plans == {found.plan.hash: found.plan}
    assert found.open_cells == ()
    assert {one.candidates[0].plan for one in found.diagnoses} == {found.plan.hash}


def test_each_candidate_of_the_one_open_cell_has_its_own_plan_for_all_cells():
    found = prescribed([sick("jobs"), sick("steps")], jobs=CERTAIN, steps=TWO)
    assert found.plan is None
    assert found.open_cells == ("steps.state",)
    hashes = [one.plan for one in found.diagnoses[1].candidates]
    assert list(found.plans) == hashes
    assert all(len(plan.changes) == 2 and plan.cost == 3 for plan in found.plans.values())


def test_with_several_open_cells_no_candidate_has_a_plan():
    found = prescribed([sick("jobs"), sick("steps")], jobs=TWO, steps=TWO)
    assert (found.plan, found.plans) == (None, {})
    assert {one.plan for each in found.diagnoses for one in each.candidates} == {None}


def test_choices_complete_a_plan():
    found = prescribed(
        [sick("jobs"), sick("steps")],
        {"jobs.state": "DONE", "steps.state": "OPEN"},
        jobs=TWO,
        steps=TWO,
    )
    assert found.plan is not None
    assert [dict(one.to) for one in found.plan.changes] == [{"state": "DONE"}, {"state": "OPEN"}]
    assert found.plan.tier is Tier.GUARDED


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"jobs.state": "GONE"}, "'GONE' cannot be put into jobs.state"),
        ({"other.state": "OPEN"}, "'other.state' is not a sick cell of this run"),
    ],
)
def test_a_choice_that_no_cell_offers_is_refused(choices, message):
    with pytest.raises(UsageError, match=message):
        prescribed([sick("jobs")], choices, jobs=TWO)


def test_two_rules_that_would_set_one_cell_differently_leave_it_open():
    other = replace(RULE, id="t.other")

    class Disagreeing(Setter):
        def propose(self, diagnosis, system):
            to = "OPEN" if diagnosis.rule == "t.cell" else "DONE"
            self.values = {"jobs": ((to, Tier.SAFE, True),)}
            return super().propose(diagnosis, system)

    found = prescribe(
        [sick("jobs"), sick("jobs", rule=other)],
        {"t.cell": RULE, "t.other": other},
        lambda _: Disagreeing(),
        SYSTEM,
        "r1",
    )
    assert found.plan is None
    assert found.open_cells == ("jobs.state",)
    assert [one.to for one in found.diagnoses[0].candidates] == ["OPEN", "DONE"]


def test_two_rules_that_agree_on_a_cell_change_it_once():
    other = replace(RULE, id="t.other")
    setter = Setter(jobs=CERTAIN)
    found = prescribe(
        [sick("jobs"), sick("jobs", rule=other)],
        {"t.cell": RULE, "t.other": other},
        lambda _: setter,
        SYSTEM,
        "r1",
    )
    assert found.plan is not None
    assert len(found.plan.changes) == 1


def test_the_rule_and_its_limits_can_only_raise_tier_and_cost():
    strict = replace(RULE, remedies=(Remedy("set", "setter", Tier.GUARDED),), limits=Limits(cost=5))
    found = prescribed([sick("jobs")], rules=(strict,), jobs=CERTAIN)
    assert found.plan is not None
    assert (found.plan.tier, found.plan.cost, found.plan.verify) == (Tier.GUARDED, 5, ())


def test_what_is_only_worth_knowing_gets_no_remedy():
    found = prescribed([replace(sick("jobs"), level="info")], jobs=CERTAIN)
    assert (found.plan, found.diagnoses[0].candidates) == (None, ())


def test_a_rule_whose_fixer_is_not_installed_has_no_remedy():
    found = prescribe([sick("jobs")], {"t.cell": RULE}, lambda _: None, SYSTEM, "r1")
    assert (found.plan, found.open_cells) == (None, ())


@pytest.mark.parametrize("text", ["jobs.state", "jobs=OPEN", "a.b.c=OPEN", "=OPEN"])
def test_a_choice_is_written_table_dot_column_equals_value(text):
    with pytest.raises(UsageError, match="is not a choice"):
        parse_choice(text)


def test_a_chosen_value_may_hold_anything():
    assert parse_choice("jobs.state=a=b.c") == ("jobs.state", "a=b.c")


cells = st.dictionaries(
    st.sampled_from("abc"), st.one_of(st.none(), st.integers(), st.text(), st.binary()), min_size=1
)
changes = st.builds(SetCells, st.sampled_from(["jobs", "steps"]), cells, cells, cells)
plans = st.builds(
    Plan,
    st.just("sqlite:x"),
    st.text(max_size=5),
    st.just(("t.a@1",)),
    st.lists(changes, max_size=3).map(tuple),
    st.sampled_from(Tier),
    st.just(1),
)


@pytest.mark.slow
@given(plans, plans)
def test_two_plans_have_one_hash_only_if_they_do_the_same(one, other):
    same = (one.run, one.changes, one.tier) == (other.run, other.changes, other.tier)
    typed = repr(one) == repr(other)
    assert (one.hash == other.hash) == (same and typed) or (same and not typed)


LADDER = replace(
    RULE,
    remedies=(
        Remedy("first", "setter", Tier.SAFE, on_verify_fail="undo_then_next"),
        Remedy("second", "setter", Tier.SAFE),
    ),
)


def on_ladder(*failed):
    setter = Setter(jobs=CERTAIN)
    return prescribe(
        [sick("jobs")], {"t.cell": LADDER}, lambda _: setter, SYSTEM, "r1", None, failed
    )


def test_the_next_rung_takes_over_from_one_whose_repair_was_not_verified():
    assert [
        on_ladder(*failed).plans and next(iter(on_ladder(*failed).plans.values())).rules
        for failed in ((), ("t.cell@1/first",))
    ] == [("t.cell@1/first",), ("t.cell@1/second",)]


def test_after_the_last_rung_a_human_decides():
    found = on_ladder("t.cell@1/first", "t.cell@1/second")
    assert found.plan is None
    assert found.open_cells == ("jobs.state",)
    assert [one.to for one in found.diagnoses[0].candidates] == ["OPEN"]
