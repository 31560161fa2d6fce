from __future__ import annotations

import pytest

from doctor.errors import SourceError
from doctor.evidence import LogProbe, log_facts
from doctor.model.evidence import Fact, FactField, FactKind, Gap
from doctor.model.rule import Signature
from doctor.model.system import Run, System
from doctor.rulebook.signatures import SignatureSet
from tests.support.ports import Lines, fields, in_memory


def signature(kind, pattern, **types):
    return Signature(kind, pattern, types, (), (), "s.yaml:1")


FAILURE = signature(
    "http.failure", r"GET (?P<endpoint>\S+) -> (?P<status>5\d\d)", endpoint="url_path", status="int"
)
STARTED = signature("run.started", r"run (?P<run>\S+) started", run="str")
ODD = signature("odd", r"odd thing")
SIGNATURES = (FAILURE, STARTED, ODD)
KINDS = tuple(FactKind(one.kind, "x", (FactField("run"),)) for one in SIGNATURES)


def seen(*logs, run="r1", prefix="/runs/"):
    probe = LogProbe(KINDS, SignatureSet(SIGNATURES))
    return list(probe.collect(System("x", logs=logs, run_prefix=prefix), Run(run)))


def test_a_line_becomes_a_fact_with_its_place():
    log = in_memory("a.log", "nothing", "GET http://h/runs/r1/phases?x=1 -> 500")
    assert seen(log) == [
        Fact(
            "http.failure",
            {"endpoint": "/runs/r1/phases", "status": 500, "run": "r1"},
            "log:a.log",
            None,
            2,
            2.0,
        )
    ]


@pytest.mark.parametrize(
    ("lines", "run", "prefix", "owners"),
    [
        (["run r1 started"], "r1", None, ["r1"]),
        (["run r2 started"], "r1", None, []),
        (["run r2 started"], None, None, ["r2"]),
        (["GET /runs/r1 -> 500"], "r1", None, ["r1"]),
        (["GET /jobs/r1/x -> 500"], "r1", "/runs/", ["r1"]),
        (["GET /runs/a%20b -> 500"], "a b", None, ["a b"]),
        (["GET /runs/r2 -> 500"], "r1", "/runs/", []),
        (["GET /runs/r2 -> 500"], None, "/runs/", ["r2"]),
        (["GET /runs/r2 -> 500"], "r1", None, ["r1 inherited"]),
        (["GET /health -> 500"], "r1", "/runs/", ["r1 inherited"]),
        (["odd thing"], "r1", None, ["r1 inherited"]),
        (["odd thing"], None, None, []),
        (["odd thing", "run r2 started"], "r1", None, []),
        (["odd thing", "run r2 started"], None, None, ["r2 inherited", "r2"]),
        (["odd thing", "run r2 started", "run r1 started"], "r1", None, ["r1 inherited", "r1"]),
        (["odd thing", "run r2 started", "run r1 started"], "r3", None, []),
        (["odd thing", "run r2 started", "run r1 started"], None, None, ["r2", "r1"]),
    ],
)
def test_a_fact_belongs_to_the_run_that_it_or_its_log_names(lines, run, prefix, owners):
    found = fields(seen(in_memory("a", *lines), run=run, prefix=prefix))
    assert [
        f"{one['run']}{' inherited' if one.get('run_inherited') else ''}" for one in found
    ] == owners


def test_each_log_speaks_for_itself():
    mine, others = in_memory("a", "odd thing"), in_memory("b", "odd thing", "run r2 started")
    assert [fact.source for fact in seen(mine, others) if isinstance(fact, Fact)] == ["log:a"]


def test_other_symptoms_know_how_many_calls_failed_after_them():
    failed = "GET /runs/r1 -> 500"
    log = in_memory("a", "odd thing", failed, failed, "odd thing", failed, "odd thing")
    found = [
        (fact.line, fact.fields.get("failures_after"))
        for fact in seen(log)
        if isinstance(fact, Fact)
    ]
    assert found == [(1, 3), (2, None), (3, None), (4, 1), (5, None), (6, 0)]


def test_a_log_that_breaks_off_keeps_what_was_read_and_is_a_gap():
    log = in_memory("a", "run r1 started", failing=SourceError("a was cut"))
    gap, fact = seen(log)
    assert gap == Gap("logs", "a was cut", ("http.failure", "run.started", "odd"))
    assert isinstance(fact, Fact)
    assert fact.fields == {"run": "r1", "failures_after": 0}


def test_more_symptoms_than_are_looked_at_are_a_gap(monkeypatch):
    monkeypatch.setattr(log_facts, "FACT_CAP", 2)
    gap, *facts = seen(in_memory("a", *["odd thing"] * 5))
    assert gap == Gap(
        "logs", "a holds more than 2 symptoms", ("http.failure", "run.started", "odd")
    )
    assert len(facts) == 2


def test_logs_and_reports_are_read_once():
    log, report = Lines("a", "GET /x/y -> 500"), Lines("b", "run r1 started")
    probe = LogProbe(KINDS, SignatureSet(SIGNATURES))
    system = System("x", logs=(log,), reports=(report,))
    assert probe.paths([log, report]) == {"/x/y"}
    assert len(list(probe.collect(system, Run("r1")))) == 2
    assert len(list(probe.collect(system, Run(None)))) == 1
    assert (log.read, report.read) == (1, 1)


def test_without_signatures_there_are_no_facts():
    probe = LogProbe((), SignatureSet(()))
    assert list(probe.collect(System("x", logs=(in_memory("a", "odd thing"),)), Run("r1"))) == []


def test_a_run_that_is_captured_as_another_type_is_no_owner():
    number = signature("run.number", r"run (?P<run>\d+) ended", run="int")
    kinds = (FactKind("run.number", "x", ()),)
    probe = LogProbe(kinds, SignatureSet((number,)))
    system = System("x", logs=(in_memory("a", "run 7 ended"),))
    (fact,) = probe.collect(system, Run("7"))
    assert isinstance(fact, Fact)
    assert fact.fields["run"] == "7"
