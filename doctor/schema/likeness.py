"""Which valid value the rest of a row speaks for: rows of each value, compared column by column.

Method: naive Bayes with Laplace's correction over what columns hold at a glance. It answers only
where every valid value was seen often enough; see MOST_ROWS, ENOUGH and SURE.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from doctor.model.evidence import Scalar
from doctor.model.schema import Row

MOST_ROWS = 500
ENOUGH = 5
SURE = 0.95
MOST_KINDS = 12
MOST_TOLD = 3
Glance = Mapping[str, str]


def likely_value(
    row: Row, column: str, rows: Sequence[Row], valid: Sequence[str], leave_out: Sequence[str]
) -> tuple[str, str] | None:
    """Return the one valid value that a row's other columns speak for, with the reason, or None.

    ``rows`` are rows of the same table; ``leave_out`` are columns that tell nothing, as its key.
    None unless each of ``valid`` stands in at least ``ENOUGH`` of them, and one is at least
    ``SURE``.
    """
    seen = Counter(str(one.get(column)) for one in rows if one.get(column) in valid)
    if not valid or any(seen[one] < ENOUGH for one in valid):
        return None
    telling = _telling(rows, {column, *leave_out})
    if not telling:
        return None
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for one in rows:
        if one.get(column) in valid:
            for name in telling:
                counts[str(one[column])][name][_glance(one.get(name))] += 1
    own = {name: _glance(row.get(name)) for name in telling}
    shares = {value: _weight(counts[value], own, telling, seen, value) for value in valid}
    best = max(shares, key=lambda one: shares[one])
    top = shares[best]
    sure = 1 / sum(math.exp(one - top) for one in shares.values())
    if sure < SURE:
        return None
    told = ", ".join(f"{name} {own[name]}" for name in _speaking(counts, own, best, telling))
    return best, (
        f"inferred from the row's other columns ({told}): {sure:.0%} likely among "
        f"{sum(seen.values())} rows, at least {min(seen[one] for one in valid)} of each value"
    )


def _weight(
    counts: Mapping[str, Counter[str]],
    own: Glance,
    telling: Mapping[str, int],
    seen: Mapping[str, int],
    value: str,
) -> float:
    total = seen[value]
    weight = math.log(total)
    for name, kinds in telling.items():
        weight += math.log((counts[name][own[name]] + 1) / (total + kinds + 1))
    return weight


def _telling(rows: Sequence[Row], leave_out: set[str]) -> dict[str, int]:
    """Return the columns that hold few kinds of things, and more than one, with their number."""
    names = [name for name in (rows[0] if rows else {}) if name not in leave_out]
    kinds = {name: {_glance(one.get(name)) for one in rows} for name in names}
    return {name: len(found) for name, found in kinds.items() if 1 < len(found) <= MOST_KINDS}


def _speaking(
    counts: Mapping[str, Mapping[str, Counter[str]]],
    own: Glance,
    best: str,
    telling: Mapping[str, int],
) -> list[str]:
    """Return the columns that set the best value apart from the others most."""

    def apart(name: str) -> float:
        shares = {
            value: found[name][own[name]] / max(1, found[name].total())
            for value, found in counts.items()
        }
        others = [share for value, share in shares.items() if value != best]
        return shares.get(best, 0.0) - max(others, default=0.0)

    return sorted(telling, key=apart, reverse=True)[:MOST_TOLD]


def _glance(value: Scalar) -> str:
    """Return what a cell holds at a glance: times and long texts only say that they are there."""
    if value is None:
        return "is NULL"
    if isinstance(value, bool | bytes):
        return "is set" if isinstance(value, bytes) else f"is {value}"
    if isinstance(value, int | float):
        return "is 0" if value == 0 else "is above 0" if value > 0 else "is below 0"
    return "is empty" if value == "" else f"is {value!r}" if value.isalpha() else "is set"
