"""Loads one plugin by its entry point, in whatever process it is to live in."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pluggy

from doctor import hookspecs
from doctor.model.evidence import FactKind


def load_plugin(entry: metadata.EntryPoint) -> dict[str, Any]:
    """Return what the plugin brings by the name of its hook.

    Raises whatever somebody else's module raises, and TypeError or a pluggy error for what only
    claims to be a plugin.
    """
    manager = pluggy.PluginManager("doctor")
    manager.add_hookspecs(hookspecs)
    brought: dict[str, Any] = {}
    module = entry.load()
    manager.register(module, entry.name)
    manager.check_pending()
    for caller in manager.get_hookcallers(module) or ():
        if caller.name == "doctor_commands":
            brought[caller.name] = (module.doctor_commands,)
        else:
            brought[caller.name] = tuple(one for many in caller() for one in tuple(many))
    _check(brought)
    return brought


def shown(error: BaseException) -> str:
    """Return the error's name and text, even where its own __str__ fails."""
    return "".join(traceback.format_exception_only(error)).strip()


def _check(brought: Mapping[str, Any]) -> None:
    """Raise TypeError for what only claims to be a probe or a fixer."""
    for probe in brought.get("doctor_probes", ()):
        kinds = getattr(probe, "kinds", None)
        is_declared = isinstance(kinds, tuple | list) and all(
            isinstance(one, FactKind) for one in kinds
        )
        if not (is_declared and _is_named(probe) and callable(getattr(probe, "collect", None))):
            raise TypeError(f"{type(probe).__name__} is no probe: it needs name, kinds, collect")
    for fixer in brought.get("doctor_fixers", ()):
        if not (_is_named(fixer) and callable(getattr(fixer, "propose", None))):
            raise TypeError(f"{type(fixer).__name__} is no fixer: it needs name and propose")


def _is_named(one: object) -> bool:
    return isinstance(getattr(one, "name", None), str)
