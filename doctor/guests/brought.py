"""What a plugin brought, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
    return entry.dist is not None and entry.dist.name == OWN


def origin_of(entry: metadata.EntryPoint) -> str:
    """Return how a plugin is named to people."""
    distribution = entry.dist.name if entry.dist else "?"
    return f"{entry.name} of {distribution}"
