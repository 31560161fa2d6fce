"""What a new row needs, as text."""

from __future__ import annotations

from doctor.cli.human.layout import bold, columns, dim, printable
from doctor.model.evidence import Scalar
from doctor.model.insertion import RequiredField, RequiredFields, RowProblem

_WIDTH = 40


def required(needed: RequiredFields) -> str:
    """Return what must be given first, then what is filled, by its origin."""
    filled = [one for one in needed.fields if one.origin != "you"]
    lines = [f"{bold(needed.table)}: {len(needed.missing)} to give, {len(filled)} filled"]
    if needed.missing:
        lines += ["", bold("to give")]
        lines += columns((one.name, one.type, one.reason) for one in needed.missing)
    if filled:
        lines += ["", bold("filled")]
        lines += columns(_row(one) for one in filled)
    if needed.problems:
        lines += ["", bold("wrong")]
        lines += [line for one in needed.problems for line in problem(one)]
    lines += ["", _proof(needed)]
    lines += [dim(printable(f"not known: {one.reason}")) for one in needed.gaps]
    return "\n".join(lines)


def problem(one: RowProblem) -> list[str]:
    """Return a problem of a row, and what would be right."""
    right = [f"    right: {printable(one.right)}"] if one.right else []
    return [f"  {one.fault}: {printable(one.message)}", *right]


def _row(one: RequiredField) -> tuple[str, ...]:
    origin = one.origin if one.certain else f"{one.origin}, proposed"
    reason = "" if one.origin in ("given", "ORM default") else one.reason
    return one.name, _shown(one.value) if _has_value(one) else "-", origin, reason


def _has_value(one: RequiredField) -> bool:
    return one.is_written or one.origin == "given"


def _shown(value: Scalar) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _proof(needed: RequiredFields) -> str:
    if needed.proof == "inserted and rolled back":
        return "proven: the database took this row, and it was rolled back"
    if needed.proof == "refused":
        return f"refused: {printable(needed.proof_reason)}"
    return f"not proven: {printable(needed.proof_reason or 'it was not tried')}"
