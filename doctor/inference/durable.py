"""The production engine: durable_rules, in a fresh process for every question."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doctor.inference.compile import Compile, Program, Ruleset, compile_rules
from doctor.inference.port import EngineUnavailable, Job, Match, Selections
from doctor.inference.process import Child
from doctor.model.rule import Rule

_MODULE: Final = "durable_rules_engine"
_WORKER: Final = Path(__file__).with_name("worker.py")
_MEMORY: Final = 512 << 20
_ANSWER: Final = 64 << 20
_CLAUSES_AT_ONCE: Final = 10_000  # each costs the child up to 13 KB
_KEPT_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def durable_available() -> bool:
    """Tell whether durable_rules is installed, without importing it.

    One that is installed and cannot be imported shows as EngineUnavailable at the first match.
    """
    return _engine_folder() is not None


class DurableEngine:
    """Asks durable_rules in a child process of its own; a child answers once.

    Args:
        seconds: wall time for one answer; then the child is killed.
        command: how to start the child, for tests; None starts the worker.
        compile_: how rules become a program, for tests.
    """

    name = "durable"

    def __init__(
        self,
        *,
        seconds: float = 5.0,
        command: Sequence[str] | None = None,
        compile_: Compile = compile_rules,
    ) -> None:
        self._seconds = seconds
        self._command = command
        self._compile = compile_
        self._spare: Child | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start the next child now, so that it is ready when the evidence is.

        Raises:
            EngineUnavailable: it could not be started.
        """
        with self._lock:
            if self._spare is None:
                self._spare = self._start()

    def close(self) -> None:
        """End the spare child, if there is one."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()

    def match(self, rules: Sequence[Rule], selections: Selections) -> frozenset[Match]:
        """Return the rules that match, each with its join key.

        Raises:
            EngineUnavailable: the child crashed, hung, refused or talked nonsense.
        """
        return self.match_all((Job(tuple(rules), selections),))[0]

    def match_all(self, jobs: Sequence[Job]) -> tuple[frozenset[Match], ...]:
        """Return one answer per job, in order; many jobs share a child, none shares a ruleset.

        Raises:
            EngineUnavailable: a child crashed, hung, refused or talked nonsense.
        """
        programs = [self._compile(job.rules, job.selections) for job in jobs]
        found: list[set[Match]] = [set() for _ in programs]
        for batch in _batches(programs):
            for at, matches in zip(batch, self._ask(programs, batch), strict=True):
                found[at].update(matches)
        return tuple(frozenset(one) for one in found)

    def _ask(self, programs: Sequence[Program], batch: Sequence[int]) -> list[set[Match]]:
        rulesets = [ruleset for at in batch for ruleset in programs[at].rulesets]
        answer = self._take().ask(_request(rulesets), seconds=self._seconds, limit=_ANSWER)
        blocks = _blocks(answer, len(rulesets))
        return [
            {match for _ in programs[at].rulesets for match in _matches(next(blocks), programs[at])}
            for at in batch
        ]

    def _take(self) -> Child:
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            if spare.waits:
                return spare
            spare.close()
        return self._start()

    def _start(self) -> Child:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        return Child(self._command or _worker_command(self._seconds), environment)


def _worker_command(seconds: float) -> list[str]:
    folder = _engine_folder()
    if folder is None:
        raise EngineUnavailable(
            "durable_rules is not installed", hint='set engine = "reference" in doctor.toml'
        )
    if not sys.executable:
        raise EngineUnavailable("there is no Python interpreter to run the rule engine with")
    limits = (str(_MEMORY), str(math.ceil(seconds) + 1))
    return [sys.executable, "-I", "-S", str(_WORKER), folder, *limits]


def _engine_folder() -> str | None:
    spec = importlib.util.find_spec(_MODULE)
    return str(Path(spec.origin).parent) if spec and spec.origin else None


def _batches(programs: Sequence[Program]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for at, program in enumerate(programs):
        if not program.rulesets:
            continue
        if batch and size + len(program.rules) > _CLAUSES_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(at)
        size += len(program.rules)
    if batch:
        yield batch


def _request(rulesets: Sequence[Ruleset]) -> bytes:
    lines: list[str] = []
    for ruleset in rulesets:
        rules = {name: {"all": patterns} for name, patterns in ruleset.rules.items()}
        lines.append(f"R{json.dumps(rules)}\n")
        lines.extend(f"F{json.dumps(fact)}\n" for fact in ruleset.facts)
        lines.append("G\n")
    return "".join(lines).encode("ascii")


def _blocks(answer: bytes, count: int) -> Iterator[list[bytes]]:
    """Return the lines of each ruleset; the answer must be whole."""
    *blocks, last = answer.split(b".\n")
    if last != b"end\n" or len(blocks) != count:
        raise EngineUnavailable("the rule engine's answer is not whole")
    return (block.splitlines() for block in blocks)


def _matches(lines: Sequence[bytes], program: Program) -> Iterator[Match]:
    for line in lines:
        try:
            [(name, facts)] = json.loads(line).items()
            [key] = {fact["k"] for fact in facts.values()}
            found = program.keys[key]
            yield from ((rule, found) for rule in program.rules[name])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            text = line[:80].decode("ascii", "replace")
            raise EngineUnavailable(f"the rule engine answered {text!r}") from error
