"""Whole rules, and every way in which a rule can be wrong, with the place of each mistake."""

import textwrap
from datetime import timedelta

import pytest

from doctor.errors import RuleError
from doctor.model.evidence import Fact, Gap, Value
from doctor.model.rule import (
    And,
    BlastRadius,
    CountOf,
    ExceptionList,
    Expected,
    Explanation,
    FieldTest,
    Limits,
    Name,
    Not,
    OnceWithin,
    Or,
    Remedy,
    Rule,
    RuleTest,
    Select,
    Verify,
)
from doctor.model.tier import Tier
from doctor.rulebook import RuleSource, load_rulebook

EVERYTHING = """\
format: doctor/1
rule: db.run-state-not-in-enum
code: DB001
revision: 3
title: A run's state is not a member of the code's enum
status: stable
level: high
owner: team-executor
retryable: false
needs: [database.invalid_value, http.failure]
match:
  bad_value: {kind: database.invalid_value, role: run, known: true, share|lt: 0.5}
  failing: {kind: http.failure, status|gte: 500, method|in: [GET, 'PUT'], body|exists: false}
  failing_twice: {count_of: failing, group_by: [run, endpoint], within: 10m, gte: 2}
  other: {kind: http.failure, code: "012", word: NO}
  condition: bad_value and not (other or all of failing*)
    or 1 of fail*
join: [run]
explains: [http.repeated-5xx, executor.retry-storm]
confirm: {probe: database.invalid_value}
diagnosis:
  cause: enum_drift
  message: "run ${run}: ${value!r} costs $$5"
  hint: "map ${value!r}"
  subject: bad_value
remedies:
  - id: set-mapped-value
    fixer: database.set_value
    tier: SAFE
    expect: {rows: 1, columns: [state]}
    verify: [{rerun: confirm, expect: clear}, {probe: api.get_run, expect: {status: 200}}]
    on_verify_fail: undo_then_next
    timeout: 60s
  - {id: ask, fixer: ask.human, tier: ADVISE}
limits:
  cost: 2
  once_within: {period: 30m, group_by: [run, value]}
  blast_radius: {rows: 5, window: 1h}
exceptions:
  known_future_value: {selection: bad_value, fields: [share, role], values: [[0.5, run]]}
  nothing_yet: {selection: failing, fields: [status]}
explanation: {what: a value, why: a reason, fix_safety: a promise, references: ["https://a.b/c"]}
tests:
  - name: seen
    given:
      facts:
        - {kind: database.invalid_value, run: r1, share: 0.25, valid: [A, 1, NO], at: 5}
        - {kind: http.failure, run: r1, status: 500, source: a.log, times: 3, every: 30s, at: 1m}
        - {kind: http.failure, run: r1, extra: {a: 1, b: null}, times: 2}
    expect: {verdict: match, remedy: set-mapped-value}
  - name: not seen
    given: {}
    expect: {verdict: no_match}
  - name: nobody knows
    given: {gaps: [{probe: database, reason: it is down, kinds: [database.invalid_value]}]}
    expect: {verdict: unknown}
"""


def load(text):
    """Load a text beside two plain rules that others may explain."""
    return load_rulebook([RuleSource("test", (("r.yaml", text), ("others.yaml", OTHERS)))])


def problems(text):
    with pytest.raises(RuleError) as caught:
        load(text)
    found = caught.value.problems
    return [(problem.location, problem.message, problem.hint) for problem in found]


