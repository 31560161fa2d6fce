"""What was observed: facts with their source and time, and gaps where a probe failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Scalar = str | int | float | bool | bytes | None
Value = Scalar | tuple[str, ...] | Mapping[str, Scalar]
FieldType = Literal["str", "int", "float", "bool", "list", "map"]


@dataclass(frozen=True, slots=True)
class FactField:
    """One typed field of a fact kind. ``required`` fields stand in every fact of that kind."""

    name: str
    type: FieldType = "str"
    required: bool = True


@dataclass(frozen=True, slots=True)
class FactKind:
    """A kind of fact that a probe or a signature declares: its name, meaning and typed fields."""

    name: str
    title: str
    fields: tuple[FactField, ...]

    def field(self, name: str) -> FactField | None:
        """Return the declared field called ``name``, or None."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation.

    Attributes:
        kind: name of a declared FactKind, e.g. ``http.failure``.
        fields: typed values by field name; a field that is absent was not observed.
        source: where it was seen: ``database``, ``api``, or the path of a log or report.
        at: when it happened (event time, aware), or None where the source has no time.
        line: line number in the source, 1-based, or None.
        order: seconds of event time since the first line of its source, never decreasing even
            when the source's clock jumps back; windows are measured on it.
    """

    kind: str
    fields: Mapping[str, Value]
    source: str
    at: datetime | None = None
    line: int | None = None
    order: float = 0.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A probe that could not answer.

    Attributes:
        probe: name of the probe.
        reason: why, matter of fact.
        kinds: the fact kinds that are missing because of it; rules that need them are unknown.
    """

    probe: str
    reason: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All facts and gaps of one examination, in a stable order."""

    facts: tuple[Fact, ...] = ()
    gaps: tuple[Gap, ...] = field(default=())

    def of_kind(self, kind: str) -> tuple[Fact, ...]:
        """Return the facts of one kind, in order."""
        return tuple(fact for fact in self.facts if fact.kind == kind)
