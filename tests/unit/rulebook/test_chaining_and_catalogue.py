"""Chains of diagnoses without cycles, and the catalogue of fact kinds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.model.evidence import FactField, FactKind
from doctor.model.rule import Explanation, FieldTest, Limits, Name, Rule, Select, Signature
from doctor.rulebook import build_catalogue, chaining_cycle
from doctor.rulebook.chaining import find_cycle

BASE = Rule(
    id="base",
    code="AB001",
    revision=1,
    title="t",
    status="stable",
    level="low",
    owner="o",
    retryable=False,
    needs=(),
    selections={"x": Select("x", "k")},
    condition=Name("x"),
    join=(),
    explains=(),
    confirm=None,
    cause="base_cause",
    subject=None,
    message="m",
    hint="h",
    remedies=(),
    limits=Limits(),
    explanation=Explanation("w", "y"),
    tests=(),
    origin="r.yaml:1",
)


def rule(name, *tests, kind="diagnosis"):
    selections = {"x": Select("x", kind, tests)} if tests or kind != "diagnosis" else {}
    return replace(BASE, id=name, cause=f"{name}_cause", selections=selections)


def on(field, *values):
    if len(values) == 1:
        return FieldTest(field, "eq", values[0])
    return FieldTest(field, "in", values)


@pytest.mark.parametrize(
    ("rules", "cycle"),
    [
        ([rule("a"), rule("b", on("cause", "a_cause")), rule("c", on("rule", "a", "b"))], None),
        ([rule("a", on("cause", "a_cause"))], ("a",)),
        ([rule("a", on("rule", "b")), rule("b", on("cause", "a_cause", "x"))], ("a", "b")),
        (
            [rule("z"), *(rule(one, on("rule", fed)) for one, fed in ("ac", "ba", "cb"))],
            ("a", "b", "c"),
        ),
        ([rule("a", on("run", "r1"))], ("a",)),
        ([rule("a", FieldTest("cause", "exists", value=True))], ("a",)),
        ([rule("a", on("level", "high"))], None),
        ([rule("a", on("level", "low"))], ("a",)),
        ([rule("a", on("code", "AB001"))], ("a",)),
        ([rule("a", on("cause", "a_cause"), kind="other")], None),
        ([], None),
    ],
)  # fmt: skip
def test_a_cycle_of_diagnoses_is_found(rules, cycle):
    assert chaining_cycle(rules) == cycle


NODES = st.integers(0, 7).map(str)


@given(st.dictionaries(NODES, st.lists(NODES, max_size=3), max_size=8))
def test_a_found_cycle_is_one_and_without_one_all_nodes_can_be_ordered(edges):
    cycle = find_cycle(edges)
    if cycle is not None:
        for one, following in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert following in edges[one]
        return
    waiting = dict(edges)
    while waiting:
        free = [one for one in waiting if not set(waiting[one]) & set(waiting)]
        assert free, "nothing can be first, so there was a cycle"
        for one in free:
            del waiting[one]


def test_a_long_chain_is_no_deep_recursion():
    edges = {str(number): [str(number + 1)] for number in range(50_000)}
    assert find_cycle(edges) is None
    assert len(find_cycle({**edges, "50000": ["0"]}) or ()) == 50_001


DIAGNOSIS = FactKind(
    "diagnosis",
    "what another rule has concluded",
    (
        FactField("rule"),
        FactField("cause"),
        FactField("code"),
        FactField("level"),
        FactField("run"),
    ),
)

AFTER = FactField("failures_after", "int", required=False)


def signature(kind, pattern, **fields):
    return Signature(kind, pattern, fields, (), (), "s.yaml:1")


def test_kinds_of_signatures_have_the_fields_of_all_and_always_a_run():
    catalogue = build_catalogue(
        (),
        [
            signature("http.failure", "(?P<status>.)(?P<path>.)?", status="int", path="url_path"),
            signature("http.failure", "(?P<status>.)(?P<path>.)", status="int", path="str"),
            signature("http.failure", "(?P<status>.)(?P<why>.)", status="int", why="str"),
            signature("log.note", "plain"),
            signature("log.run", "(?P<run>.)?", run="str"),
        ],
    )
    assert catalogue == {
        "http.failure": FactKind(
            "http.failure",
            "seen in a log",
            (
                FactField("status", "int"),
                FactField("path", "str", required=False),
                FactField("run"),
                AFTER,
                FactField("why", "str", required=False),
            ),
        ),
        "log.note": FactKind("log.note", "seen in a log", (FactField("run"), AFTER)),
        "log.run": FactKind("log.run", "seen in a log", (FactField("run"), AFTER)),
        "diagnosis": DIAGNOSIS,
    }


def test_a_kind_of_probes_and_signatures_requires_what_all_of_them_have():
    probe = FactKind(
        "http.failure", "seen by a probe", (FactField("status", "int"), FactField("n", "int"))
    )
    catalogue = build_catalogue([probe], [signature("http.failure", "(?P<status>.)", status="int")])
    assert catalogue["http.failure"] == FactKind(
        "http.failure",
        "seen by a probe",
        (
            FactField("status", "int"),
            FactField("n", "int", required=False),
            FactField("run", "str", required=False),
            AFTER,
        ),
    )


def test_a_probe_cannot_declare_what_a_diagnosis_is():
    catalogue = build_catalogue([FactKind("diagnosis", "mine", ())], ())
    assert catalogue == {"diagnosis": DIAGNOSIS}
