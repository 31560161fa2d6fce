"""The language of conditions against Python's own evaluation of the same words."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.model.rule import And, Name, Not, Or
from doctor.rulebook.condition import (
    ConditionError,
    holds,
    parse_condition,
    positive_names,
    used_names,
)

NAMES = ("a", "bad", "bad_two", "c1")
LEAVES = st.sampled_from([*NAMES, "1 of bad*", "all of bad*", "all of c*", "1 of b*"])
TEXTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map("not {}".format),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from([" and ", " or ", "  and\n", "\tor "]), inner).map(
            "".join
        ),
    ),
    max_leaves=12,
)
AS_PYTHON = {
    "1 of bad*": "(bad or bad_two)",
    "all of bad*": "(bad and bad_two)",
    "all of c*": "c1",
    "1 of b*": "(bad or bad_two)",
}


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
def test_conditions_mean_what_they_mean_in_python(text):
    condition = parse_condition(text, NAMES)
    python = text.replace("\n", " ")
    for pattern, words in AS_PYTHON.items():
        python = python.replace(pattern, words)
    code = compile(python.strip(), "condition", "eval")
    for values in itertools.product([False, True], repeat=len(NAMES)):
        truth = dict(zip(NAMES, values, strict=True))
        held = frozenset(name for name in NAMES if truth[name])
        assert holds(condition, held) == eval(code, {}, truth)


def clauses(condition, *, negated=False):
    """The disjunctive normal form, written independently of the parser: sets of literals."""
    match condition:
        case Name(name):
            return [frozenset({(name, not negated)})]
        case Not(operand):
            return clauses(operand, negated=not negated)
        case And(operands) | Or(operands):
            parts = [clauses(one, negated=negated) for one in operands]
            if isinstance(condition, Or) != negated:
                return [clause for part in parts for clause in part]
            return [frozenset().union(*some) for some in itertools.product(*parts)]


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_a_condition_holds_on_nothing_if_a_clause_has_no_positive_name(text):
    condition = parse_condition(text, NAMES)
    found = clauses(condition)
    bare = any(not any(positive for _, positive in clause) for clause in found)
    assert holds(condition, frozenset()) == bare
    literals = frozenset().union(*found)
    assert set(used_names(condition)) == {name for name, _ in literals}
    assert set(positive_names(condition)) == {name for name, positive in literals if positive}


def test_operators_bind_as_in_python_and_chains_are_flat():
    assert parse_condition("not a and bad or c1 and (a or bad_two)", NAMES) == Or(
        (And((Not(Name("a")), Name("bad"))), And((Name("c1"), Or((Name("a"), Name("bad_two"))))))
    )
    assert parse_condition("a and bad and c1", NAMES) == And((Name("a"), Name("bad"), Name("c1")))


def test_patterns_are_expanded_in_the_order_of_the_file():
    assert parse_condition("1 of b*", ("bz", "a", "ba")) == Or((Name("bz"), Name("ba")))
    assert parse_condition("all of b*", ("bz", "a", "ba")) == And((Name("bz"), Name("ba")))
    assert parse_condition("all of a*", ("bz", "a", "ba")) == Name("a")


@pytest.mark.parametrize(
    ("text", "index", "message", "hint"),
    [
        ("", 0, "expected a selection, not the end", None),
        ("a and", 5, "expected a selection, not the end", None),
        ("a or or bad", 5, "expected a selection, not 'or'", None),
        ("and a", 0, "expected a selection, not 'and'", None),
        ("not", 3, "expected a selection, not the end", None),
        ("()", 1, "expected a selection, not ')'", None),
        ("(a", 2, "expected ')'", None),
        ("(a bad)", 3, "expected ')'", None),
        ("a)", 1, "expected 'and' or 'or' before ')'", None),
        ("a bad", 2, "expected 'and' or 'or' before 'bad'", None),
        ("a & bad", 2, "unexpected character '&' in the condition", None),
        ("a == 1", 2, "unexpected character '=' in the condition", None),
        ("bda", 0, "unknown selection 'bda'", "did you mean 'bad'?"),
        ("a AND bad", 2, "expected 'and' or 'or' before 'AND'", None),
        ("1 of them", 5, "'them' is not supported", "name a pattern such as 'x*'"),
        ("all of them", 7, "'them' is not supported", "name a pattern such as 'x*'"),
        ("2 of bad*", 0, "'2' of is not supported", "write '1 of' or 'all of'"),
        ("any of bad*", 0, "'any' of is not supported", "write '1 of' or 'all of'"),
        ("1 of bad", 5, "expected a pattern such as 'x*', not 'bad'", None),
        ("1 of *", 5, "expected a pattern such as 'x*', not '*'", None),
        ("1 of b*d*", 5, "expected a pattern such as 'x*', not 'b*d*'", None),
        ("1 of", 4, "expected a pattern such as 'x*', not the end", None),
        ("1 of zz*", 5, "the pattern 'zz*' fits no selection", "one of: a, bad, bad_two, c1"),
        ("1 of bda*", 5, "the pattern 'bda*' fits no selection", "did you mean 'bad'?"),
        ("(" * 40 + "a", 33, "nested deeper than 32 levels", None),
        ("not " * 40 + "a", 132, "nested deeper than 32 levels", None),
        ("a or " * 500, 0, "the condition is longer than 2000 characters", None),
    ],
)
def test_a_wrong_condition_is_refused_at_its_character(text, index, message, hint):
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, NAMES)
    assert (caught.value.index, caught.value.message, caught.value.hint) == (index, message, hint)


@settings(max_examples=500, deadline=None)
@given(st.text("ab (){}*1 ofalndrt_\n", max_size=60))
def test_random_text_is_a_condition_or_refused_inside_itself(text):
    try:
        condition = parse_condition(text, NAMES)
    except ConditionError as error:
        assert 0 <= error.index <= len(text)  # noqa: PT017
    else:
        assert set(used_names(condition)) <= set(NAMES)
