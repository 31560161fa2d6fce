"""What logs showed, as text: causes, a table of symptoms, and a small picture of when."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from doctor.cli.human.examination import diagnosis, gaps
from doctor.cli.human.layout import bold, columns, dim, printable
from doctor.evidence.scan import Scan
from doctor.evidence.symptoms import SymptomEntry
from doctor.model.diagnosis import Diagnosis

COLUMNS = 48
ROWS = 12
_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = ".:-=+*#@"


def scan(found: Scan) -> str:
    """Return what ``doctor scan`` prints."""
    lines = [_title(found)]
    for one in found.diagnoses:
        lines += ["", *diagnosis(one)[:2], *_details(found, one)]
    if found.symptoms:
        lines += ["", "symptoms", *_table(found.symptoms, several=len(found.logs) > 1)]
        lines += _timelines(found)
    lines += gaps(found.gaps)
    return "\n".join(lines)


def _title(found: Scan) -> str:
    lines = sum(one.lines for one in found.logs)
    findings = sum(one.is_finding for one in found.diagnoses)
    names = found.logs[0].name if len(found.logs) == 1 else f"{len(found.logs)} logs"
    words = f"{findings} finding{'s' * (findings != 1)}" if findings else "no finding"
    color = "red" if findings else "yellow" if found.exit_code else "green"
    return f"{bold(printable(names))}: {click.style(words, fg=color, bold=True)} in {lines:,} lines"


def _details(found: Scan, one: Diagnosis) -> list[str]:
    places: dict[str, list[int]] = {}
    for fact in one.facts:
        if fact.line is not None:
            places.setdefault(fact.source.removeprefix("log:"), []).append(fact.line)
    rows = [(f"{name}:{min(many)}", _seen(many)) for name, many in places.items()]
    waits = {each.name: each.wait for each in found.symptoms if each.wait is not None}
    lines = [f"  seen at {', '.join(' '.join(row) for row in rows)}"] if rows else []
    if one.consequences:
        causes = dict.fromkeys(each.cause for each in one.consequences)
        lines.append(f"  which also explains: {', '.join(causes)}")
    if one.retryable is True and one.cause in waits:
        lines.append(f"  retry after {_duration(waits[one.cause])}")
    return [printable(line) for line in lines] + [f"  help: {printable(one.hint)}"]


def _seen(lines: Sequence[int]) -> str:
    return f"to {max(lines)}" if max(lines) > min(lines) else ""


def _table(symptoms: Sequence[SymptomEntry], *, several: bool) -> list[str]:
    rows = []
    for one in symptoms:
        span = str(one.first_line)
        if one.last_line != one.first_line:
            span += f"-{one.last_line}"
        place = f"{one.file}:{span}" if several else f"line {span}"
        noise = "noise" if one.noise else _retry(one)
        rows.append((one.name, f"{one.count:,} x", noise, place))
    lines = []
    for one, row in zip(symptoms, columns(rows), strict=True):
        lines += [dim(row) if one.noise else row, dim(f"      {printable(one.summary)}")]
    return lines


def _retry(one: SymptomEntry) -> str:
    if one.retryable is True:
        return f"retry after {_duration(one.wait)}" if one.wait else "retry"
    return "do not retry" if one.retryable is False else "retry unknown"


def _duration(seconds: float | None) -> str:
    seconds = seconds or 0.0
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _timelines(found: Scan) -> list[str]:
    lines: list[str] = []
    for log in found.logs:
        own = [one for one in found.symptoms if one.file == log.name and not one.noise]
        if own and log.lines > 1:
            lines += ["", *_timeline(own[:ROWS], log.name, log.lines, log.began, log.ended)]
    return lines


def _timeline(
    own: Sequence[SymptomEntry],
    name: str,
    count: int,
    began: datetime | None,
    ended: datetime | None,
) -> list[str]:
    """Draw one row per class over equal parts of the log's time, else of its lines."""
    ends = [one.bars.width * (_last(one.bars.counts) + 1) for one in own]
    until = max(float(count) if began is None else 1.0, *ends, 1.0)
    if began is not None and ended is not None:
        until = max(until, 1.0)
    width = max(len(one.name) for one in own)
    lines = [f"when, in {printable(name)}"]
    for one in own:
        bars = _rebinned(one.bars.counts, one.bars.width, until)
        lines.append(f"  {one.name.ljust(width)}  {_drawn(bars)}")
    left, right = "line 1", f"line {count:,}"
    if began is not None:
        left, right = _time(began), _time(began + timedelta(seconds=until))
    gap = " " * max(1, COLUMNS - len(left) - len(right))
    lines.append(dim(f"  {' ' * width}  {left}{gap}{right}"))
    return lines


def _last(counts: Sequence[int]) -> int:
    return max((at for at, one in enumerate(counts) if one), default=0)


def _rebinned(counts: Sequence[int], width: float, until: float) -> list[float]:
    """Spread the counts over the columns; a count never disappears between two of them."""
    bars = [0.0] * COLUMNS
    for at, one in enumerate(counts):
        if one:
            first = min(COLUMNS - 1, int(at * width / until * COLUMNS))
            last = min(COLUMNS - 1, int(((at + 1) * width / until) * COLUMNS - 1e-9))
            parts = range(first, max(first, last) + 1)
            for column in parts:
                bars[column] += one / len(parts)
    return bars


def _drawn(bars: Sequence[float]) -> str:
    marks = _BLOCKS if _speaks_unicode() else _MARKS
    most = max(bars, default=0.0) or 1.0
    text = ""
    for one in bars:
        level = min(len(marks) - 1, int(one / most * len(marks)))
        text += marks[level] if one else " "
    return click.style(text.rstrip(), fg="red")


def _speaks_unicode() -> bool:
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    return encoding in ("utf8", "utf16", "utf8sig")


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")[:16]
