"""The ``match`` part of a rule: named selections and one condition over them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple, cast

from doctor.model.evidence import Scalar
from doctor.model.rule import Condition, CountOf, FieldTest, Name, Operator, Select, Selection
from doctor.rulebook.condition import (
    RESERVED,
    ConditionError,
    holds,
    parse_condition,
    used_names,
)
from doctor.rulebook.nodes import Node, Place, Text
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.section import Reading, Section

SELECTION_NAME = re.compile(r"[a-z][a-z0-9_]*")
MODIFIERS = ("gte", "lt", "in", "exists")
_MOST_SELECTIONS = 64
_MOST_COUNTED = 1_000_000


class Match(NamedTuple):
    """What a rule looks for."""

    selections: dict[str, Selection]
    condition: Condition


def read_match(node: Node | None, reading: Reading) -> Match:
    """Read the selections and the condition; mistakes go to the sheet of ``reading``."""
    section = reading.section(node, "match")
    condition = section.need("condition")
    before = len(reading.sheet.problems)
    selections: dict[str, Selection] = {}
    for name, key in section.table.keys.items():
        if name == "condition":
            continue
        if not SELECTION_NAME.fullmatch(name) or name in RESERVED:
            message = f"{brief(name)} cannot name a selection"
            reading.sheet.report(key.place, message, "use letters, digits and _, e.g. 'bad_value'")
        selections[name] = _selection(name, section.table.values[name], reading)
    if len(selections) > _MOST_SELECTIONS:
        reading.sheet.report(section.place, f"more than {_MOST_SELECTIONS} selections in one rule")
    _check_counts(selections, section, reading)
    text = reading.text(condition, "condition")
    if not text or not isinstance(condition, Text) or len(reading.sheet.problems) > before:
        return Match(selections, Name(""))
    return Match(selections, _condition(text, condition, selections, section, reading))


def _selection(name: str, node: Node, reading: Reading) -> Selection:
    section = reading.section(node, f"selection {name!r}")
    if "count_of" in section.table.values:
        return _count(name, section, reading)
    kind = reading.text(section.need("kind"), "kind")
    tests = tuple(
        _field_test(key, key_node.place, section, reading)
        for key, key_node in section.table.keys.items()
        if key != "kind"
    )
    section.close()
    return Select(name, kind, tests)


def _count(name: str, section: Section, reading: Reading) -> CountOf:
    of = reading.text(section.find("count_of"), "count_of")
    group_by = reading.texts(section.need("group_by"), "group_by")
    within = section.need("within")
    length = reading.duration(within, "within") if within is not None else timedelta()
    gte = reading.integer(section.need("gte"), "gte", 1, _MOST_COUNTED)
    section.close()
    return CountOf(name, of, group_by, length, gte)


def _field_test(key: str, place: Place, section: Section, reading: Reading) -> FieldTest:
    node = section.find(key)
    field, bar, modifier = key.partition("|")
    if not field:
        reading.sheet.report(place, f"{brief(key)} names no field")
    if bar and modifier not in MODIFIERS:
        message = f"unknown modifier {brief(modifier)}"
        reading.sheet.report(place, message, nearest(modifier, MODIFIERS))
        return FieldTest(field, "eq", "")
    if modifier == "in":
        values = tuple(
            _value(item, f"an item of {key!r}", reading) for item in reading.items(node, key)
        )
        if node is not None and not values:
            reading.sheet.report(node.place, f"{key!r} holds no value")
        return FieldTest(field, "in", values)
    value = _value(node, key, reading)
    if modifier == "exists" and not isinstance(value, bool) and node is not None:
        reading.sheet.report(node.place, f"{key!r} must be true or false, not {brief(value)}")
    if modifier in {"gte", "lt"} and (isinstance(value, bool | str)) and node is not None:
        reading.sheet.report(node.place, f"{key!r} must be a number, not {brief(value)}")
    return FieldTest(field, cast("Operator", modifier or "eq"), value)


def _value(node: Node | None, what: str, reading: Reading) -> Scalar:
    before = len(reading.sheet.problems)
    value = reading.scalar(node, what)
    if value is None and node is not None and len(reading.sheet.problems) == before:
        hint = "to ask for a missing field write 'field|exists: false'"
        reading.sheet.report(node.place, f"{what} is compared with null", hint)
    return value


def _check_counts(selections: dict[str, Selection], section: Section, reading: Reading) -> None:
    countable = [name for name, one in selections.items() if isinstance(one, Select)]
    for name, selection in selections.items():
        if not isinstance(selection, CountOf) or not selection.of or selection.of in countable:
            continue
        place = reading.section(section.table.values[name], name).table.values["count_of"].place
        if selection.of in selections:
            reading.sheet.report(place, f"{selection.of!r} is itself a count")
        else:
            message = f"unknown selection {brief(selection.of)}"
            reading.sheet.report(place, message, nearest(selection.of, countable))


def _condition(
    text: str, node: Text, selections: dict[str, Selection], section: Section, reading: Reading
) -> Condition:
    try:
        condition = parse_condition(text, tuple(selections))
    except ConditionError as error:
        reading.sheet.report(node.inside(error.index), error.message, error.hint)
        return Name("")
    if holds(condition, frozenset()):
        message = "the condition can hold when nothing was observed"
        hint = "every alternative needs a selection that is not under 'not'"
        reading.sheet.report(node.place, message, hint)
    used = set(used_names(condition))
    for selection in selections.values():
        if isinstance(selection, CountOf) and selection.name in used:
            used.add(selection.of)
    for name in selections:
        if name not in used:
            reading.sheet.report(section.table.keys[name].place, f"selection {name!r} is not used")
    return condition
