"""Children whose lines are not counted: they are many, and counting makes each twice as slow."""

from __future__ import annotations

import os
from collections.abc import Mapping


def uncovered(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process with ``more``, and without coverage's own."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**mine, **more}
