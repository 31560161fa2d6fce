"""How large a harness runs: as in CI, or at a part of the size that a release wants."""

from __future__ import annotations

import os

PART = float(os.environ.get("DOCTOR_SOAK") or 0)


def sized(usual: int, release: int) -> int:
    """Return how many of something to do: ``PART`` of the release's number, the usual at least."""
    return max(usual, round(release * PART))
