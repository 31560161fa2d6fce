from __future__ import annotations

import pytest

from doctor.inference.reference import Outcome, ReferenceEngine, judge, standing
from doctor.model.verdict import ClauseState
from tests.unit.inference.build import Term, both, either, fact, gap, job, no, rule, seen, sel, term

H: ClauseState = "held"
O: ClauseState = "open"  # noqa: E741 - held, open, failed
F: ClauseState = "failed"


@pytest.mark.parametrize(
    ("condition", "a", "b", "expected"),
    [
        ("a", H, F, H),
        ("a", O, F, O),
        (both("a", "b"), H, O, O),
        (both("a", "b"), O, F, F),
        (either("a", "b"), O, H, H),
        (either("a", "b"), F, O, O),
        (both("a", no("b")), H, F, H),
        (both("a", no("b")), H, O, O),
        (both("a", no("b")), H, H, F),
        (both("a", no("b")), O, H, F),
        (no("b"), H, F, F),
        (either("a", no("b")), F, F, F),
        (either("a", no("b")), H, F, H),
        (both(either("a", no("b")), no("b")), F, F, F),
        (both(either("a", no("b")), no("b")), H, F, H),
        (no(no("a")), H, F, H),
        (no(both(no("a"), "b")), H, H, H),
        (both("a", no("a")), O, F, O),
        (both("a", no("a")), H, F, F),
    ],
)
def test_conditions_are_three_valued_and_need_something_that_is_there(
    condition: Term, a: ClauseState, b: ClauseState, expected: ClauseState
) -> None:
    assert standing(term(condition), {"a": a, "b": b}.__getitem__) == expected


def outcome(when: Term, *facts: str, gaps: tuple[str, ...] = ()) -> Outcome:
    """Judge a rule joined on the run; ``a1`` is a fact of kind a for run 1."""
    one = rule("x", sel("a", "a"), sel("b", "b"), when=when, join=("run",))
    evidence = seen(*(fact(name[0], run=name[1]) for name in facts), gaps=[gap(*gaps)])
    return judge(one, job([one], evidence).selections["x"])


def test_selections_are_joined_by_key() -> None:
    assert outcome(both("a", "b"), "a1", "b2", "a3", "b3") == Outcome(
        {("1",): F, ("2",): F, ("3",): H}, F
    )


def test_keys_come_from_what_the_condition_wants() -> None:
    assert outcome(both("a", no("b")), "a1", "b2").keys("held") == (("1",),)
    assert outcome(both("a", no("b")), "b2") == Outcome({}, F)


def test_a_key_that_was_not_seen_is_open_where_evidence_is_missing() -> None:
    assert outcome(both("a", no("b")), "b2", gaps=("a",)) == Outcome({}, O, frozenset({("2",)}))
    assert outcome(both("a", no("b")), "a1", gaps=("b",)) == Outcome({("1",): O}, F)
    assert outcome(both("a", "b"), gaps=("a",)) == Outcome({}, F)


def test_without_join_there_is_one_key() -> None:
    one = rule("x", sel("a", "a"), sel("b", "b"))
    jobs = [job([one], seen(fact("a"))), job([one], seen(fact("a"), fact("b", run=1)))]
    assert [judge(one, each.selections["x"]) for each in jobs] == [
        Outcome({(): F}, F),
        Outcome({(): H}, F),
    ]
    assert ReferenceEngine().match_all(jobs) == (frozenset(), frozenset({("x", ())}))
