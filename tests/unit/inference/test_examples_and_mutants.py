"""The examples inside rules, and changed rules that an example must notice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from doctor.errors import RuleError
from doctor.inference.examples import ExampleResult, failure_of, lint_rules, run_examples
from doctor.inference.mutation import mutants, surviving
from doctor.model.evidence import FactField, FactKind
from doctor.registry import Pack, Registry
from doctor.rulebook import RuleSource, load_rulebook
from doctor.rulebook.authoring import read_book

HEAD = """\
format: doctor/1
rule: a.b
code: AB001
revision: 1
title: t
status: stable
level: high
owner: o
retryable: false
diagnosis: {cause: c, message: m, hint: h}
explanation: {what: w, why: y}
"""
RULE = f"""{HEAD}
match:
  failing: {{kind: http.failure, status|gte: 500, final: true}}
  storm: {{count_of: failing, group_by: [], within: 10m, gte: 2}}
  fixed: {{kind: fix.done, at_all|exists: true}}
  condition: storm and not fixed
tests:
  - name: yes
    given: {{facts: [{{kind: http.failure, status: 500, final: true, times: 2, every: 1m}}]}}
    expect: {{verdict: match}}
"""
MORE = """\
  - name: once
    given: {facts: [{kind: http.failure, status: 500, final: true}]}
    expect: {verdict: no_match}
  - name: far apart
    given: {facts: [{kind: http.failure, status: 500, final: true, times: 2, every: 1h}]}
    expect: {verdict: no_match}
  - name: client errors
    given: {facts: [{kind: http.failure, status: 499, final: true, times: 2}]}
    expect: {verdict: no_match}
  - name: not final
    given: {facts: [{kind: http.failure, status: 500, final: false, times: 2}]}
    expect: {verdict: no_match}
  - name: fixed
    given:
      facts:
        - {kind: http.failure, status: 500, final: true, times: 2}
        - {kind: fix.done, at_all: 1}
    expect: {verdict: no_match}
  - name: perhaps fixed
    given:
      facts:
        - {kind: http.failure, status: 500, final: true, times: 2}
        - {kind: fix.done}
    expect: {verdict: match}
"""


def loaded(text):
    return load_rulebook([RuleSource("t", (("r.yaml", text),))])


def survivors(text):
    (one,) = loaded(text).rules
    return [(mutant.what, one.document.locate_key(*mutant.path)) for mutant in surviving(one.rule)]


def test_an_example_that_says_something_else_is_named_with_its_place():
    text = RULE.replace("verdict: match", "verdict: no_match") + MORE
    first, second, *_ = run_examples(loaded(text))
    assert first == ExampleResult("a.b", "yes", first.failure, "r.yaml:19:5")
    assert first.failure is not None
    assert first.failure.startswith("the verdict is 'match', not 'no_match': 'storm': 2 facts")
    assert second == ExampleResult("a.b", "once", None, "r.yaml:22:5")


def test_the_first_remedy_is_the_expected_one():
    text = f"""{HEAD}
match: {{x: {{kind: k}}, condition: x}}
remedies: [{{id: one, fixer: f, tier: ADVISE}}, {{id: two, fixer: f, tier: ADVISE}}]
tests:
  - {{name: right, given: {{facts: [{{kind: k}}]}}, expect: {{verdict: match, remedy: one}}}}
  - {{name: wrong, given: {{facts: [{{kind: k}}]}}, expect: {{verdict: match, remedy: two}}}}
"""
    rule = loaded(text).rules[0].rule
    told = [failure_of(rule, test) for test in rule.tests]
    assert told == [None, "the first remedy is 'one', not 'two'"]


def test_the_lines_of_signatures_are_examples_too():
    text = """\
format: doctor/1
signatures:
  - {kind: a.b, pattern: 'x(?P<n>[0-9])', fields: {n: int}, tests: [x1, y], silent: [z, x2]}
"""
    assert [(one.name, one.failure, one.location) for one in run_examples(loaded(text))] == [
        ("x1", None, "r.yaml:3:69"),
        ("y", "the pattern does not match its test line 'y'", "r.yaml:3:73"),
        ("z", None, "r.yaml:3:86"),
        ("x2", "the pattern matches 'x2', on which it should be silent", "r.yaml:3:89"),
    ]


def test_a_rule_whose_every_clause_is_needed_has_no_surviving_mutant():
    assert survivors(RULE + MORE) == []


def test_without_examples_every_mutant_survives():
    text = HEAD + "match: {x: {kind: k, a: 1, b|lt: 2}, y: {kind: l}, condition: x and not y}\n"
    assert survivors(text) == [
        ("the clause of y dropped", "r.yaml:12:52"),
        ("x: a dropped", "r.yaml:12:22"),
        ("x: b|lt dropped", "r.yaml:12:28"),
        ("x: b|lt flipped to gte", "r.yaml:12:28"),
    ]


@pytest.mark.parametrize(
    ("left_out", "survivor"),
    [
        ("far apart", "storm: within dropped"),
        ("client errors", "failing: status|gte dropped"),
        ("not final", "failing: final dropped"),
        ("fixed", "the clause of fixed dropped"),
        ("perhaps fixed", "fixed: at_all|exists dropped"),
    ],
)
def test_each_example_kills_a_mutant(left_out, survivor):
    head, *tests = MORE.split("  - name: ")
    kept = "".join(f"  - name: {one}" for one in tests if one.partition("\n")[0] != left_out)
    assert survivor in [what for what, _ in survivors(RULE + head + kept)]


def test_every_kind_of_clause_has_its_mutant():
    text = f"""{HEAD}
