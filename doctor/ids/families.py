"""Families of ids: the head they share, parts that all have, and words in between.

A family is a head, slots that stand right behind it in every member, words that vary in number,
and slots that stand at the end of every member. Small families borrow from all others how many
words there may be.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from doctor.ids.tokens import FREE, KINDS, Token
from doctor.model.ids import Family

Tokens = tuple[Token, ...]
SMALL = 8
_LENT = FREE | {"word#"}
_SHORTEST_HEX = 6
_LETTERS = {"hex": "[0-9a-f]", "alnum": "[a-z0-9]", "mixed": "[A-Za-z0-9]"}
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A part that every member has: what a reader sees of it, and its regular expression."""

    shown: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Middle:
    """Words between the fixed parts: their kinds, and how many of them there are."""

    kinds: frozenset[str] = frozenset()
    least: int = 0
    most: int = 0

    def widened(self, by: Middle, support: int) -> Middle:
        """Return it with what other families allow, where few members are known or they vary."""
        if self.most == 0 or (support >= SMALL and self.least == self.most):
            return self
        kinds = self.kinds | (by.kinds & _LENT) if support < SMALL else self.kinds
        least = max(1, min(self.least, by.least)) if self.least else 0
        return Middle(kinds, least, max(self.most, by.most) + 1)


@dataclass(frozen=True, slots=True)
class Draft:
    """A family as its members show it."""

    members: tuple[Tokens, ...]
    head: Slot
    lead: tuple[Slot, ...]
    middle: Middle
    trail: tuple[Slot, ...]
    separators: str


def families_of(ids: Sequence[Tokens], *, is_open: bool) -> tuple[Family, ...]:
    """Return the families of these ids, the largest first.

    Where ``is_open`` any word may be a head; else only those that were seen.
    """
    groups: dict[tuple[str, ...], list[Tokens]] = defaultdict(list)
    for one in ids:
        groups[_head_key(one[0], is_open=is_open)].append(one)
    drafts = [_draft(tuple(many), is_open=is_open) for many in groups.values()]
    every = _pooled(drafts)
    found = [_family(one, every) for one in drafts]
    return tuple(sorted(found, key=lambda one: (-one.support, one.template)))


def _head_key(head: Token, *, is_open: bool) -> tuple[str, ...]:
    if is_open:
        return (head.kind,)
    return (head.kind, head.stem) if head.kind in (*FREE, "word#", "WORD#") else (head.kind,)


def _draft(members: tuple[Tokens, ...], *, is_open: bool) -> Draft:
    tails = _with_hex([one[1:] for one in members])
    shortest = min(map(len, tails))
    lead = _fixed([[one[at] for one in tails] for at in range(shortest)])
    rest = shortest - len(lead)
    trail = _fixed([[one[-1 - at] for one in tails] for at in range(rest)])[::-1]
    inner = [one[len(lead) : len(one) - len(trail)] for one in tails]
    separators = {token.before for one in tails for token in one}
    return Draft(
        members,
        _slot([one[0] for one in members], is_head=not is_open),
        lead,
        Middle(
            frozenset(token.kind for one in inner for token in one),
            min(map(len, inner)),
            max(map(len, inner)),
        ),
        trail,
        "".join(sorted(separators)),
    )


def _with_hex(tails: list[Tokens]) -> list[Tokens]:
    """Return the tokens with those as hex that are hex of one length in all members.

    Some of them may by chance be digits only, or look like a word with a number.
    """
    found = [list(one) for one in tails]
    for at in range(min(map(len, tails))):
        tokens = [one[at] for one in tails]
        width = len(tokens[0].text)
        alike = all(len(one.text) == width and _HEX.fullmatch(one.text) for one in tokens)
        if alike and width >= _SHORTEST_HEX and any(one.kind == "hex" for one in tokens):
            for one in found:
                one[at] = replace(one[at], kind="hex")
    return [tuple(one) for one in found]


def _fixed(columns: Iterable[list[Token]]) -> tuple[Slot, ...]:
    """Return the slots of the first columns in which all members have the same telling kind."""
    found: list[Slot] = []
    for tokens in columns:
        if len({one.kind for one in tokens}) != 1 or tokens[0].kind in FREE:
            break
        found.append(_slot(tokens, is_head=False))
    return tuple(found)


def _slot(tokens: Sequence[Token], *, is_head: bool) -> Slot:
    kind, first = tokens[0].kind, tokens[0]
    lengths = {len(one.text) for one in tokens}
    if kind in FREE and is_head:
        return Slot(first.text, re.escape(first.text))
    if kind in ("word#", "WORD#"):
        is_same = len({one.stem for one in tokens}) == 1 and (is_head or len(tokens) > 1)
        stem = rf"{re.escape(first.stem)}\d+"
        return Slot(f"{first.stem}<n>", stem) if is_same else Slot(f"<{kind}>", KINDS[kind])
    if kind == "n":
        return _number_slot(tokens, lengths)
    letters = _LETTERS.get(kind)
    if letters is not None:
        return Slot(f"<{kind}>", f"{letters}{{{min(lengths)},{max(lengths)}}}")
    return Slot(f"<{kind}>", f"(?:{KINDS[kind]})")


def _number_slot(tokens: Sequence[Token], lengths: set[int]) -> Slot:
    """Return a number, filled with zeros to one width where all are."""
    width = max(lengths)
    if len(lengths) == 1 and width > 1 and any(one.text[0] == "0" for one in tokens):
        return Slot(f"<{'0' * width}>", rf"\d{{{width}}}")
    return Slot("<n>", r"(?:0|[1-9]\d*)")


def _pooled(drafts: Sequence[Draft]) -> Middle:
    inner = [one.middle for one in drafts if one.middle.most]
    return Middle(
        frozenset(kind for one in inner for kind in one.kinds),
        min((one.least for one in inner), default=0),
        max((one.most for one in inner), default=0),
    )


def _family(draft: Draft, every: Middle) -> Family:
    middle = draft.middle.widened(every, len(draft.members))
    shown = draft.separators[:1]
    between = f"[{re.escape(draft.separators)}]"
    template, pattern = draft.head.shown, draft.head.pattern
    for slot in draft.lead:
        template, pattern = f"{template}{shown}{slot.shown}", f"{pattern}{between}{slot.pattern}"
    if middle.most:
        kinds = sorted(middle.kinds)
        many = f"{middle.least},{middle.most}" if middle.least != middle.most else f"{middle.most}"
        template += f"{shown}<{'|'.join(kinds)}>" + ("" if many == "1" else f"{{{many}}}")
        any_of = "|".join(KINDS[one] for one in kinds)
        pattern += f"(?:{between}(?:{any_of})){{{middle.least},{middle.most}}}"
    for slot in draft.trail:
        template, pattern = f"{template}{shown}{slot.shown}", f"{pattern}{between}{slot.pattern}"
    example = "".join(f"{one.before}{one.text}" for one in draft.members[0])
    return Family(template, pattern, len(draft.members), example)
