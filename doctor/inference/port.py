"""What a rule engine is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from doctor.errors import DoctorError
from doctor.inference.openness import Key
from doctor.inference.selection import Selected
from doctor.model.rule import Rule

Match = tuple[str, Key]
Selections = Mapping[str, Mapping[str, Selected]]


class EngineUnavailable(DoctorError):  # noqa: N818 - it names a state of the world, not a mistake
    """The engine gave no answer that can be trusted: crash, timeout, refusal or garbage.

    It never means that no rule matches.
    """

    code = "D008"
    exit_code = 9


@dataclass(frozen=True, slots=True)
class Job:
    """One question: which of ``rules`` match, given their selections by rule id and name."""

    rules: tuple[Rule, ...]
    selections: Selections


class Engine(Protocol):
    """Decides which rules match for which join keys.

    ``match`` returns pairs of rule id and key, and raises EngineUnavailable when it cannot tell.
    """

    @property
    def name(self) -> str:
        """The engine's name for people."""
        ...

    def match(self, rules: Sequence[Rule], selections: Selections) -> frozenset[Match]:
        """Return the rules that match, each with its join key."""
        ...


class BatchEngine(Engine, Protocol):
    """An engine that answers many independent questions at the price of one."""

    def match_all(self, jobs: Sequence[Job]) -> tuple[frozenset[Match], ...]:
        """Return one answer per job, in order."""
        ...
