"""CHECK constraints, compared by what they say in one spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from doctor.model.drift import Difference
from doctor.system.structure.declared import Declared, Name
from doctor.system.structure.expressions import may_mean_the_same, same_words, written
from doctor.system.structure.live import Live
from doctor.system.structure.statements import statement


@dataclass(frozen=True, slots=True)
class _Check:
    """A CHECK: its name, its text, and the text in one spelling, None where it cannot be read."""

    name: str
    text: str
    words: str | None


def check_differences(name: Name, wanted: Declared, live: Live) -> Iterator[Difference]:
    """Yield the CHECKs that one side has only, and those of one name that do not say the same.

    One that cannot be read makes the table's CHECKs open: it might be any of the others.
    """
    here, there = _declared(name, wanted, live), _live(name, live)
    for one in list(here):
        match = next((other for other in there if _same(one, other)), None)
        if match is not None:
            here.remove(one)
            there.remove(match)
    shown = name[1] if name[0] is None else f"{name[0]}.{name[1]}"
    place = wanted.code[name].location
    for one in list(here):
        other = next((each for each in there if each.name and each.name == one.name), None)
        if other is None:
            continue
        here.remove(one)
        there.remove(other)
        is_open = one.words is None or other.words is None
        if is_open or may_mean_the_same(one.text, other.text, live.engine):
            live.open.append((shown, f"the CHECK {one.name} cannot be read"))
            continue
        yield Difference(
            "check", shown, "", one.name, one.text, other.text,
            f"{_dropped(name, other, live)}; {_added(name, one, live)}",
            f"CheckConstraint({other.text!r}, name={one.name!r})", place,
        )  # fmt: skip
    if any(one.words is None for one in (*here, *there)):
        live.open.append((shown, "a CHECK cannot be read, so that the others are not compared"))
        return
    for one in here:
        yield Difference(
            "missing_check", shown, "", one.name, one.text, "none",
            _added(name, one, live), "remove the CheckConstraint", place,
        )  # fmt: skip
    for one in there:
        yield Difference(
            "extra_check", shown, "", one.name, "none", one.text,
            _dropped(name, one, live),
            f"CheckConstraint({one.text!r}, name={one.name or None!r})", place,
        )  # fmt: skip


def _same(one: _Check, other: _Check) -> bool:
    return one.words is not None and one.words == other.words


def _declared(name: Name, wanted: Declared, live: Live) -> list[_Check]:
    found = []
    for one in wanted.tables[name].constraints:
        if not isinstance(one, sa.CheckConstraint) or not _is_rendered(one, live):
            continue
        text = written(one.sqltext, live.dialect)
        label = one.name if isinstance(one.name, str) else ""
        found.append(_Check(_final(label, one, live), text, same_words(text, live.engine)))
    return sorted(found, key=lambda each: (each.name, each.text))


def _final(label: str, one: sa.CheckConstraint, live: Live) -> str:
    if not label:
        return ""
    return str(live.dialect.identifier_preparer.format_constraint(one) or "").strip('"`')


def _is_rendered(one: sa.CheckConstraint, live: Live) -> bool:
    """Tell whether the engine gets the CHECK: those of Boolean and Enum depend on it."""
    rule = getattr(one, "_create_rule", None)
    if rule is None:
        return True
    made: Any = live.dialect.ddl_compiler
    return bool(rule(made(live.dialect, None)))


def _live(name: Name, live: Live) -> list[_Check]:
    found = []
    for one in live.inspector.get_check_constraints(name[1], schema=name[0]):
        text = one["sqltext"]
        words = same_words(text, live.engine)
        if live.engine == "mariadb" and _is_json(words):
            continue  # how MariaDB keeps JSON
        found.append(_Check(str(one["name"] or ""), text, words))
    return found


def _is_json(words: str | None) -> bool:
    return words is not None and "JSON_VALID" in words.upper()[:60]


def _added(name: Name, one: _Check, live: Live) -> str:
    from alembic.operations import ops

    operation = ops.CreateCheckConstraintOp(
        one.name or None, name[1], sa.text(one.text), schema=name[0]
    )
    return statement(live.dialect, [operation], live.table(name))


def _dropped(name: Name, one: _Check, live: Live) -> str:
    from alembic.operations import ops

    if not one.name:
        return ""
    reverse = ops.CreateCheckConstraintOp(one.name, name[1], sa.text(one.text), schema=name[0])
    operation = ops.DropConstraintOp(
        one.name, name[1], type_="check", schema=name[0], _reverse=reverse
    )
    return statement(live.dialect, [operation], live.table(name))
