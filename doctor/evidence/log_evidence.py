"""The evidence of one log on its own, as if it were all that is known of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from doctor.evidence.log_facts import LogProbe
from doctor.model.evidence import Evidence, Fact, FactKind, Gap
from doctor.model.rule import Signature
from doctor.rulebook.signatures import SignatureSet
from doctor.system.logs import FileLog


def log_evidence(
    path: Path, kinds: Iterable[FactKind], signatures: Iterable[Signature]
) -> Evidence:
    """Return the facts of a log; those that name no run get the log's name as theirs."""
    known = LogProbe(tuple(kinds), SignatureSet(tuple(signatures))).read(FileLog(path))
    facts = tuple(_with_run(one, path.name) for one in known if isinstance(one, Fact))
    return Evidence(facts, tuple(one for one in known if isinstance(one, Gap)))


def _with_run(fact: Fact, run: str) -> Fact:
    fields = {"run": run, **fact.fields}
    return Fact(fact.kind, fields, fact.source, fact.at, fact.line, fact.order)
