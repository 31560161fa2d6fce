"""Counts facts for reports: one entry per kind and source, never merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from doctor.model.diagnosis import EvidenceEntry
from doctor.model.evidence import Fact, Value

SUMMARY = 160
_HIDDEN = {"blast", "copy", "copy_at", "run", "key", "valid", "elsewhere", "run_inherited"}


def evidence_entries(facts: Iterable[Fact]) -> tuple[EvidenceEntry, ...]:
    """Return the facts grouped by kind and source in the order in which they first appear."""
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        groups.setdefault((fact.kind, fact.source), []).append(fact)
    return tuple(_entry(kind, source, many) for (kind, source), many in groups.items())


def _entry(kind: str, source: str, facts: list[Fact]) -> EvidenceEntry:
    moments = [fact.at for fact in facts if fact.at is not None]
    return EvidenceEntry(
        kind,
        source,
        len(facts),
        _when(min(moments, default=None)),
        _when(max(moments, default=None)),
        _summary(facts[0].fields),
    )


def _when(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _summary(fields: Mapping[str, Value]) -> str:
    parts = [f"{name}={value!s}" for name, value in fields.items() if name not in _HIDDEN]
    text = " ".join(parts)
    return text if len(text) <= SUMMARY else text[: SUMMARY - 1] + "…"
