"""The ``exceptions`` of a rule: fields fixed by its author, values that teams append."""

from __future__ import annotations

import re

from doctor.model.evidence import Scalar
from doctor.model.rule import ExceptionList, Select, Selection
from doctor.rulebook.nodes import Node
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.section import Reading, Section

EXCEPTION_NAME = re.compile(r"[a-z][a-z0-9_]*")
MOST_ROWS = 1_000


def read_exceptions(
    node: Node | None, selections: dict[str, Selection], reading: Reading
) -> tuple[ExceptionList, ...]:
    """Read the exceptions; mistakes go to the sheet of ``reading``."""
    if node is None:
        return ()
    table = reading.section(node, "exceptions").table
    found = []
    for name, key in table.keys.items():
        if not EXCEPTION_NAME.fullmatch(name):
            message = f"{brief(name)} cannot name an exception"
            hint = "use letters, digits and _, e.g. 'known_future_value'"
            reading.sheet.report(key.place, message, hint)
        section = reading.section(table.values[name], f"exception {name!r}")
        found.append(_exception(name, section, selections, reading))
    return tuple(found)


def read_rows(node: Node, width: int | None, reading: Reading) -> tuple[tuple[Scalar, ...], ...]:
    """Read rows of values; each has ``width`` of them where that is known."""
    rows = []
    for item in reading.items(node, "values"):
        row = tuple(_value(one, reading) for one in reading.items(item, "a row of values"))
        if width is not None and len(row) != width:
            message = f"a row of {len(row)} values for {width} fields"
            reading.sheet.report(item.place, message)
        rows.append(row)
        if len(rows) > MOST_ROWS:
            reading.sheet.report(item.place, f"more than {MOST_ROWS} rows")
            break
    return tuple(rows)


def _exception(
    name: str, section: Section, selections: dict[str, Selection], reading: Reading
) -> ExceptionList:
    node = section.need("selection")
    selection = reading.text(node, "selection")
    valid = [one for one, own in selections.items() if isinstance(own, Select)]
    if selection and node is not None and valid and selection not in valid:
        message = f"unknown selection {brief(selection)}"
        reading.sheet.report(node.place, message, nearest(selection, valid))
    fields_node = section.need("fields")
    fields = reading.texts(fields_node, "fields")
    if fields_node is not None and not fields:
        reading.sheet.report(fields_node.place, "an exception needs a field to compare")
    values = section.find("values")
    rows = () if values is None else read_rows(values, len(fields) or None, reading)
    section.close()
    return ExceptionList(name, selection, fields, rows)


def _value(node: Node, reading: Reading) -> Scalar:
    before = len(reading.sheet.problems)
    value = reading.scalar(node, "a value")
    if value is None and len(reading.sheet.problems) == before:
        reading.sheet.report(node.place, "a fact is never equal to null")
    return value
