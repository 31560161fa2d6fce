"""What could stand in place of a bad value, best first, each with its reason.

Only a value that the owner declared and the same value after folding are certain. Similarity of
strings is never evidence: it ranks candidates for a human.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Hint:
    """What speaks for a valid value as a replacement, and why; it makes nothing certain."""

    to: str
    reason: str


def no_hints() -> tuple[Hint, ...]:
    """Return that nothing else speaks for any value."""
    return ()


def rank_values(
    subject: Subject,
    enum: str,
    mappings: Iterable[ValueMapping],
    terminal: frozenset[str] = frozenset(),
    copy: tuple[str, str] | None = None,
    hints: Callable[[], Sequence[Hint]] = no_hints,
) -> tuple[RankedValue, ...]:
    """Return the valid values of ``subject`` ranked as replacements of its value.

    Where there is a certain one it comes alone, unless two owners declared different ones. Only
    where there is none ``hints`` are asked for, the strongest first: they rank before similarity.
    ``copy`` is the value that the system keeps in a second place, and that place.
    """
    ranked = _ranked(subject, enum, mappings, terminal, hints)
    if copy is None or copy[0] not in subject.valid:
        return ranked
    value, place = copy
    reason = f"the same state is kept in {place}, as {value!r}"
    if ranked[:1] and ranked[0].certain:
        if ranked[0].to == value:
            return ranked
        doubt = f"{ranked[0].reason}; but {place} holds {value!r}"
        ranked = (replace(ranked[0], tier=Tier.GUARDED, reason=doubt, certain=False),)
    rest = [one for one in ranked if one.to != value]
    return (RankedValue(value, Tier.GUARDED, reason), *rest)


def _ranked(
    subject: Subject,
    enum: str,
    mappings: Iterable[ValueMapping],
    terminal: frozenset[str],
    hints: Callable[[], Sequence[Hint]],
) -> tuple[RankedValue, ...]:
    if not isinstance(subject.value, str):
        return tuple(_by_similarity(subject, repr(subject.value), terminal, ()))
    declared = _declared(subject, mappings)
    if declared:
        return tuple(_not_restarting(one, subject.value, terminal) for one in declared)
    folded = same_folded(subject.value, subject.valid, enum)
    if folded is not None:
        reason = f"the same value but for {_difference(subject.value, folded)}"
        return (RankedValue(folded, Tier.SAFE, reason, certain=True),)
    return tuple(_by_similarity(subject, subject.value, terminal, hints()))


def _not_restarting(one: RankedValue, value: str, terminal: frozenset[str]) -> RankedValue:
    """Leave to a human what would let an ended run go on, whoever declared it."""
    if not _restarts(value, one.to, terminal):
        return one
    reason = f"{one.reason}; {value!r} names an ended state, and {one.to} is none"
    return replace(one, tier=Tier.IRREVERSIBLE, reason=reason, certain=False)


def _restarts(value: str, to: str, terminal: frozenset[str]) -> bool:
    return _fold(value) in {_fold(one) for one in terminal} and to not in terminal


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


def _by_similarity(
    subject: Subject, shown: str, terminal: frozenset[str], hints: Sequence[Hint]
) -> Iterable[RankedValue]:
    typos = [one for one in subject.valid if is_one_letter_off(shown, one)]
    is_typo = len(typos) == 1 and len(shown) >= TYPO_LENGTH
    evidence: dict[str, list[str]] = {}
    if is_typo:
        evidence[typos[0]] = ["one letter off, and the only value that is"]
    for one in hints:
        evidence.setdefault(one.to, []).append(one.reason)
    places = {to: place for place, to in enumerate(evidence)}
    scored = sorted(
        subject.valid,
        key=lambda one: (places.get(one, len(places)), -_similarity(shown, one), one),
    )
    for to in scored:
        known = evidence.get(to) or [
            f"no evidence; only {_similarity(shown, to):.0%} alike in spelling"
        ]
        tier = Tier.IRREVERSIBLE if _restarts(shown, to, terminal) else Tier.GUARDED
        yield RankedValue(to, tier, "; ".join(known))


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


def is_same_folded(value: str, valid: str, enum: str) -> bool:
    """Tell whether a value is a valid one but for case, separators and the name of its enum."""
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


def same_folded(value: str, valid: Iterable[str], enum: str) -> str | None:
    """Return the only valid value that is the same but for case, spaces and separators."""
    found = [one for one in valid if is_same_folded(value, one, enum)]
    return found[0] if len(found) == 1 else None


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
