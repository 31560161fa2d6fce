"""The limits that a rule sets on its own repairs, and what its record says: gates before applying.

They only tighten what the policy lets pass. A repair counts from its intent on, and no longer once
it is known that nothing of it was applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from doctor.model.change import Plan
from doctor.model.evidence import Scalar
from doctor.model.rule import Rule
from doctor.store import Fix
from doctor.treatment.track_record import FAILED_IN_A_ROW, failed_in_a_row

Group = tuple[Scalar, ...]


def limit_reason(
    plan: Plan, rules: Mapping[str, Rule], fixes: Sequence[Fix], now: datetime, *, approved: bool
) -> str | None:
    """Return why the limits of a rule behind the plan forbid it now, or None.

    ``fixes`` are all that were ever intended in this target. A rule whose repairs failed again and
    again only observes, unless a human ``approved`` exactly this plan.
    """
    for name in plan.rules:
        rule = rules.get(name.rpartition("@")[0])
        if rule is None:
            continue
        done = [one for one in fixes if one.state != "not_applied" and _is_by(rule, one.plan)]
        reason = _once_within(rule, plan, done, now)
        if reason is None and not (plan.bulk and approved):
            reason = _blast_radius(rule, plan, done, now)
        if reason is None and not approved and failed_in_a_row(rule, fixes) >= FAILED_IN_A_ROW:
            reason = f"only observes now: its last {FAILED_IN_A_ROW} repairs were not verified"
        if reason is not None:
            return f"rule {rule.id}: {reason}"
    return None


def _once_within(rule: Rule, plan: Plan, done: Sequence[Fix], now: datetime) -> str | None:
    limit = rule.limits.once_within
    if limit is None:
        return None
    wanted = set(_groups(plan, limit.group_by))
    for fix in done:
        is_recent = now - fix.intended_at < limit.period
        if is_recent and wanted & set(_groups(fix.plan, limit.group_by)):
            by = f" by {', '.join(limit.group_by)}" if limit.group_by else ""
            return f"at most once within {limit.period}{by}, and {fix.id} did so"
    return None


def _blast_radius(rule: Rule, plan: Plan, done: Sequence[Fix], now: datetime) -> str | None:
    limit = rule.limits.blast_radius
    if limit is None:
        return None
    recent = [one for one in done if now - one.intended_at < limit.window]
    before = sum(one.plan.rows for one in recent if not (one.plan.bulk and one.approval))
    if before + plan.rows <= limit.rows:
        return None
    return f"at most {limit.rows} rows within {limit.window}, and {before} were changed"


def _is_by(rule: Rule, plan: Plan) -> bool:
    """Tell whether a plan is by the rule, whatever its revision."""
    return any(name.rpartition("@")[0] == rule.id for name in plan.rules)


def _groups(plan: Plan, group_by: Sequence[str]) -> Iterator[Group]:
    for change in plan.changes:
        for column, value in change.expected.items():
            told = {"run": plan.run, "table": change.table, "column": column, "value": value}
            yield tuple(told[name] for name in group_by)
    for one in plan.bulk:
        told = {"run": plan.run, "table": one.table, "column": one.column, "value": one.expected}
        yield tuple(told[name] for name in group_by)
