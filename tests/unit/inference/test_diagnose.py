"""From verdicts to diagnoses: one per subject, causes before consequences."""

from __future__ import annotations

from dataclasses import replace

from doctor.inference import ReferenceEngine, demote_stale, diagnose, infer
from doctor.inference.examples import failure_of, too_large
from doctor.model.diagnosis import Subject
from doctor.model.evidence import Evidence, Fact, Value
from doctor.model.rule import (
    And,
    Explanation,
    Limits,
    Name,
    Rule,
    RuleTest,
    Select,
)
from tests.support.moments import at

CELL: dict[str, Value] = {
    "run": "r1",
    "table": "jobs",
    "column": "state",
    "key": {"id": "r1"},
    "value": "NEW",
    "valid": ("OPEN", "DONE"),
}


def make(rule_id, kind, *, explains=(), subject=None, level="high", status="stable", code="TST001"):
    return Rule(
        id=rule_id,
        code=code,
        revision=1,
        title=rule_id,
        status=status,
        level=level,
        owner="tests",
        retryable=False,
        needs=(),
        selections={"seen": Select("seen", kind)},
        condition=Name("seen"),
        join=("run",),
        explains=explains,
        confirm=None,
        cause=rule_id.replace(".", "_"),
        subject=subject,
        message="${run} ${count}",
        hint="look",
        remedies=(),
        limits=Limits(),
        explanation=Explanation("w", "y"),
        tests=(),
        origin="tests.yaml:1",
    )


def concluded(rules, facts):
    inference = infer(rules, Evidence(tuple(facts)), ReferenceEngine())
    return diagnose(rules, inference.verdicts)


def fact(kind, run="r1", **fields):
    return Fact(kind, {"run": run, **fields}, "test")


def test_a_rule_with_a_subject_makes_one_diagnosis_per_fact():
    rule = make("t.cell", "cell", subject="seen")
    cells = [Fact("cell", {**CELL, "key": {"id": n}}, "database") for n in (1, 2)]
    found = concluded([rule], cells)
    assert [one.subject for one in found] == [
        Subject("jobs", "state", {"id": 1}, "NEW", ("OPEN", "DONE")),
        Subject("jobs", "state", {"id": 2}, "NEW", ("OPEN", "DONE")),
    ]
    assert [one.message for one in found] == ["r1 2", "r1 2"]


def test_a_subject_without_table_column_and_key_is_none():
    rule = make("t.cell", "cell", subject="seen")
    assert [one.subject for one in concluded([rule], [fact("cell", table="jobs")])] == [None]


def test_a_cause_swallows_what_it_explains_with_its_evidence():
    cause = make("t.cause", "a", explains=("t.effect",))
    effect = make("t.effect", "b", explains=("t.end",), code="TST002")
    end = make("t.end", "c", code="TST003")
    found = concluded([cause, effect, end], [fact("a"), fact("b"), fact("c")])
    assert [one.rule for one in found] == ["t.cause"]
    assert [one.rule for one in found[0].consequences] == ["t.effect", "t.end"]
    assert [one.kind for one in found[0].facts] == ["a", "b", "c"]


def test_a_cause_explains_nothing_of_another_run():
    cause = make("t.cause", "a", explains=("t.effect",))
    effect = make("t.effect", "b", code="TST002")
    found = concluded([cause, effect], [fact("a"), fact("b", run="r2")])
    assert [(one.rule, one.join) for one in found] == [("t.cause", ("r1",)), ("t.effect", ("r2",))]


def test_the_most_important_comes_first_then_the_code():
    low = make("t.low", "a", level="low", code="TST001")
    high = make("t.high", "a", level="high", code="TST003")
    other = make("t.other", "a", level="high", code="TST002")
    assert [one.rule for one in concluded([low, high, other], [fact("a")])] == [
        "t.other",
        "t.high",
        "t.low",
    ]


def test_an_experimental_rule_is_only_worth_knowing():
    found = concluded([make("t.new", "a", status="experimental")], [fact("a")])
    assert [one.is_finding for one in found] == [False]


def test_a_chained_diagnosis_is_no_evidence_of_its_own():
    first = make("t.first", "a", code="TST001")
    both = And((Name("seen"), Name("earlier")))
    second = replace(
        make("t.second", "b", code="TST002"),
        selections={
            "seen": Select("seen", "b"),
            "earlier": Select("earlier", "diagnosis", (make_test("cause", "t_first"),)),
        },
        condition=both,
    )
    found = concluded([first, second], [fact("a"), fact("b")])
    assert [[each.kind for each in one.facts] for one in found] == [["a"], ["b"]]


def make_test(field, value):
    from doctor.model.rule import FieldTest

    return FieldTest(field, "eq", value)


def logged(kind, endpoint=None, moment=None):
    fields = {"run": "r1"} | ({"endpoint": endpoint} if endpoint else {})
    return Fact(kind, fields, "log:x.log", moment)


def judged(facts, extra=(), repaired=None):
    kinds = {one.kind for one in facts}
    rules = [make(f"t.n{n}", kind) for n, kind in enumerate(sorted(kinds))]
    evidence = Evidence((*facts, *extra))
    inference = infer(rules, evidence, ReferenceEngine())
    found = demote_stale(diagnose(rules, inference.verdicts), evidence, repaired)
    return [(one.level, one.reason) for one in found]


def answers(status):
    return fact("api.get_run", endpoint="/jobs/r1", status=status)


def test_a_failing_get_in_a_log_is_contradicted_by_a_get_that_answers_now():
    [(level, reason)] = judged([logged("http.failure", "/jobs/r1")], [answers(200)])
    assert (level, reason) == ("info", "contradicted by a fresh look: the GET of the run answers")


def test_a_failing_call_of_another_address_is_not_contradicted():
    assert judged([logged("http.failure", "/jobs/r1/steps")], [answers(200)]) == [("high", None)]


def test_a_failing_get_now_contradicts_nothing():
    assert judged([logged("http.failure", "/jobs/r1")], [answers(500)]) == [("high", None)]


def test_another_kind_of_symptom_is_not_contradicted_by_the_get():
    assert judged([logged("disk.full")], [answers(200)]) == [("high", None)]


def test_what_is_older_than_the_verified_repair_is_only_worth_knowing():
    [(level, reason)] = judged([logged("disk.full", moment=at(1))], repaired=at(2))
    assert level == "info"
    assert reason is not None
    assert reason.startswith("older than the verified repair of 2026-01-01T00:00:02")


def test_what_is_younger_than_the_repair_or_has_no_time_stays_a_finding():
    assert judged([logged("disk.full", moment=at(3))], repaired=at(2)) == [("high", None)]
    assert judged([logged("disk.full")], repaired=at(2)) == [("high", None)]


def test_evidence_of_a_probe_is_never_demoted():
    assert judged([fact("cell")], [answers(200)], repaired=at(2)) == [("high", None)]


def test_an_example_with_another_verdict_is_a_problem_with_its_place():
    wrong = RuleTest("wrong", (fact("a"),), (), "no_match")
    right = RuleTest("right", (fact("a"),), (), "match")
    rule = replace(make("t.a", "a"), tests=(wrong, right))
    [failure] = [one for test in rule.tests if (one := failure_of(rule, test)) is not None]
    assert failure.startswith("the verdict is 'match', not 'no_match'")


def test_a_condition_that_is_too_large_is_a_problem():
    names = {f"s{n}": Select(f"s{n}", "a") for n in range(9)}
    rule = replace(
        make("t.a", "a"), selections=names, condition=And(tuple(Name(one) for one in names))
    )
    assert len(list(too_large(rule))) == 1
