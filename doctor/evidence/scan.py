"""Reads logs on their own, without a system: what they show, counted, and the facts for rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from doctor.errors import SourceError
from doctor.evidence.kept_facts import KeptFacts, Passes, counts_of
from doctor.evidence.log_end import log_end
from doctor.evidence.symptoms import SymptomEntry, Tally, most_important, shown
from doctor.evidence.tracebacks import HEAD, TracebackReader
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Fact, Gap
from doctor.model.rule import Rule, Select, Signature, Symptom
from doctor.rulebook.block_matcher import BlockMatcher, LineHit
from doctor.rulebook.log_kinds import LOG_END, TRACEBACK
from doctor.system.blocks import Block, LogBytes
from doctor.system.clock import EventClock

_PROBE = "scan"
_STAMPED = 80
_SHOWN = 4_000

_TAIL = 4_096
# The last signature: it finds where tracebacks begin.
_HEAD = Signature(TRACEBACK.name, re.escape(HEAD), {}, (), (), "built in")

Progress = Callable[[LogBytes], None]


@dataclass(frozen=True, slots=True)
class ScannedLog:
    """What one log showed.

    ``lines`` is its number of lines; ``gaps`` say what of it could not be read.
    """

    name: str
    lines: int
    began: datetime | None
    ended: datetime | None
    symptoms: tuple[SymptomEntry, ...]
    facts: tuple[Fact, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """What several logs showed, and what the rules conclude from it, most important first."""

    logs: tuple[ScannedLog, ...]
    diagnoses: tuple[Diagnosis, ...]
    rule_gaps: tuple[Gap, ...] = ()

    @property
    def symptoms(self) -> tuple[SymptomEntry, ...]:
        """All symptoms: failures before noise."""
        return most_important(one for log in self.logs for one in log.symptoms)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read."""
        return (*(gap for log in self.logs for gap in log.gaps), *self.rule_gaps)

    @property
    def exit_code(self) -> int:
        """3 where there is a finding; else 9 where something could not be read; else 0."""
        if any(one.is_finding for one in self.diagnoses):
            return 3
        return 9 if self.gaps else 0


class LogScanner:
    """Scans logs with one set of signatures.

    Args:
        signatures: what to look for.
        rules: facts of kinds that none of them asks for are only counted.
        passes: tests a fact.
    """

    def __init__(
        self, signatures: Sequence[Signature], rules: Sequence[Rule], passes: Passes
    ) -> None:
        self._matcher = BlockMatcher((*signatures, _HEAD))
        asked = {
            one.kind
            for rule in rules
            for one in rule.selections.values()
            if isinstance(one, Select)
        }
        self._wanted = [one.kind in asked for one in (*signatures, _HEAD)]
        self._counts = counts_of(rules)
        self._passes = passes

    def scan(self, name: str, progress: Progress) -> ScannedLog:
        """Read one log to its end, or as far as it goes.

        Raises:
            UsageError: there is no such file.
        """
        log = LogBytes(name)
        kept = KeptFacts(f"log:{name}", self._counts, self._passes)
        reading = _Reading(name, self._matcher, self._wanted, kept)
        gaps = []
        try:
            for block in log.blocks():
                reading.take(block)
                progress(log)
        except SourceError as error:
            gaps.append(Gap(_PROBE, error.message))
        return reading.finished(gaps)


