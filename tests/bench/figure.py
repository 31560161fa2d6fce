"""One measured figure and the goal it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` should not be above ``goal``."""

    name: str
    value: float
    goal: float

    def __str__(self) -> str:
        verdict = "ok" if self.value <= self.goal else "short"
        return f"bench {self.name} {self.value:.2f} <= {self.goal:g} {verdict}"
