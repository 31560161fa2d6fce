"""What a plugin brought, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from doctor.model.system import Fixer, Probe

if TYPE_CHECKING:
    from doctor.guests.host import Host

OWN = "run-doctor"


@dataclass(frozen=True, slots=True)
class Brought:
    """What one plugin brought, or why it brought nothing."""

    origin: str
    hooks: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    fixers: tuple[Fixer, ...] = ()
    packs: tuple[Traversable, ...] = ()
    extenders: tuple[Callable[..., None], ...] = ()
    failure: str | None = None
    host: Host | None = field(default=None, compare=False)


def is_own(entry: metadata.EntryPoint) -> bool:
    """Tell whether a plugin is shipped with Doctor."""
    return distribution_of(entry)[0] == OWN


def origin_of(entry: metadata.EntryPoint) -> str:
    """Return how a plugin is named to people."""
    return f"{entry.name} of {distribution_of(entry)[0]}"


def distribution_of(entry: metadata.EntryPoint) -> tuple[str, str]:
    """Return name and version of the distribution that brings a plugin, "?" where it has none."""
    return _about(entry.dist) if entry.dist is not None else ("?", "?")


@cache
def _about(distribution: metadata.Distribution) -> tuple[str, str]:
    """Return name and version, for which the whole file is parsed each time that one is asked."""
    found = distribution.metadata
    return found["Name"], found["Version"]
