"""The hooks that a plugin may implement. Mark implementations with ``doctor.hookimpl``."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import pluggy

from doctor.model.system import Fixer, Probe

if TYPE_CHECKING:  # a plugin without commands does without it, and its process starts sooner
    import click

hookspec = pluggy.HookspecMarker("doctor")
hookimpl = pluggy.HookimplMarker("doctor")


@hookspec
def doctor_probes() -> Iterable[Probe]:  # type: ignore[empty-body]
    """Return the probes of this plugin."""


@hookspec
def doctor_fixers() -> Iterable[Fixer]:  # type: ignore[empty-body]
    """Return the fixers of this plugin."""


@hookspec
def doctor_rule_packs() -> Iterable[Traversable]:  # type: ignore[empty-body]
    """Return folders with YAML rules, signatures and mappings."""


@hookspec
def doctor_commands(cli: click.Group) -> None:
    """Add commands to the command line."""
