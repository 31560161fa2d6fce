"""A program: lives histories one after the other. Arguments: a folder, the first seed, how many."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from tests.support.histories import Places, Violated, World, live


def main(folder: str, first: str, count: str) -> int:
    """Print how often what happened, or the seed that breaks a promise and which."""
    places = Places(Path(folder))
    seen: Counter[str] = Counter()
    for seed in range(int(first), int(first) + int(count)):
        try:
            seen += live(World(places, seed)).seen
        except Violated as violated:
            sys.stdout.write(f"seed {seed}: {violated}\n")
            return 1
    with places.whole() as store:
        chain = store.journal.verify().ok
    places.close()
    sys.stdout.write(json.dumps({**seen, "whole chains": int(chain)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
