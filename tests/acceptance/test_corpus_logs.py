"""The built-in pack on real logs: what it finds, what it must not find, whether retrying helps."""

from __future__ import annotations

import json

import pytest

from tests.support.paths import CORPUS
from tests.support.scoring import Reader, built_in_book, read_labels, score, table

LOGS = CORPUS / "logs"
REPORTS = CORPUS / "error_reports"
ABSENT = f"the shared corpus is not at {CORPUS}"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not LOGS.is_dir(), reason=ABSENT),
]


@pytest.fixture(scope="module")
def scored():
    return score()


@pytest.mark.slow
def test_nine_of_ten_labelled_symptoms_are_found_and_little_else(scored, figure):
    figures = table(scored)
    figure(figures.splitlines()[-1])
    assert scored.recall >= 0.95, figures
    assert scored.precision >= 0.95, figures


def test_retrying_is_judged_as_labelled_and_never_advised_against_a_label(scored):
    assert scored.agreement >= 0.95, scored.differing
    assert scored.wrong_yes == ()


def test_logs_without_a_failure_yield_no_finding(scored):
    assert len(read_labels().healthy) == 14
    assert scored.ill == {}


def test_attempts_of_the_incident_are_counted_one_by_one():
    reading = Reader(built_in_book()).read(LOGS / "build127-v2.log")
    counted = {
        name: len(reading.lines[name])
        for name in ("api_get_run_5xx", "api_connection_dropped", "api_fetch_run_5xx_final")
    }
    assert counted == {
        "api_get_run_5xx": 325,
        "api_connection_dropped": 11,
        "api_fetch_run_5xx_final": 83,
    }


def test_error_reports_get_their_class_and_only_the_lost_connection_is_retryable():
    reader = Reader(built_in_book())
    text = (REPORTS / "labels.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    found = {row["file"]: reader.read(REPORTS / row["file"]) for row in rows}
    assert {name: dict(one.retryable) for name, one in found.items()} == {
        row["file"]: {row["symptom"]: row["symptom"] == "db_connection_lost"} for row in rows
    }
    assert all(one.diagnoses for one in found.values())
