"""Checks across files that need nothing but the files: names used twice or nowhere, cycles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doctor.model.description import SystemDescription
from doctor.rulebook.chaining import chaining_cycle, find_cycle
from doctor.rulebook.grammar import LoadedRule, LoadedSignature
from doctor.rulebook.problem import RuleProblem, nearest
from doctor.rulebook.signatures import MOST_SIGNATURES


def name_problems(
    rules: Sequence[LoadedRule], signatures: Sequence[LoadedSignature], *, complete: bool
) -> list[RuleProblem]:
    """Return what is wrong between files; targets are looked up only if no file is missing."""
    problems = [*_duplicates(rules), *_type_conflicts(signatures), *_too_many(signatures)]
    if complete and not problems:
        problems = [*_explains(rules), *_cycles(rules)]
    return problems


def described_twice(systems: Sequence[SystemDescription]) -> list[RuleProblem]:
    """Return systems that two files of one standing describe; a team's beats the built-in one."""
    first: dict[tuple[str, bool], SystemDescription] = {}
    problems = []
    for one in systems:
        known = first.setdefault((one.name, one.builtin), one)
        if known is not one:
            message = f"system {one.name!r} is already described at {known.origin}"
            problems.append(RuleProblem(message, location=f"{one.origin}:1"))
    return problems


def _duplicates(rules: Sequence[LoadedRule]) -> Iterator[RuleProblem]:
    for key, what in (("rule", "rule id"), ("code", "code")):
        first: dict[str, str] = {}
        for rule, document in rules:
            name = rule.id if key == "rule" else rule.code
            place = document.locate(key)
            if name in first:
                message = f"{what} {name!r} is already used at {first[name]}"
                yield RuleProblem(message, location=place)
            first.setdefault(name, place)


def _too_many(signatures: Sequence[LoadedSignature]) -> Iterator[RuleProblem]:
    for _, document in signatures[MOST_SIGNATURES : MOST_SIGNATURES + 1]:
        message = f"more than {MOST_SIGNATURES} signatures"
        yield RuleProblem(message, location=document.locate())


def _type_conflicts(signatures: Sequence[LoadedSignature]) -> Iterator[RuleProblem]:
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for signature, document in signatures:
        for field, captured in signature.fields.items():
            kept = "str" if captured == "url_path" else captured
            place = document.locate("fields", field)
            known, where = first.setdefault((signature.kind, field), (kept, place))
            if known != kept:
                message = f"field {field!r} of {signature.kind!r} is a {known} at {where}"
                yield RuleProblem(message, hint=f"make both {known}", location=place)


def _explains(rules: Sequence[LoadedRule]) -> Iterator[RuleProblem]:
    ids = [rule.id for rule, _ in rules]
    known = set(ids)
    for rule, document in rules:
        for index, target in enumerate(rule.explains):
            if target not in known:
                place = document.locate("explains", index)
                message = f"explains names the unknown rule {target!r}"
                yield RuleProblem(message, hint=nearest(target, ids), location=place)


def _cycles(rules: Sequence[LoadedRule]) -> Iterator[RuleProblem]:
    by_id = {rule.id: document for rule, document in rules}
    if explaining := find_cycle({rule.id: rule.explains for rule, _ in rules}):
        place = by_id[explaining[0]].locate("explains")
        yield RuleProblem(f"rules explain each other: {_arrows(explaining)}", location=place)
    if chain := chaining_cycle(rule for rule, _ in rules):
        place = by_id[chain[0]].locate("match")
        message = f"rules wait for each other's diagnosis: {_arrows(chain)}"
        yield RuleProblem(message, location=place)


def _arrows(ids: Sequence[str]) -> str:
    return " -> ".join((*ids, ids[0]))
