"""What a new row of a table must hold, and where each value comes from: nothing is invented."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from doctor.model.evidence import Scalar
from doctor.model.insertion import Blueprint, Origin, RequiredField, RequiredFields
from doctor.model.schema import CodeColumn, CodeFill, LiveColumn, LiveTable, Row
from doctor.redaction import is_secret_name
from doctor.schema.learned import ENOUGH, distinct, usual_value
from doctor.schema.live_types import kind_of
from doctor.schema.moments import holds_moments, moment_text

_TRUTHS = {"true": True, "false": False}
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}\.\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sources:
    """The time, aware, and what makes a new uuid: the only things that are not in the tables."""

    now: datetime
    uuid: Callable[[], UUID] = uuid4


def fields_of(blueprint: Blueprint, given: Row, sources: Sources) -> RequiredFields:
    """Return what a new row needs, and the row as far as it is known.

    Given values come first, then the default of the models, the database's own, the clock for a
    moment, and what nearly all rows have. Keys, unique values and references are left to the
    caller, and so are columns of an enum without a default.
    """
    found = [
        one
        for column in blueprint.table.columns
        if (one := _field(blueprint, column, given, sources)) is not None
    ]
    row = {**given, **{one.name: one.value for one in found if one.is_written}}
    return RequiredFields(blueprint.table.name, tuple(found), row, gaps=blueprint.gaps)


def is_needed(blueprint: Blueprint, column: LiveColumn) -> bool:
    """Tell whether the models or the database want something other than NULL in a column."""
    declared = blueprint.code.column(column.name) if blueprint.code else None
    by_code = declared is not None and declared.nullable is False
    return not column.nullable or by_code or column.name in blueprint.table.primary_key


def adapted(value: Scalar, declared: str) -> Scalar:
    """Return a value of the models as a column of this type holds it."""
    kind = kind_of(declared)
    if kind == "boolean" and type(value) is int:
        return bool(value)
    if kind in ("integer", "number") and type(value) is bool:
        return int(value)
    if kind == "text" and type(value) in {int, float}:
        return str(value)
    return value


def typed(given: Row, table: str, tables: Sequence[LiveTable]) -> dict[str, Scalar]:
    """Return given texts as the numbers and truth values that the columns hold."""
    live = next((one for one in tables if one.name == table), None)
    return {
        name: _as_typed(value, column.type)
        if live and isinstance(value, str) and (column := live.column(name))
        else value
        for name, value in given.items()
    }


def _as_typed(text: str, declared: str) -> Scalar:
    kind = kind_of(declared)
    if kind == "boolean" and text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    if kind in ("integer", "boolean", "number") and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text


def _field(
    blueprint: Blueprint, column: LiveColumn, given: Row, sources: Sources
) -> RequiredField | None:
    name = column.name
    if name in given:
        return _made(blueprint, column, "given", reason="given", value=given[name])
    declared = blueprint.code.column(name) if blueprint.code else None
    fill = declared.fill if declared else None
    own = blueprint.intake.defaults.get(name)
    if name in blueprint.intake.numbered:
        return _made(blueprint, column, "autoincrement", reason="the database numbers it")
    if declared is not None and fill is not None and fill.kind != "call":
        return _by_code(blueprint, column, declared, fill, sources)
    if own is not None:
        return _made(blueprint, column, "server default", reason=f"DEFAULT {own}")
    is_free = name in blueprint.intake.computed or not is_needed(blueprint, column)
    return None if is_free else _undeclared(blueprint, column, declared, sources)


def _by_code(
    blueprint: Blueprint,
    column: LiveColumn,
    declared: CodeColumn,
    fill: CodeFill,
    sources: Sources,
) -> RequiredField:
    where = f"default={declared.default}"
    if fill.kind == "value":
        value = adapted(fill.value, column.type)
        return _made(blueprint, column, "ORM default", value=value, reason=where, is_written=True)
    if fill.kind == "uuid":
        text = str(sources.uuid())
        is_hex = kind_of(column.type) == "text" and declared.type not in ("String", "Text")
        value = text.replace("-", "") if is_hex else text
        return _made(blueprint, column, "ORM default", value=value, reason=where, is_written=True)
    now = sources.now.astimezone(UTC if fill.kind == "clock" else None)
    value = moment_text(now, column.type, _written(blueprint, column))
    return _made(blueprint, column, "clock", value=value, reason=where, is_written=True)


def _undeclared(
    blueprint: Blueprint, column: LiveColumn, declared: CodeColumn | None, sources: Sources
) -> RequiredField:
    """Return the field of a column that must be filled, and for which nothing is declared."""
    name = column.name
    link = next((one for one in blueprint.links if name in one.columns), None)
    if link is not None:
        to = ", ".join(link.references) or "its key"
        return _left(blueprint, column, f"it references {link.table} ({to})")
    shared = [one for one in (*blueprint.intake.unique, blueprint.table.primary_key) if name in one]
    if shared:
        more = f" together with {', '.join(set(shared[0]) - {name})}" if len(shared[0]) > 1 else ""
        return _left(blueprint, column, f"no two rows share it{more}")
    if (declared and declared.enum) or name in blueprint.intake.labels:
        values = declared.enum.values if declared and declared.enum else ()
        one_of = ", ".join(values or blueprint.intake.labels.get(name, ()))
        return _left(blueprint, column, f"which one a new row has is not declared: {one_of}")
    if is_secret_name(name):
        return _left(blueprint, column, "it may be a secret")
    if holds_moments(column.type):
        now = sources.now.astimezone(UTC)
        value = moment_text(now, column.type, _written(blueprint, column))
        reason = "a moment is required and nothing says which: now"
        if declared is not None and declared.fill is not None:
            reason = f"its default {declared.default} is only known when the code runs: now"
        return _proposed(blueprint, column, "clock", value, reason)
    return _learned(blueprint, column, declared)


def _learned(
    blueprint: Blueprint, column: LiveColumn, declared: CodeColumn | None
) -> RequiredField:
    rows = blueprint.sample
    usual = usual_value(rows, column.name, blueprint.ends)
    if usual is None:
        if declared is not None and declared.fill is not None:
            only = f"its default {declared.default} is only known when the code runs"
            return _left(blueprint, column, only)
        many = distinct(rows, column.name)
        few = "" if len(rows) >= ENOUGH else f", fewer than {ENOUGH}"
        return _left(
            blueprint,
            column,
            f"no default is declared; {len(rows)} rows{few} hold {many} different values",
        )
    which = "all" if blueprint.is_whole else "the first"
    reason = (
        f"no default is declared; {usual.support} of {which} {usual.of} rows have it,"
        f" at least {usual.at_least:.0%} with 95 % confidence"
    )
    proposed = _proposed(blueprint, column, "learned", usual.value, reason)
    return replace(proposed, support=usual.support, of=usual.of, at_least=usual.at_least)


def _written(blueprint: Blueprint, column: LiveColumn) -> list[Scalar]:
    return [one.get(column.name) for one in reversed(blueprint.sample)]


def _left(blueprint: Blueprint, column: LiveColumn, reason: str) -> RequiredField:
    return _made(blueprint, column, "you", reason=reason)


def _proposed(
    blueprint: Blueprint, column: LiveColumn, origin: Origin, value: Scalar, reason: str
) -> RequiredField:
    return _made(
        blueprint, column, origin, value=value, reason=reason, is_written=True, certain=False
    )


def _made(
    blueprint: Blueprint,
    column: LiveColumn,
    origin: Origin,
    *,
    reason: str,
    value: Scalar = None,
    is_written: bool = False,
    certain: bool = True,
) -> RequiredField:
    declared = blueprint.code.column(column.name) if blueprint.code else None
    known = "database" if declared is None else "models and database"
    return RequiredField(
        column.name, column.type, known, origin, value, is_written, certain, reason
    )