def test_a_rule_with_every_feature_becomes_one_value():
    rule = load(EVERYTHING).rulebook.rules[0]
    storm: dict[str, Value] = {"run": "r1", "status": 500}
    extra: dict[str, Value] = {"run": "r1", "extra": {"a": 1, "b": None}}
    assert rule == Rule(
        id="db.run-state-not-in-enum",
        code="DB001",
        revision=3,
        title="A run's state is not a member of the code's enum",
        status="stable",
        level="high",
        owner="team-executor",
        retryable=False,
        needs=("database.invalid_value", "http.failure"),
        selections={
            "bad_value": Select(
                "bad_value",
                "database.invalid_value",
                (
                    FieldTest("role", "eq", "run"),
                    FieldTest("known", "eq", value=True),
                    FieldTest("share", "lt", 0.5),
                ),
            ),
            "failing": Select(
                "failing",
                "http.failure",
                (
                    FieldTest("status", "gte", 500),
                    FieldTest("method", "in", ("GET", "PUT")),
                    FieldTest("body", "exists", value=False),
                ),
            ),
            "failing_twice": CountOf(
                "failing_twice", "failing", ("run", "endpoint"), timedelta(minutes=10), 2
            ),
            "other": Select(
                "other",
                "http.failure",
                (FieldTest("code", "eq", "012"), FieldTest("word", "eq", "NO")),
            ),
        },
        condition=Or(
            (
                And(
                    (
                        Name("bad_value"),
                        Not(Or((Name("other"), And((Name("failing"), Name("failing_twice")))))),
                    )
                ),
                Or((Name("failing"), Name("failing_twice"))),
            )
        ),
        join=("run",),
        explains=("http.repeated-5xx", "executor.retry-storm"),
        confirm="database.invalid_value",
        cause="enum_drift",
        subject="bad_value",
        message="run ${run}: ${value!r} costs $$5",
        hint="map ${value!r}",
        remedies=(
            Remedy(
                "set-mapped-value",
                "database.set_value",
                Tier.SAFE,
                (Verify("confirm"), Verify("api.get_run", 200)),
                Expected(1, ("state",)),
                "undo_then_next",
                timedelta(seconds=60),
            ),
            Remedy("ask", "ask.human", Tier.ADVISE),
        ),
        limits=Limits(
            2,
            OnceWithin(timedelta(minutes=30), ("run", "value")),
            BlastRadius(5, timedelta(hours=1)),
        ),
        explanation=Explanation("a value", "a reason", "a promise", ("https://a.b/c",)),
        tests=(
            RuleTest(
                "seen",
                (
                    Fact(
                        "database.invalid_value",
                        {"run": "r1", "share": 0.25, "valid": ("A", "1", "NO")},
                        "test",
                        order=5.0,
                    ),
                    Fact("http.failure", storm, "a.log", order=60.0),
                    Fact("http.failure", storm, "a.log", order=90.0),
                    Fact("http.failure", storm, "a.log", order=120.0),
                    Fact("http.failure", extra, "test"),
                    Fact("http.failure", extra, "test"),
                ),
                (),
                "match",
                "set-mapped-value",
            ),
            RuleTest("not seen", (), (), "no_match"),
            RuleTest(
                "nobody knows",
                (),
                (Gap("database", "it is down", ("database.invalid_value",)),),
                "unknown",
            ),
        ),
        origin="r.yaml:2",
        exceptions=(
            ExceptionList("known_future_value", "bad_value", ("share", "role"), ((0.5, "run"),)),
            ExceptionList("nothing_yet", "failing", ("status",)),
        ),
    )


def test_a_remedy_is_expected_only_after_a_match():
    text = EVERYTHING.replace(
        "expect: {verdict: no_match}", "expect: {verdict: no_match, remedy: ask}"
    )
    assert [message for _, message, _ in problems(text)] == ["a remedy goes with 'verdict: match'"]


SMALL = """\
format: doctor/1
rule: a.b
code: AB001
revision: 1
title: t
status: test
level: low
owner: o
retryable: unknown
match:
  x: {kind: k, f: 1}
  condition: x
diagnosis: {cause: c, message: m, hint: h}
explanation: {what: w, why: y}
"""
OTHERS = "---\n".join(
    SMALL.replace("a.b", name).replace("AB001", code)
    for name, code in (("http.repeated-5xx", "OT001"), ("executor.retry-storm", "OT002"))
)


