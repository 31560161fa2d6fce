from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from doctor.errors import RuleError
from doctor.inference import EngineUnavailable, Inference, ReferenceEngine, infer, infer_many
from doctor.inference.port import Job, Match, Selections
from doctor.model.evidence import Evidence
from doctor.model.rule import CountOf, Rule
from doctor.model.verdict import Clause, Verdict
from tests.unit.inference.build import both, either, fact, gap, no, rule, seen, sel

REFERENCE = ReferenceEngine()


class Stub:
    """An engine that says what it was told to say, round by round."""

    name = "stub"

    def __init__(self, *answers: set[Match] | EngineUnavailable) -> None:
        self.answers = list(answers)
        self.asked = 0

    def match(self, rules: Sequence[Rule], selections: Selections) -> frozenset[Match]:
        assert {one.id for one in rules} == selections.keys()
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, EngineUnavailable):
            raise answer
        return frozenset(answer)

    def match_all(self, jobs: Sequence[Job]) -> tuple[frozenset[Match], ...]:
        return tuple(self.match(one.rules, one.selections) for one in jobs)


def said(inference: Inference) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.rule, one.result, one.key) for one in inference.verdicts]


def only(rules: Rule | list[Rule], evidence: Evidence) -> Verdict:
    rules = rules if isinstance(rules, list) else [rules]
    return infer(rules, evidence, REFERENCE).verdicts[-1]


BAD = rule("bad", sel("a", "a"), sel("b", "b"), when=both("a", no("b")), join=("run",))


def test_a_match_has_its_facts_its_clauses_and_a_reason() -> None:
    one, other, much = fact("a", run="r1"), fact("a", run="r2"), fact("b", run="r2")
    found = infer([BAD], seen(one, other, much), REFERENCE)
    assert found == Inference(
        verdicts=(
            Verdict(
                rule="bad",
                result="match",
                key=("r1",),
                facts={"a": (one,)},
                clauses=(
                    Clause("a", "held", "1 fact of kind a"),
                    Clause("b", "failed", "1 fact pass, none with run 'r1'"),
                ),
                reason="'a': 1 fact of kind a",
            ),
        ),
        engine="reference",
        agreed=True,
        note="the reference engine answered alone",
    )


def test_a_match_brings_facts_of_selections_outside_its_condition() -> None:
    count = CountOf("storm", "failing", ("run",), timedelta(minutes=10), 2)
    one = rule("x", sel("failing", "k"), count, when="storm", join=("run",))
    facts = [fact("k", run="r1", order=at) for at in (0, 1)]
    found = only(one, seen(*facts))
    assert found.facts == {"failing": tuple(facts), "storm": tuple(facts)}
    assert found.reason == "'storm': 2 facts of 'failing', 2 or more within 10m by run"


def test_matches_come_first_then_open_keys_each_sorted() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), sel("c", "c"), when=either("b", both("a", "c")))
    one = rule("x", *one.selections.values(), when=one.condition, join=("run",))
    facts = [fact("a", run="r3"), fact("a", run="r0"), fact("b", run="r2"), fact("b", run="r1")]
    assert said(infer([one], seen(*facts, gaps=[gap("c")]), REFERENCE)) == [
        ("x", "match", ("r1",)),
        ("x", "match", ("r2",)),
        ("x", "unknown", ("r0",)),
        ("x", "unknown", ("r3",)),
    ]


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (seen(), "'a': no fact of kind a"),
        (
            seen(fact("b", run="r1"), fact("a", run=7)),
            "'a': 1 fact pass, none with text in run",
        ),
        (seen(fact("a", run="r1"), fact("b", run="r1")), "not 'b': 1 fact of kind b"),
    ],
)
def test_no_match_names_the_first_clause_that_failed(evidence: Evidence, reason: str) -> None:
    found = only(BAD, evidence)
    assert (found.result, found.key, found.facts, found.reason) == ("no_match", (), {}, reason)


def test_no_match_is_explained_at_the_nearest_key() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), sel("c", "c"), join=("run",))
    facts = [fact("a", run="r1"), fact("a", run="r2"), fact("b", run="r2"), fact("c", run="r3")]
    found = only(one, seen(*facts))
    assert found.reason == "'c': 1 fact pass, none with run 'r2'"


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ((404, 200, 403), "3 facts of kind k, none passes status|gte 500 (nearest: 404)"),
        ((None,), "1 fact of kind k, none passes status|gte 500 (nearest: None)"),
        ((), "1 fact of kind k, none passes status|gte 500 (nearest: not there)"),
    ],
)
def test_the_nearest_miss_is_shown(statuses: tuple[int | None, ...], reason: str) -> None:
    one = rule("x", sel("failing", "k", status__gte=500))
    facts = [fact("k", status=status) for status in statuses] or [fact("k")]
    assert only(one, seen(*facts)).reason == f"'failing': {reason}"


def test_the_nearest_miss_passes_most_tests() -> None:
    one = rule("x", sel("s", "k", role="run", state="READY"))
    facts = [fact("k", role="task", state="READY!"), fact("k", role="run", state="ready")]
    assert only(one, seen(*facts)).reason == (
        "'s': 2 facts of kind k, none passes state 'READY' (nearest: 'ready')"
    )


