"""Throws mutated rule files at the reader: ``python -m tests.unit.rulebook.fuzz COUNT SEED``.

Whatever it is given, the reader answers with values or with mistakes that have a place. Anything
else ends this program with an error that names the seed of the text.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence

from doctor.rulebook.grammar import read_file
from tests.unit.rulebook.test_overrides import OVERRIDE
from tests.unit.rulebook.test_refused import BAD_YAML, EVIL_PATTERNS, GOOD, SIGNATURE

PLACE = re.compile(r"f\.yaml:[1-9][0-9]*:[1-9][0-9]*")
LONGEST_SEED = 4_000
SLOWEST = 5.0
TOKENS = [
    *("[", "]", "{", "}", ":", ": ", ",", "- ", "? ", "---\n", "...\n", "\n", "  ", "\t", "#", "|"),
    *(">", "'", '"', "&a ", "*a", "!x ", "!!", "<<: ", "%", "@", "`", "\\", "$", "${", "}", "|gte"),
    *("\0", "\x85", "\u2028", "\ud800", "\ufeff", "\u202e", "é", "😀", "1e999", "-0", "0x", "~"),
    *("null", "true", "not ", " and ", " or ", "1 of ", "all of ", "(" * 40, "x*", "(?P<", "{9}"),
    *("format: doctor/1\n", "rule: ", "match:", "tests: ", "condition: ", "count_of: ", "[" * 50),
]


def seeds() -> list[str]:
    """Return the texts to begin with."""
    texts = [one for one in BAD_YAML.values() if isinstance(one, str) and len(one) < LONGEST_SEED]
    texts += [SIGNATURE.format(one) for one in EVIL_PATTERNS.values()]
    mapping = "format: doctor/1\nmapping: a.b\nowner: o\nreason: r\nvalues: {A: B}\n"
    good = [GOOD, OVERRIDE, mapping, SIGNATURE.format("x")]
    return [*good * 20, *texts]


def mutated(rng: random.Random, texts: Sequence[str]) -> str | bytes:
    """Return a text with a few accidents in it; now and then not even text."""
    text = rng.choice(texts)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((1, 2, 5, 20, 200)))
        accident = rng.randrange(7)
        if accident == 0:
            text = text[:at] + text[end:]
        elif accident == 1:
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif accident == 2:
            text = text[:end] + text[at:end] * rng.choice((1, 2, 9)) + text[end:]
        elif accident == 3:
            text = (
                text[:at]
                + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000))))
                + text[end:]
            )
        elif accident == 4:
            other = rng.choice(texts)
            start = rng.randrange(len(other) + 1)
            text = text[:at] + other[start : start + 200] + text[end:]
        elif accident == 5:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            text = "\n".join(lines)
        else:
            indent = " " * rng.choice((1, 2, 40))
            text = text[:at] + text[at:].replace("\n", f"\n{indent}", rng.choice((1, -1)))
    if rng.random() < 0.05:
        data = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(min(len(data), 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    return text


def main(count: int, seed: int) -> Counter[str]:
    """Read ``count`` texts; return how many were good, and how many had mistakes."""
    texts, outcomes = seeds(), Counter[str]()
    for number in range(seed, seed + count):
        text = mutated(random.Random(number), texts)
        start = time.perf_counter()
        try:
            file = read_file("f.yaml", text)
        except BaseException:
            print(f"seed {number} raised", file=sys.stderr, flush=True)
            raise
        if time.perf_counter() - start > SLOWEST:
            raise SystemExit(f"seed {number} took {time.perf_counter() - start:.1f} s")
        for problem in file.problems:
            if not PLACE.fullmatch(problem.location or "") or not problem.message:
                raise SystemExit(f"seed {number}: {problem.location!r} {problem.message!r}")
        outcomes["mistaken" if file.problems else "good"] += 1
    return outcomes


if __name__ == "__main__":
    found = main(int(sys.argv[1]), int(sys.argv[2]))
    print(f"{sum(found.values())} executions: {found['good']} good, {found['mistaken']} mistaken")
