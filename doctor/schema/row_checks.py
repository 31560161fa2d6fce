"""What is wrong with a row before it is added: every fault at once, with what would be right."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from uuid import UUID

from doctor.model.evidence import Gap, Scalar
from doctor.model.insertion import Blueprint, Intake, RequiredField, RequiredFields, RowProblem
from doctor.model.schema import CodeColumn, EnumValues, LiveColumn, Row
from doctor.schema.bad_cells import fits
from doctor.schema.conditions import fails
from doctor.schema.live_types import Kind, kind_of, length_of, range_of
from doctor.schema.replacement import same_folded
from doctor.schema.required import is_needed

CONDITION = "schema.condition"
_SHOWN = 60
_MOST_NAMED = 12
_TYPES: dict[Kind, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool, int),
    "text": (str,),
    "bytes": (bytes, str),
}
_FILLED = ("server default", "autoincrement", "computed")


def missing_problems(needed: RequiredFields, row: Row) -> Iterator[RowProblem]:
    """Yield a problem per column that must hold something and is not in the row."""
    for one in needed.fields:
        if one.name not in row and one.origin not in _FILLED:
            words = f"{needed.table}.{one.name} is missing"
            yield RowProblem(one.name, "missing", words, _offer(one))


def value_problems(blueprint: Blueprint, row: Row) -> Iterator[RowProblem]:
    """Yield what is wrong with the values of a row by themselves."""
    table = blueprint.table
    for name, value in row.items():
        column = table.column(name)
        if column is None:
            near = difflib.get_close_matches(name, [one.name for one in table.columns], n=1)
            right = f"did you mean {near[0]!r}?" if near else ""
            words = f"{table.name} has no column {name!r}"
            yield RowProblem(name, "unknown column", words, right)
        elif name in blueprint.intake.computed:
            words = f"{table.name}.{name} is computed by the database"
            yield RowProblem(name, "computed", words, "leave it out")
        elif value is None:
            if is_needed(blueprint, column):
                yield RowProblem(name, "NULL", f"{table.name}.{name} may not be NULL")
        else:
            declared = blueprint.code.column(name) if blueprint.code else None
            yield from _of_value(blueprint, column, declared, value)


def condition_problems(blueprint: Blueprint, row: Row) -> Iterator[RowProblem | Gap]:
    """Yield the conditions that a row does not meet; those that nobody can tell are gaps."""
    for one in blueprint.intake.checks:
        found = fails(one.text, row)
        name = one.name or one.text
        if found is None:
            yield Gap(CONDITION, f"the condition {name!r} is left to the database")
        elif found:
            words = f"the row does not meet the condition {name!r}"
            yield RowProblem(_first_named(blueprint, one.text), "check", words, one.text)


def _first_named(blueprint: Blueprint, text: str) -> str:
    """Return the first column that a condition names."""
    words = re.findall(r"\w+", text)
    return next((one for one in words if blueprint.table.column(one)), "")


def _of_value(
    blueprint: Blueprint, column: LiveColumn, declared: CodeColumn | None, value: Scalar
) -> Iterator[RowProblem]:
    place = f"{blueprint.table.name}.{column.name}"
    wrong_type = _type_problem(column, declared, value)
    if wrong_type is not None:
        yield RowProblem(column.name, "type", f"{place} holds {_shown(value)}", wrong_type)
        return
    enum = declared.enum if declared else None
    accepted = (*enum.values, *enum.aliases) if enum and not enum.open else ()
    accepted = accepted or blueprint.intake.labels.get(column.name, ())
    if accepted and value not in accepted:
        source = f"{enum.name} does not have" if enum else "its type does not have"
        words = f"{place} holds {_shown(value)}, which {source}"
        yield RowProblem(column.name, "enum", words, _one_of(str(value), accepted, enum))
    yield from _limit_problems(blueprint.intake, column, place, value)
    is_json = kind_of(column.type) == "json" or (declared and declared.type in ("JSON", "JSONB"))
    if is_json and not _is_json(value):
        yield RowProblem(column.name, "JSON", f"{place} holds {_shown(value)}", "valid JSON text")


def _limit_problems(
    intake: Intake, column: LiveColumn, place: str, value: Scalar
) -> Iterator[RowProblem]:
    longest, limits = length_of(column.type), range_of(column.type)
    if isinstance(value, str) and longest is not None and len(value) > longest and intake.strict:
        words = f"{place} holds a text of {len(value)} characters"
        yield RowProblem(column.name, "length", words, f"at most {longest}")
    if type(value) is int and limits is not None and intake.strict:
        low, high = limits
        if not low <= value <= high:
            words = f"{place} holds {value}"
            yield RowProblem(column.name, "range", words, f"{low} to {high}")


def _type_problem(column: LiveColumn, declared: CodeColumn | None, value: Scalar) -> str | None:
    """Return what type would be right, None where it fits."""
    kind = kind_of(column.type)
    if kind in ("moment", "date", "time"):
        need = {"moment": "date and time", "date": "date", "time": "time"}[kind]
        by_code = declared is not None and declared.type in ("DateTime", "Date", "Time")
        is_text = isinstance(value, str)
        if (is_text or by_code) and not fits(value, need):  # type: ignore[arg-type]
            return f"a {need} such as '2026-01-02 03:04:05'"
        return None
    if kind == "uuid":
        return None if _is_uuid(value) else "a uuid"
    wanted = _TYPES.get(kind)
    if wanted is None or isinstance(value, wanted):
        is_flag = kind == "integer" and type(value) is bool
        return "a whole number" if is_flag else None
    if kind == "number" and isinstance(value, str) and _is_number(value):
        return None
    return {"integer": "a whole number", "text": "a text", "boolean": "true or false"}.get(
        kind, f"a {kind}"
    )


def _offer(one: RequiredField) -> str:
    if one.is_written:
        return f"{_shown(one.value)} ({one.origin}: {one.reason})"
    return one.reason


def _one_of(value: str, accepted: tuple[str, ...], enum: EnumValues | None) -> str:
    near = same_folded(value, accepted, enum.name if enum else "")
    first = f"{near!r}? " if near else ""
    more = ", …" if len(accepted) > _MOST_NAMED else ""
    return f"{first}one of {', '.join(accepted[:_MOST_NAMED])}{more}"


def _is_json(value: Scalar) -> bool:
    if not isinstance(value, str | bytes):
        return type(value) in {int, float, bool}
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _is_uuid(value: Scalar) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _shown(value: Scalar) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