@pytest.mark.parametrize(
    ("within", "gte", "text"),
    [
        (timedelta(hours=2), 3, "2 facts of 's', 2 at most together, not 3 or more within 2h"),
        (
            timedelta(seconds=1.5),
            2,
            "2 facts of 's', 1 at most together, not 2 or more within 1.5s",
        ),
        (timedelta(days=1), 9, "2 facts of 's', 2 at most together, not 9 or more within 1d"),
    ],
)
def test_a_count_that_fails_says_how_many_were_together(
    within: timedelta, gte: int, text: str
) -> None:
    one = rule("x", sel("s", "k"), CountOf("n", "s", (), within, gte), when="n")
    assert only(one, seen(fact("k"), fact("k", order=100))).reason == f"'n': {text}"
    assert "0 facts of 's', 0 at most" in only(one, seen()).reason


def test_missing_evidence_makes_a_rule_unknown_and_is_named() -> None:
    found = only(BAD, seen(fact("a", run="r1"), gaps=[gap("b")]))
    assert (found.result, found.key, found.facts) == ("unknown", ("r1",), {})
    assert found.reason == "'b': no evidence of kind b: probe 'tables': the database is locked"
    found = only(BAD, seen(fact("b", run="r1"), gaps=[gap("a")]))
    assert (found.result, found.key) == ("unknown", ())
    assert found.clauses[1] == Clause("b", "failed", "1 fact pass, none for another run")
    assert only(BAD, seen(fact("a", run="r1"), fact("b", run="r1"), gaps=[gap("b")])).result == (
        "no_match"
    )


def test_a_count_of_missing_evidence_is_open_and_names_the_gap() -> None:
    one = rule("x", sel("s", "k"), CountOf("n", "s", (), timedelta(1), 2), when="n")
    assert only(one, seen(fact("k"), gaps=[gap("k")])).reason == (
        "'n': no evidence of kind k: probe 'tables': the database is locked"
    )


@pytest.mark.parametrize("join", [(), ("run",)])
def test_what_a_rule_needs_and_a_gap_leaves_out_makes_it_unknown(join: tuple[str, ...]) -> None:
    one = rule("x", sel("a", "a"), join=join, needs=("z", "b"))
    assert only(one, seen()).result == "no_match"
    found = only(one, seen(gaps=[gap("b")]))
    assert (found.result, found.key) == ("unknown", ())
    assert found.reason == "no evidence of kind b: probe 'tables': the database is locked"
    assert only(one, seen(fact("a", run="r1"), gaps=[gap("b")])).result == "match"


def test_needs_make_each_key_without_a_match_unknown() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"), join=("run",), needs=("z",))
    facts = [fact("a", run="r1"), fact("b", run="r1"), fact("a", run="r2")]
    assert said(infer([one], seen(*facts, gaps=[gap("z")]), REFERENCE)) == [
        ("x", "match", ("r1",)),
        ("x", "unknown", ("r2",)),
    ]


def test_a_condition_that_wants_nothing_never_matches() -> None:
    found = only(rule("x", sel("a", "a"), when=no("a")), seen())
    assert (found.result, found.reason) == (
        "no_match",
        "the condition wants no selection to be there",
    )


# chaining

FIRST = rule("first", sel("a", "a"), join=("run",), cause="drift")
THEN = rule("then", sel("d", "diagnosis", cause="drift"), sel("c", "c"), join=("run",))
UNLESS = rule(
    "unless",
    sel("c", "c"),
    sel("d", "diagnosis", rule="first"),
    when=both("c", no("d")),
    join=("run",),
)
C1, C2 = fact("c", run="r1"), fact("c", run="r2")


def test_a_diagnosis_is_a_fact_for_later_rules() -> None:
    found = infer([THEN, FIRST, UNLESS], seen(fact("a", run="r1"), C1, C2), REFERENCE)
    assert said(found) == [
        ("then", "match", ("r1",)),
        ("first", "match", ("r1",)),
        ("unless", "match", ("r2",)),
    ]
    [derived] = found.verdicts[0].facts["d"]
    assert (derived.kind, derived.source) == ("diagnosis", "rules")
    assert derived.fields == {"rule": "first", "cause": "drift", "code": "FIRST", "run": "r1"}


def test_what_is_unknown_upstream_stays_open_downstream() -> None:
    found = infer(
        [FIRST, THEN, UNLESS], seen(fact("a", run="r1"), C1, C2, gaps=[gap("a")]), REFERENCE
    )
    assert said(found) == [
        ("first", "match", ("r1",)),
        ("then", "match", ("r1",)),
        ("then", "unknown", ("r2",)),
        ("unless", "unknown", ("r2",)),
    ]
    assert found.verdicts[-1].reason == "'d': unknown themselves: 'first'"


