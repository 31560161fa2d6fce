"""Values are put into messages once, and nothing that they say is read as a template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.model.evidence import Value
from doctor.rulebook import render
from doctor.rulebook.templates import stray_dollar, template_names


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("run ${run}: ${table}.${column} is ${value!r}", "run r1: runs.state is 'READY'"),
        ("one of ${valid}", "one of A, B b, C"),
        ("one of ${valid!r}", "one of 'A', 'B b', 'C'"),
        ("${extra} and ${extra!r}", "a=1, b=x and a=1, b='x'"),
        ("${n} ${n!r} ${f} ${yes} ${no!r} ${nothing}", "3 3 0.5 true false null"),
        ("$$5, $${run}, $$$$", "$5, ${run}, $$"),
        ("${unknown}|${unknown!r}", "?|?"),
        ("100 % {run} {0} %s", "100 % {run} {0} %s"),
        ("", ""),
    ],
)
def test_templates_are_filled(template, text):
    values: dict[str, Value] = {
        "run": "r1",
        "table": "runs",
        "column": "state",
        "value": "READY",
        "valid": ("A", "B b", "C"),
        "extra": {"a": 1, "b": "x"},
        "n": 3,
        "f": 0.5,
        "yes": True,
        "no": False,
        "nothing": None,
    }
    assert render(template, values) == text


@given(st.text("${}!r ab", max_size=20), st.text("${}!r ab", max_size=20))
def test_what_a_value_says_is_never_read_again(one, other):
    values = {"a": one, "b": other}
    assert render("${a}${b}", values) == one + other
    assert render("<${a}|${b}|$$>", values) == f"<{one}|{other}|$>"


def test_names_are_found_once_in_order_and_dollars_are_no_names():
    assert template_names("${b} ${a!r} ${b!r} $${c} $$") == ("b", "a")


@pytest.mark.parametrize(
    ("template", "index"),
    [
        ("$", 0), ("a $b", 2), ("${A}", 0), ("${a", 0), ("${a!s}", 0), ("$$ ${a} $", 8),
        ("${}", 0), ("${a.b}", 0), ("${ a}", 0), ("$$$", 2),
        ("$$", None), ("${a}$$${b!r}", None), ("no dollar", None),
    ],
)  # fmt: skip
def test_a_dollar_that_begins_nothing_is_found(template, index):
    assert stray_dollar(template) == index
