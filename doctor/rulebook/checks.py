"""Checks of a rulebook against what exists: fact kinds with their fields, probes and fixers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from doctor.model.evidence import Fact, FactField, FactKind, Value
from doctor.model.rule import CountOf, ExceptionList, FieldTest, Rule, Select
from doctor.rulebook.condition import positive_names, used_names
from doctor.rulebook.grammar import LoadedRule
from doctor.rulebook.load import LoadedRulebook
from doctor.rulebook.nodes import Document
from doctor.rulebook.problem import RuleProblem, brief, nearest
from doctor.rulebook.remedy_grammar import CONFIRM
from doctor.rulebook.rule_grammar import underlying_kind
from doctor.rulebook.templates import template_names

COUNT = "count"


class Known(NamedTuple):
    """What rules may name: fact kinds by name, probes and fixers."""

    catalogue: Mapping[str, FactKind]
    probes: Collection[str]
    fixers: Collection[str]


def check_rulebook(loaded: LoadedRulebook, known: Known) -> tuple[RuleProblem, ...]:
    """Return every name that does not exist and every value of a wrong type, in file order.

    A rulebook with such problems must not be used.
    """
    return tuple(problem for rule in loaded.rules for problem in _rule(rule, known))


def _rule(loaded: LoadedRule, known: Known) -> Iterator[RuleProblem]:
    rule, document = loaded
    for index, kind in enumerate(rule.needs):
        yield from _known_kind(kind, document.locate("needs", index), known)
    for selection in rule.selections.values():
        if isinstance(selection, Select):
            yield from _selection(selection, document, known)
        else:
            yield from _count(selection, rule, document, known)
    yield from _join(rule, document, known)
    yield from _exceptions(rule, document, known)
    yield from _templates(rule, document, known)
    yield from _actions(rule, document, known)
    yield from _tests(rule, document, known)


def _known_kind(kind: str, place: str, known: Known) -> Iterator[RuleProblem]:
    if kind not in known.catalogue:
        message = f"unknown fact kind {brief(kind)}"
        yield RuleProblem(message, hint=nearest(kind, known.catalogue), location=place)


def _known_name(name: str, what: str, valid: Collection[str], place: str) -> Iterator[RuleProblem]:
    if name not in valid:
        yield RuleProblem(
            f"unknown {what} {brief(name)}", hint=nearest(name, valid), location=place
        )


def _known_field(kind: FactKind, name: str, place: str) -> Iterator[RuleProblem]:
    if kind.field(name) is None:
        message = f"{kind.name!r} has no field {brief(name)}"
        hint = nearest(name, (field.name for field in kind.fields))
        yield RuleProblem(message, hint=hint, location=place)


def _selection(selection: Select, document: Document, known: Known) -> Iterator[RuleProblem]:
    path = ("match", selection.name)
    yield from _known_kind(selection.kind, document.locate(*path, "kind"), known)
    kind = known.catalogue.get(selection.kind)
    if kind is None:
        return
    for test in selection.tests:
        key = test.field if test.operator == "eq" else f"{test.field}|{test.operator}"
        field = kind.field(test.field)
        if field is None:
            yield from _known_field(kind, test.field, document.locate_key(*path, key))
        elif complaint := _test_complaint(test, field):
            yield RuleProblem(complaint, location=document.locate(*path, key))


def _test_complaint(test: FieldTest, field: FactField) -> str | None:
    if test.operator == "exists":
        return None
    described = f"field {field.name!r} is a {field.type}"
    if field.type in {"list", "map"}:
        return f"{described}, which can only be tested with 'exists'"
    if test.operator in {"gte", "lt"} and field.type not in {"int", "float"}:
        return f"{described}, which has no order: {test.operator!r} does not apply"
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    wrong = next((value for value in values if not has_type(value, field.type)), None)
    return None if wrong is None else f"{described}, it never equals {brief(wrong)}"


def has_type(value: Value, name: str) -> bool:
    """Tell whether a value is of a field type; whole numbers are floats too, booleans are not."""
    if isinstance(value, bool):
        return name == "bool"
    if isinstance(value, int):
        return name in {"int", "float"}
    if isinstance(value, Mapping):
        return name == "map"
    return name == {str: "str", float: "float", tuple: "list"}.get(type(value))


def _count(
    selection: CountOf, rule: Rule, document: Document, known: Known
) -> Iterator[RuleProblem]:
    kind = known.catalogue.get(underlying_kind(rule, selection.name))
    for index, name in enumerate(selection.group_by if kind else ()):
        place = document.locate("match", selection.name, "group_by", index)
        yield from _known_field(kind, name, place) if kind else ()


def _join(rule: Rule, document: Document, known: Known) -> Iterator[RuleProblem]:
    kinds = dict.fromkeys(underlying_kind(rule, name) for name in used_names(rule.condition))
    for index, name in enumerate(rule.join):
        place = document.locate("join", index)
        for kind in (known.catalogue[one] for one in kinds if one in known.catalogue):
            field = kind.field(name)
            if field is None:
                yield from _known_field(kind, name, place)
            elif not field.required or field.type in {"list", "map"}:
                why = "may be missing in" if not field.required else f"is a {field.type} in"
                message = f"cannot join on {name!r}: it {why} {kind.name!r}"
                yield RuleProblem(message, location=place)


def _exceptions(rule: Rule, document: Document, known: Known) -> Iterator[RuleProblem]:
    for one in rule.exceptions:
        path = ("exceptions", one.name)
        kind = known.catalogue.get(underlying_kind(rule, one.selection))
        for index, name in enumerate(one.fields if kind else ()):
            place = document.locate(*path, "fields", index)
            yield from _known_field(kind, name, place) if kind else ()
        for number, row in enumerate(one.values):
            for index, complaint in row_complaints(one, row, kind):
                place = document.locate(*path, "values", number, index)
                yield RuleProblem(complaint, location=place)


def row_complaints(
    one: ExceptionList, row: tuple[Value, ...], kind: FactKind | None
) -> Iterator[tuple[int, str]]:
    """Yield the index of each value of a row that its field never has, and why."""
    for index, (name, value) in enumerate(zip(one.fields, row, strict=False)):
        field = kind.field(name) if kind else None
        if field is not None and not has_type(value, field.type):
            yield index, f"field {name!r} is a {field.type}, it never equals {brief(value)}"


def _templates(rule: Rule, document: Document, known: Known) -> Iterator[RuleProblem]:
    kinds = {underlying_kind(rule, name) for name in positive_names(rule.condition)}
    if not kinds <= set(known.catalogue):
        return
    valid = {field.name for kind in kinds for field in known.catalogue[kind].fields} | {COUNT}
    for key, template in (("message", rule.message), ("hint", rule.hint)):
        for name in template_names(template):
            if name not in valid:
                message = f"{key} asks for {name!r}, which no fact of the match has"
                place = document.locate("diagnosis", key)
                yield RuleProblem(message, hint=nearest(name, sorted(valid)), location=place)


def _actions(rule: Rule, document: Document, known: Known) -> Iterator[RuleProblem]:
    if rule.confirm is not None:
        place = document.locate("confirm", "probe")
        yield from _known_name(rule.confirm, "probe", known.probes, place)
    for index, remedy in enumerate(rule.remedies):
        path = ("remedies", index)
        place = document.locate(*path, "fixer")
        yield from _known_name(remedy.fixer, "fixer", known.fixers, place)
        for number, verify in enumerate(remedy.verify):
            if verify.probe != CONFIRM:
                place = document.locate(*path, "verify", number, "probe")
                yield from _known_name(verify.probe, "probe", known.probes, place)


def _tests(rule: Rule, document: Document, known: Known) -> Iterator[RuleProblem]:
    for index, test in enumerate(rule.tests):
        path = ("tests", index, "given")
        for fact, number in _distinct(test.facts):
            yield from _fact(fact, (*path, "facts", number), document, known)
        for number, gap in enumerate(test.gaps):
            place = document.locate(*path, "gaps", number, "probe")
            yield from _known_name(gap.probe, "probe", known.probes, place)
            for step, kind in enumerate(gap.kinds):
                place = document.locate(*path, "gaps", number, "kinds", step)
                yield from _known_kind(kind, place, known)


def _distinct(facts: tuple[Fact, ...]) -> Iterator[tuple[Fact, int]]:
    """Number the facts as the file lists them: repetitions of one share their fields."""
    number = -1
    fields: object = None
    for fact in facts:
        if fact.fields is not fields:
            fields = fact.fields
            number += 1
            yield fact, number


def _fact(
    fact: Fact, path: tuple[str | int, ...], document: Document, known: Known
) -> Iterator[RuleProblem]:
    kind = known.catalogue.get(fact.kind)
    if kind is None:
        yield from _known_kind(fact.kind, document.locate(*path, "kind"), known)
        return
    for name, value in fact.fields.items():
        field = kind.field(name)
        if field is None:
            yield from _known_field(kind, name, document.locate_key(*path, name))
        elif value is not None and not has_type(value, field.type):
            message = f"field {name!r} of {kind.name!r} is a {field.type}, not {brief(value)}"
            hint = "put it in quotes" if field.type == "str" else None
            yield RuleProblem(message, hint=hint, location=document.locate(*path, name))
    for field in kind.fields:
        if field.required and field.name not in fact.fields:
            message = f"a fact of kind {kind.name!r} needs the field {field.name!r}"
            yield RuleProblem(message, location=document.locate(*path))
