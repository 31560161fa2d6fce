"""Rules and verdicts as JSON documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from doctor.evidence import evidence_entries
from doctor.model.rule import (
    Condition,
    CountOf,
    ExceptionList,
    Limits,
    Name,
    Not,
    Or,
    Remedy,
    Rule,
    Selection,
)
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


def remedy_text(remedy: Remedy) -> str:
    """Return a rung of the ladder as one line."""
    parts = [f"{remedy.id}: {remedy.fixer}, {remedy.tier.name}"]
    if remedy.expect is not None:
        columns = ", ".join(remedy.expect.columns) or "any column"
        parts.append(f"at most {remedy.expect.rows} rows of {columns}")
    if remedy.timeout is not None:
        parts.append(f"within {remedy.timeout}")
    parts.append(f"if not verified {remedy.on_verify_fail.replace('_', ' ')}")
    return ", ".join(parts)


def limit_texts(limits: Limits) -> Iterator[str]:
    """Yield each limit as one line."""
    if limits.cost is not None:
        yield f"costs at least {limits.cost} points"
    if limits.once_within is not None:
        groups = ", ".join(limits.once_within.group_by)
        yield f"once within {limits.once_within.period} by ({groups})"
    if limits.blast_radius is not None:
        yield f"at most {limits.blast_radius.rows} rows within {limits.blast_radius.window}"


def exception_text(one: ExceptionList) -> str:
    """Return an exception with its rows as one line."""
    rows = "; ".join(", ".join(map(repr, row)) for row in one.values) or "none yet"
    return f"{one.name}: {one.selection} with ({', '.join(one.fields)}) = {rows}"


def _inner(condition: Condition) -> str:
    text = condition_text(condition)
    return text if isinstance(condition, Name | Not) else f"({text})"
