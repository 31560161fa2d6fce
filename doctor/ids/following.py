"""The next id of a family: counters go on, dates are today's, words are left to a human."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from doctor.ids.families import Tokens
from doctor.model.ids import Family

_NUMBERED = re.compile(r"(?P<stem>[A-Za-z]*)<n>|<(?P<zeros>0+)>")
_DATES = {"<date>": "{0}", "<day>": "{1}"}


def with_following(family: Family, ids: Iterable[Tokens], today: str) -> Family:
    """Return the family with its next id; only its first counter goes on, where ids are given."""
    import re2

    text = family.template
    for shown, form in _DATES.items():
        text = text.replace(shown, form.format(today, today.replace("-", "")))
    found = _NUMBERED.search(text)
    whole = re2.compile(family.pattern)
    members = [one for one in ids if whole.fullmatch(_joined(one))]
    if found is None or not members:
        return replace(family, following=text)
    stem = found["stem"] or ""
    last = max((_number(one, stem) for one in members), default=0)
    number = str(last + 1).zfill(len(found["zeros"] or ""))
    following = f"{text[: found.start()]}{stem}{number}{text[found.end() :]}"
    return replace(family, following=following)


def _joined(tokens: Tokens) -> str:
    return "".join(f"{one.before}{one.text}" for one in tokens)


def _number(tokens: Tokens, stem: str) -> int:
    """Return the number behind ``stem``, else the first that stands by itself."""
    for one in tokens:
        if stem and one.stem == stem and one.text != stem:
            return int(one.text[len(stem) :])
        if not stem and one.kind == "n":
            return int(one.text)
    return 0
