"""The reference engine: three-valued logic (Kleene 1952) on selections, in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final, assert_never

from doctor.inference.dnf import occurrences
from doctor.inference.openness import Key
from doctor.inference.port import Job, Match, Selections
from doctor.inference.selection import Selected
from doctor.model.rule import And, Condition, Name, Not, Or, Rule
from doctor.model.verdict import ClauseState

_STATES: Final[tuple[ClauseState, ...]] = ("failed", "open", "held")
_FAILED, _OPEN, _HELD = range(3)
_RANK: Final[Mapping[ClauseState, int]] = {state: rank for rank, state in enumerate(_STATES)}

# How far a condition holds (grounded, groundless): by an alternative that names a selection which
# must be there, and by one that names none. Only the first can match: it has a key to look at.
_Weight = tuple[int, int]
_NEITHER: Final[_Weight] = (_FAILED, _FAILED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the condition of a rule stands.

    Attributes:
        states: for every join key of a fact that the condition wants, sorted by key.
        elsewhere: for any other key; without join fields there is no other key: failed.
        settled: keys that are not in ``states`` and fail although it is open elsewhere.
    """

    states: Mapping[Key, ClauseState]
    elsewhere: ClauseState
    settled: frozenset[Key] = frozenset()

    def keys(self, state: ClauseState) -> tuple[Key, ...]:
        """Return the keys with this state, sorted."""
        return tuple(key for key, own in self.states.items() if own == state)


class ReferenceEngine:
    """Serves where the durable engine cannot, and is its oracle everywhere else."""

    name = "reference"

    def match(self, rules: Sequence[Rule], selections: Selections) -> frozenset[Match]:
        """Return the rules that match, each with its join key."""
        return frozenset(
            (rule.id, key)
            for rule in rules
            for key in judge(rule, selections[rule.id]).keys("held")
        )

    def match_all(self, jobs: Sequence[Job]) -> tuple[frozenset[Match], ...]:
        """Return one answer per job, in order."""
        return tuple(self.match(job.rules, job.selections) for job in jobs)


def judge(rule: Rule, selected: Mapping[str, Selected]) -> Outcome:
    """Return how the condition of ``rule`` stands for every key."""
    wanted = occurrences(rule.condition)

    def at(key: Key | None) -> ClauseState:
        return standing(rule.condition, lambda name: selected[name].state(key))

    if not rule.join:
        return Outcome({(): at(())}, "failed")
    there = [selected[name] for name, positive in wanted.items() if positive]
    looked_for = {key for one in there for key in (*one.by_key, *one.openness.keys)}
    states = {key: at(key) for key in sorted(looked_for)}
    if not any(one.openness.everywhere for one in there) or at(None) == "failed":
        return Outcome(states, "failed")
    known = {key for name in wanted for key in selected[name].known_keys} - looked_for
    return Outcome(states, "open", frozenset(key for key in known if at(key) == "failed"))


def standing(condition: Condition, state_of: Callable[[str], ClauseState]) -> ClauseState:
    """Return how ``condition`` stands where its selections have the states of ``state_of``."""
    grounded, _ = _weigh(condition, state_of, wanted=True)
    return _STATES[grounded]


def _weigh(
    condition: Condition, state_of: Callable[[str], ClauseState], *, wanted: bool
) -> _Weight:
    match condition:
        case Name(selection):
            rank = _RANK[state_of(selection)]
            return (rank, _FAILED) if wanted else (_FAILED, _HELD - rank)
        case Not(operand):
            return _weigh(operand, state_of, wanted=not wanted)
        case And(operands) | Or(operands):
            if isinstance(condition, And) != wanted:
                parts = (_weigh(operand, state_of, wanted=wanted) for operand in operands)
                return reduce(_either, parts, _NEITHER)
            weight = (_FAILED, _HELD)
            for operand in operands:
                weight = _both(weight, _weigh(operand, state_of, wanted=wanted))
                if weight == _NEITHER:
                    break
            return weight
        case _:
            assert_never(condition)


def _both(one: _Weight, other: _Weight) -> _Weight:
    grounded = max(min(one[0], max(other)), min(one[1], other[0]))
    return grounded, min(one[1], other[1])


def _either(one: _Weight, other: _Weight) -> _Weight:
    return max(one[0], other[0]), max(one[1], other[1])
