"""Runs the probes of foreign plugins once, and says of each what happened."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from doctor.evidence.collect import collect_evidence
from doctor.model.system import Probe, Run, System

PRINTED = 200


@dataclass(frozen=True, slots=True)
class ProbeTrial:
    """What one probe of a foreign plugin did.

    Attributes:
        plugin: the plugin and its distribution.
        probe: name of the probe.
        facts: how many facts it brought.
        gaps: what it could not look at, or why it failed.
        seconds: how long it took.
        printed: the end of what it printed, which goes nowhere otherwise.
    """

    plugin: str
    probe: str
    facts: int
    gaps: tuple[str, ...]
    seconds: float
    printed: str


def try_probes(probes: Sequence[Probe], system: System) -> Iterator[ProbeTrial]:
    """Yield one trial per probe that runs in a process of its own, over the whole system."""
    for probe in probes:
        host = getattr(probe, "host", None)
        if host is None:
            continue
        start = time.perf_counter()
        evidence = collect_evidence([probe], system, Run(None))
        yield ProbeTrial(
            host.origin,
            probe.name,
            len(evidence.facts),
            tuple(one.reason for one in evidence.gaps),
            round(time.perf_counter() - start, 3),
            host.printed[-PRINTED:],
        )
