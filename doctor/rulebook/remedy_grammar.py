"""What a rule may do about its finding: the ladder of remedies, and limits on applying them."""

from __future__ import annotations

import re
from typing import cast, get_args

from doctor.model.rule import (
    BlastRadius,
    Expected,
    Limits,
    OnceWithin,
    OnVerifyFail,
    Remedy,
    Verify,
)
from doctor.model.tier import Tier
from doctor.rulebook.nodes import Node, Text
from doctor.rulebook.problem import brief, nearest
from doctor.rulebook.section import Reading, Section

CONFIRM = "confirm"
REMEDY_ID = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
ON_VERIFY_FAIL: tuple[OnVerifyFail, ...] = get_args(OnVerifyFail)
GROUPS = ("run", "table", "column", "value")
LARGEST = 1_000_000


def read_remedies(node: Node | None, confirm: str | None, reading: Reading) -> tuple[Remedy, ...]:
    """Read the ladder, in order; mistakes go to the sheet of ``reading``."""
    remedies: dict[str, Remedy] = {}
    if node is None:
        return ()
    items = reading.items(node, "remedies")
    for number, item in enumerate(items, start=1):
        section = reading.section(item, "a remedy")
        remedy = _remedy(section, confirm, reading)
        if remedy.id and remedy.id in remedies:
            reading.sheet.report(item.place, f"two remedies are called {remedy.id!r}")
        follow = section.table.values.get("on_verify_fail")
        if number == len(items) and follow and remedy.on_verify_fail == "undo_then_next":
            message = f"there is no remedy after {remedy.id!r} to go on with"
            reading.sheet.report(follow.place, message, "write 'undo_then_ask'")
        remedies[remedy.id] = remedy
    return tuple(remedies.values())


def read_limits(node: Node | None, reading: Reading) -> Limits:
    """Read the limits; mistakes go to the sheet of ``reading``."""
    if node is None:
        return Limits()
    section = reading.section(node, "limits")
    cost = section.find("cost")
    once = section.find("once_within")
    blast = section.find("blast_radius")
    section.close()
    return Limits(
        None if cost is None else reading.integer(cost, "cost", 0, LARGEST),
        None if once is None else _once(reading.section(once, "once_within"), reading),
        None if blast is None else _blast(reading.section(blast, "blast_radius"), reading),
    )


def _once(section: Section, reading: Reading) -> OnceWithin:
    period = reading.duration(section.need("period"), "period")
    node = section.need("group_by")
    names = reading.texts(node, "group_by")
    for name in names:
        if name not in GROUPS and node is not None:
            message = f"a repair cannot be grouped by {brief(name)}"
            reading.sheet.report(node.place, message, nearest(name, GROUPS))
    section.close()
    return OnceWithin(period, names)


def _blast(section: Section, reading: Reading) -> BlastRadius:
    rows = reading.integer(section.need("rows"), "rows", 1, LARGEST)
    window = reading.duration(section.need("window"), "window")
    section.close()
    return BlastRadius(rows, window)


def _remedy(section: Section, confirm: str | None, reading: Reading) -> Remedy:
    remedy_id = reading.named(section.need("id"), "remedy id", REMEDY_ID, "set-mapped-value")
    fixer = reading.text(section.need("fixer"), "fixer")
    tier = reading.choice(section.need("tier"), "tier", Tier.__members__)
    verify: tuple[Verify, ...] = ()
    if (node := section.find("verify")) is not None:
        verify = tuple(_verify(item, confirm, reading) for item in reading.items(node, "verify"))
    expect = section.find("expect")
    expected = None if expect is None else _expected(reading.section(expect, "expect"), reading)
    follow = section.find("on_verify_fail")
    word = None if follow is None else reading.choice(follow, "on_verify_fail", ON_VERIFY_FAIL)
    timeout = section.find("timeout")
    section.close()
    return Remedy(
        remedy_id,
        fixer,
        Tier[tier] if tier else Tier.ADVISE,
        verify,
        expected,
        cast("OnVerifyFail", word or "undo_then_ask"),
        None if timeout is None else reading.duration(timeout, "timeout"),
    )


def _expected(section: Section, reading: Reading) -> Expected:
    rows = section.find("rows")
    columns = section.find("columns")
    section.close()
    return Expected(
        1 if rows is None else reading.integer(rows, "rows", 1, LARGEST),
        () if columns is None else reading.texts(columns, "columns"),
    )


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
