"""How long this machine has been running: time that no jump of its clock changes."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds since the start called ``boot`` of a machine, sleep included."""

    boot: str
    seconds: float


def machine_uptime() -> Uptime | None:
    """Return the uptime of this machine, or None where it cannot be told exactly."""
    boot, clock = _boot(), getattr(time, "CLOCK_BOOTTIME", None)
    if not boot or clock is None:
        return None
    return Uptime(boot, time.clock_gettime(clock))


def no_uptime() -> Uptime | None:
    """Return None: only the clock is known."""
    return None


@cache
def _boot() -> str:
    with suppress(OSError):
        return _BOOT.read_text(encoding="ascii").strip()
    return ""
