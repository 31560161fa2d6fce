from __future__ import annotations

from datetime import UTC, datetime

from doctor.evidence import evidence_entries
from doctor.model.diagnosis import EvidenceEntry
from doctor.model.evidence import Fact, Value


def at(second):
    return datetime(2026, 1, 2, 3, 4, second, tzinfo=UTC)


def test_facts_are_counted_by_kind_and_source_and_never_merged():
    facts = [
        Fact("http.failure", {"run": "r1", "status": 500}, "log:a", at(9)),
        Fact("http.failure", {"status": 502}, "log:b"),
        Fact("http.failure", {"status": 503}, "log:a", at(1)),
        Fact("api.get_run", {"status": 500}, "api"),
        Fact("http.failure", {"status": 504}, "log:a"),
    ]
    first, last = "2026-01-02T03:04:01+00:00", "2026-01-02T03:04:09+00:00"
    assert evidence_entries(facts) == (
        EvidenceEntry("http.failure", "log:a", 3, first, last, "status=500"),
        EvidenceEntry("http.failure", "log:b", 1, None, None, "status=502"),
        EvidenceEntry("api.get_run", "api", 1, None, None, "status=500"),
    )


def test_a_summary_leaves_out_what_is_shown_elsewhere_and_is_cut():
    hidden: dict[str, Value] = {
        "run": "r1",
        "key": {"id": 1},
        "valid": ("A",),
        "run_inherited": True,
    }
    (entry,) = evidence_entries([Fact("a", {**hidden, "value": "x" * 200}, "s")])
    assert entry.summary == f"value={'x' * 153}…"
    assert len(entry.summary) == 160
    (whole,) = evidence_entries([Fact("a", {"value": "x" * 154}, "s")])
    assert whole.summary == f"value={'x' * 154}"


def test_no_facts_are_no_entries():
    assert evidence_entries([]) == ()