class _Reading:
    """One log while it is read."""

    def __init__(
        self, name: str, matcher: BlockMatcher, wanted: Sequence[bool], kept: KeptFacts
    ) -> None:
        self._name = name
        self._matcher = matcher
        self._wanted = wanted
        self._kept = kept
        self._clock = EventClock()
        self._began: datetime | None = None
        self._ended: datetime | None = None
        self._lines = 0
        self._tallies: dict[str, Tally] = {}
        self._head = len(matcher.signatures) - 1 if wanted[-1] else None
        self._traceback: tuple[TracebackReader, int, datetime | None, float] | None = None
        self._tail = b""

    def take(self, block: Block) -> None:
        """Count what a block shows."""
        data = block.data
        self._at(data[:_STAMPED].partition(b"\n")[0])
        behind = 0
        if self._traceback is not None:
            behind = self._go_on(data, 0)
        for hit in self._matcher.hits(data):
            start = hit[0]
            number = block.number_at(start)
            at, order = self._at(data[start : min(hit[1], start + _STAMPED)])
            self._count(hit, data, number, at, order)
            if start >= behind and hit[2][-1] == self._head:
                self._traceback = (TracebackReader(), number, at, order)
                behind = self._go_on(data, start)
        self._lines = block.first + block.lines - 1
        self._tail = (self._tail + data[-_TAIL:])[-_TAIL:]

    def _go_on(self, data: bytes, start: int) -> int:
        """Read on in the traceback; return where in the block it ends."""
        while self._traceback is not None and start < len(data):
            reader = self._traceback[0]
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            if not reader.feed(data[start : min(end, start + _SHOWN)].decode("utf-8", "replace")):
                self._end_traceback()
                break
            start = end + 1
        return start

    def _end_traceback(self) -> None:
        if self._traceback is not None:
            reader, number, at, order = self._traceback
            if reader.fields is not None:
                self._kept.add(TRACEBACK.name, reader.fields, number, at, order)
            self._traceback = None

    def _at(self, head: bytes) -> tuple[datetime | None, float]:
        at, order = self._clock.read(head.decode("utf-8", "replace"))
        if at is not None:
            self._began = self._began or at
            self._ended = at
        return at, order

    def _count(
        self, hit: LineHit, data: bytes, number: int, at: datetime | None, order: float
    ) -> None:
        counted: Symptom | None = None
        for index in hit[2]:
            signature = self._matcher.signatures[index]
            symptom = signature.symptom
            if symptom is not None and (counted is None or counted.name != symptom.name):
                counted = symptom
                tally = self._tallies.get(symptom.name)
                if tally is None:
                    line = data[hit[0] : min(hit[1], hit[0] + _SHOWN)].decode("utf-8", "replace")
                    tally = self._tallies[symptom.name] = Tally(
                        symptom, number, shown(line), is_timed=at is not None
                    )
                tally.add(number, order)
            if self._wanted[index] and index != self._head:
                fields = self._matcher.fields(hit, index, data) if signature.fields else {}
                self._kept.add(signature.kind, fields, number, at, order)

    def finished(self, gaps: list[Gap]) -> ScannedLog:
        """Return what the whole log showed."""
        self._end_traceback()
        ended = None if gaps else log_end(self._tail, self._lines)
        if ended is not None:
            self._kept.add(LOG_END.name, {"ended": ended}, self._lines, *self._clock.read(""))
        if self._kept.left:
            reason = (
                f"{self._name} has too many different symptoms: {self._kept.left:,} are left out"
            )
            gaps.append(Gap(_PROBE, reason))
        facts = tuple(_with_run(self._kept.facts(), self._name))
        entries = (one.entry(self._name, self._began) for one in self._tallies.values())
        ends = (self._began, self._ended)
        return ScannedLog(self._name, self._lines, *ends, tuple(entries), facts, tuple(gaps))


def _with_run(facts: Iterable[Fact], name: str) -> Iterator[Fact]:
    """Give each fact a run: its own, the only one that the log names, else the log's name."""
    facts = tuple(facts)
    named = {run for fact in facts if isinstance(run := fact.fields.get("run"), str)}
    speaks_of = next(iter(named)) if len(named) == 1 else Path(name).name
    for fact in facts:
        if isinstance(fact.fields.get("run"), str):
            yield fact
        else:
            fields = {**fact.fields, "run": speaks_of}
            yield Fact(fact.kind, fields, fact.source, fact.at, fact.line, fact.order)
