from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from doctor.errors import SourceError
from doctor.evidence import collect, collect_evidence
from doctor.model.evidence import Evidence, Fact, FactField, FactKind, Gap
from doctor.model.system import Run, System

KINDS = (FactKind("a.b", "a thing", (FactField("run"),)), FactKind("a.c", "another", ()))
FACT = Fact("a.b", {"run": "r1"}, "here")
NAMES = ("a.b", "a.c")


class Probe:
    def __init__(self, collect: Callable[[], Iterable[Fact | Gap]], name: str = "a"):
        self.name = name
        self.kinds: tuple[FactKind, ...] = KINDS
        self._collect = collect

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        assert (system.identity, run) == ("x", Run("r1"))
        return self._collect()


def collected(*probes: Callable[[], Iterable[Fact | Gap]]) -> Evidence:
    names = "abc"
    return collect_evidence(
        [Probe(one, names[number]) for number, one in enumerate(probes)], System("x"), Run("r1")
    )


def raising(error: BaseException, *before: Fact | Gap) -> Callable[[], Iterable[Fact | Gap]]:
    def generate() -> Iterable[Fact | Gap]:
        yield from before
        raise error

    return generate


def test_facts_and_gaps_come_in_the_order_of_the_probes():
    gap, other = Gap("a", "why", ("a.b",)), Gap("b", "why", ())
    second = Fact("a.c", {}, "there")
    assert collected(lambda: [FACT, gap], lambda: [other, second]) == Evidence(
        (FACT, second), (gap, other)
    )


def test_equal_gaps_are_told_once():
    gap = Gap("a", "why", ("a.b",))
    assert collected(lambda: [gap, gap], lambda: [gap]) == Evidence((), (gap,))


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceError("the log is gone", hint="look"), "the log is gone"),
        (ValueError("odd"), "the probe failed: ValueError: odd"),
        (KeyError("x"), "the probe failed: KeyError: 'x'"),
        (RecursionError("deep"), "the probe failed: RecursionError: deep"),
        (AssertionError(), "the probe failed: AssertionError"),
    ],
)
def test_what_a_probe_raises_becomes_its_gap_and_what_it_saw_before_stays(error, reason):
    assert collected(raising(error, FACT), lambda: [FACT]) == Evidence(
        (FACT, FACT), (Gap("a", reason, NAMES),)
    )


def test_an_error_that_cannot_be_shown_is_still_only_a_gap():
    (gap,) = collected(raising(MuteError())).gaps
    assert "MuteError" in gap.reason


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_the_process_is_not_swallowed(error):
    with pytest.raises(type(error)):
        collected(raising(error))


@pytest.mark.parametrize(
    ("brought", "reason"),
    [
        ({"kind": "a.b"}, "it brought {'kind': 'a.b'}, which it does not declare"),
        (None, "it brought None, which it does not declare"),
    ],
)
def test_what_is_neither_fact_nor_gap_is_a_gap(brought, reason):
    evidence = collected(lambda: [FACT, brought])
    assert evidence == Evidence(
        (FACT,), (Gap("a", f"the probe failed: TypeError: {reason}", NAMES),)
    )


def test_a_fact_of_a_kind_that_is_not_declared_is_a_gap():
    (gap,) = collected(lambda: [Fact("other", {}, "x")]).gaps
    assert gap.reason.startswith("the probe failed: TypeError: it brought Fact(kind='other'")


def test_a_gap_whose_kinds_are_a_list_does_no_harm():
    gap = Gap("a", "why", ["a.b"])  # type: ignore[arg-type]
    assert collected(lambda: [gap]).gaps == (Gap("a", "why", ("a.b",)),)


def test_a_probe_that_returns_nothing_to_look_at_is_a_gap():
    (gap,) = collected(lambda: None).gaps  # type: ignore[arg-type,return-value]
    assert gap.reason.startswith("the probe failed: TypeError: ")


def test_an_endless_probe_is_cut(monkeypatch):
    monkeypatch.setattr(collect, "FACT_CAP", 3)

    def endless() -> Iterable[Fact]:
        while True:
            yield FACT

    assert collected(endless, lambda: [FACT]) == Evidence(
        (FACT,) * 4, (Gap("a", "more than 3 facts; the rest is left out", NAMES),)
    )
