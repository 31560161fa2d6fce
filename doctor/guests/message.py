"""What Doctor and a guest say to each other, as types."""

from __future__ import annotations

from dataclasses import dataclass

from doctor.model.evidence import FactKind
from doctor.model.layout import Layout
from doctor.model.ports import Api, Code, Log, ReadDoor
from doctor.model.rule import ValueMapping
from doctor.model.system import System

PORTS: dict[str, type] = {"database": ReadDoor, "api": Api, "code": Code, "logs": Log}
LINES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class GuestProbeKind:
    """A probe that a plugin brings: its name and what it declares."""

    name: str
    kinds: tuple[FactKind, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What a plugin brings, as it says itself."""

    hooks: tuple[str, ...]
    probes: tuple[GuestProbeKind, ...] = ()
    fixers: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    extends: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """A system without its ports: what a guest may know at once; the rest it asks for."""

    identity: str
    database: bool
    api: str | None
    code: bool
    logs: tuple[str, ...]
    reports: tuple[str, ...]
    layout: Layout | None
    layout_reason: str | None
    route: str | None
    route_reason: str | None
    run_prefix: str | None
    mappings: tuple[ValueMapping, ...]
    terminal: frozenset[str]


def outline(system: System) -> Outline:
    """Return the outline of a system."""
    return Outline(
        system.identity,
        system.database is not None,
        system.api.origin if system.api else None,
        system.code is not None,
        tuple(one.name for one in system.logs),
        tuple(one.name for one in system.reports),
        system.layout,
        system.layout_reason,
        system.route,
        system.route_reason,
        system.run_prefix,
        system.mappings,
        system.terminal,
    )
