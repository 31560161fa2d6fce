"""A document of kind ``rule``, from its parts: match, remedies, exceptions and tests."""

from __future__ import annotations

import re
from typing import cast

from doctor.model.rule import (
    LEVELS,
    CountOf,
    Explanation,
    Level,
    Rule,
    Status,
)
from doctor.rulebook.condition import positive_names
from doctor.rulebook.example_grammar import read_tests
from doctor.rulebook.exception_grammar import read_exceptions
from doctor.rulebook.match_grammar import Match, read_match
from doctor.rulebook.nodes import Node
from doctor.rulebook.override_grammar import STATUSES
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.remedy_grammar import LARGEST, read_limits, read_remedies
from doctor.rulebook.section import Reading, Section

RULE_ID = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
RULE_CODE = re.compile(r"[A-Z]{2,4}[0-9]{3}")
CAUSE = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")


def read_rule(section: Section, reading: Reading) -> Rule:
    """Read a rule; after a mistake, which goes to the sheet, the value is not to be used."""
    rule_id = reading.named(section.need("rule"), "rule id", RULE_ID, "db.run-state-not-in-enum")
    code = reading.named(section.need("code"), "code", RULE_CODE, "DB001")
    revision = reading.integer(section.need("revision"), "revision", 1, LARGEST)
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
    cause = reading.named(diagnosis.need("cause"), "cause", CAUSE, "enum_drift")
    message = reading.template(diagnosis.need("message"), "message")
    hint = reading.template(diagnosis.need("hint"), "hint")
    subject = _subject(diagnosis.find("subject"), match, reading)
    diagnosis.close()
    remedies = read_remedies(section.find("remedies"), confirm, reading)
    limits = read_limits(section.find("limits"), reading)
    explanation = _explanation(section.need("explanation"), reading)
    exceptions = read_exceptions(section.find("exceptions"), match.selections, reading)
    tests = read_tests(section.find("tests"), remedies, reading)
    section.close()
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
        exceptions=exceptions,
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


def _subject(node: Node | None, match: Match, reading: Reading) -> str | None:
    if node is None:
        return None
    name = reading.text(node, "subject")
    valid = [one for one in positive_names(match.condition) if one]
    if name and valid and name not in valid:
        message = f"subject {brief(name)} is no selection that the condition asks for"
        reading.sheet.report(node.place, message, nearest(name, valid))
    return name


def _explanation(node: Node | None, reading: Reading) -> Explanation:
    section = reading.section(node, "explanation")
    fix_safety = section.find("fix_safety")
    references = _optional_texts(section, "references", reading)
    explanation = Explanation(
        what=reading.text(section.need("what"), "what"),
        why=reading.text(section.need("why"), "why"),
        fix_safety=None if fix_safety is None else reading.text(fix_safety, "fix_safety"),
        references=references,
    )
    section.close()
    return explanation
