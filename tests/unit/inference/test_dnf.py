from __future__ import annotations

import itertools

import pytest

from doctor.errors import RuleError
from doctor.inference.dnf import MAX_ALTERNATIVES, Alternative, alternatives, occurrences
from doctor.model.rule import And, Or
from tests.unit.inference.build import Term, both, either, no, term


def forms(condition: Term) -> set[tuple[str, str]]:
    found = alternatives(term(condition))
    return {("".join(one.present), "".join(one.absent)) for one in found}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a", {("a", "")}),
        (no("a"), {("", "a")}),
        (no(no("a")), {("a", "")}),
        (both("b", "a", "a"), {("ab", "")}),
        (either("a", both("b", no("c"))), {("a", ""), ("b", "c")}),
        (no(either("a", no("b"))), {("b", "a")}),
        (no(both("a", no("b"))), {("", "a"), ("b", "")}),
        (both(either("a", "b"), "c"), {("ac", ""), ("bc", "")}),
        (both("a", no("a")), set()),
        (either("a", both("a", "b")), {("a", "")}),
        (either(both("a", no("b")), no("b")), {("a", "b"), ("", "b")}),
        (either(no("b"), both(no("b"), no("c"))), {("", "b")}),
        (And(()), {("", "")}),
        (Or(()), set()),
    ],
)
def test_a_condition_becomes_minimal_alternatives(
    condition: Term, expected: set[tuple[str, str]]
) -> None:
    assert forms(condition) == expected


def test_an_alternative_that_wants_nothing_cannot_match() -> None:
    assert alternatives(term(either("a", no("b")))) == (
        Alternative((), ("b",)),
        Alternative(("a",), ()),
    )
    assert [one.matchable for one in alternatives(term(either("a", no("b"))))] == [False, True]


def pairs(count: int) -> list[Term]:
    return [either(f"a{at}", f"b{at}") for at in range(count)]


@pytest.mark.parametrize("count", [7, 12])
def test_too_many_alternatives_are_a_rule_error_with_its_place(count: int) -> None:
    with pytest.raises(RuleError, match="the condition is too large: more than") as caught:
        alternatives(both(*pairs(count)), location="x.yaml:3")
    assert (caught.value.location, caught.value.hint) == ("x.yaml:3", "split the rule")
    assert len(alternatives(both(*pairs(6)))) == MAX_ALTERNATIVES


def test_too_many_combinations_are_refused_before_they_are_reduced() -> None:
    wide = [either(*(f"{name}{at}" for at in range(30))) for name in "xy"]
    with pytest.raises(RuleError, match="more than 512 combinations"):
        alternatives(both(*wide))


def test_more_selections_than_are_proven_safe_are_a_rule_error() -> None:
    assert len(alternatives(both(*"abcdefgh"))) == 1
    with pytest.raises(RuleError, match="more than 8 selections in one alternative"):
        alternatives(both(*"abcdefgh", no("i")))


def test_occurrences_are_in_order_and_wanted_wins() -> None:
    assert occurrences(both("b", no(either("a", "b")))) == {"b": True, "a": False}
    assert occurrences(no(no("a"))) == {"a": True}
    assert list(itertools.chain(occurrences(And(())))) == []
