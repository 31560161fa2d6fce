"""Overrides are laid over the rules that they name; one that no longer fits changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from doctor.model.evidence import FactKind
from doctor.model.rule import CountOf, ExceptionList, Override, Rule
from doctor.rulebook.checks import row_complaints
from doctor.rulebook.override_grammar import APPENDED, COUNTED
from doctor.rulebook.problem import RuleProblem, RuleWarning, nearest
from doctor.rulebook.rule_grammar import underlying_kind


def apply_overrides(
    rules: Sequence[Rule],
    overrides: Sequence[Override],
    catalogue: Mapping[str, FactKind],
    today: date,
) -> tuple[tuple[Rule, ...], tuple[RuleProblem, ...]]:
    """Return the rules in force, and what is wrong with overrides.

    An override that is expired, expects another revision or names no rule is a warning and is
    left out. One that cannot be laid over the revision that it expects is a mistake.
    """
    known = {rule.id: rule for rule in rules}
    problems: list[RuleProblem] = []
    for one in overrides:
        rule = known.get(one.rule)
        if rule is None:
            hint = nearest(one.rule, known)
            problems.append(_warning(one, "names no rule", hint))
            continue
        if outdated := _outdated(one, rule, today):
            problems.append(outdated)
            continue
        mistakes = list(_mistakes(one, rule, catalogue))
        problems += mistakes
        if not mistakes:
            known[rule.id] = _overridden(rule, one)
    return tuple(known.values()), tuple(problems)


def _outdated(one: Override, rule: Rule, today: date) -> RuleWarning | None:
    if one.expects_revision != rule.revision:
        what = f"expects revision {one.expects_revision}, the rule has {rule.revision}"
        return _warning(one, what, f"read the rule again: doctor rules show {rule.id}")
    if one.expires < today:
        what = f"expired on {one.expires.isoformat()}"
        return _warning(one, what, "renew 'expires', or remove the override")
    return None


def _warning(one: Override, what: str, hint: str | None) -> RuleWarning:
    message = f"override {one.rule!r} of {one.owner!r} ({one.reason}) {what}"
    return RuleWarning(message, hint=hint, location=one.origin)


def _mistakes(
    one: Override, rule: Rule, catalogue: Mapping[str, FactKind]
) -> Iterator[RuleProblem]:
    for path, rows in one.append.items():
        found = _exception(rule, path)
        if found is None:
            valid = (f"exceptions.{each.name}.values" for each in rule.exceptions)
            yield _problem(one, path, f"{rule.id!r} has no such exception", nearest(path, valid))
            continue
        kind = catalogue.get(underlying_kind(rule, found.selection))
        for row in rows:
            if len(row) != len(found.fields):
                message = f"a row of {len(row)} values for the fields {', '.join(found.fields)}"
                yield _problem(one, path, message)
            for _, complaint in row_complaints(found, row, kind):
                yield _problem(one, path, complaint)
    for path in one.replace:
        if unfit := _unfit(rule, path):
            yield _problem(one, path, unfit)
        elif path in rule.set_by:
            yield _problem(one, path, f"{path!r} is already set at {rule.set_by[path]}")


def _unfit(rule: Rule, path: str) -> str | None:
    counted = COUNTED.fullmatch(path)
    if counted and not isinstance(rule.selections.get(counted[1]), CountOf):
        return f"{rule.id!r} has no count called {counted[1]!r}"
    for part in ("once_within", "blast_radius"):
        if path.startswith(f"limits.{part}.") and getattr(rule.limits, part) is None:
            return f"{rule.id!r} has no limit {part!r}"
    return None


def _problem(one: Override, path: str, message: str, hint: str | None = None) -> RuleProblem:
    return RuleProblem(message, hint=hint, location=one.places[path])


def _overridden(rule: Rule, one: Override) -> Rule:
    for path, rows in one.append.items():
        found = _exception(rule, path)
        exceptions = tuple(
            replace(each, values=(*each.values, *rows)) if each is found else each
            for each in rule.exceptions
        )
        rule = replace(rule, exceptions=exceptions)
    for path, value in one.replace.items():
        rule = _with(rule, path, value)
    return replace(rule, set_by={**rule.set_by, **one.places})


def _with(rule: Rule, path: str, value: Any) -> Rule:
    if counted := COUNTED.fullmatch(path):
        count = replace(rule.selections[counted[1]], **{counted[2]: value})
        return replace(rule, selections={**rule.selections, counted[1]: count})
    part, _, key = path.rpartition(".")
    if part in {"", "diagnosis"}:
        return replace(rule, **{key: value})
    if part == "limits":
        return replace(rule, limits=replace(rule.limits, **{key: value}))
    name = part.partition(".")[2]
    limit = replace(getattr(rule.limits, name), **{key: value})
    return replace(rule, limits=replace(rule.limits, **{name: limit}))


def _exception(rule: Rule, path: str) -> ExceptionList | None:
    named = APPENDED.fullmatch(path)
    return next((one for one in rule.exceptions if named and one.name == named[1]), None)
