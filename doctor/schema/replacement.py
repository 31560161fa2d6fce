"""What could stand in place of a bad value, best first, each with its reason.

Only a value that the owner declared and the same value after folding are certain. Similarity of
strings is never evidence: it ranks candidates for a human.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from doctor.model.diagnosis import Subject
from doctor.model.rule import ValueMapping
from doctor.model.tier import Tier

TYPO_LENGTH = 6
_SEPARATORS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, slots=True)
class RankedValue:
    """One valid value as a replacement; ``certain`` if it may be SAFE on its own."""

    to: str
    tier: Tier
    reason: str
    certain: bool = False


def rank_values(
    subject: Subject,
    enum: str,
    mappings: Iterable[ValueMapping],
    terminal: frozenset[str] = frozenset(),
) -> tuple[RankedValue, ...]:
    """Return the valid values of ``subject`` ranked as replacements of its value.

    Where there is a certain one it comes alone, unless two owners declared different ones.
    """
    if not isinstance(subject.value, str):
        return tuple(_by_similarity(subject, repr(subject.value), terminal))
    declared = _declared(subject, mappings)
    if declared:
        return declared
    folded = [one for one in subject.valid if _is_same_folded(subject.value, one, enum)]
    if len(folded) == 1:
        reason = f"the same value but for {_difference(subject.value, folded[0])}"
        return (RankedValue(folded[0], Tier.SAFE, reason, certain=True),)
    return tuple(_by_similarity(subject, subject.value, terminal))


def _declared(subject: Subject, mappings: Iterable[ValueMapping]) -> tuple[RankedValue, ...]:
    found: dict[str, RankedValue] = {}
    for one in mappings:
        if (one.table, one.column) != (subject.table, subject.column):
            continue
        to = one.values.get(str(subject.value))
        if to is not None and to in subject.valid:
            reason = f"declared by {one.owner} ({one.reason}) in {one.origin}"
            found.setdefault(to, RankedValue(to, Tier.SAFE, reason, certain=True))
    if len(found) > 1:
        clash = ", ".join(sorted(found))
        return tuple(
            RankedValue(one.to, Tier.GUARDED, f"{one.reason}; but the mappings disagree: {clash}")
            for one in found.values()
        )
    return tuple(found.values())


def _by_similarity(subject: Subject, shown: str, terminal: frozenset[str]) -> Iterable[RankedValue]:
    typos = [one for one in subject.valid if is_one_letter_off(shown, one)]
    is_typo = len(typos) == 1 and len(shown) >= TYPO_LENGTH
    ended = {_fold(one) for one in terminal}
    scored = sorted(
        subject.valid,
        key=lambda one: (one not in typos or not is_typo, -_similarity(shown, one), one),
    )
    for one in scored:
        if is_typo and one in typos:
            reason = "one letter off, and the only value that is"
        else:
            reason = f"no evidence; only {_similarity(shown, one):.0%} alike in spelling"
        restarts = _fold(shown) in ended and one not in terminal
        tier = Tier.IRREVERSIBLE if restarts else Tier.GUARDED
        yield RankedValue(one, tier, reason)


def _similarity(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def _fold(value: str) -> str:
    return _SEPARATORS.sub("", value.strip().casefold())


def _without_repr(value: str, enum: str) -> str:
    text = value.strip()
    if text.startswith("<") and text.endswith(">") and ":" in text:
        text = text[1:].partition(":")[0]
    prefix, dot, member = text.rpartition(".")
    is_repr = dot and prefix.rpartition(".")[2] == enum
    return member if is_repr else value


def _is_same_folded(value: str, valid: str, enum: str) -> bool:
    folded = _fold(_without_repr(value, enum))
    return bool(folded) and folded == _fold(valid)


def _difference(value: str, valid: str) -> str:
    if value.strip() == valid:
        return "white space"
    if value.strip().casefold() == valid.casefold():
        return "upper and lower case"
    if value.endswith("." + valid) or value.startswith("<"):
        return "the enum's own name in front of it"
    return "case, spaces and separators"


def is_one_letter_off(one: str, other: str) -> bool:
    """Tell whether one insertion, deletion, substitution or swap of neighbours is between them.

    Source: Damerau's edit distance of exactly 1.
    """
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return (
        a[1:] == b
        or a == b[1:]
        or a[1:] == b[1:]
        or (len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:])
    )
