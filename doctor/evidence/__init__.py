"""Collects evidence: runs the probes, reads the logs, and keeps what failed as Gaps."""

from doctor.evidence.collect import collect_evidence
from doctor.evidence.entries import evidence_entries
from doctor.evidence.log_facts import LogProbe
from doctor.evidence.report_facts import report_facts

__all__ = ["LogProbe", "collect_evidence", "evidence_entries", "report_facts"]
