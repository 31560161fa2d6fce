"""Ids as executors make them up: 76 in 15 families, and what a slip of the hand makes of one."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

WORDS = (
    *("self", "healing", "governance", "token", "budget", "intelligence", "quality", "gate"),
    *("drift", "output", "size", "predictor", "retry", "ladder", "memory", "context", "cache"),
    *("index", "schema", "repair", "backlog", "intake", "review", "anchor", "scope"),
)
SEED = "build127-phase1-self-healing-governance"
FAMILIES: Mapping[str, int] = {
    "build{n}-phase{k}-{w}": 9,
    "probe-{pad}-{w}": 3,
    "build{n}-{w}": 10,
    "research-{w}": 6,
    "telemetry-collection-v{k}": 4,
    "nightly-{date}": 5,
    "etl-orders-{day}-{pad}": 5,
    "backfill-{w}-{n}": 4,
    "lovable-p{k}-{w}": 5,
    "hotfix-{n}-{w}": 5,
    "followup-{n}": 4,
    "scheduled-{moment}": 4,
    "eval-{hex}": 4,
    "fileorg-{w}-{date}": 4,
    "migrate-{w}": 4,
}


def real_shaped(seed: int) -> list[str]:
    """Return 76 different ids; ``build`` with and without a phase are two families."""
    chance = random.Random(seed)
    found = [SEED]
    for form, many in FAMILIES.items():
        wanted = many - 1 if form.startswith("build{n}-phase") else many
        while wanted:
            one = _made(form, chance)
            if one not in found:
                found.append(one)
                wanted -= 1
    return found


def _made(form: str, chance: random.Random) -> str:
    day = f"2025-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    flat = day.replace("-", "")
    return form.format(
        n=chance.randint(100, 199),
        k=chance.randint(1, 9),
        w="-".join(chance.sample(WORDS, chance.randint(2, 4))),
        date=day,
        day=flat,
        pad=f"{chance.randint(1, 99):04}",
        moment=f"{flat}T{chance.randint(10, 23)}{chance.randint(10, 59)}00Z",
        hex=f"a{chance.getrandbits(28):07x}1"[:8],
    )


def corrupted(text: str) -> dict[str, str]:
    """Return what slips of the hand make of an id."""
    first, rest = text.split("-", 1)
    return {
        "underscore": text.replace("-", "_", 1),
        "upper case": text.upper(),
        "one capital": text[0].upper() + text[1:],
        "double dash": text.replace("-", "--", 1),
        "trailing dash": f"{text}-",
        "space": text.replace("-", " ", 1),
        "no head": rest,
        "only the head": first,
        "head without number": re.sub(r"\d+", "", first) + f"-{rest}"
        if re.search(r"\d", first)
        else rest,
    }
