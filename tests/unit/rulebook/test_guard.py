"""The guard's bound on nesting against what the real parsers find."""

import contextlib
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.rulebook import guard
from doctor.rulebook.guard import RefusedError, clean_text

PIECES = st.sampled_from(
    [*"[]{}[{'\"#,:?-&*|>%\\ \n\tax", "''", ": ", " #", "- ", "\n  ", "'a'", "&a ", "*a", "? "]
)


def flow_depth(text: str, loader: Any) -> int:
    """The deepest nesting of flow collections that a parser reaches before it ends or refuses."""
    depth = deepest = 0
    stack: list[bool] = []
    try:
        events: Any = yaml.parse(text, Loader=loader)
        for event in events:
            if getattr(event, "tag", None) is not None:
                return deepest
            if type(event) in {yaml.MappingStartEvent, yaml.SequenceStartEvent}:
                # A pair as in [a: b] is a mapping without a bracket: its mark has no width.
                start, end = event.start_mark.index, event.end_mark.index
                stack.append(bool(event.flow_style) and end > start and text[start] in "[{")
                depth += stack[-1]
                deepest = max(deepest, depth)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= stack.pop()
    except yaml.YAMLError:
        pass
    return deepest


BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(["", " ", "  ", "   ", "     ", "--- "]),
        st.sampled_from(["", "- ", "? ", ": ", "- - ", "? - ", "-", "- ?  - "]),
        st.sampled_from(["a", "a: b", "a:", "'q", "'", '"', "|", "[", "]", "# c", "", "&a", "!t"]),
    ).map("".join),
    max_size=12,
).map("\n".join)


@pytest.mark.slow
@settings(max_examples=800, deadline=None)
@given(BLOCKS)
def test_blocks_nest_at_most_twice_for_each_column_at_which_a_value_begins(text):
    depth = deepest = 0
    with contextlib.suppress(yaml.YAMLError):
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent) and not event.flow_style:
                depth += 1
                deepest = max(depth, deepest)
            elif isinstance(event, yaml.CollectionEndEvent) and depth:
                depth -= 1
    if not deepest:
        return
    limit = (deepest - 1) // 2  # a sequence may stand at the column of the mapping that it is in
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "_DEEPEST_COLUMN", limit)
        with pytest.raises(RefusedError):
            clean_text(text)


@pytest.mark.parametrize("text", ["[?],", "[ ? ] , ", "[?,", "{?},", "[?],a]b #\n,", "[? # ]\n], "])
def test_a_key_that_is_a_hole_is_refused_since_the_parser_loses_count(text):
    with pytest.raises(RefusedError) as caught:
        clean_text("a: " + text * 25_000)
    assert caught.value.message in {"'?' without a key", "the line is longer than 10000 characters"}
    with pytest.raises(RefusedError) as caught:
        clean_text("a: " + text * 500)
    assert caught.value.message == "'?' without a key"


def test_brackets_that_never_end_are_followed_only_so_far():
    line = " [ '" + " [ " * 8 + "'\n"  # each reading of the quotes sees other brackets
    with pytest.raises(RefusedError):
        clean_text(line * 5_000)


@settings(max_examples=800, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_text_hides_flow_nesting_from_the_guard(text):
    limit = flow_depth(text, yaml.CSafeLoader) - 1
    if limit < 0:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "DEEPEST", limit)
        with pytest.raises(RefusedError):
            clean_text(text)
