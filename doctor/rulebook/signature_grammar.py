"""A document of kind ``signatures``: how log lines become facts."""

from __future__ import annotations

import re
from typing import Literal, cast, get_args

from doctor.model.evidence import FieldType
from doctor.model.rule import Signature, Symptom
from doctor.rulebook.nodes import Node, Place, Table, Text
from doctor.rulebook.patterns import PatternError, compile_pattern
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.scalars import seconds
from doctor.rulebook.section import Reading, Section

CapturedType = FieldType | Literal["url_path"]
CAPTURED_TYPES: tuple[CapturedType, ...] = ("str", "int", "float", "bool", "url_path")
CLASS = re.compile(r"[a-z][a-z0-9_]*")
KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_OTHER_TYPES = tuple(one for one in get_args(FieldType) if one not in CAPTURED_TYPES)


def read_signatures(section: Section, reading: Reading) -> tuple[tuple[Signature, Table], ...]:
    """Read signatures with their nodes; mistakes go to the sheet of ``reading``."""
    node = section.need("signatures")
    items = reading.items(node, "signatures")
    section.close()
    if not items and node is not None:
        reading.sheet.report(node.place, "the list of signatures is empty")
    sections = [reading.section(item, "a signature") for item in items]
    return tuple((_signature(one, reading), one.table) for one in sections)


def _signature(section: Section, reading: Reading) -> Signature:
    kind = reading.named(section.need("kind"), "kind", KIND, "http.failure")
    pattern_node = section.need("pattern")
    pattern = reading.text(pattern_node, "pattern")
    fields, places = _fields(section.find("fields"), reading)
    tests = _lines(section.find("tests"), "tests", reading)
    silent = _lines(section.find("silent"), "silent", reading)
    symptom = _symptom(section.find("symptom"), reading)
    section.close()
    if pattern and isinstance(pattern_node, Text):
        _check_pattern(pattern, pattern_node, fields, places, reading)
    origin = f"{reading.sheet.label}:{section.place[0]}"
    return Signature(kind, pattern, fields, tests, silent, origin, symptom)


def _symptom(node: Node | None, reading: Reading) -> Symptom | None:
    if node is None:
        return None
    section = reading.section(node, "symptom")
    name = reading.named(section.need("class"), "class", CLASS, "llm_rate_limited")
    noise = reading.truth(section.find("noise"), "noise")
    retryable = reading.retryable(section.find("retryable"))
    wait_node = section.find("wait")
    wait = reading.duration(wait_node, "wait") if wait_node is not None else None
    if wait_node is not None and retryable is not True:
        reading.sheet.report(wait_node.place, "'wait' goes with 'retryable: true'")
    section.close()
    return Symptom(name, noise, retryable, None if wait is None else seconds(wait))


def _fields(
    node: Node | None, reading: Reading
) -> tuple[dict[str, CapturedType], dict[str, Place]]:
    fields: dict[str, CapturedType] = {}
    if node is None:
        return fields, {}
    table = reading.section(node, "fields").table
    for name, value in table.values.items():
        word = reading.text(value, f"the type of {name!r}")
        if word in _OTHER_TYPES:
            message = f"the text of a line cannot become a {word}"
            reading.sheet.report(value.place, message, f"one of: {', '.join(CAPTURED_TYPES)}")
        elif word and word not in CAPTURED_TYPES:
            message = f"{brief(word)} is no valid field type"
            reading.sheet.report(value.place, message, nearest(word, CAPTURED_TYPES))
        elif name == "run" and word != "str":
            reading.sheet.report(value.place, "the field 'run' must be a str")
        fields[name] = cast("CapturedType", word)
    return fields, {name: key.place for name, key in table.keys.items()}


def _lines(node: Node | None, what: str, reading: Reading) -> tuple[str, ...]:
    return () if node is None else reading.texts(node, what)


def _check_pattern(
    pattern: str,
    node: Text,
    fields: dict[str, CapturedType],
    places: dict[str, Place],
    reading: Reading,
) -> None:
    try:
        groups = set(compile_pattern(pattern).groupindex)
    except PatternError as error:
        reading.sheet.report(node.place, error.message, error.hint)
        return
    for name in sorted(groups - set(fields)):
        place = node.inside(pattern.find(f"<{name}>") + 1)
        message = f"group {name!r} of the pattern is not in fields"
        reading.sheet.report(place, message, nearest(name, set(fields) - groups))
    for name, place in places.items():
        if name not in groups:
            message = f"field {brief(name)} is no named group of the pattern"
            hint = nearest(name, groups - set(fields)) or f"write (?P<{name}>...) in the pattern"
            reading.sheet.report(place, message, hint)
