"""How long inference takes, isolated and not, and how long reading rules takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from doctor.inference import DurableEngine, ReferenceEngine, infer
from doctor.inference.chaining import Horizon
from doctor.inference.selection import FactIndex, select
from doctor.model.evidence import Evidence, Fact
from doctor.model.rule import FieldTest, Name, Not, Rule, Select
from tests.bench.figure import Figure
from tests.unit.inference.build import both, rule, sel

REPEATS = 7
READ = 10_000
READINGS = 3


def measure() -> Iterator[Figure]:
    """Yield milliseconds of the engines and seconds of reading, each a median."""
    rules, evidence = _pack(1000, kinds=10), _facts(100, kinds=10, runs=7)
    small, usual = _pack(15, kinds=5), _facts(400, kinds=5, runs=7)
    heavy, borne = _pack(1000, kinds=10, codes=10), _facts(100, 10, 7, 10)

    def alone() -> None:
        index, horizon = FactIndex(evidence.facts), Horizon(evidence)
        selections = {one.id: select(one, index, horizon.of) for one in rules}
        ReferenceEngine().match(rules, selections)

    yield Figure("rules.isolated_100x1000", _warm(rules, evidence, whole=False), 50.0)
    yield Figure("rules.isolated_every_label_100x1000", _warm(heavy, borne, whole=False), 50.0)
    yield Figure("rules.select_and_reference_100x1000", _median(alone), 50.0)
    yield Figure("rules.infer_400x15", _warm(small, usual, whole=True), 50.0)
    yield Figure("rules.infer_cold_child_400x15", _median(lambda: _cold(small, usual)), 80.0)
    cold, cached = _reading()
    yield Figure("rules.read_10000_cold_seconds", cold, 6.0)
    yield Figure("rules.read_10000_cached_seconds", cached, 0.3)


def _reading() -> tuple[float, float]:
    """Return the seconds to read 10,000 rules without and with a cache, each in a fresh process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        for start in range(0, READ, 100):
            texts = [_text(number) for number in range(start, start + 100)]
            (folder / "rules" / f"{start:05}.yaml").write_text("---\n".join(texts))
        cold = [_one_reading(folder, str(number)) for number in range(READINGS)]
        cached = [_one_reading(folder, "0") for _ in range(READINGS)]
    return statistics.median(cold), statistics.median(cached)


def _one_reading(folder: Path, cache: str) -> float:
    command = [sys.executable, "-c", _READING, str(folder / "rules"), str(folder / cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


_READING = """
import gc, sys, time
gc.set_threshold(50_000, 20, 20)  # as the command line does
from pathlib import Path
from doctor.registry import load_registry
from doctor.rulebook.book import load_book
from doctor.rulebook.cache import RuleCache
registry, cache = load_registry(), RuleCache(Path(sys.argv[2]))
start = time.perf_counter()
book = load_book(registry, (sys.argv[1],), strict=True, cache=cache)
print(time.perf_counter() - start)
assert len(book.rules) > 10_000
"""


def _text(number: int) -> str:
    return f"""format: doctor/1
rule: bench.rule-{number}
code: Z{chr(65 + number // 1000)}{number % 1000:03}
revision: 1
title: The same call keeps failing with a server error of unknown cause
status: stable
level: high
owner: bench
retryable: false
match:
  failing: {{kind: http.failure, status|gte: 500, endpoint: /runs/{number}}}
  repeated: {{count_of: failing, group_by: [run, endpoint], within: 10m, gte: 2}}
  now: {{kind: api.get_run, status|gte: 500}}
  condition: repeated or now
join: [run]
diagnosis:
  cause: server_error
  message: "run ${{run}}: ${{endpoint}} keeps answering ${{status}}; its log does not say why"
  hint: "read the server's own log or error report of this call; give --database and --models"
explanation:
  what: Two or more calls of the same address answered 5xx within ten minutes.
  why: >-
    A server error that repeats is deterministic until somebody changes something: more attempts
    are wasted. The executor's log never holds the reason; the server's does.
tests:
  - name: twice within the window
    given:
      facts:
        - {{kind: http.failure, run: r, endpoint: /runs/{number}, status: 500, times: 2, every: 5s}}
    expect: {{verdict: match}}
  - name: once only
    given: {{facts: [{{kind: http.failure, run: r, endpoint: /runs/{number}, status: 500}}]}}
    expect: {{verdict: no_match}}
"""


def _cold(rules: Sequence[Rule], evidence: Evidence) -> None:
    found = infer(rules, evidence, DurableEngine())
    assert found.agreed, found.note


def _warm(rules: Sequence[Rule], evidence: Evidence, *, whole: bool) -> float:
    times = []
    for _ in range(REPEATS):
        with DurableEngine() as engine:
            index, horizon = FactIndex(evidence.facts), Horizon(evidence)
            selections = {one.id: select(one, index, horizon.of) for one in rules}
            engine.warm()
            time.sleep(0.1)
            start = time.perf_counter()
            if whole:
                infer(rules, evidence, engine)
            else:
                engine.match(rules, selections)
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _median(work: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _pack(count: int, kinds: int, codes: int = 97) -> list[Rule]:
    """Make rules with a join, a threshold and a ``not``; about one in ten matches."""
    found = []
    for at in range(count):
        kind, other = f"kind{at % kinds}", f"kind{(at + 1) % kinds}"
        found.append(
            rule(
                f"rule{at}",
                Select("bad", kind, (FieldTest("code", "eq", at % codes),)),
                sel("late", other, status__gte=500),
                sel("fixed", other, status__lt=400 + at % 40),
                when=both(Name("bad"), Name("late"), Not(Name("fixed"))),
                join=("run",),
            )
        )
    return found


def _facts(count: int, kinds: int, runs: int, codes: int = 97) -> Evidence:
    return Evidence(
        tuple(
            Fact(
                f"kind{at % kinds}",
                {"run": f"run{at // 3 % runs}", "code": at % codes, "status": 400 + at * 7 % 200},
                "database",
                order=float(at),
            )
            for at in range(count)
        )
    )
