"""A document of kind ``rule``: everything about it but its selections and its tests."""

from __future__ import annotations

import re
from typing import cast

from doctor.model.rule import (
    LEVELS,
    CountOf,
    Explanation,
    Level,
    Limits,
    Remedy,
    Rule,
    Status,
    Verify,
)
from doctor.model.tier import Tier
from doctor.rulebook.condition import positive_names
from doctor.rulebook.example_grammar import read_tests
from doctor.rulebook.match_grammar import Match, read_match
from doctor.rulebook.nodes import Node, Text
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.section import Reading, Section
from doctor.rulebook.templates import stray_dollar

STATUSES: tuple[Status, ...] = ("experimental", "test", "stable", "deprecated")
CONFIRM = "confirm"
_ID = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_CODE = re.compile(r"[A-Z]{2,4}[0-9]{3}")
_CAUSE = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_LARGEST = 1_000_000


def read_rule(section: Section, reading: Reading) -> Rule:
    """Read a rule; after a mistake, which goes to the sheet, the value is not to be used."""
    rule_id = reading.named(section.need("rule"), "rule id", _ID, "db.run-state-not-in-enum")
    code = reading.named(section.need("code"), "code", _CODE, "DB001")
    revision = reading.integer(section.need("revision"), "revision", 1, _LARGEST)
    title = reading.text(section.need("title"), "title")
    status = reading.choice(section.need("status"), "status", STATUSES)
    level = reading.choice(section.need("level"), "level", LEVELS)
    owner = reading.text(section.need("owner"), "owner")
    retryable = reading.retryable(section.need("retryable"))
    needs = _optional_texts(section, "needs", reading)
    match_node = section.need("match")
    match = read_match(match_node, reading)
    join = _optional_texts(section, "join", reading)
    explains = _optional_texts(section, "explains", reading)
    confirm = _confirm(section.find("confirm"), reading)
    diagnosis = reading.section(section.need("diagnosis"), "diagnosis")
    cause = reading.named(diagnosis.need("cause"), "cause", _CAUSE, "enum_drift")
    message = _template(diagnosis.need("message"), "message", reading)
    hint = _template(diagnosis.need("hint"), "hint", reading)
    subject = _subject(diagnosis.find("subject"), match, reading)
    diagnosis.close()
    remedies = _remedies(section.find("remedies"), confirm, reading)
    limits = _limits(section.find("limits"), reading)
    explanation = _explanation(section.need("explanation"), reading)
    tests = read_tests(section.find("tests"), reading)
    section.close(later=("exceptions",))
    return Rule(
        id=rule_id,
        code=code,
        revision=revision,
        title=title,
        status=cast("Status", status),
        level=cast("Level", level),
        owner=owner,
        retryable=retryable,
        needs=needs,
        selections=match.selections,
        condition=match.condition,
        join=join,
        explains=explains,
        confirm=confirm,
        cause=cause,
        subject=subject,
        message=message,
        hint=hint,
        remedies=remedies,
        limits=limits,
        explanation=explanation,
        tests=tests,
        origin=f"{reading.sheet.label}:{section.table.keys['rule'].place[0]}",
    )


def underlying_kind(rule: Rule, name: str) -> str:
    """Return the fact kind of a selection, for a count that of what it counts."""
    selection = rule.selections[name]
    if isinstance(selection, CountOf):
        selection = rule.selections[selection.of]
    return "" if isinstance(selection, CountOf) else selection.kind


def _optional_texts(section: Section, key: str, reading: Reading) -> tuple[str, ...]:
    node = section.find(key)
    return () if node is None else reading.texts(node, key)


def _confirm(node: Node | None, reading: Reading) -> str | None:
    if node is None:
        return None
    section = reading.section(node, "confirm")
    probe = reading.text(section.need("probe"), "probe")
    section.close()
    return probe


def _template(node: Node | None, what: str, reading: Reading) -> str:
    text = reading.text(node, what)
    index = stray_dollar(text)
    if index is not None and isinstance(node, Text):
        message = f"'$' in {what} begins neither '${{name}}' nor '${{name!r}}'"
        reading.sheet.report(node.inside(index), message, "write '$$' for a dollar sign")
    return text


def _subject(node: Node | None, match: Match, reading: Reading) -> str | None:
    if node is None:
        return None
    name = reading.text(node, "subject")
    valid = [one for one in positive_names(match.condition) if one]
    if name and valid and name not in valid:
        message = f"subject {brief(name)} is no selection that the condition asks for"
        reading.sheet.report(node.place, message, nearest(name, valid))
    return name


def _remedies(node: Node | None, confirm: str | None, reading: Reading) -> tuple[Remedy, ...]:
    remedies: dict[str, Remedy] = {}
    if node is None:
        return ()
    for item in reading.items(node, "remedies"):
        section = reading.section(item, "a remedy")
        remedy = _remedy(section, confirm, reading)
        if remedy.id and remedy.id in remedies:
            reading.sheet.report(item.place, f"two remedies are called {remedy.id!r}")
        remedies[remedy.id] = remedy
    return tuple(remedies.values())


def _remedy(section: Section, confirm: str | None, reading: Reading) -> Remedy:
    remedy_id = reading.named(section.need("id"), "remedy id", _ID, "set-mapped-value")
    fixer = reading.text(section.need("fixer"), "fixer")
    tier = reading.choice(section.need("tier"), "tier", Tier.__members__)
    verify: tuple[Verify, ...] = ()
    if (node := section.find("verify")) is not None:
        verify = tuple(_verify(item, confirm, reading) for item in reading.items(node, "verify"))
    section.close(later=("expect", "on_verify_fail", "timeout"))
    return Remedy(remedy_id, fixer, Tier[tier] if tier else Tier.ADVISE, verify)


def _verify(node: Node, confirm: str | None, reading: Reading) -> Verify:
    section = reading.section(node, "verify")
    rerun, probe = section.find("rerun"), section.find("probe")
    name = ""
    if rerun is not None and probe is not None:
        reading.sheet.report(section.place, "verify needs 'rerun' or 'probe', not both")
    elif rerun is not None:
        name = reading.choice(rerun, "rerun", (CONFIRM,))
        if name and confirm is None:
            reading.sheet.report(rerun.place, "'rerun: confirm' in a rule without 'confirm'")
    elif probe is not None:
        name = reading.text(probe, "probe")
    elif section.table.keys:
        reading.sheet.report(section.place, "verify needs 'rerun: confirm' or 'probe: NAME'")
    expect = section.need("expect")
    section.close()
    return Verify(name, None if expect is None else _status(expect, reading))


def _status(node: Node, reading: Reading) -> int | None:
    if isinstance(node, Text):
        reading.choice(node, "expect", ("clear",))
        return None
    section = reading.section(node, "expect")
    status = reading.integer(section.need("status"), "status", 100, 599)
    section.close()
    return status


def _limits(node: Node | None, reading: Reading) -> Limits:
    if node is None:
        return Limits()
    section = reading.section(node, "limits")
    cost = section.find("cost")
    section.close(later=("once_within", "blast_radius"))
    return Limits(None if cost is None else reading.integer(cost, "cost", 0, _LARGEST))


def _explanation(node: Node | None, reading: Reading) -> Explanation:
    section = reading.section(node, "explanation")
    fix_safety = section.find("fix_safety")
    explanation = Explanation(
        what=reading.text(section.need("what"), "what"),
        why=reading.text(section.need("why"), "why"),
        fix_safety=None if fix_safety is None else reading.text(fix_safety, "fix_safety"),
    )
    section.close()
    return explanation
