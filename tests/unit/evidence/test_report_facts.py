from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from doctor.errors import SourceError
from doctor.evidence import report_facts
from doctor.model.evidence import Fact, Gap
from doctor.model.system import Run, System
from tests.support.paths import CORPUS
from tests.support.ports import in_memory

KIND = "error.report"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def found(*logs, run="r1"):
    return list(report_facts(System("x", reports=logs), Run(run)))


def report(**fields):
    return in_memory("r.json", *json.dumps(fields, indent=1).splitlines())


WHOLE = {
    "error_type": "LookupError",
    "error_message": "'REDY' is not among",
    "run_id": "r1",
    "operation": "get_run",
    "timestamp": "2026-01-02T03:04:05+00:00",
}
FACT = Fact(
    KIND,
    {"message": "'REDY' is not among", "type": "LookupError", "run": "r1", "operation": "get_run"},
    "report:r.json",
    AT,
)


def test_a_report_in_json_is_one_fact():
    assert found(report(**WHOLE)) == [FACT]


def test_a_report_in_plain_text_is_the_same_fact():
    text = [
        "=" * 40,
        "Error Type: LookupError",
        "error message :  'REDY' is not among",
        "  RUN ID: r1",
        "Operation: get_run",
        "Timestamp: 2026-01-02T03:04:05+00:00",
        "Error Type: a later one does not count",
    ]
    assert found(in_memory("r.json", *text)) == [FACT]


@pytest.mark.parametrize(
    ("run", "owner", "seen"),
    [
        ("r1", "r1", "r1"),
        ("r1", "r2", None),
        ("r1", None, "r1"),
        (None, "r2", "r2"),
        (None, None, None),
    ],
)
def test_a_report_is_about_the_run_that_it_names_else_about_the_one_asked_about(run, owner, seen):
    facts = found(report(**{**WHOLE, "run_id": owner}), run=run)
    assert [fact.fields["run"] for fact in facts] == ([seen] if seen else [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "no report",
        '{"error_message": "x"}',
        '{"error_type": ""}',
        "{" * 100_000,
    ],
)
def test_what_is_no_report_is_passed_over(text):
    assert found(in_memory("r", text), report(**WHOLE)) == [FACT]


@pytest.mark.parametrize(
    "moment", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00", 5, None, [], {"a": 1}]
)
def test_a_time_that_is_none_is_left_out(moment):
    (fact,) = found(report(**{**WHOLE, "timestamp": moment}))
    assert fact == Fact(KIND, FACT.fields, FACT.source, fact.at)
    assert fact.at is None or moment == "0001-01-01T00:00:00"


def test_values_that_are_no_text_are_shown_as_text_and_cut():
    (fact,) = found(report(error_type=5, error_message="x" * 3000, operation=["a"]))
    assert fact.fields == {
        "message": "x" * 2000,
        "type": "5",
        "run": "r1",
        "operation": "['a']",
    }


def test_a_report_that_cannot_be_read_is_a_gap_and_hides_no_other():
    broken = in_memory("b", "{", failing=SourceError("b is not a text file"))
    assert found(broken, report(**WHOLE)) == [
        Gap("error_reports", "b is not a text file", (KIND,)),
        FACT,
    ]


@pytest.mark.parametrize("line", ["x", "x" * 65_536])
def test_of_a_huge_report_only_the_start_is_read(line):
    error = SourceError("read too far")
    huge = in_memory("h", "Error Type: E", *[line] * 20_000, failing=error)
    assert [fact.fields["type"] for fact in found(huge)] == ["E"]


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
def test_every_real_report_is_a_fact():
    from doctor.system.logs import FileLog

    paths = sorted((CORPUS / "error_reports").glob("*.txt"))
    facts = found(*[FileLog(path) for path in paths], run=None)
    kinds = [path.stem.rpartition("_")[2] for path in paths]
    assert len(paths) == 5
    assert [fact.fields["type"] for fact in facts if isinstance(fact, Fact)] == kinds
