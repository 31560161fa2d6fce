"""What a log shows, counted: one entry per class of symptom and file, and when it happened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from doctor.model.rule import Retryable, Symptom

SUMMARY = 200
BUCKETS = 64
_SECRETS = re.compile(
    r"(?i)(?P<name>\b[\w-]{0,40}(?:api[_-]?key|token|secret|passw(?:or)?d|passwd|credential)s?"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?P<value>[^\s\"',;&)]{4,})"
    r"|(?P<scheme>\b(?:bearer|basic)\s{1,3})(?P<bearer>[\w.~+/=-]{8,})"
    r"|(?P<url>://[^\s:/@]{1,80}:)(?P<password>[^\s/@]{1,80})(?=@)"
    r"|\b(?P<shape>(?:sk|pk|rk)-[\w-]{12,}|gh[pousr]_\w{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{12,}"
    r"|AIza[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{6,}\.[\w-]*)"
)


@dataclass(frozen=True, slots=True)
class SymptomEntry:
    """All lines of one file that are signs of one class.

    ``first_line`` and ``last_line`` are numbers; ``summary`` is the first line, cut and redacted;
    ``bars`` counts the lines in equal parts of the time (else the length) of the log.
    """

    name: str
    noise: bool
    retryable: Retryable
    wait: float | None
    count: int
    file: str
    first_line: int
    last_line: int
    summary: str
    bars: Bars


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts in buckets of ``width`` from ``start``: seconds of event time, or lines.

    ``began`` is the event time at 0, or None where the log has none.
    """

    counts: tuple[int, ...]
    width: float
    began: datetime | None


class Histogram:
    """Counts positions that grow without a known end.

    When they leave the last bucket, two and two become one.
    """

    __slots__ = ("counts", "width")

    def __init__(self) -> None:
        self.width = 1.0
        self.counts = [0] * BUCKETS

    def add(self, position: float) -> None:
        """Count one at ``position``, which is not negative."""
        index = int(position / self.width)
        while index >= BUCKETS:
            pairs = zip(self.counts[::2], self.counts[1::2], strict=True)
            self.counts = [*(one + other for one, other in pairs), *[0] * (BUCKETS // 2)]
            self.width *= 2
            index = int(position / self.width)
        self.counts[index] += 1


@dataclass(slots=True)
class Tally:
    """A symptom entry in the making."""

    symptom: Symptom
    first_line: int
    summary: str
    is_timed: bool
    count: int = 0
    last_line: int = 0
    when: Histogram = field(default_factory=Histogram)

    def add(self, line: int, order: float) -> None:
        """Count one line, once."""
        if line != self.last_line:
            self.count += 1
            self.last_line = line
            self.when.add(order if self.is_timed else line)

    def entry(self, file: str, began: datetime | None) -> SymptomEntry:
        """Return what was counted; ``began`` is the time of the log's first time stamp."""
        one = self.symptom
        bars = Bars(tuple(self.when.counts), self.when.width, began if self.is_timed else None)
        numbers = (self.count, file, self.first_line, self.last_line, self.summary, bars)
        return SymptomEntry(one.name, one.noise, one.retryable, one.wait, *numbers)


def most_important(entries: Iterable[SymptomEntry]) -> tuple[SymptomEntry, ...]:
    """Return failures before noise, and those that retrying does not cure before the others."""
    cure = {False: 0, "unknown": 1, True: 2}
    return tuple(
        sorted(entries, key=lambda one: (one.noise, cure[one.retryable], one.file, one.first_line))
    )


def shown(text: str) -> str:
    """Return a line for people: secrets hidden, control characters escaped, cut."""
    text = redacted(text[: 4 * SUMMARY]).strip()
    text = "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
    return text if len(text) <= SUMMARY else text[: SUMMARY - 1] + "…"


def redacted(text: str) -> str:
    """Return the text with what looks like a key, token or password hidden."""
    return _SECRETS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    parts: Mapping[str, str | None] = found.groupdict()
    return f"{parts['name'] or parts['scheme'] or parts['url'] or ''}[hidden]"
