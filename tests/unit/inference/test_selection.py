from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doctor.errors import DoctorError
from doctor.inference.selection import FactIndex, key_of, passes
from doctor.model.evidence import Fact
from doctor.model.rule import CountOf, FieldTest
from tests.unit.inference.build import fact, gap, job, rule, seen, sel


def passed(operator: Any, wanted: Any, **fields: Any) -> bool:
    return passes(FieldTest("x", operator, wanted), fact("k", **fields))


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("eq", 500, 500, True),
        ("eq", 1, True, False),
        ("eq", True, 1, False),
        ("eq", 1, 1.0, False),
        ("eq", "READY", "ready", False),
        ("eq", None, None, True),
        ("eq", "a", ("a",), False),
        ("gte", 500, 500, True),
        ("gte", 500, 499, False),
        ("gte", 0, True, False),
        ("gte", 0, "5", False),
        ("gte", "0", 5, False),
        ("lt", 500, 499.5, True),
        ("lt", 500, 500, False),
        ("lt", 1, None, False),
        ("in", (1, "a"), "a", True),
        ("in", (1, "a"), True, False),
        ("in", "abc", "a", False),
        ("exists", True, None, True),
        ("exists", False, 1, False),
    ],
)
def test_an_operator_compares_values_of_one_type(
    operator: str, wanted: object, value: object, expected: bool
) -> None:
    assert passed(operator, wanted, x=value) is expected


@pytest.mark.parametrize("operator", ["eq", "gte", "lt", "in"])
def test_a_fact_without_the_field_fails_every_test_but_exists_false(operator: str) -> None:
    assert not passed(operator, None)
    assert passed("exists", False)
    assert not passed("exists", True)


def test_a_key_is_made_of_strings_only() -> None:
    assert key_of(fact("k", run="r1", step="build"), ("step", "run")) == ("build", "r1")
    assert key_of(fact("k", run="r1"), ("run", "step")) is None
    assert key_of(fact("k", run=1), ("run",)) is None
    assert key_of(fact("k", run=None), ("run",)) is None
    assert key_of(fact("k"), ()) == ()


def test_the_index_finds_by_kind_and_by_exact_value_in_order() -> None:
    facts = [fact("k", x=value) for value in (1, True, "1", {"a": 1}, 1, None)]
    index = FactIndex([*facts, fact("other", x=1)])
    assert index.passing(sel("s", "k", x=1)) == (facts[0], facts[4])
    assert index.passing(sel("s", "k", x=True)) == (facts[1],)
    assert index.passing(sel("s", "k", x=None)) == (facts[5],)
    assert index.passing(sel("s", "k")) == tuple(facts)
    assert index.passing(sel("s", "nothing", x=1)) == ()


def test_the_index_takes_more_facts() -> None:
    index = FactIndex([fact("k", x=1)])
    assert len(index.passing(sel("s", "k", x=1))) == 1
    index.add([fact("k", x=1)])
    assert len(index.passing(sel("s", "k", x=1))) == 2


def test_a_selection_is_held_where_it_has_a_fact_and_open_where_a_gap_is() -> None:
    one = rule("a", sel("s", "k"), sel("t", "j"), sel("u", "i"), join=("run",))
    evidence = seen(fact("k", run="r1"), fact("k"), fact("j", run="r1"), gaps=[gap("j", "i")])
    selected = job([one], evidence).selections["a"]
    assert {name: own.state(("r1",)) for name, own in selected.items()} == {
        "s": "held",
        "t": "held",
        "u": "open",
    }
    assert {name: own.state(("r2",)) for name, own in selected.items()} == {
        "s": "failed",
        "t": "open",
        "u": "open",
    }
    assert len(selected["s"].facts) == 2
    assert selected["s"].by_key == {("r1",): (evidence.facts[0],)}
    assert selected["s"].known_keys == {("r1",)}


def count_of(name: str, of: str, gte: int = 2) -> CountOf:
    return CountOf(name, of, ("run",), timedelta(seconds=10), gte)


def test_a_count_holds_the_facts_of_its_groups_and_is_open_with_what_it_counts() -> None:
    one = rule("a", sel("s", "k"), count_of("many", "s"), count_of("twice", "many"), join=("run",))
    facts: list[Fact] = [fact("k", run="r1", order=1), fact("k", run="r1"), fact("k", run="r2")]
    selected = job([one], seen(*facts)).selections["a"]
    assert dict(selected["many"].by_key) == {("r1",): (facts[0], facts[1])}
    assert selected["twice"].by_key == selected["many"].by_key
    assert selected["many"].state(("r2",)) == "failed"
    selected = job([one], seen(*facts, gaps=[gap("k")])).selections["a"]
    assert selected["many"].state(("r1",)) == "held"
    assert selected["twice"].state(("r2",)) == "open"


@pytest.mark.parametrize(
    ("of", "complaint"), [("nothing", "'nothing' is not defined"), ("loop", "'loop' counts itself")]
)
def test_a_count_of_nothing_or_of_itself_is_an_error(of: str, complaint: str) -> None:
    with pytest.raises(DoctorError, match=complaint) as caught:
        job([rule("a", count_of("loop", of))], seen())
    assert caught.value.location == "rules/a.yaml:1"