def test_only_the_keys_that_are_open_upstream_are_open_downstream() -> None:
    first = rule("first", sel("a", "a"), sel("b", "b"), join=("run",), cause="drift")
    evidence = seen(fact("a", run="r1"), C1, C2, gaps=[gap("b")])
    assert said(infer([first, UNLESS], evidence, REFERENCE))[1:] == [
        ("unless", "match", ("r2",)),
        ("unless", "unknown", ("r1",)),
    ]


def test_a_key_that_failed_upstream_is_settled_although_others_are_open() -> None:
    first = rule(
        "first", sel("a", "a"), sel("b", "b"), when=both("a", no("b")), join=("run",), cause="drift"
    )
    evidence = seen(fact("b", run="r1"), C1, C2, gaps=[gap("a")])
    assert said(infer([first, UNLESS], evidence, REFERENCE)) == [
        ("first", "unknown", ()),
        ("unless", "match", ("r1",)),
        ("unless", "unknown", ("r2",)),
    ]


def test_a_coarser_rule_cannot_settle_what_is_open_for_some_finer_key() -> None:
    first = rule("first", sel("a", "a"), join=("run", "step"))
    evidence = seen(fact("a", run="r1", step="s"), C2, gaps=[gap("a")])
    assert said(infer([first, UNLESS], evidence, REFERENCE))[1:] == [("unless", "unknown", ("r2",))]
    other = rule("first", sel("a", "a"), join=("step",))
    assert said(infer([other, UNLESS], evidence, REFERENCE))[1:] == [("unless", "match", ("r2",))]


def test_a_gap_in_diagnoses_themselves_leaves_everything_open() -> None:
    assert said(infer([UNLESS], seen(C1, gaps=[gap("diagnosis")]), REFERENCE)) == [
        ("unless", "unknown", ("r1",))
    ]


def test_rules_in_a_circle_are_refused() -> None:
    with pytest.raises(RuleError, match="in a circle: x -> x"):
        infer([rule("x", sel("d", "diagnosis", rule="x"))], seen(), REFERENCE)


# agreement

MATCH: Match = ("first", ("r1",))
EVIDENCE = seen(fact("a", run="r1"), C1)


def test_an_engine_that_sees_nothing_makes_a_match_unknown() -> None:
    found = infer([FIRST], EVIDENCE, Stub(set()))
    reason = "engines disagree: only the reference sees a match of 'first' for ('r1',)"
    assert said(found) == [("first", "unknown", ("r1",))]
    assert (found.engine, found.agreed, found.note) == ("stub", False, reason)
    assert found.verdicts[0].reason == reason


def test_an_engine_that_sees_more_makes_it_unknown_too() -> None:
    found = infer([FIRST], EVIDENCE, Stub({MATCH, ("first", ("r9",))}))
    assert said(found) == [("first", "match", ("r1",)), ("first", "unknown", ("r9",))]
    assert not found.agreed
    assert "only the engine sees" in found.verdicts[1].reason


@pytest.mark.parametrize("strange", [("nobody", ()), ("first", ("r1", "x"))])
def test_an_answer_about_nothing_is_a_disagreement(strange: Match) -> None:
    found = infer([FIRST], EVIDENCE, Stub({MATCH, strange}))
    assert said(found) == [("first", "match", ("r1",))]
    assert not found.agreed


def test_an_engine_that_says_the_same_agrees() -> None:
    found = infer([FIRST], EVIDENCE, Stub({MATCH}))
    assert (found.agreed, found.note) == (True, None)


def test_disagreement_is_open_for_later_rules() -> None:
    found = infer([FIRST, UNLESS], EVIDENCE, Stub(set(), set()))
    assert said(found) == [("first", "unknown", ("r1",)), ("unless", "unknown", ("r1",))]


def test_an_unavailable_engine_makes_matches_unknown_and_is_not_asked_again() -> None:
    stub = Stub(EngineUnavailable("it crashed"))
    found = infer([FIRST, THEN], EVIDENCE, stub)
    assert said(found) == [("first", "unknown", ("r1",)), ("then", "unknown", ("r1",))]
    assert (found.agreed, found.note) == (False, "the rule engine gave no answer: it crashed")
    assert found.verdicts[0].reason == found.note
    assert stub.asked == 1


def test_an_engine_that_fails_later_leaves_earlier_matches() -> None:
    found = infer([FIRST, THEN], EVIDENCE, Stub({MATCH}, EngineUnavailable("it hung")))
    assert said(found) == [("first", "match", ("r1",)), ("then", "unknown", ("r1",))]
    assert not found.agreed


def test_an_unavailable_engine_leaves_no_match_as_it_is() -> None:
    found = infer([FIRST], seen(), Stub(EngineUnavailable("it crashed")))
    assert said(found) == [("first", "no_match", ())]
    assert not found.agreed


def test_many_cases_are_inferred_as_one_by_one() -> None:
    cases = [([FIRST, THEN, UNLESS], EVIDENCE), ([BAD], seen()), ([], seen())]
    assert infer_many(cases, REFERENCE) == tuple(infer(*one, REFERENCE) for one in cases)
    assert infer_many([], REFERENCE) == ()
    down = infer_many(cases[:1] * 2, Stub(EngineUnavailable("it crashed")))
    assert [one.agreed for one in down] == [False, False]
