"""Loads plugins one by one: a broken one is recorded with its reason and silences no other."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from typing import Any

import pluggy

from doctor import hookspecs
from doctor.errors import UsageError
from doctor.model.evidence import FactKind
from doctor.model.system import Fixer, Probe

PLUGINS = "doctor.plugins"
PACKS = "doctor.rulepacks"
BUILTIN_PACK = "doctor_rules"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin or rule pack as it was found: ``failure`` says why it is not in use."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of YAML files and the name it is known by."""

    name: str
    folder: Traversable
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that plugins brought, in the order of their names."""

    probes: tuple[Probe, ...]
    fixers: tuple[Fixer, ...]
    packs: tuple[Pack, ...]
    records: tuple[PluginRecord, ...]
    extenders: tuple[Callable[..., None], ...] = ()

    def fixer(self, name: str) -> Fixer | None:
        """Return the fixer called ``name``, or None."""
        return next((one for one in self.fixers if one.name == name), None)


def load_registry(environment: Mapping[str, str] = os.environ) -> Registry:
    """Load what is installed: DOCTOR_PLUGINS="" loads no plugin, "a,b" only those two."""
    chosen = environment.get("DOCTOR_PLUGINS")
    wanted = None if chosen is None else {one.strip() for one in chosen.split(",") if one.strip()}
    every = metadata.entry_points()
    entries = sorted(every.select(group=PLUGINS), key=_origin)
    unknown = sorted((wanted or set()) - {entry.name for entry in entries})
    if unknown:
        raise UsageError(
            f"DOCTOR_PLUGINS names {unknown[0]!r}, and no such plugin is installed",
            hint=f"installed are {', '.join(entry.name for entry in entries) or 'none'}",
        )
    entries = [entry for entry in entries if wanted is None or entry.name in wanted]
    packs = sorted(every.select(group=PACKS), key=_origin)
    return build_registry(entries, packs)


def build_registry(
    plugins: Iterable[metadata.EntryPoint], packs: Iterable[metadata.EntryPoint]
) -> Registry:
    """Load the given entry points; equal names of probes or fixers are a UsageError."""
    probes: list[tuple[str, Probe]] = []
    fixers: list[tuple[str, Fixer]] = []
    folders: list[Pack] = []
    records: list[PluginRecord] = []
    extenders: list[Callable[..., None]] = []
    for entry in plugins:
        failure, brought = _load_plugin(entry)
        probes += [(_origin(entry), one) for one in brought.get("doctor_probes", ())]
        fixers += [(_origin(entry), one) for one in brought.get("doctor_fixers", ())]
        folders += [Pack(entry.name, one) for one in brought.get("doctor_rule_packs", ())]
        extenders += brought.get("doctor_commands", ())
        records.append(_record(entry, tuple(sorted(brought)), failure))
    for entry in packs:
        pack_failure: str | None = None
        try:
            folder = resources.files(entry.value)
            folders.append(Pack(entry.name, folder, builtin=entry.value == BUILTIN_PACK))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a package may fail in any way
            pack_failure = _shown(error)
        records.append(_record(entry, ("rules",), pack_failure))
    _refuse_duplicates("probe", [(origin, one.name) for origin, one in probes])
    _refuse_duplicates("fixer", [(origin, one.name) for origin, one in fixers])
    return Registry(
        tuple(one for _, one in probes),
        tuple(one for _, one in fixers),
        tuple(folders),
        tuple(records),
        tuple(extenders),
    )


def _load_plugin(entry: metadata.EntryPoint) -> tuple[str | None, dict[str, Any]]:
    manager = pluggy.PluginManager("doctor")
    manager.add_hookspecs(hookspecs)
    brought: dict[str, Any] = {}
    try:
        module = entry.load()
        manager.register(module, entry.name)
        manager.check_pending()
        for caller in manager.get_hookcallers(module) or ():
            if caller.name == "doctor_commands":
                brought[caller.name] = (module.doctor_commands,)
            else:
                brought[caller.name] = tuple(one for many in caller() for one in tuple(many))
        _check(brought)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code may fail
        return _shown(error), {}
    return None, brought


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


def _shown(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


def _origin(entry: metadata.EntryPoint) -> str:
    distribution = entry.dist.name if entry.dist else "?"
    return f"{entry.name} of {distribution}"


def _record(
    entry: metadata.EntryPoint, hooks: tuple[str, ...], failure: str | None
) -> PluginRecord:
    name = entry.dist.name if entry.dist else "?"
    version = entry.dist.version if entry.dist else "?"
    return PluginRecord(entry.name, name, version, () if failure else hooks, failure)


def _refuse_duplicates(noun: str, named: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for origin, name in named:
        if name in seen:
            raise UsageError(
                f"two plugins bring a {noun} called {name!r}: {seen[name]} and {origin}",
                hint="set DOCTOR_PLUGINS to the plugins that should load",
            )
        seen[name] = origin
