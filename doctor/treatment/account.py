"""On whose word something is done."""

from __future__ import annotations

import getpass


def user() -> str:
    """Return the account on whose word something is done."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