def test_a_rule_may_leave_out_what_it_does_not_need():
    rule = load(SMALL).rulebook.rules[0]
    assert rule == Rule(
        id="a.b",
        code="AB001",
        revision=1,
        title="t",
        status="test",
        level="low",
        owner="o",
        retryable="unknown",
        needs=(),
        selections={"x": Select("x", "k", (FieldTest("f", "eq", 1),))},
        condition=Name("x"),
        join=(),
        explains=(),
        confirm=None,
        cause="c",
        subject=None,
        message="m",
        hint="h",
        remedies=(),
        limits=Limits(),
        explanation=Explanation("w", "y"),
        tests=(),
        origin="r.yaml:2",
    )


BAD_LINES = [
    # (line to replace, its replacement, place, message, hint)
    (
        "format: doctor/1",
        "format: doctor/2",
        "1:9",
        "the format 'doctor/2' is not known",
        "write 'format: doctor/1'",
    ),
    (
        "format: doctor/1",
        "format: [1]",
        "1:9",
        "the format this is not known",
        "write 'format: doctor/1'",
    ),
    (
        "rule: a.b",
        "rule: A b",
        "2:7",
        "rule id 'A b' must look like 'db.run-state-not-in-enum'",
        None,
    ),
    ("rule: a.b", "rule: 12", "2:7", "rule id must be text, not 12", "put it in quotes"),
    ("rule: a.b", "rule: ''", "2:7", "rule id must be text, not empty text", None),
    ("rule: a.b", "rule:", "2:6", "rule id must be text, not empty", None),
    ("rule: a.b", "rule: [a]", "2:7", "rule id must be text, not a list", None),
    ("code: AB001", "code: ab1", "3:7", "code 'ab1' must look like 'DB001'", None),
    (
        "revision: 1",
        "revision: 0",
        "4:11",
        "revision must be a whole number from 1 to 1000000, not 0",
        None,
    ),
    (
        "revision: 1",
        "revision: true",
        "4:11",
        "revision must be a whole number from 1 to 1000000, not True",
        None,
    ),
    (
        "revision: 1",
        "revision: 1.5",
        "4:11",
        "revision must be a whole number from 1 to 1000000, not 1.5",
        None,
    ),
    ("revision: 1", "revision: .inf", "4:11", "revision: '.inf' is not a finite number", None),
    (
        "revision: 1",
        "revison: 1",
        "4:1",
        "unknown key 'revison' in rule",
        "did you mean 'revision'?",
    ),
    (
        "status: test",
        "status: stabel",
        "6:9",
        "'stabel' is no valid status",
        "did you mean 'stable'?",
    ),
    (
        "status: test",
        "status: on",
        "6:9",
        "'on' is no valid status",
        "one of: experimental, test, stable, deprecated",
    ),
    ("level: low", "level: {}", "7:8", "level must be text, not a mapping", None),
    (
        "retryable: unknown",
        "retryable: maybe",
        "9:12",
        "'maybe' is no valid retryable",
        "one of: true, false, unknown",
    ),
    (
        "retryable: unknown",
        "retryable: yes",
        "9:12",
        "'yes' is no valid retryable",
        "one of: true, false, unknown",
    ),
    (
        "retryable: unknown",
        "retryable: [no]",
        "9:12",
        "retryable must be a single value, not a list",
        None,
    ),
    ("owner: o", "owner: o\nneeds: k", "9:8", "needs must be a list, not text", None),
    ("owner: o", "owner: o\nneeds: [k, k]", "9:12", "'k' stands twice in needs", None),
    (
        "owner: o",
        "owner: o\nneeds: [1]",
        "9:9",
        "an item of needs must be text, not 1",
        "put it in quotes",
    ),
    (
        "owner: o",
        "owner: o\nexceptions: []",
        "9:13",
        "exceptions must be a mapping, not a list",
        None,
    ),
    (
        "owner: o",
        "owner: o\nexceptions: {No: {selection: x, fields: [f]}}",
        "9:14",
        "'No' cannot name an exception",
        "use letters, digits and _, e.g. 'known_future_value'",
    ),
    (
        "owner: o",
        "owner: o\nexceptions: {known: {selection: y, fields: [f]}}",
        "9:33",
        "unknown selection 'y'",
        "one of: x",
    ),
    (
        "owner: o",
        "owner: o\nexceptions: {known: {selection: x, fields: []}}",
        "9:44",
        "an exception needs a field to compare",
        None,
    ),
    (
        "owner: o",
        "owner: o\nexceptions: {known: {selection: x, fields: [f], values: [[1, 2]]}}",
        "9:58",
        "a row of 2 values for 1 fields",
        None,
    ),
    (
        "owner: o",
        "owner: o\nexceptions: {known: {selection: x, fields: [f], values: [[null]]}}",
        "9:59",
        "a fact is never equal to null",
        None,
    ),
    ("owner: o", "owner: o\nconfirm: {prob: p}", "9:10", "confirm needs the key 'probe'", None),
    (
        "owner: o",
        "owner: o\nlimits: {cost: -1}",
        "9:16",
        "cost must be a whole number from 0 to 1000000, not -1",
        None,
    ),
    (
        "owner: o",
        "owner: o\nlimits: {once_within: 1}",
        "9:23",
        "once_within must be a mapping, not text",
        None,
    ),
    (
        "owner: o",
        "owner: o\nlimits: {once_within: {period: 30m, group_by: [runs]}}",
        "9:47",
        "a repair cannot be grouped by 'runs'",
        "did you mean 'run'?",
    ),
    (
        "owner: o",
        "owner: o\nlimits: {blast_radius: {rows: 0, window: 1h}}",
        "9:31",
        "rows must be a whole number from 1 to 1000000, not 0",
        None,
    ),
    (
        "owner: o",
        "owner: o\nlimits: {blast_radius: {rows: 1}}",
        "9:24",
        "blast_radius needs the key 'window'",
        None,
    ),
    ("  x: {kind: k, f: 1}", "  x: 5", "11:6", "selection 'x' must be a mapping, not text", None),
    ("  x: {kind: k, f: 1}", "  x: {f: 1}", "11:6", "selection 'x' needs the key 'kind'", None),
    (
        "  x: {kind: k, f: 1}",
        "  X: {kind: k}",
        "11:3",
        "'X' cannot name a selection",
        "use letters, digits and _, e.g. 'bad_value'",
    ),
    (
        "  x: {kind: k, f: 1}",
        "  not: {kind: k}",
        "11:3",
        "'not' cannot name a selection",
        "use letters, digits and _, e.g. 'bad_value'",
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f|get: 1}",
        "11:16",
        "unknown modifier 'get'",
        "did you mean 'gte'?",
    ),
    ("  x: {kind: k, f: 1}", "  x: {kind: k, '|in': [1]}", "11:16", "'|in' names no field", None),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f|in: 1}",
        "11:22",
        "f|in must be a list, not text",
        None,
    ),
    ("  x: {kind: k, f: 1}", "  x: {kind: k, f|in: []}", "11:22", "'f|in' holds no value", None),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f|gte: high}",
        "11:23",
        "'f|gte' must be a number, not 'high'",
        None,
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f|exists: yes}",
        "11:26",
        "'f|exists' must be true or false, not 'yes'",
        None,
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f: }",
        "11:19",
        "f is compared with null",
        "to ask for a missing field write 'field|exists: false'",
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f: .nan}",
        "11:19",
        "f: '.nan' is not a finite number",
        None,
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k, f: [1]}",
        "11:19",
        "f must be a single value, not a list",
        None,
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k}\n  y: {kind: k}",
        "12:3",
        "selection 'y' is not used",
        None,
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {kind: k}\n  n: {count_of: x, group_by: [], within: soon, gte: 2}",
        "12:42",
        "within must be a duration, not 'soon'",
        "for example 500ms, 30s, 10m, 2h or 7d",
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {count_of: z, group_by: [], within: 1s, gte: 2}\n  zz: {kind: k}",
        "11:17",
        "unknown selection 'z'",
        "did you mean 'zz'?",
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {count_of: x, group_by: [], within: 1s, gte: 2}",
        "11:17",
        "'x' is itself a count",
        None,
    ),
    (
        "  x: {kind: k, f: 1}",
        "  x: {count_of: z, group_by: [], within: 1s, gte: 0}\n  z: {kind: k}",
        "11:51",
        "gte must be a whole number from 1 to 1000000, not 0",
        None,
    ),
    ("  condition: x", "  condition: xx", "12:14", "unknown selection 'xx'", "did you mean 'x'?"),
    ("  condition: x", "  condition: 'x and (x'", "12:23", "expected ')'", None),
    ("  condition: x", "  condition: x and", "12:19", "expected a selection, not the end", None),
    (
        "  condition: x",
        "  condition: not x",
        "12:14",
        "the condition can hold when nothing was observed",
        "every alternative needs a selection that is not under 'not'",
    ),
    (
        "  condition: x",
        "  condition: x or not x",
        "12:14",
        "the condition can hold when nothing was observed",
        "every alternative needs a selection that is not under 'not'",
    ),
    (
        "  condition: x",
        "  condition: 1",
        "12:14",
        "condition must be text, not 1",
        "put it in quotes",
    ),
    (
        "  condition: x",
        "  condition: >-\n    x\n    nor x",
        "12:14",
        "expected 'and' or 'or' before 'nor'",
        None,
    ),
    (
        "  condition: x",
        "  condition: 1 of y*",
        "12:19",
        "the pattern 'y*' fits no selection",
        "one of: x",
    ),
    (
        "diagnosis:",
        "diagnosis: {cause: C c, message: m, hint: h}\n#",
        "13:20",
        "cause 'C c' must look like 'enum_drift'",
        None,
    ),
    (
        "diagnosis:",
        "diagnosis: {cause: c, message: 'a ${B}', hint: h}\n#",
        "13:35",
        "'$' in message begins neither '${name}' nor '${name!r}'",
        "write '$$' for a dollar sign",
    ),
    (
        "diagnosis:",
        "diagnosis: {cause: c, message: m, hint: h, subject: y}\n#",
        "13:53",
        "subject 'y' is no selection that the condition asks for",
        "one of: x",
    ),
    (
        "diagnosis:",
        "diagnosis: {cause: c, message: m}\n#",
        "13:12",
        "diagnosis needs the key 'hint'",
        None,
    ),
    (
        "explanation:",
        "explanation: {what: w, why: y, fix-safety: z}\n#",
        "14:32",
        "unknown key 'fix-safety' in explanation",
        "did you mean 'fix_safety'?",
    ),
    (
        "explanation:",
        "explanation: [w]\n#",
        "14:14",
        "explanation must be a mapping, not a list",
        None,
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"), BAD_LINES, ids=[line[3] for line in BAD_LINES]
)
def test_a_wrong_line_is_named_with_its_place(old, new, place, message, hint):
    assert old in SMALL
    found = problems(SMALL.replace(old, new, 1))
    assert (f"r.yaml:{place}", message, hint) in found
    assert len(found) <= 2


