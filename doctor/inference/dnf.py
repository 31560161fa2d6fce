"""A condition as alternatives, each of which says what must be there and what must not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from doctor.errors import DoctorError, RuleError
from doctor.model.rule import And, Condition, Name, Not, Or

MAX_ALTERNATIVES: Final = 64
_MAX_UNREDUCED: Final = 512
MAX_SELECTIONS: Final = 8  # the widest join that is proven safe in the durable engine

_Pair = tuple[frozenset[str], frozenset[str]]
_TRUE: Final[frozenset[_Pair]] = frozenset({(frozenset(), frozenset())})


@dataclass(frozen=True, slots=True, order=True)
class Alternative:
    """All selections of ``present`` have a fact and none of ``absent`` has one.

    With nothing in ``present`` there is no key to look at, so the alternative never matches.
    """

    present: tuple[str, ...]
    absent: tuple[str, ...]

    @property
    def matchable(self) -> bool:
        """Whether the alternative names a selection that must be there."""
        return bool(self.present)


def alternatives(condition: Condition, *, location: str | None = None) -> tuple[Alternative, ...]:
    """Return the disjunctive normal form of ``condition``, sorted, without contradictions.

    Raises:
        RuleError: the condition has more alternatives, or one is wider, than an engine may get.
    """
    try:
        return _alternatives(condition)
    except RuleError as error:
        found = (
            DoctorError(one.message, hint=one.hint, location=location) for one in error.problems
        )
        raise RuleError(tuple(found)) from None


@lru_cache(maxsize=10_000)
def _alternatives(condition: Condition) -> tuple[Alternative, ...]:
    found = sorted(
        Alternative(tuple(sorted(present)), tuple(sorted(absent)))
        for present, absent in _expand(condition, wanted=True)
    )
    for one in found:
        if len(one.present) + len(one.absent) > MAX_SELECTIONS:
            raise _too_large(f"more than {MAX_SELECTIONS} selections in one alternative")
    return tuple(found)


def occurrences(condition: Condition, *, wanted: bool = True) -> dict[str, bool]:
    """Return the selections of ``condition`` in its order, and whether each is wanted.

    False stands for a selection that occurs only under ``not``.
    """
    match condition:
        case Name(selection):
            return {selection: wanted}
        case Not(operand):
            return occurrences(operand, wanted=not wanted)
        case And(operands) | Or(operands):
            found: dict[str, bool] = {}
            for operand in operands:
                for name, positive in occurrences(operand, wanted=wanted).items():
                    found[name] = found.get(name, False) or positive
            return found
        case _:
            assert_never(condition)


def _expand(condition: Condition, *, wanted: bool) -> frozenset[_Pair]:
    match condition:
        case Name(selection):
            one = frozenset({selection})
            return frozenset({(one, frozenset()) if wanted else (frozenset(), one)})
        case Not(operand):
            return _expand(operand, wanted=not wanted)
        case And(operands) | Or(operands):
            parts = [_expand(operand, wanted=wanted) for operand in operands]
            if isinstance(condition, And) == wanted:
                return _product(parts)
            return _minimal(frozenset().union(*parts))
        case _:
            assert_never(condition)


def _product(parts: Iterable[frozenset[_Pair]]) -> frozenset[_Pair]:
    found = _TRUE
    for part in parts:
        joined = frozenset(
            (present | more, absent | less) for present, absent in found for more, less in part
        )
        found = _minimal(joined)
    return found


def _minimal(pairs: frozenset[_Pair]) -> frozenset[_Pair]:
    possible = [pair for pair in pairs if not pair[0] & pair[1]]
    if len(possible) > _MAX_UNREDUCED:
        raise _too_large(f"more than {_MAX_UNREDUCED} combinations")
    found = frozenset(one for one in possible if not any(_covers(other, one) for other in possible))
    if len(found) > MAX_ALTERNATIVES:
        raise _too_large(f"more than {MAX_ALTERNATIVES} alternatives")
    return found


def _covers(wide: _Pair, narrow: _Pair) -> bool:
    """Tell whether ``narrow`` adds nothing to ``wide``; what cannot match covers no match."""
    if wide == narrow or (narrow[0] and not wide[0]):
        return False
    return wide[0] <= narrow[0] and wide[1] <= narrow[1]


def _too_large(what: str) -> RuleError:
    message = f"the condition is too large: {what}"
    return RuleError((DoctorError(message, hint="split the rule"),))
