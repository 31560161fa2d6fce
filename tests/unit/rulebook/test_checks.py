"""A rulebook against the facts, probes and fixers that exist, and against the conventions."""

import pytest

from doctor.errors import RuleError
from doctor.model.evidence import FactField, FactKind
from doctor.rulebook import Known, RuleSource, check_rulebook, load_rulebook
from doctor.rulebook.checks import has_type
from doctor.rulebook.lint import lint

CATALOGUE = {
    "db.bad": FactKind(
        "db.bad",
        "a bad value",
        (
            FactField("run"),
            FactField("role"),
            FactField("table"),
            FactField("value"),
            FactField("valid", "list", required=False),
            FactField("share", "float", required=False),
            FactField("known", "bool", required=False),
        ),
    ),
    "http.failure": FactKind(
        "http.failure",
        "a call failed",
        (
            FactField("run"),
            FactField("status", "int", required=False),
            FactField("endpoint", required=False),
            FactField("headers", "map", required=False),
        ),
    ),
}
PROBES = ("db.bad", "api.get_run")
FIXERS = ("database.set_value",)

GOOD = """\
format: doctor/1
rule: db.bad-value
code: DB001
revision: 1
title: t
status: stable
level: high
owner: o
retryable: false
needs: [db.bad]
match:
  bad: {kind: db.bad, role: run, share|lt: 1, known: true, value|in: [A, B]}
  failing: {kind: http.failure, status|gte: 500, headers|exists: true}
  storm: {count_of: failing, group_by: [run, endpoint], within: 1m, gte: 2}
  condition: bad and not storm
join: [run]
confirm: {probe: db.bad}
diagnosis: {cause: c, message: "${run} ${value!r} ${count}", hint: "$$ ${valid}"}
remedies:
  - id: set
    fixer: database.set_value
    tier: SAFE
    verify: [{rerun: confirm, expect: clear}, {probe: api.get_run, expect: {status: 200}}]
explanation: {what: w, why: y, fix_safety: s}
tests:
  - name: yes
    given:
      facts:
        - {kind: http.failure, run: r, times: 2}
        - {kind: db.bad, run: r, role: run, table: t, value: A, share: 1, valid: [A], known: true}
    expect: {verdict: match}
  - {name: "no", given: {}, expect: {verdict: no_match}}
  - {name: who knows, given: {gaps: [{probe: db.bad, reason: r, kinds: [db.bad]}]},
     expect: {verdict: unknown}}
"""


def load(*texts, builtin=False):
    files = tuple((f"r{number}.yaml", text) for number, text in enumerate(texts))
    return load_rulebook([RuleSource("test", files, builtin)])


def found(problems):
    return [(problem.location, problem.message, problem.hint) for problem in problems]


def check(text):
    return found(check_rulebook(load(text), Known(CATALOGUE, PROBES, FIXERS)))


def linted(text, *, builtin=False):
    return found(lint(load(text, builtin=builtin), Known(CATALOGUE, PROBES, FIXERS)))


def test_a_good_rule_has_no_problem():
    assert check(GOOD) == []
    assert linted(GOOD) == []
    assert linted(GOOD, builtin=True) == []


