"""The symptom of a signature: what a line is a sign of."""

from __future__ import annotations

import pytest

from doctor.errors import RuleError
from doctor.model.rule import Symptom
from doctor.rulebook import RuleSource, load_rulebook

HEAD = "format: doctor/1\nsignatures:\n  - kind: a.b\n    pattern: x\n    fields: {}\n"


def symptom(text):
    source = RuleSource("s", (("s.yaml", f"{HEAD}    symptom: {text}\n"),))
    return load_rulebook([source]).rulebook.signatures[0].symptom


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{class: disk_full}", Symptom("disk_full")),
        ("{class: disk_full, retryable: false}", Symptom("disk_full", retryable=False)),
        ("{class: slow, retryable: true, wait: 90s}", Symptom("slow", False, True, 90.0)),
        ("{class: x, noise: true, retryable: unknown}", Symptom("x", noise=True)),
    ],
)
def test_a_symptom_has_a_class_and_says_whether_retrying_helps(text, expected):
    assert symptom(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{class: Disk-Full}", "class 'Disk-Full' must look like 'llm_rate_limited'"),
        ("{noise: true}", "class"),
        ("{class: x, retryable: maybe}", "'maybe' is no valid retryable"),
        ("{class: x, noise: 1}", "noise must be true or false, not 1"),
        ("{class: x, wait: 60s}", "'wait' goes with 'retryable: true'"),
        ("{class: x, retryable: true, wait: soon}", "wait must be a duration, not 'soon'"),
        ("{class: x, colour: red}", "colour"),
    ],
)
def test_a_wrong_symptom_is_refused_where_it_stands(text, message):
    with pytest.raises(RuleError) as caught:
        symptom(text)
    assert any(message in one.message for one in caught.value.problems)
    assert all(str(one.location).startswith("s.yaml:6:") for one in caught.value.problems)
