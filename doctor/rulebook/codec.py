"""A rulebook as plain JSON and back, for the cache: without tests and explanations."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from doctor.model.description import (
    ColumnFacts,
    Contradiction,
    Requirement,
    StateCopy,
    SystemDescription,
)
from doctor.model.rule import (
    And,
    BlastRadius,
    Condition,
    CountOf,
    ExceptionList,
    Expected,
    Explanation,
    FieldTest,
    Limits,
    Name,
    Not,
    OnceWithin,
    Or,
    Override,
    Remedy,
    Rule,
    Rulebook,
    Select,
    Selection,
    Signature,
    Symptom,
    ValueMapping,
    Verify,
)
from doctor.model.tier import Tier

Json = Any


def rulebook_to_json(book: Rulebook) -> Json:
    """Return lists, texts and numbers; tests and explanations are left out."""
    return [
        [_rule(one) for one in book.rules],
        [_signature(one) for one in book.signatures],
        [
            [one.table, one.column, dict(one.values), one.owner, one.reason, one.origin]
            for one in book.mappings
        ],
        [_override(one) for one in book.overrides],
        [asdict(one) for one in book.systems],
    ]


def rulebook_from_json(data: Json) -> Rulebook:
    """Return the rulebook; whatever is no such JSON raises one of the errors of plain Python."""
    rules, signatures, mappings, overrides, systems = data
    return Rulebook(
        tuple(map(_rule_from, rules)),
        tuple(map(_signature_from, signatures)),
        tuple(ValueMapping(*one) for one in mappings),
        tuple(map(_override_from, overrides)),
        tuple(map(_system_from, systems)),
    )


def _system_from(one: Json) -> SystemDescription:
    given: dict[str, Any] = _frozen(one)
    given["columns"] = tuple(ColumnFacts(**_frozen(each)) for each in one["columns"])
    given["requires"] = tuple(Requirement(**_frozen(each)) for each in one["requires"])
    given["never"] = tuple(Contradiction(**_frozen(each)) for each in one["never"])
    given["copies"] = tuple(StateCopy(**_frozen(each)) for each in one["copies"])
    return SystemDescription(**given)


def _frozen(one: Json) -> dict[str, Any]:
    """Return a mapping whose lists are tuples, those inside of its mappings too."""
    return {
        name: _frozen(value) if isinstance(value, dict) else _listed(value)
        for name, value in one.items()
    }


def _rule(one: Rule) -> Json:
    return [
        *(one.id, one.code, one.revision, one.title, one.status, one.level, one.owner),
        *(one.retryable, one.needs),
        [_selection(each) for each in one.selections.values()],
        _condition(one.condition),
        *(one.join, one.explains, one.confirm, one.cause, one.subject, one.message, one.hint),
        [_remedy(each) for each in one.remedies],
        _limits(one.limits),
        one.origin,
        [[each.name, each.selection, each.fields, each.values] for each in one.exceptions],
    ]


def _rule_from(row: Json) -> Rule:
    rule_id, code, revision, title, status, level, owner, retryable = row[:8]
    confirm, cause, subject, message, hint = row[13:18]
    selections = map(_selection_from, row[9])
    return Rule(
        rule_id,
        code,
        revision,
        title,
        status,
        level,
        owner,
        retryable,
        tuple(row[8]),
        {one.name: one for one in selections},
        _condition_from(row[10]),
        tuple(row[11]),
        tuple(row[12]),
        confirm,
        cause,
        subject,
        message,
        hint,
        tuple(map(_remedy_from, row[18])) if row[18] else (),
        _limits_from(row[19]) if row[19] else _NO_LIMITS,
        _UNEXPLAINED,
        (),
        row[20],
        tuple(
            ExceptionList(name, selection, tuple(fields), tuple(map(tuple, values)))
            for name, selection, fields, values in row[21]
        ),
    )


_NO_LIMITS = Limits()
_UNEXPLAINED = Explanation("", "")


def _selection(one: Selection) -> Json:
    if isinstance(one, CountOf):
        return [one.name, one.of, one.group_by, one.within.total_seconds(), one.gte]
    return [one.name, one.kind, [[test.field, test.operator, test.value] for test in one.tests]]


def _selection_from(row: Json) -> Selection:
    if len(row) == 3:  # noqa: PLR2004 - a selection of facts
        tests = (FieldTest(one[0], one[1], _listed(one[2])) for one in row[2])
        return Select(row[0], row[1], tuple(tests))
    name, of, group_by, within, gte = row
    return CountOf(name, of, tuple(group_by), timedelta(seconds=within), gte)


def _listed(value: Json) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _condition(one: Condition) -> Json:
    match one:
        case Name(selection):
            return selection
        case Not(operand):
            return ["not", _condition(operand)]
        case And(operands):
            return ["and", *map(_condition, operands)]
        case Or(operands):
            return ["or", *map(_condition, operands)]


def _condition_from(row: Json) -> Condition:
    if isinstance(row, str):
        return Name(row)
    word, *rest = row
    if word == "not":
        return Not(_condition_from(rest[0]))
    operands = tuple(map(_condition_from, rest))
    return And(operands) if word == "and" else Or(operands)


def _remedy(one: Remedy) -> Json:
    return [
        *(one.id, one.fixer, int(one.tier)),
        [[check.probe, check.expect_status] for check in one.verify],
        [one.expect.rows, one.expect.columns] if one.expect else None,
        one.on_verify_fail,
        _seconds(one.timeout),
    ]


def _remedy_from(row: Json) -> Remedy:
    remedy_id, fixer, tier, verify, expect, follow, timeout = row
    return Remedy(
        remedy_id,
        fixer,
        Tier(tier),
        tuple(Verify(*one) for one in verify),
        Expected(expect[0], tuple(expect[1])) if expect else None,
        follow,
        _length(timeout),
    )


def _limits(one: Limits) -> Json:
    if one == _NO_LIMITS:
        return None
    once, blast = one.once_within, one.blast_radius
    return [
        one.cost,
        [_seconds(once.period), once.group_by] if once else None,
        [blast.rows, _seconds(blast.window)] if blast else None,
    ]


def _limits_from(row: Json) -> Limits:
    cost, once, blast = row
    return Limits(
        cost,
        OnceWithin(timedelta(seconds=once[0]), tuple(once[1])) if once else None,
        BlastRadius(blast[0], timedelta(seconds=blast[1])) if blast else None,
    )


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _signature(one: Signature) -> Json:
    symptom = one.symptom
    told = [symptom.name, symptom.noise, symptom.retryable, symptom.wait] if symptom else None
    return [one.kind, one.pattern, dict(one.fields), one.tests, one.silent, one.origin, told]


def _signature_from(row: Json) -> Signature:
    kind, pattern, fields, tests, silent, origin, told = row
    symptom = Symptom(*told) if told else None
    return Signature(kind, pattern, fields, tuple(tests), tuple(silent), origin, symptom)


def _override(one: Override) -> Json:
    replaced = [_replaced(path, value) for path, value in one.replace.items()]
    return [
        *(one.rule, one.expects_revision, one.owner, one.reason, one.expires.isoformat()),
        *(dict(one.append), replaced, one.origin, dict(one.places)),
    ]


def _replaced(path: str, value: object) -> Json:
    if isinstance(value, timedelta):
        return [path, True, value.total_seconds()]
    return [path, False, value]


def _override_from(row: Json) -> Override:
    rule, revision, owner, reason, expires, append, replaced, origin, places = row
    return Override(
        rule,
        revision,
        owner,
        reason,
        date.fromisoformat(expires),
        {path: tuple(map(tuple, rows)) for path, rows in append.items()},
        {path: timedelta(seconds=one) if is_length else one for path, is_length, one in replaced},
        origin,
        places,
    )
