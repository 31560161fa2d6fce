"""What a rule says about the evidence, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from doctor.model.evidence import Fact

Result = Literal["match", "no_match", "unknown"]
ClauseState = Literal["held", "failed", "open"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One selection of a condition as it stood: held, failed, or open for lack of evidence."""

    selection: str
    state: ClauseState
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule's answer for one join key.

    Attributes:
        rule: id of the rule.
        result: match, no_match or unknown.
        key: the values of the rule's join fields, in order; () where nothing matched or no join.
        facts: for a match, the facts of each selection that holds, by selection name.
        clauses: every selection of the condition with its state: the answer to ``doctor why``.
        reason: one sentence: the first clause that failed, or what was missing.
    """

    rule: str
    result: Result
    key: tuple[str, ...]
    facts: Mapping[str, tuple[Fact, ...]]
    clauses: tuple[Clause, ...]
    reason: str
