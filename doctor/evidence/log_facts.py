"""Turns log lines into facts by the signatures, and finds out which run a line speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from doctor.errors import SourceError
from doctor.evidence.tracebacks import HEAD, TracebackReader
from doctor.model.evidence import Fact, FactKind, Gap, Value
from doctor.model.ports import Log, LogLine
from doctor.model.rule import Signature
from doctor.model.system import Run, System
from doctor.rulebook.log_kinds import TRACEBACK
from doctor.rulebook.signatures import SignatureSet
from doctor.runs import run_of_path
from doctor.runs.known import INHERITED
from doctor.system.escapes import without_escapes

FACT_CAP = 100_000
FAILURE = "http.failure"
_BATCH = 1 << 20  # characters
_MOST_LINES = 10_000
_Found = tuple[Signature, dict[str, Value]]


class LogProbe:
    """Reads the configured logs. Its kinds are those of the signatures."""

    name = "logs"

    def __init__(self, kinds: tuple[FactKind, ...], signatures: SignatureSet):
        self.kinds = kinds
        self._set = signatures
        self._read: dict[str, tuple[Fact | Gap, ...]] = {}

    def collect(self, system: System, run: Run) -> Iterator[Fact | Gap]:
        """Yield the facts of every log that speak of ``run``, or of no run at all."""
        for log in (*system.logs, *system.reports):
            known = self.read(log)
            yield from (one for one in known if isinstance(one, Gap))
            facts = [one for one in known if isinstance(one, Fact)]
            yield from _of_run(facts, run, system.run_prefix)

    def read(self, log: Log) -> tuple[Fact | Gap, ...]:
        """Return the facts of one log, whatever run they speak of; it is read only once."""
        if log.name not in self._read:
            facts: list[Fact] = []
            gaps: list[Gap] = []
            try:
                facts.extend(self._facts(log))
            except SourceError as error:
                kinds = tuple(kind.name for kind in self.kinds)
                gaps.append(Gap(self.name, error.message, kinds))
            self._read[log.name] = (*_with_failures_after(facts), *gaps)
        return self._read[log.name]

    def paths(self, logs: Iterable[Log]) -> frozenset[str]:
        """Return the URL paths that the logs hold."""
        endpoints = (
            one.fields.get("endpoint")
            for log in logs
            for one in self.read(log)
            if isinstance(one, Fact)
        )
        return frozenset(one for one in endpoints if isinstance(one, str))

    def _facts(self, log: Log) -> Iterator[Fact]:
        for number, fact in enumerate(self._all_facts(log), start=1):
            if number > FACT_CAP:
                raise SourceError(f"{log.name} holds more than {FACT_CAP:,} symptoms")
            yield fact

    def _all_facts(self, log: Log) -> Iterator[Fact]:
        source = f"log:{log.name}"
        open_traceback: tuple[TracebackReader, LogLine] | None = None
        for line, text, found in self._matched(log):
            if open_traceback is not None and not open_traceback[0].feed(text):
                yield from _traceback(*open_traceback, source)
                open_traceback = None
            if open_traceback is None and HEAD in text:
                open_traceback = TracebackReader(), line
                open_traceback[0].feed(text)
            for signature, fields in found:
                yield Fact(signature.kind, fields, source, line.at, line.number, line.order)
        if open_traceback is not None:
            yield from _traceback(*open_traceback, source)

    def _matched(self, log: Log) -> Iterator[tuple[LogLine, str, Sequence[_Found]]]:
        """Yield each line, its text, and the signatures that it fits; then what ended the log."""
        for lines, error in _batches(log.lines()):
            texts = [without_escapes(line.text) for line in lines]
            yield from zip(lines, texts, self._set.match_lines(texts), strict=True)
            if error is not None:
                raise error


def _batches(
    lines: Iterator[LogLine],
) -> Iterator[tuple[list[LogLine], SourceError | None]]:
    """Yield lines many at a time, the last of them with what kept the log from being read on."""
    batch: list[LogLine] = []
    size = 0
    try:
        for line in lines:
            batch.append(line)
            size += len(line.text)
            if size > _BATCH or len(batch) >= _MOST_LINES:
                yield batch, None
                batch, size = [], 0
    except SourceError as error:
        yield batch, error
        return
    yield batch, None


def _traceback(reader: TracebackReader, head: LogLine, source: str) -> Iterator[Fact]:
    if reader.fields is not None:
        yield Fact(TRACEBACK.name, reader.fields, source, head.at, head.number, head.order)


def _with_failures_after(facts: list[Fact]) -> list[Fact]:
    """Count the failed calls after each other symptom: did the log go on failing?"""
    found: list[Fact] = []
    failures = 0
    for fact in reversed(facts):
        if fact.kind == FAILURE:
            failures += 1
            found.append(fact)
        else:
            found.append(_with(fact, {"failures_after": failures}))
    return found[::-1]


def _of_run(facts: list[Fact], run: Run, prefix: str | None) -> Iterator[Fact]:
    """Yield the facts about ``run``, each with its run.

    A fact names its run itself or by its URL. One that names none belongs to the run that its log
    speaks of: the one asked about, unless the log names only others.
    """
    owners = [_own_run(fact, run, prefix) for fact in facts]
    named = {one for one in owners if one is not None}
    speaks_of = next(iter(named)) if len(named) == 1 else None
    if run.id is not None and (not named or run.id in named):
        speaks_of = run.id
    for fact, owner in zip(facts, owners, strict=True):
        if owner is not None and run.id in (None, owner):
            yield _with(fact, {"run": owner})
        elif owner is None and speaks_of is not None and run.id in (None, speaks_of):
            yield _with(fact, {"run": speaks_of, INHERITED: True})


def _own_run(fact: Fact, run: Run, prefix: str | None) -> str | None:
    own = fact.fields.get("run")
    endpoint = fact.fields.get("endpoint")
    if own is None and isinstance(endpoint, str):
        return _named_run(endpoint, run, prefix)
    return own if isinstance(own, str) else None


def _named_run(endpoint: str, run: Run, prefix: str | None) -> str | None:
    if run.id is not None and run.id in map(unquote, endpoint.split("/")):
        return run.id
    return run_of_path(endpoint, prefix) if prefix else None


def _with(fact: Fact, more: Mapping[str, Value]) -> Fact:
    fields = {**fact.fields, **more}
    return Fact(fact.kind, fields, fact.source, fact.at, fact.line, fact.order)
