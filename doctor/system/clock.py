"""Event time of log lines: what the line says, and an order that never runs backwards."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

# Anchored at the line's first characters and without nested repetition, so it is linear.
_STAMP = re.compile(
    r"[\[(]?(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6})\d*)?"
    r"(Z|[+-]\d\d:?\d\d)?"
)
_PREFIX = 32
_LONGEST = 48


class EventClock:
    """Reads time stamps line by line.

    A line without a stamp has the time of the line before. When the source's clock jumps back,
    ``order`` stands still instead of running backwards, so that a window neither loses the
    failures before the jump nor sees them twice.
    """

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._order = 0.0

    def read(self, text: str) -> tuple[datetime | None, float]:
        """Return the event time of the line and its order in seconds."""
        at = stamp(text)
        if at is not None:
            if self._at is not None:
                self._order += max(0.0, (at - self._at).total_seconds())
            self._at = at
        return self._at, self._order


def stamp(text: str) -> datetime | None:
    """Return the time stamp near the start of a line; one without a zone is local time."""
    found = _STAMP.search(text, 0, _PREFIX + _LONGEST)
    if found is None or found.start() > _PREFIX:
        return None
    return _moment(found[0].lstrip("[("))


@lru_cache(1024)
def _moment(text: str) -> datetime | None:
    """Return what a time stamp means; lines of a second share it, so it is kept."""
    found = _STAMP.match(text)
    assert found is not None  # noqa: S101 - it was found in a line
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(
            f"{year}-{month}-{day}T{hour}:{minute}:{second}.{(fraction or '0').ljust(6, '0')}"
            f"{zone or ''}"
        )
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        return None
