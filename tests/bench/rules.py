"""How long inference takes, through the isolated engine and without it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from doctor.inference import DurableEngine, ReferenceEngine, infer
from doctor.inference.chaining import Horizon
from doctor.inference.selection import FactIndex, select
from doctor.model.evidence import Evidence, Fact
from doctor.model.rule import FieldTest, Name, Not, Rule, Select
from tests.unit.inference.build import both, rule, sel

REPEATS = 7


def measure() -> list[tuple[str, float, float]]:
    """Return name, milliseconds (median), and the goal in milliseconds."""
    rules, evidence = _pack(1000, kinds=10), _facts(100, kinds=10, runs=7)
    small, usual = _pack(15, kinds=5), _facts(400, kinds=5, runs=7)

    def alone() -> None:
        index, horizon = FactIndex(evidence.facts), Horizon(evidence)
        selections = {one.id: select(one, index, horizon.of) for one in rules}
        ReferenceEngine().match(rules, selections)

    heavy = _pack(1000, kinds=10, codes=10)
    figures = [
        ("select + reference, 100 facts x 1,000 rules", _median(alone), 50.0),
        ("infer, reference alone, 100 x 1,000", _median(lambda: _infer(rules, evidence)), 100.0),
        ("infer, cold child, 100 x 1,000", _median(lambda: _cold(rules, evidence)), 100.0),
        ("infer, cold child, 400 facts x 15 rules", _median(lambda: _cold(small, usual)), 80.0),
    ]
    for name, some, seen, goal in (
        ("isolated engine, child warmed, 100 x 1,000", rules, evidence, 50.0),
        ("isolated engine, warmed, every label borne", heavy, _facts(100, 10, 7, 10), 50.0),
        ("infer, child warmed, 400 x 15", small, usual, 50.0),
    ):
        figures.append((name, statistics.median(_warm(some, seen, name)), goal))
    return figures


def _infer(rules: Sequence[Rule], evidence: Evidence) -> None:
    infer(rules, evidence, ReferenceEngine())


def _cold(rules: Sequence[Rule], evidence: Evidence) -> None:
    found = infer(rules, evidence, DurableEngine())
    assert found.agreed, found.note


def _warm(rules: Sequence[Rule], evidence: Evidence, name: str) -> list[float]:
    times = []
    for _ in range(REPEATS):
        with DurableEngine() as engine:
            index, horizon = FactIndex(evidence.facts), Horizon(evidence)
            selections = {one.id: select(one, index, horizon.of) for one in rules}
            engine.warm()
            time.sleep(0.1)
            start = time.perf_counter()
            if name.startswith("isolated"):
                engine.match(rules, selections)
            else:
                infer(rules, evidence, engine)
            times.append((time.perf_counter() - start) * 1000)
    return times


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


if __name__ == "__main__":
    for what, value, goal in measure():
        print(f"{what}: {value:.1f} ms (goal {goal:g} ms)")
