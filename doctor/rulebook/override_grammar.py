"""A document of kind ``override``: what a team changes about somebody else's rule, until when."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, get_args

from doctor.model.evidence import Scalar
from doctor.model.rule import LEVELS, Override, Status
from doctor.rulebook.exception_grammar import read_rows
from doctor.rulebook.nodes import Node, Table, Text
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.remedy_grammar import LARGEST
from doctor.rulebook.section import Reading, Section

Read = Callable[[Node, str, Reading], object]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
APPENDED: Final = re.compile(r"exceptions\.([a-z][a-z0-9_]*)\.values")
COUNTED: Final = re.compile(r"match\.([a-z][a-z0-9_]*)\.(gte|within)")


def _count(node: Node, what: str, reading: Reading) -> int:
    return reading.integer(node, what, 1, LARGEST)


def _length(node: Node, what: str, reading: Reading) -> timedelta:
    return reading.duration(node, what)


# every path that may be replaced, and how its value is read
REPLACED: Final[dict[str, Read]] = {
    "level": lambda node, _, reading: reading.choice(node, "level", LEVELS),
    "status": lambda node, _, reading: reading.choice(node, "status", STATUSES),
    "retryable": lambda node, _, reading: reading.retryable(node),
    "diagnosis.hint": lambda node, _, reading: reading.template(node, "hint"),
    "limits.cost": lambda node, _, reading: reading.integer(node, "cost", 0, LARGEST),
    "limits.once_within.period": _length,
    "limits.blast_radius.rows": _count,
    "limits.blast_radius.window": _length,
}


def read_override(section: Section, reading: Reading) -> Override:
    """Read an override; after a mistake, which goes to the sheet, it is not to be used."""
    rule = reading.text(section.need("override"), "override")
    revision = reading.integer(section.need("expects_revision"), "expects_revision", 1, LARGEST)
    owner = reading.text(section.need("owner"), "owner")
    reason = reading.text(section.need("reason"), "reason")
    expires = _date(section.need("expires"), reading)
    places: dict[str, str] = {}
    append = _appended(section.find("append"), places, reading)
    replaced = _replaced(section.find("replace"), places, reading)
    if not places:
        reading.sheet.report(section.place, "the override changes nothing", _allowed())
    section.close()
    origin = f"{reading.sheet.label}:{section.table.keys['override'].place[0]}"
    return Override(rule, revision, owner, reason, expires, append, replaced, origin, places)


def _date(node: Node | None, reading: Reading) -> date:
    text = reading.text(node, "expires")
    if DATE.fullmatch(text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    if text and node is not None:
        message = f"expires {brief(text)} is no date"
        reading.sheet.report(node.place, message, "write it as 2027-01-31")
    return date.min


def _appended(
    node: Node | None, places: dict[str, str], reading: Reading
) -> dict[str, tuple[tuple[Scalar, ...], ...]]:
    found = {}
    for path, key, value in _entries(node, "append", reading):
        if not APPENDED.fullmatch(path):
            message = f"{brief(path)} cannot be appended to"
            reading.sheet.report(key.place, message, "only 'exceptions.NAME.values' can")
            continue
        found[path] = read_rows(value, None, reading)
        places[path] = _place(key, reading)
    return found


def _replaced(node: Node | None, places: dict[str, str], reading: Reading) -> dict[str, object]:
    found: dict[str, object] = {}
    for path, key, value in _entries(node, "replace", reading):
        if counted := COUNTED.fullmatch(path):
            read: Read = _count if counted[2] == "gte" else _length
        elif path in REPLACED:
            read = REPLACED[path]
        else:
            message = f"{brief(path)} cannot be replaced by an override"
            close = nearest(path, REPLACED)
            reading.sheet.report(key.place, message, close or _allowed())
            continue
        found[path] = read(value, path, reading)
        places[path] = _place(key, reading)
    return found


def _entries(node: Node | None, what: str, reading: Reading) -> list[tuple[str, Text, Node]]:
    if node is None:
        return []
    table: Table = reading.section(node, what).table
    return [(path, key, table.values[path]) for path, key in table.keys.items()]


def _place(key: Text, reading: Reading) -> str:
    return f"{reading.sheet.label}:{key.place[0]}:{key.place[1]}"


def _allowed() -> str:
    return f"replace one of: {', '.join(REPLACED)}, match.NAME.gte, match.NAME.within"