BAD_TAILS = [
    # (what stands after the rule, place, message, hint)
    ("remedies: {}", "15:11", "remedies must be a list, not a mapping", None),
    ("remedies: [x]", "15:12", "a remedy must be a mapping, not text", None),
    (
        "remedies: [{id: a, fixer: f, tier: SAVE}]",
        "15:36",
        "'SAVE' is no valid tier",
        "did you mean 'SAFE'?",
    ),
    ("remedies: [{id: a, fixer: f}]", "15:12", "a remedy needs the key 'tier'", None),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, timeout: soon}]",
        "15:51",
        "timeout must be a duration, not 'soon'",
        "for example 500ms, 30s, 10m, 2h or 7d",
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, on_verify_fail: undo}]",
        "15:58",
        "'undo' is no valid on_verify_fail",
        "one of: undo_then_ask, undo_then_next",
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, on_verify_fail: undo_then_next}]",
        "15:58",
        "there is no remedy after 'a' to go on with",
        "write 'undo_then_ask'",
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, expect: {rows: 0}}]",
        "15:57",
        "rows must be a whole number from 1 to 1000000, not 0",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, expect: {cols: [a]}}]",
        "15:51",
        "unknown key 'cols' in expect",
        "did you mean 'columns'?",
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE}, {id: a, fixer: g, tier: SAFE}]",
        "15:43",
        "two remedies are called 'a'",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{rerun: confirm, expect: clear}]}]",
        "15:59",
        "'rerun: confirm' in a rule without 'confirm'",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{rerun: confrim, expect: clear}]}]",
        "15:59",
        "'confrim' is no valid rerun",
        "did you mean 'confirm'?",
    ),
    (
        (
            "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{rerun: confirm, probe: p, "
            "expect: clear}]}]"
        ),
        "15:51",
        "verify needs 'rerun' or 'probe', not both",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{expect: clear}]}]",
        "15:51",
        "verify needs 'rerun: confirm' or 'probe: NAME'",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{probe: p}]}]",
        "15:51",
        "verify needs the key 'expect'",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{probe: p, expect: clean}]}]",
        "15:70",
        "'clean' is no valid expect",
        "did you mean 'clear'?",
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [{probe: p, expect: {status: 42}}]}]",
        "15:79",
        "status must be a whole number from 100 to 599, not 42",
        None,
    ),
    (
        "remedies: [{id: a, fixer: f, tier: SAFE, verify: [7]}]",
        "15:51",
        "verify must be a mapping, not text",
        None,
    ),
    (
        "tests: [{name: n, given: {}, expect: {verdict: matches}}]",
        "15:48",
        "'matches' is no valid verdict",
        "did you mean 'match'?",
    ),
    (
        "tests: [{name: n, given: {}, expect: {verdict: match, remedy: r}}]",
        "15:63",
        "'r' is no valid remedy",
        None,
    ),
    ("tests: [{name: n, expect: {verdict: match}}]", "15:9", "a test needs the key 'given'", None),
    (
        "tests: [{name: n, given: {fact: []}, expect: {verdict: match}}]",
        "15:27",
        "unknown key 'fact' in given",
        "did you mean 'facts'?",
    ),
    (
        "tests: [{name: n, given: {facts: [{f: 1}]}, expect: {verdict: match}}]",
        "15:35",
        "a fact needs the key 'kind'",
        None,
    ),
    (
        "tests: [{name: n, given: {facts: [{kind: k, times: 0}]}, expect: {verdict: match}}]",
        "15:52",
        "times must be a whole number from 1 to 10000, not 0",
        None,
    ),
    (
        "tests: [{name: n, given: {facts: [{kind: k, every: 5s}]}, expect: {verdict: match}}]",
        "15:52",
        "'every' has no meaning without 'times'",
        None,
    ),
    (
        (
            "tests: [{name: n, given: {facts: [{kind: k, times: 2, every: 5}]}, "
            "expect: {verdict: match}}]"
        ),
        "15:62",
        "every must be a duration, not 5",
        "for example 500ms, 30s, 10m, 2h or 7d",
    ),
    (
        "tests: [{name: n, given: {facts: [{kind: k, at: -1}]}, expect: {verdict: match}}]",
        "15:49",
        "at must be seconds from 0 to 315360000",
        None,
    ),
    (
        "tests: [{name: n, given: {facts: [{kind: k, l: [[1]]}]}, expect: {verdict: match}}]",
        "15:49",
        "an item of 'l' must be text, not a list",
        None,
    ),
    (
        (
            "tests: [{name: n, given: {facts: [{kind: k, l: [a, ]}]}, expect: {verdict: match}}, "
            "{name: n, given: {}, expect: {verdict: match}}]"
        ),
        "15:85",
        "two tests are called 'n'",
        None,
    ),
    (
        "tests: [{name: n, given: {gaps: [{probe: p, reason: r}]}, expect: {verdict: unknown}}]",
        "15:34",
        "a gap needs the key 'kinds'",
        None,
    ),
    (
        (
            "tests: [{name: n, given: {facts: [{kind: k, times: 10000}, {kind: k, times: 10000}, "
            "{kind: k}]}, expect: {verdict: match}}]"
        ),
        "15:85",
        "more than 20000 facts in one test",
        None,
    ),
    (
        "explains: [nothing.known]",
        "15:12",
        "explains names the unknown rule 'nothing.known'",
        "one of: a.b, http.repeated-5xx, executor.retry-storm",
    ),
    ("explains: [a.b]", "15:11", "rules explain each other: a.b -> a.b", None),
]


