"""How far a change may go on its own."""

from __future__ import annotations

from enum import IntEnum


class Tier(IntEnum):
    """Ordered safety of a remedy; the effective tier of a plan is the highest of its parts.

    ADVISE changes nothing; SAFE is certain and undoable; GUARDED is plausible and undoable and
    needs a human; IRREVERSIBLE needs a human every time.
    """

    ADVISE = 0
    SAFE = 1
    GUARDED = 2
    IRREVERSIBLE = 3
