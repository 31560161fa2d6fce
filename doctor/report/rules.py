"""Rules and verdicts as JSON documents."""

from __future__ import annotations

from typing import Any

from doctor.evidence import evidence_entries
from doctor.model.rule import Condition, CountOf, Name, Not, Or, Rule, Selection
from doctor.model.verdict import Verdict
from doctor.report.plain import plain


def rule_json(rule: Rule) -> dict[str, Any]:
    """Return the effective rule."""
    document: dict[str, Any] = plain(rule)
    document["condition"] = condition_text(rule.condition)
    document["selections"] = {name: selection_text(one) for name, one in rule.selections.items()}
    document["tests"] = [test.name for test in rule.tests]
    return document


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return one verdict with its clauses."""
    return {
        "rule": verdict.rule,
        "result": verdict.result,
        "key": list(verdict.key),
        "reason": verdict.reason,
        "clauses": plain(verdict.clauses),
        "evidence": plain(
            evidence_entries(fact for many in verdict.facts.values() for fact in many)
        ),
    }


def condition_text(condition: Condition) -> str:
    """Return a condition as the rule language writes it."""
    if isinstance(condition, Name):
        return condition.selection
    if isinstance(condition, Not):
        return f"not {_inner(condition.operand)}"
    word = " or " if isinstance(condition, Or) else " and "
    return word.join(_inner(one) for one in condition.operands)


def selection_text(selection: Selection) -> str:
    """Return a selection as one line."""
    if isinstance(selection, CountOf):
        groups = ", ".join(selection.group_by)
        return f">= {selection.gte} of {selection.of} by ({groups}) within {selection.within}"
    tests = [f"{one.field}|{one.operator} {one.value!r}" for one in selection.tests]
    return " ".join([selection.kind, *tests])


def _inner(condition: Condition) -> str:
    text = condition_text(condition)
    return text if isinstance(condition, Name | Not) else f"({text})"
