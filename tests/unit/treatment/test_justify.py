"""Only what a probe sees now, in exactly that cell, justifies a write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from doctor.evidence import LogProbe
from doctor.model.change import Plan, Seen, SetCells
from doctor.model.evidence import Fact, FactKind, Gap
from doctor.model.system import System
from doctor.model.tier import Tier
from doctor.rulebook.signatures import SignatureSet
from doctor.treatment.justify import unfounded, unjustified
from doctor.treatment.provenance import MOST_TOLD, evidence_of
from tests.support.plans import seen
from tests.unit.treatment.test_planning import sick

KIND = "database.invalid_value"
CHANGE = SetCells("runs", {"id": 7}, {"state": "READY"}, {"state": "DONE"})
PLAN = Plan("t", "r1", ("x@1/y",), (CHANGE,), Tier.SAFE, 1, evidence=seen(CHANGE))
FIELDS: dict[str, Any] = {"table": "runs", "column": "state", "key": {"id": 7}, "value": "READY"}
FACT = Fact(KIND, FIELDS, "database")


class Says:
    """A probe that says what the test wants."""

    name = "cells"
    kinds: tuple[FactKind, ...] = (FactKind(KIND, "", ()),)

    def __init__(self, *facts):
        self.facts = facts

    def collect(self, system, run):
        assert run.id == "r1"
        return self.facts


def look(*facts, plan=PLAN):
    return unjustified(plan, System("t"), [Says(*facts)])


def test_what_a_probe_sees_now_in_that_cell_justifies_the_change():
    assert look(FACT) is None
    assert look(Gap("cells", "another table"), FACT) is None


@pytest.mark.parametrize(
    "other",
    [
        *({"table": "jobs"}, {"column": "status"}, {"value": "READy"}, {"value": None}),
        *({"key": {"id": 8}}, {"key": {"id": "7"}}, {"key": {"id": 7, "n": 1}}, {"key": None}),
    ],
)
def test_what_is_seen_elsewhere_justifies_nothing(other):
    reason = look(Fact(KIND, {**FIELDS, **other}, "database"))
    assert reason == "no probe finds runs.state (id=7) sick any more"


@pytest.mark.parametrize(
    "fact",
    [
        replace(FACT, source="log:/x.log"),
        replace(FACT, source="report:/x.json"),
        replace(FACT, line=3),
    ],
)
def test_a_log_line_justifies_nothing_whatever_it_says(fact):
    assert look(fact) == "no probe finds runs.state (id=7) sick any more"


def test_a_gap_justifies_nothing():
    reason = look(Gap("cells", "the database is locked"))
    assert reason == "no probe finds runs.state (id=7) sick any more; the database is locked"


def test_every_column_of_a_change_needs_its_own_fact():
    wide = replace(CHANGE, expected={"state": "READY", "n": 1}, to={"state": "DONE", "n": 2})
    plan = replace(PLAN, changes=(wide,))
    assert look(FACT, plan=plan) == "no probe finds runs.state, n (id=7) sick any more"
    more = Fact(KIND, {**FIELDS, "column": "n", "value": 1}, "database")
    assert look(FACT, more, plan=plan) is None


@pytest.mark.parametrize("evidence", [(), (Seen("log.error", "log:/x.log", None, 3),)])
def test_a_plan_by_logs_alone_is_unfounded(evidence):
    plan = replace(PLAN, evidence=evidence)
    reason = "no probe saw what runs.state (id=7) holds: logs alone justify no change"
    assert (unfounded(plan), look(FACT, plan=plan)) == (reason, reason)
    assert unfounded(PLAN) is None


def test_the_log_probe_is_never_asked():
    probe = LogProbe((FactKind(KIND, "", ()),), SignatureSet(()))
    assert unjustified(PLAN, System("t"), [probe]) is not None


def test_evidence_leads_from_the_change_to_the_log_lines():
    at = datetime(2026, 1, 2, tzinfo=UTC)
    told = [Fact("http.failure", {}, "log:/x.log", at, line) for line in (12, 9, 30)]
    report = Fact("error.report", {}, "report:/e.json", at)
    one = replace(sick("runs", 7), facts=(FACT, *told, report))
    assert evidence_of([(CHANGE, one)]) == (
        Seen(KIND, "database", 0),
        Seen("http.failure", "log:/x.log", None, 9, at, 3),
        Seen("error.report", "report:/e.json", None, None, at, 1),
    )
    many = tuple(replace(report, source=f"report:/{number}") for number in range(99))
    assert len(evidence_of([(CHANGE, replace(one, facts=(FACT, *many)))])) == MOST_TOLD + 1


def test_the_hash_covers_what_justifies_and_not_what_only_tells():
    told = (*PLAN.evidence, Seen("http.failure", "log:/x.log", None, 9))
    assert replace(PLAN, evidence=told).hash == PLAN.hash
    assert replace(PLAN, evidence=()).hash != PLAN.hash
    assert replace(PLAN, evidence=seen(CHANGE, kind="other")).hash != PLAN.hash
