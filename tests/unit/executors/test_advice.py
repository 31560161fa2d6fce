"""What a reply may look like, and what follows from a diagnosis."""

from __future__ import annotations

import json

import pytest

from doctor.executors.advice import Advice, Receipt, advice_from_json, advice_to_json
from doctor.executors.verdict import examined, treated
from doctor.model.change import Decision, Outcome
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Evidence, Gap
from doctor.model.examination import Examination, Treatment


def test_a_reply_becomes_advice():
    data = {"action": "wait", "delay": 3, "reason": "r", "incident": "I-1", "cause": "c"}
    assert advice_from_json(data) == Advice("wait", 3.0, "r", "I-1", "c")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"action": "explode"},
        {"action": "wait", "delay": -1},
        {"action": "wait", "delay": True},
        {"action": "wait", "delay": "3"},
        {"action": "wait", "delay": float("nan")},
        {"action": "wait", "delay": 1e9},
        {"action": "stop", "reason": 5},
    ],
)
def test_any_other_reply_is_refused(data):
    with pytest.raises(ValueError, match="reply"):
        advice_from_json(data)


def finding(retryable):
    return Diagnosis("T1", "t", "high", "cause", retryable, None, "message", "hint")


def examination(*diagnoses, gaps=()):
    return Examination("r1", Evidence(gaps=tuple(gaps)), (), tuple(diagnoses))


@pytest.mark.parametrize(
    ("retryable", "action", "delay"),
    [(False, "stop", 0.0), (True, "wait", 30.0), ("unknown", "retry", 0.0)],
)
def test_whether_to_retry_follows_from_the_first_finding(retryable, action, delay):
    advice = examined(examination(finding(retryable), finding(False)))
    assert (advice.action, advice.delay, advice.cause) == (action, delay, "cause")


def test_without_a_finding_there_is_no_opinion():
    assert examined(examination()).action == "retry"
    assert "could be looked at" in examined(examination(gaps=[Gap("p", "r")])).reason


@pytest.mark.parametrize(
    ("status", "action"),
    [("asked", "asked"), ("refused", "stop"), ("undone", "stop"), ("undo_failed", "stop")],
)
def test_what_a_treatment_came_to_is_the_advice(status, action):
    treatment = Treatment(
        examination(finding(False)), status, 5, Decision("ask", "a human must"), "I-1"
    )
    assert treated(treatment) == Advice(action, 0.0, "message; a human must", "I-1", "cause")


def test_a_healed_run_is_retried_now():
    outcome = Outcome("F-1", "h", (), "applied", "clear", "it answers")
    treatment = Treatment(examination(finding(False)), "healed", 0, None, "I-1", None, (outcome,))
    assert treated(treatment) == Advice("fixed", 0.0, "it answers", "I-1", "cause")


def test_a_run_that_is_still_unknown_after_the_repair_is_no_reason_to_say_fixed():
    outcome = Outcome("F-1", "h", (), "applied", "could_not_run", "no answer")
    treatment = Treatment(examination(finding(False)), "unknown", 9, None, "I-1", None, (outcome,))
    assert treated(treatment).action == "stop"


def test_advice_survives_json():
    receipt = Receipt("why", ("this", "that"), 3, 1.5)
    for advice in (Advice("stop", 0.0, "r", "I-1", "c", receipt), Advice("wait", 2.0)):
        assert advice_from_json(json.loads(json.dumps(advice_to_json(advice)))) == advice
    assert Advice("asked").is_final
    assert not Advice("wait").is_final


@pytest.mark.parametrize(
    "receipt",
    [
        5,
        {},
        {"why": "w", "tried": "x", "calls": 1},
        {"why": 1, "tried": [], "calls": 1},
        {"why": "w", "tried": [], "calls": 1, "seconds": -1},
    ],
)
def test_a_receipt_that_is_none_is_refused(receipt):
    with pytest.raises(ValueError, match="reply"):
        advice_from_json({"action": "stop", "receipt": receipt})