@pytest.mark.parametrize(
    ("tail", "place", "message", "hint"), BAD_TAILS, ids=[line[2] for line in BAD_TAILS]
)
def test_a_wrong_remedy_or_test_is_named_with_its_place(tail, place, message, hint):
    assert problems(SMALL + tail + "\n") == [(f"r.yaml:{place}", message, hint)]


@pytest.mark.parametrize(
    "key",
    [
        "code",
        "revision",
        "title",
        "status",
        "level",
        "owner",
        "retryable",
        "match",
        "diagnosis",
        "explanation",
    ],
)
def test_a_missing_key_is_named(key):
    text = textwrap.dedent(SMALL)
    start = text.index(f"\n{key}:") + 1
    end = next(
        (n + 1 for n in range(start, len(text) - 1) if text[n] == "\n" and text[n + 1] != " "),
        len(text),
    )
    assert problems(text[:start] + text[end:]) == [
        ("r.yaml:1:1", f"rule needs the key {key!r}", None)
    ]


def test_too_many_selections_are_refused():
    names = [f"x{n}" for n in range(65)]
    selections = "\n".join(f"  {name}: {{kind: k}}" for name in names)
    text = SMALL.replace("  x: {kind: k, f: 1}", selections).replace(": x\n", ": 1 of x*\n")
    assert problems(text) == [("r.yaml:11:3", "more than 64 selections in one rule", None)]


def test_all_mistakes_of_all_files_come_at_once():
    one = SMALL.replace("level: low", "level: lo").replace("owner: o", "ower: o")
    other = "format: doctor/1\nmapping: x\n"
    with pytest.raises(RuleError) as caught:
        load_rulebook([RuleSource("a", (("1.yaml", one),)), RuleSource("b", (("2.yaml", other),))])
    assert [str(problem) for problem in caught.value.problems] == [
        "1.yaml:7:8: 'lo' is no valid level",
        "1.yaml:1:1: rule needs the key 'owner'",
        "1.yaml:8:1: unknown key 'ower' in rule",
        "2.yaml:2:10: mapping 'x' must look like 'runs.state'",
        "2.yaml:1:1: mapping needs the key 'owner'",
        "2.yaml:1:1: mapping needs the key 'reason'",
        "2.yaml:1:1: mapping needs the key 'values'",
    ]
    assert str(caught.value) == "1.yaml:7:8: 'lo' is no valid level (and 6 more)"
    assert {problem.code for problem in caught.value.problems} == {"D002"}
