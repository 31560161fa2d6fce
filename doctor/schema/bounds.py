"""How far a share that was counted in a sample can be trusted."""

from __future__ import annotations

import math

_Z = 1.959964


def at_least(hits: int, of: int) -> float:
    """Return the lower end of Wilson's 95 % interval for a share; 0.0 for no observation."""
    if of == 0:
        return 0.0
    share, square = hits / of, _Z * _Z
    middle = share + square / (2 * of)
    spread = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (middle - spread) / (1 + square / of))
