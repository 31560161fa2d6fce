"""Rules on recorded evidence: scores against labels, and what a change of rules changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from doctor.errors import UsageError
from doctor.inference.about_rules import rule_diagnoses
from doctor.inference.difference import ChangedVerdict, cases_of_tests, changed_verdicts
from doctor.inference.recorded import evidence_from_json, evidence_to_json
from doctor.inference.replay import Case, Score, replay
from doctor.model.evidence import Evidence, Fact, Gap
from doctor.model.rule import RuleTest
from doctor.rulebook.problem import RuleWarning
from tests.unit.inference.build import fact, rule, seen, sel

BAD = replace(rule("bad", sel("x", "a")), cause="badness")
WORSE = replace(rule("worse", sel("x", "b")), cause="badness")
OTHER = replace(rule("other", sel("x", "c")), cause="otherness")
RULES = (BAD, WORSE, OTHER)


def case(name, kinds, labels=None, neutral=()):
    labelled = None if labels is None else frozenset(labels.split())
    return Case(name, seen(*(fact(kind) for kind in kinds)), labelled, frozenset(neutral))


def test_rules_and_causes_are_scored_against_labels():
    cases = [
        case("1", "a", "badness"),
        case("2", "ab", "badness"),
        case("3", "c", "badness"),
        case("4", "bc", ""),
        case("5", "abc"),
    ]
    found = replay(RULES, cases)
    assert found.matched == {
        "1": ("bad",),
        "2": ("bad", "worse"),
        "3": ("other",),
        "4": ("worse", "other"),
        "5": ("bad", "worse", "other"),
    }
    assert found.rules == (
        Score("bad", ("1", "2"), (), ("3",)),
        Score("worse", ("2",), ("4",), ("1", "3")),
        Score("other", (), ("3", "4"), ()),
    )
    assert found.causes == (
        Score("badness", ("1", "2"), ("4",), ("3",)),
        Score("otherness", (), ("3", "4"), ()),
    )
    assert found.labelled == 4
    total = found.total
    assert (total.precision, total.recall) == (2 / 5, 2 / 3)


def test_a_neutral_cause_counts_neither_way():
    found = replay((BAD,), [case("1", "a", "", ("badness",)), case("2", "", "", ("badness",))])
    assert found.causes == (Score("badness"),)
    assert (found.causes[0].precision, found.causes[0].recall) == (None, None)


def test_a_cause_that_no_rule_knows_is_missed():
    assert replay((BAD,), [case("1", "", "elsewhere")]).causes == (
        Score("badness"),
        Score("elsewhere", missed=("1",)),
    )


def test_a_difference_names_case_rule_and_both_verdicts():
    stricter = replace(rule("bad", sel("x", "a", status__gte=500)), cause="badness")
    cases = [Case("low", seen(fact("a", status=400))), Case("high", seen(fact("a", status=500)))]
    assert changed_verdicts((BAD,), (stricter,), cases) == (
        ChangedVerdict("low", "bad", (("match", ()),), (("no_match", ()),)),
    )
    assert changed_verdicts(RULES, RULES[::-1], cases) == ()


def test_a_rule_that_comes_or_goes_is_a_change_where_it_matches():
    cases = [Case("a", seen(fact("a"))), Case("none", seen())]
    assert changed_verdicts((), (BAD,), cases) == (
        ChangedVerdict("a", "bad", None, (("match", ()),)),
    )
    assert changed_verdicts((BAD,), (), cases) == (
        ChangedVerdict("a", "bad", (("match", ()),), None),
    )


def test_the_examples_of_both_sides_are_the_cases_each_evidence_once():
    one = replace(BAD, tests=(RuleTest("t", (fact("a"),), (), "match"),))
    other = replace(BAD, tests=(RuleTest("t", (fact("b"),), (), "match"),))
    assert cases_of_tests((one,), (one,)) == (Case("bad: t", seen(fact("a"))),)
    assert [one.name for one in cases_of_tests((one,), (other,))] == ["bad: t", "bad: t'"]


def test_recorded_evidence_is_what_was_observed():
    evidence = Evidence(
        (
            Fact(
                "a.b",
                {
                    "n": 1,
                    "f": 0.5,
                    "t": True,
                    "s": "x",
                    "none": None,
                    "l": ("p", "q"),
                    "m": {"k": 1},
                },
                "a.log",
                datetime(2026, 1, 1, tzinfo=UTC),
                7,
                2.5,
            ),
            Fact("a.c", {}, "database"),
        ),
        (Gap("p", "down", ("a.d",)),),
    )
    text = json.dumps(evidence_to_json(evidence))
    assert evidence_from_json(text, "x.json") == evidence
    raw = Evidence((Fact("a.b", {"raw": b"\xff"}, "database"),))
    assert evidence_to_json(raw)["facts"][0]["fields"] == {"raw": "\\xff"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 2, "facts": []}',
        '{"schema_version": 1, "facts": [{"kind": "k"}]}',
        '{"schema_version": 1, "facts": [1]}',
        '{"schema_version": 1, "facts": [{"kind": "k", "fields": {"a": {"b": []}}}]}',
        '{"schema_version": 1, "facts": [{"kind": "k", "fields": {}, "at": "soon"}]}',
        '{"schema_version": 1, "facts": [], "gaps": [{}]}',
        "[" * 100_000,
    ],
)
def test_any_other_text_is_refused_by_its_name(text):
    with pytest.raises(UsageError, match=r"'x\.json' is no recorded evidence: "):
        evidence_from_json(text, "x.json")


def test_an_old_override_is_a_diagnosis_that_is_no_finding():
    (one, bare) = rule_diagnoses(
        [RuleWarning("expired", hint="renew", location="o.yaml:2"), RuleWarning("expired")]
    )
    assert (one.level, one.is_finding, one.rule, one.hint) == ("info", False, "o.yaml:2", "renew")
    assert (bare.rule, bare.hint) == ("RULES", "doctor rules lint")
