from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from doctor.inference.windows import busiest, counted, group_of, grouped
from doctor.model.rule import CountOf
from tests.unit.inference.build import fact

TEN = timedelta(seconds=10)


def test_a_window_includes_both_ends() -> None:
    facts = [fact("k", order=at) for at in (0, 10, 20.5)]
    assert busiest(facts, TEN) == 2
    assert busiest(facts, timedelta(seconds=20.5)) == 3
    assert busiest([], TEN) == 0


def test_windows_are_measured_within_each_source() -> None:
    facts = [fact("k", "a.log", order=1), fact("k", "b.log", order=1), fact("k", "b.log", order=2)]
    assert busiest(facts, TEN) == 2


def test_the_order_of_the_facts_does_not_matter() -> None:
    assert busiest([fact("k", order=at) for at in (30, 1, 31, 2, 32)], TEN) == 3


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40))), st.integers(0, 20))
def test_the_sliding_window_counts_as_a_look_at_every_start_does(
    seen: list[tuple[str, int]], seconds: int
) -> None:
    naive = max(
        (
            sum(o == source and 0 <= at - start <= seconds for o, at in seen)
            for source, start in seen
        ),
        default=0,
    )
    facts = [fact("k", source, order=at) for source, at in seen]
    assert busiest(facts, timedelta(seconds=seconds)) == naive


def test_groups_are_typed_and_absent_is_a_group() -> None:
    values = (1, True, "1", None, {"b": 1, "a": "x"}, {"a": "x", "b": 1}, {"a": "x", "b": True})
    facts = [*(fact("k", x=value) for value in values), fact("k")]
    sizes = [len(own) for own in grouped(facts, ["x"]).values()]
    assert sizes == [1, 1, 1, 2, 2, 1]
    assert group_of(facts[0], []) == ()


def test_only_facts_of_groups_that_reach_the_number_are_counted() -> None:
    count = CountOf("storm", "failing", ("run", "endpoint"), TEN, 2)
    storm = [fact("k", order=at, run="r1", endpoint="/a") for at in (0, 5, 300)]
    calm = [fact("k", order=at, run="r1", endpoint="/b") for at in (0, 50)]
    assert counted(count, [*storm, *calm]) == tuple(storm)
    assert counted(count, storm) == tuple(storm)
    assert counted(count, calm) == ()
