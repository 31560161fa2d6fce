"""Runs every probe on its own: what one of them raises becomes its Gap and stops no other."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence

from doctor.errors import DoctorError
from doctor.model.evidence import Evidence, Fact, Gap
from doctor.model.system import Probe, Run, System
from doctor.redaction import is_secret_name, redact, remember

FACT_CAP = 100_000


def collect_evidence(probes: Sequence[Probe], system: System, run: Run) -> Evidence:
    """Return what all probes observe about ``run``, in the order of the probes."""
    facts: list[Fact] = []
    gaps: list[Gap] = []
    for probe in probes:
        for one in _observed(probe, system, run):
            if isinstance(one, Gap):
                gaps.append(one)
            else:
                facts.append(one)
                _remember_secret(one)
    return Evidence(tuple(facts), tuple(dict.fromkeys(gaps)))


def _remember_secret(fact: Fact) -> None:
    column = fact.fields.get("column")
    if isinstance(column, str) and is_secret_name(column):
        remember((fact.fields.get("value"),))


def _observed(probe: Probe, system: System, run: Run) -> Iterable[Fact | Gap]:
    kinds = tuple(kind.name for kind in probe.kinds)
    number = 0
    try:
        for one in probe.collect(system, run):
            number += 1
            if number > FACT_CAP:
                yield Gap(probe.name, f"more than {FACT_CAP:,} facts; the rest is left out", kinds)
                return
            if isinstance(one, Gap):
                yield Gap(one.probe, redact(one.reason), tuple(one.kinds))
            elif isinstance(one, Fact) and one.kind in kinds:
                yield one
            else:
                raise TypeError(f"it brought {one!r:.100}, which it does not declare")
    except DoctorError as error:
        yield Gap(probe.name, str(error), kinds)
    except Exception as error:  # noqa: BLE001 - a plugin's probe may fail in any way
        from doctor.redaction.log import debug

        debug(f"probe {probe.name} failed", error)
        yield Gap(probe.name, f"the probe failed: {_shown(error)}", kinds)


def _shown(error: Exception) -> str:
    """Return the error's name and text, even where its own __str__ fails."""
    return redact("".join(traceback.format_exception_only(error)).strip())