BAD = [
    (
        "needs: [db.bad]",
        "needs: [db.bda]",
        "10:9",
        "unknown fact kind 'db.bda'",
        "did you mean 'db.bad'?",
    ),
    (
        "kind: db.bad, role: run, s",
        "kind: other, s",
        "12:15",
        "unknown fact kind 'other'",
        "one of: db.bad, http.failure",
    ),
    (
        "role: run, s",
        "rolle: run, s",
        "12:23",
        "'db.bad' has no field 'rolle'",
        "did you mean 'role'?",
    ),
    (
        "status|gte",
        "state|gte",
        "13:33",
        "'http.failure' has no field 'state'",
        "did you mean 'status'?",
    ),
    ("role: run, s", "role: 1, s", "12:29", "field 'role' is a str, it never equals 1", None),
    (
        "role: run, s",
        "role|gte: 1, s",
        "12:33",
        "field 'role' is a str, which has no order: 'gte' does not apply",
        None,
    ),
    (
        "share|lt: 1",
        "valid: A",
        "12:41",
        "field 'valid' is a list, which can only be tested with 'exists'",
        None,
    ),
    ("known: true", "known: 1", "12:54", "field 'known' is a bool, it never equals 1", None),
    (
        "value|in: [A, B]",
        "value|in: [A, 1]",
        "12:70",
        "field 'value' is a str, it never equals 1",
        None,
    ),
    (
        "headers|exists: true",
        "headers: x",
        "13:59",
        "field 'headers' is a map, which can only be tested with 'exists'",
        None,
    ),
    (
        "group_by: [run, endpoint]",
        "group_by: [run, endpiont]",
        "14:46",
        "'http.failure' has no field 'endpiont'",
        "did you mean 'endpoint'?",
    ),
    ("join: [run]", "join: [rn]", "16:8", "'db.bad' has no field 'rn'", "did you mean 'run'?"),
    (
        "join: [run]",
        "join: [role]",
        "16:8",
        "'http.failure' has no field 'role'",
        "one of: run, status, endpoint, headers",
    ),
    (
        "join: [run]",
        "join: [share]",
        "16:8",
        "cannot join on 'share': it may be missing in 'db.bad'",
        None,
    ),
    (
        "confirm: {probe: db.bad}",
        "confirm: {probe: db.bda}",
        "17:18",
        "unknown probe 'db.bda'",
        "did you mean 'db.bad'?",
    ),
    (
        "${value!r}",
        "${valeu!r}",
        "18:32",
        "message asks for 'valeu', which no fact of the match has",
        "did you mean 'value'?",
    ),
    (
        "${valid}",
        "${status}",
        "18:68",
        "hint asks for 'status', which no fact of the match has",
        None,
    ),
    (
        "fixer: database.set_value",
        "fixer: database.set",
        "21:12",
        "unknown fixer 'database.set'",
        "did you mean 'database.set_value'?",
    ),
    (
        "{probe: api.get_run",
        "{probe: api.get",
        "23:55",
        "unknown probe 'api.get'",
        "did you mean 'api.get_run'?",
    ),
    (
        "{kind: http.failure, run: r, times: 2}",
        "{kind: http, run: r}",
        "29:18",
        "unknown fact kind 'http'",
        "one of: db.bad, http.failure",
    ),
    (
        "run: r, times: 2",
        "run: 1, times: 2",
        "29:37",
        "field 'run' of 'http.failure' is a str, not 1",
        "put it in quotes",
    ),
    (
        "run: r, times: 2",
        "run: r, status: '5'",
        "29:48",
        "field 'status' of 'http.failure' is a int, not '5'",
        None,
    ),
    (
        "run: r, times: 2",
        "run: r, satus: 5",
        "29:40",
        "'http.failure' has no field 'satus'",
        "did you mean 'status'?",
    ),
    ("table: t, value", "value", "30:11", "a fact of kind 'db.bad' needs the field 'table'", None),
    (
        "gaps: [{probe: db.bad",
        "gaps: [{probe: db",
        "33:46",
        "unknown probe 'db'",
        "one of: db.bad, api.get_run",
    ),
    (
        "kinds: [db.bad]",
        "kinds: [db.good]",
        "33:73",
        "unknown fact kind 'db.good'",
        "did you mean 'db.bad'?",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"), BAD, ids=[line[3] for line in BAD]
)
def test_a_name_or_type_that_does_not_fit_is_named_with_its_place(old, new, place, message, hint):
    assert old in GOOD
    problem = next(one for one in check(GOOD.replace(old, new, 1)) if one[0] == f"r0.yaml:{place}")
    assert problem[1] == message
    assert hint is None or problem[2] == hint


def test_a_required_field_of_an_odd_type_cannot_be_joined_on():
    kinds = {"k": FactKind("k", "t", (FactField("l", "list"),))}
    text = GOOD[: GOOD.index("match:")].replace("[db.bad]", "[k]") + (
        "match:\n  x: {kind: k}\n  condition: x\njoin: [l]\n"
        "diagnosis: {cause: c, message: m, hint: h}\nexplanation: {what: w, why: y}\n"
    )
    assert found(check_rulebook(load(text), Known(kinds, (), ()))) == [
        ("r0.yaml:14:8", "cannot join on 'l': it is a list in 'k'", None)
    ]


@pytest.mark.parametrize(
    ("value", "types"),
    [
        ("x", {"str"}),
        (1, {"int", "float"}),
        (1.5, {"float"}),
        (True, {"bool"}),
        (("a",), {"list"}),
        ({"a": 1}, {"map"}),
        (None, set()),
    ],
)
def test_a_value_has_the_types_that_it_can_stand_for(value, types):
    assert {
        one for one in ("str", "int", "float", "bool", "list", "map") if has_type(value, one)
    } == types


LINT = [
    (
        "confirm: {probe: db.bad}\n",
        "",
        "19:3",
        "a rule with a remedy above ADVISE needs a probe that confirms it",
        "add 'confirm: {probe: NAME}'",
    ),
    (
        ", fix_safety: s",
        "",
        "24:14",
        "a rule with a remedy above ADVISE needs 'fix_safety' in its explanation",
        None,
    ),
    (
        "verdict: match}",
        "verdict: unknown}",
        "26:3",
        "no test of the rule 'db.bad-value' expects 'match'",
        None,
    ),
    (
        "verdict: no_match",
        "verdict: match",
        "26:3",
        "no test of the rule 'db.bad-value' expects 'no_match'",
        None,
    ),
    (
        "verdict: unknown",
        "verdict: match",
        "26:3",
        "no test of the rule 'db.bad-value' expects 'unknown'",
        None,
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"), LINT, ids=[line[3] for line in LINT]
)
def test_a_convention_that_is_broken_is_named_with_its_place(old, new, place, message, hint):
    text = GOOD.replace("{rerun: confirm, expect: clear}, ", "")
    assert old in text
    assert linted(text.replace(old, new, 1)) == [(f"r0.yaml:{place}", message, hint)]


def test_a_rule_that_never_writes_needs_neither_probe_nor_unknown():
    text = (
        GOOD.replace("SAFE", "ADVISE")
        .replace(", fix_safety: s", "")
        .replace("confirm: {probe: db.bad}\n", "")
        .replace("{rerun: confirm, expect: clear}, ", "")
        .replace("verdict: unknown", "verdict: no_match")
    )
    assert linted(text) == []


@pytest.mark.parametrize(("test", "column"), [("table: t", 23), ("table|exists: true", 23)])
def test_built_in_rules_name_roles_never_tables(test, column):
    text = GOOD.replace("role: run, s", f"{test}, s")
    assert linted(text) == []
    assert linted(text, builtin=True) == [
        (f"r0.yaml:12:{column}", "a built-in rule names roles, never tables", "test 'role' instead")
    ]


def test_lint_names_the_examples_of_signatures_too():
    text = "format: doctor/1\nsignatures: [{kind: k, pattern: p, tests: [q]}]\n"
    assert linted(text) == [("r0.yaml:2:44", "the pattern does not match its test line 'q'", None)]


def test_an_id_or_code_that_is_used_twice_is_named_with_both_places():
    other = GOOD.replace("db.bad-value", "db.other")
    with pytest.raises(RuleError) as caught:
        load(GOOD, GOOD, other.replace("DB001", "DB002"), other)
    assert found(caught.value.problems) == [
        ("r1.yaml:2:7", "rule id 'db.bad-value' is already used at r0.yaml:2:7", None),
        ("r3.yaml:2:7", "rule id 'db.other' is already used at r2.yaml:2:7", None),
        ("r1.yaml:3:7", "code 'DB001' is already used at r0.yaml:3:7", None),
        ("r3.yaml:3:7", "code 'DB001' is already used at r0.yaml:3:7", None),
    ]


def test_rules_that_explain_each_other_are_refused():
    other = GOOD.replace("db.bad-value", "db.other").replace("DB001", "DB002")
    with pytest.raises(RuleError) as caught:
        load(GOOD + "explains: [db.other]\n", other + "explains: [db.bad-value]\n")
    assert found(caught.value.problems) == [
        (
            "r0.yaml:35:11",
            "rules explain each other: db.bad-value -> db.other -> db.bad-value",
            None,
        )
    ]


def test_rules_that_wait_for_each_other_are_refused():
    chain = GOOD.replace("kind: db.bad, role: run, s", "kind: diagnosis, cause: c, s")
    with pytest.raises(RuleError) as caught:
        load(chain)
    assert found(caught.value.problems) == [
        (
            "r0.yaml:12:3",
            "rules wait for each other's diagnosis: db.bad-value -> db.bad-value",
            None,
        )
    ]
