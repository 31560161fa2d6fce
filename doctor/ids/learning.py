"""Learns how ids are made up, and judges by itself whether that is a convention at all.

Every id is judged by families that were learned without it (in ten parts). Only what most ids of
other parts fit, by the lower bound of Wilson's interval, is called a convention.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from doctor.ids.families import Tokens, families_of
from doctor.ids.following import with_following
from doctor.ids.tokens import tokens_of
from doctor.model.ids import Convention, Family
from doctor.schema.bounds import at_least

ENOUGH = 12
SURE = 0.75
PARTS = 10
MOST_SHOWN = 5
LONGEST = 200


def learn(ids: Iterable[str], today: str, *, is_whole: bool = True) -> Convention:
    """Return the convention of these ids, or one without families that says why there is none.

    ``today`` is a date in ISO 8601, for the next id of families that hold dates. Where there are
    more ids than these the next number is not known, and stays ``<n>``.
    """
    known = sorted({one for one in ids if one and len(one) <= LONGEST})
    if len(known) < ENOUGH:
        reason = f"only {len(known)} different ids, fewer than {ENOUGH}"
        return Convention(ids=len(known), reason=reason)
    split = {one: tokens_of(one) for one in known}
    read = {one: tokens for one, tokens in split.items() if tokens is not None}
    closed, opened = (_judged(known, read, is_open=one) for one in (False, True))
    is_open = at_least(len(closed), len(known)) < SURE <= at_least(len(opened), len(known))
    fitting = opened if is_open else closed
    sure = at_least(len(fitting), len(known))
    strangers = tuple(one for one in known if one not in fitting)[:MOST_SHOWN]
    if sure < SURE:
        reason = (
            f"only {len(fitting)} of {len(known)} ids are as the others say"
            f" (at least {sure:.0%}, wanted {SURE:.0%})"
        )
        return Convention((), len(known), len(fitting), sure, strangers, reason)
    families = families_of(list(read.values()), is_open=is_open)
    known_numbers = read.values() if is_whole else ()
    families = tuple(with_following(one, known_numbers, today) for one in families)
    return Convention(families, len(known), len(fitting), sure, strangers)


def fits(family: Family, text: str) -> bool:
    """Tell whether an id is of a family; a pattern of doctor.toml is one as well."""
    return len(text) <= LONGEST and _compiled(family.pattern).fullmatch(text) is not None


def fitting(families: Sequence[Family], text: str) -> Family | None:
    """Return the first family that an id is of, or None."""
    return next((one for one in families if fits(one, text)), None)


def _judged(known: Sequence[str], read: dict[str, Tokens], *, is_open: bool) -> frozenset[str]:
    """Return the ids that are as those of the other parts say."""
    part_of = {one: zlib.crc32(one.encode()) % PARTS for one in known}
    good: set[str] = set()
    for part in range(PARTS):
        others = [tokens for one, tokens in read.items() if part_of[one] != part]
        families = families_of(others, is_open=is_open)
        mine = (one for one in read if part_of[one] == part)
        good |= {one for one in mine if fitting(families, one) is not None}
    return frozenset(good)


@cache
def _compiled(pattern: str) -> Any:
    import re2

    return re2.compile(pattern)