match:
  one: {{kind: k, a: x, b|in: [1], c|exists: false}}
  many: {{count_of: one, group_by: [], within: 1s, gte: 1}}
  two: {{kind: l}}
  condition: not (not one or two) or (many and two and one)
exceptions:
  known: {{selection: one, fields: [a], values: [[x]]}}
  empty: {{selection: one, fields: [a]}}
"""
    rule = loaded(text).rules[0].rule
    told = [one.what for one in mutants(rule)]
    assert told == [
        "the clause of one, two dropped",
        "the clause of one dropped",
        "the clause of two dropped",
        "the clause of many, two, one dropped",
        "the clause of many dropped",
        "the clause of two dropped",
        "the clause of one dropped",
        "one: a dropped",
        "one: b|in dropped",
        "one: c|exists dropped",
        "one: c|exists flipped to true",
        "many: gte 1 raised to 2",
        "exception known dropped",
    ]
    windows = [one.rule.selections["many"] for one in mutants(rule)]
    assert {one.within for one in windows} == {timedelta(seconds=1)}  # type: ignore[union-attr]


class Probe:
    name = "p"
    kinds = (FactKind("k", "t", (FactField("v", "int"),)),)


def test_lint_tells_conventions_failing_examples_and_old_overrides_at_once(tmp_path):
    text = f"""{HEAD}
match: {{x: {{kind: k}}, condition: x}}
tests:
  - {{name: wrong, given: {{}}, expect: {{verdict: match}}}}
---
format: doctor/1
override: a.b
expects_revision: 1
owner: o
reason: r
expires: 2020-01-01
replace: {{level: low}}
"""
    (tmp_path / "r.yaml").write_text(text)
    registry = Registry((Probe(),), (), (Pack("mine", tmp_path),), ())  # type: ignore[arg-type]
    _, problems, _ = lint_rules(registry, ())
    assert [(one.severity, one.location) for one in problems] == [
        ("error", "mine/r.yaml:15:3"),
        ("warning", "mine/r.yaml:18"),
        ("error", "mine/r.yaml:15:5"),
    ]


def test_a_condition_that_is_too_large_is_a_mistake_and_is_not_run(tmp_path):
    names = [f"x{n}" for n in range(9)]
    selections = "".join(f"  {name}: {{kind: k}}\n" for name in names)
    text = f"{HEAD}match:\n{selections}  condition: {' and '.join(names)}\n"
    text += "tests: [{name: n, given: {}, expect: {verdict: match}}]\n"
    (tmp_path / "r.yaml").write_text(text)
    registry = Registry((Probe(),), (), (Pack("mine", tmp_path),), ())  # type: ignore[arg-type]
    _, problems, rulebook = lint_rules(registry, ())
    assert any("more than 8 selections in one alternative" in one.message for one in problems)
    assert list(run_examples(rulebook)) == []


def test_what_cannot_be_read_is_told_before_anything_is_run(tmp_path):
    (tmp_path / "r.yaml").write_text("a: 1")
    registry = Registry((Probe(),), (), (Pack("mine", tmp_path),), ())  # type: ignore[arg-type]
    with pytest.raises(RuleError):
        read_book(registry)


def test_an_excepted_fact_is_in_no_selection_and_the_reason_says_so():
    text = f"""{HEAD}
match: {{x: {{kind: k, a: 1}}, y: {{kind: k}}, condition: x and y}}
exceptions:
  known: {{selection: x, fields: [a, b], values: [[1, z], [2, y]]}}
tests:
  - {{name: one, given: {{facts: [{{kind: k, a: 1, b: z}}]}}, expect: {{verdict: match}}}}
  - {{name: two, given: {{facts: [{{kind: k, a: 1, b: y}}]}}, expect: {{verdict: match}}}}
  - {{name: three, given: {{facts: [{{kind: k, a: 1}}]}}, expect: {{verdict: match}}}}
"""
    rule = loaded(text).rules[0].rule
    assert [failure_of(rule, test) for test in rule.tests] == [
        "the verdict is 'no_match', not 'match': 'x': 1 fact of kind k, none that is no exception",
        None,
        None,
    ]
