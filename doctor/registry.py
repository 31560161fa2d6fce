"""Loads plugins one by one: a broken one is recorded with its reason and silences no other.

What is shipped with Doctor is imported; what others made runs in a process of its own (guests/).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from doctor.errors import UsageError
from doctor.guests.brought import Brought, distribution_of, is_own, origin_of
from doctor.guests.loading import load_plugin, shown
from doctor.model.evidence import Gap
from doctor.model.system import Fixer, Probe

if TYPE_CHECKING:
    from doctor.guests.host import Host

PLUGINS = "doctor.plugins"
PACKS = "doctor.rulepacks"
BUILTIN_PACK = "doctor_rules"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin or rule pack as it was found: ``failure`` says why it is not in use.

    ``isolated`` tells that it runs in a process of its own.
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    failure: str | None = None
    isolated: bool = False


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
    hosts: tuple[Host, ...] = ()

    def fixer(self, name: str) -> Fixer | None:
        """Return the fixer called ``name``, or None."""
        return next((one for one in self.fixers if one.name == name), None)

    def take_complaints(self) -> tuple[Gap, ...]:
        """Return why answers of foreign fixers were refused since this was last asked."""
        found: list[Gap] = []
        for one in self.fixers if self.hosts else ():
            complaints = getattr(one, "complaints", [])
            found += complaints
            complaints.clear()
        return tuple(found)

    def hurry(self, seconds: float) -> None:
        """Give foreign plugins only so much time from now on, and no second chance for a while."""
        for one in self.hosts:
            one.seconds = min(one.seconds, seconds)
            one.most_strikes = 1

    def close(self) -> None:
        """End the processes of foreign plugins; they start again when they are asked."""
        for one in self.hosts:
            one.end()


def load_registry(environment: Mapping[str, str] = os.environ) -> Registry:
    """Load what is installed: DOCTOR_PLUGINS="" loads no plugin, "a,b" only those two."""
    chosen = environment.get("DOCTOR_PLUGINS")
    wanted = None if chosen is None else {one.strip() for one in chosen.split(",") if one.strip()}
    every = metadata.entry_points()
    entries = sorted(every.select(group=PLUGINS), key=origin_of)
    unknown = sorted((wanted or set()) - {entry.name for entry in entries})
    if unknown:
        raise UsageError(
            f"DOCTOR_PLUGINS names {unknown[0]!r}, and no such plugin is installed",
            hint=f"installed are {', '.join(entry.name for entry in entries) or 'none'}",
        )
    entries = [entry for entry in entries if wanted is None or entry.name in wanted]
    packs = sorted(every.select(group=PACKS), key=origin_of)
    return build_registry(entries, packs)


def own_entries() -> tuple[list[metadata.EntryPoint], list[metadata.EntryPoint]]:
    """Return the plugins and the rule packs that are shipped with Doctor."""
    every = metadata.entry_points()
    plugins, packs = (
        [one for one in every.select(group=it) if is_own(one)] for it in (PLUGINS, PACKS)
    )
    return plugins, packs


def build_registry(
    plugins: Iterable[metadata.EntryPoint], packs: Iterable[metadata.EntryPoint]
) -> Registry:
    """Load the given entry points.

    Where two bring a probe or fixer of one name, what is shipped with Doctor stays, and neither
    of two others does.
    """
    entries = list(plugins)
    foreign = [one for one in entries if not is_own(one)]
    loaded = {origin_of(one): _import(one) for one in entries if is_own(one)}
    if foreign:
        from doctor.guests.entry import bring_foreign

        loaded = bring_foreign(foreign, loaded)
    in_order = [(entry, loaded[origin_of(entry)]) for entry in entries]
    folders = [Pack(entry.name, one) for entry, brought in in_order for one in brought.packs]
    records = [
        _record(entry, brought.hooks, brought.failure, isolated=not is_own(entry))
        for entry, brought in in_order
    ]
    for entry in packs:
        pack_failure: str | None = None
        try:
            folders.append(Pack(entry.name, _folder(entry), entry.value == BUILTIN_PACK))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a package may fail in any way
            pack_failure = shown(error)
        records.append(_record(entry, ("rules",), pack_failure))
    every = [brought for _, brought in in_order]
    return Registry(
        tuple(one for many in every for one in many.probes),
        tuple(one for many in every for one in many.fixers),
        tuple(folders),
        tuple(records),
        tuple(one for many in every for one in many.extenders),
        tuple(one.host for one in every if one.host is not None),
    )


def _import(entry: metadata.EntryPoint) -> Brought:
    origin = origin_of(entry)
    try:
        brought: dict[str, Any] = load_plugin(entry)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken one silences no other
        return Brought(origin, failure=shown(error))
    return Brought(
        origin,
        tuple(sorted(brought)),
        brought.get("doctor_probes", ()),
        brought.get("doctor_fixers", ()),
        brought.get("doctor_rule_packs", ()),
        brought.get("doctor_commands", ()),
    )


def _folder(entry: metadata.EntryPoint) -> Traversable:
    if is_own(entry):
        return resources.files(entry.value)
    from doctor.guests.entry import folder_of_package

    return folder_of_package(entry.value)


def _record(
    entry: metadata.EntryPoint,
    hooks: tuple[str, ...],
    failure: str | None,
    *,
    isolated: bool = False,
) -> PluginRecord:
    name, version = distribution_of(entry)
    return PluginRecord(entry.name, name, version, () if failure else hooks, failure, isolated)
