"""How the repairs of a rule turned out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from doctor.model.change import Plan
from doctor.model.rule import Rule
from doctor.store import Evaluations, Fix

FAILED_IN_A_ROW = 3
ON_REQUEST = "undone on request"
_UNDONE = ("undoing", "undone", "undo_failed")


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """What became of one rule so far, at its present revision.

    Attributes:
        evaluated: treatments in which it was asked; it matched in ``matched`` of them and could
            tell nothing for lack of evidence in ``unknown``.
        verified, failed: repairs that the checks after them confirmed, and did not.
        is_demoted: whether it failed so often in a row that it only observes.
    """

    rule: str
    code: str
    revision: int
    evaluated: int
    matched: int
    unknown: int
    last_match: datetime | None
    verified: int
    failed: int
    is_demoted: bool

    @property
    def never_fired(self) -> bool:
        """Whether it was asked and never matched."""
        return self.evaluated > 0 and not self.matched

    @property
    def always_unknown(self) -> bool:
        """Whether it was asked and always lacked evidence."""
        return self.evaluated > 0 and self.unknown == self.evaluated

    @property
    def success(self) -> float | None:
        """Return the share of verified repairs, or None where there was none."""
        done = self.verified + self.failed
        return self.verified / done if done else None


def rule_records(
    rules: Iterable[Rule], evaluations: Iterable[Evaluations], fixes: Sequence[Fix]
) -> tuple[RuleRecord, ...]:
    """Return the record of every rule, in order."""
    known: Mapping[str, Evaluations] = {one.rule: one for one in evaluations}
    return tuple(_record(rule, known.get(rule.id), fixes) for rule in rules)


def failed_in_a_row(rule: Rule, fixes: Sequence[Fix]) -> int:
    """Return how many repairs by this revision of the rule failed since the last verified one."""
    count = 0
    for one in fixes:
        if is_behind(rule, one.plan):
            count = count + 1 if has_failed(one) else 0 if one.state == "verified" else count
    return count


def has_failed(fix: Fix) -> bool:
    """Tell whether the checks after a repair did not confirm it."""
    return fix.state == "verify_failed" or (
        fix.state in _UNDONE and not fix.reason.startswith(ON_REQUEST)
    )


def is_behind(rule: Rule, plan: Plan) -> bool:
    """Tell whether a plan is by this revision of the rule."""
    return any(name.partition("/")[0] == f"{rule.id}@{rule.revision}" for name in plan.rules)


def failed_rungs(fixes: Iterable[Fix]) -> frozenset[str]:
    """Return the rungs whose last repair, of those that ``fixes`` tell of, was not verified."""
    last: dict[str, bool] = {}
    for one in fixes:
        if has_failed(one) or one.state == "verified":
            last |= dict.fromkeys(one.plan.rules, has_failed(one))
    return frozenset(name for name, failed in last.items() if failed)


def _record(rule: Rule, asked: Evaluations | None, fixes: Sequence[Fix]) -> RuleRecord:
    own = [one for one in fixes if is_behind(rule, one.plan)]
    if asked is None or asked.revision != rule.revision:
        asked = Evaluations(rule.id, rule.revision)
    return RuleRecord(
        rule.id,
        rule.code,
        rule.revision,
        asked.evaluated,
        asked.matched,
        asked.unknown,
        asked.last_match,
        sum(one.state == "verified" for one in own),
        sum(has_failed(one) for one in own),
        failed_in_a_row(rule, fixes) >= FAILED_IN_A_ROW,
    )
