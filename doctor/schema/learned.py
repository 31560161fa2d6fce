"""What nearly every row has in a column: a proposal for a new one, with its support."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from doctor.model.evidence import Scalar
from doctor.model.schema import Row
from doctor.schema.bounds import at_least

ENOUGH = 20
DOMINANT = 0.9
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Usual:
    """A value, and in how many rows of how many it stands."""

    value: Scalar
    support: int
    of: int

    @property
    def at_least(self) -> float:
        """Lower bound of its share among all rows."""
        return at_least(self.support, self.of)


def usual_value(rows: Sequence[Row], column: str, never: Collection[str]) -> Usual | None:
    """Return the value that at least 9 of 10 rows have, where there are at least 20, or None.

    What is in ``never``, compared without case, is never proposed.
    """
    if len(rows) < ENOUGH:
        return None
    counts = Counter((type(one.get(column)), one.get(column)) for one in rows)
    (_, value), support = counts.most_common(1)[0]
    if value is None or support < DOMINANT * len(rows):
        return None
    if isinstance(value, str | bytes) and len(value) > _LONGEST:
        return None
    if isinstance(value, str) and value.casefold() in {one.casefold() for one in never}:
        return None
    return Usual(value, support, len(rows))


def distinct(rows: Sequence[Row], column: str) -> int:
    """Return how many different values stand in a column of these rows."""
    return len({(type(one.get(column)), one.get(column)) for one in rows})
