"""A pattern taken apart fits the same lines, and each line that fits holds a needle."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.registry import load_registry
from doctor.rulebook.book import load_book
from doctor.rulebook.byte_pattern import NoSupersetError, written
from doctor.rulebook.needles import taken_apart
from doctor.rulebook.superset import superset


def apart(pattern):
    found = taken_apart(superset(pattern).node)
    return (
        [written(one) for one in found.open],
        [written(one) for one in found.hidden],
        set(found.needles),
    )


@pytest.mark.parametrize(
    ("pattern", "shown", "hidden", "needles"),
    [
        ("quota exceeded", [], ["quota exceeded"], {b"quota exceeded"}),
        ("(?i)Zebra", [], ["[Zz][Ee][Bb][Rr][Aa]"], {b"zebra"}),
        ("error.*zebra .*x", [], ["error.*zebra .*x"], {b"zebra "}),
        ("zebra.{3}giraffe", [], None, {b"giraffe"}),
        ("zebras?!", [], ["zebras?\\x21"], {b"zebra!", b"zebras!"}),
        ("(?:zebra|giraffe.+) x", [], ["(?:zebra|giraffe.+) x"], {b"zebra", b"giraffe"}),
        ("a(?:b.*zebra|c|d)e", ["ace", "ade"], ["ab.*zebrae"], {b"zebrae"}),
        ("zebra|error", ["error"], ["zebra"], {b"zebra"}),
        (r"\d+ error", ["[0-9] error"], [], set()),
        ("(?:zebra)*x", ["x"], [], set()),
        ("(?:zebra){2,}x", [], ["(?:zebra){2,}x"], {b"zebra"}),
        ("x{4}zebra", [], ["x{4}zebra"], {b"xxxxzebra"}),
        ("größe", [], None, {b"gr\xc3\xb6\xc3\x9fe"}),
        ("[a-d]zebra[a-e]", [], None, {b"azebra", b"bzebra", b"czebra", b"dzebra"}),
        ("abc", ["abc"], [], set()),
    ],
)
def test_alternatives_are_hidden_behind_the_longest_text_that_they_need(
    pattern, shown, hidden, needles
):
    found = apart(pattern)
    assert found[0] == shown
    assert hidden is None or found[1] == hidden
    assert found[2] == needles


def sole(nodes):
    return re.compile("|".join(map(written, nodes)).encode() or b"(?!)", re.MULTILINE)


def agree(pattern, line):
    easier = superset(pattern)
    found = taken_apart(easier.node)
    is_shown = sole(found.open).search(line) is not None
    is_hidden = sole(found.hidden).search(line) is not None
    whole = re.compile(easier.pattern, re.MULTILINE).search(line) is not None
    assert whole == (is_shown or is_hidden)
    assert not is_hidden or any(one in line.lower() for one in found.needles)
    return whole


words = st.sampled_from(["zebra", "Quota", "error", "x", " ", "K8s", "ö", "a.b", "exceeded"])
atoms = st.one_of(
    words.map(re.escape),
    st.sampled_from([".", r"\d", r"\b", "^", "$", "[ab]", r"\S", "[^z]", "(?:)", "(?i:Key)"]),
)
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=4).map(lambda all_: f"(?:{'|'.join(all_)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,3}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=12,
)
lines = st.lists(
    st.one_of(words, st.sampled_from(["KEY", "ZEBRA", "12", "ab", "quota"])), max_size=12
).map(lambda parts: "".join(parts).encode())


@settings(max_examples=500, deadline=None)
@given(patterns, st.lists(lines, min_size=1, max_size=4))
def test_nothing_is_lost_where_a_pattern_is_taken_apart(pattern, texts):
    try:
        superset(pattern)
    except NoSupersetError:
        return
    for text in texts:
        agree(pattern, text)


def test_every_built_in_example_holds_a_needle_or_needs_none():
    hits = 0
    for one in load_book(load_registry(), ()).signatures:
        for example in one.tests:
            hits += agree(one.pattern, example.encode())
    assert hits > 1_000


def test_most_of_the_built_in_alternatives_are_hidden():
    shown = hidden = 0
    for one in load_book(load_registry(), ()).signatures:
        found = taken_apart(superset(one.pattern).node)
        shown += len(found.open)
        hidden += len(found.hidden)
    assert shown < hidden / 10
