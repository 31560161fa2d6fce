"""Brings the plugins of others: each is started, asked what it has, and checked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from doctor.guests.brought import Brought, origin_of
from doctor.guests.foreign import GuestFixer, GuestProbe, read_description
from doctor.guests.host import GuestError, Host
from doctor.guests.loading import shown
from doctor.guests.wire import WireError


def bring_foreign(
    entries: Sequence[metadata.EntryPoint], own: Mapping[str, Brought]
) -> dict[str, Brought]:
    """Return what every plugin brought, ``own`` and the others', by origin.

    All processes start at once. Names and kinds of facts that are Doctor's own are refused to
    others; where two others bring one name, both are refused.
    """
    hosts = [Host(one.name, one.value, origin_of(one)) for one in entries]
    for host in hosts:
        host.warm()
    foreign = [_described(entry, host) for entry, host in zip(entries, hosts, strict=True)]
    mine = tuple(own.values())
    checked = [_checked(one, mine, foreign) for one in foreign]
    return {**own, **{one.origin: one for one in checked}}


def folder_of_package(name: str) -> Path:
    """Return the folder of a package without running any of its code.

    Raises ModuleNotFoundError where there is none.
    """
    top, _, rest = name.partition(".")
    found = (finder.find_spec(top, None) for finder in sys.meta_path)
    spec = next((one for one in found if one is not None), None)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    folders = [Path(one, *rest.split(".")) if rest else Path(one) for one in places]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return folder


def _described(entry: metadata.EntryPoint, host: Host) -> Brought:
    try:
        found = read_description(host.describe())
        packs = tuple(Path(one) for one in found.packs)
        missing = [str(one) for one in packs if not one.is_dir()]
        if missing:
            raise WireError(f"its rule pack {missing[0]!r} is no folder")
    except (GuestError, WireError) as error:
        host.end()
        is_own = isinstance(error, GuestError) and error.is_own
        failed = f"the plugin {host.origin} failed: {error}"
        return Brought(host.origin, failure=failed if is_own else str(error))
    return Brought(
        host.origin,
        found.hooks,
        tuple(GuestProbe(host, one.name, one.kinds) for one in found.probes),
        tuple(GuestFixer(host, one) for one in found.fixers),
        packs,
        (_extender(entry),) if found.extends else (),
        host=host,
    )


def _checked(one: Brought, own: Sequence[Brought], foreign: Iterable[Brought]) -> Brought:
    """Return the plugin, or why it is refused: a name of another's, or a kind of Doctor's own."""
    others = [*own, *(each for each in foreign if each is not one)]
    failure = one.failure or next(_clashes(one, own, others), None)
    if failure is None:
        return one
    if one.host is not None:
        one.host.end()
    return Brought(one.origin, failure=failure)


def _clashes(one: Brought, own: Sequence[Brought], others: Sequence[Brought]) -> Any:
    for noun, names_of in (("probe", _probes), ("fixer", _fixers)):
        mine = names_of(one)
        for name in mine:
            if mine.count(name) > 1:
                yield f"it brings two {noun}s called {name!r}"
            for other in others:
                if name in names_of(other):
                    yield (
                        f"two plugins bring a {noun} called {name!r}:"
                        f" {one.origin} and {other.origin}"
                    )
    taken = {kind.name for other in own for probe in other.probes for kind in probe.kinds}
    for probe in one.probes:
        for kind in probe.kinds:
            if kind.name in taken:
                yield f"its probe {probe.name!r} declares {kind.name!r}, which is Doctor's own"


def _probes(one: Brought) -> list[str]:
    return [probe.name for probe in one.probes]


def _fixers(one: Brought) -> list[str]:
    return [fixer.name for fixer in one.fixers]


def _extender(entry: metadata.EntryPoint) -> Callable[..., None]:
    """Return what adds the commands of a plugin: a person called one, so it runs right here."""

    def extend(cli: Any) -> None:
        try:
            entry.load().doctor_commands(cli=cli)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - another's command is not lost
            print(f"plugin {origin_of(entry)} failed: {shown(error)}", file=sys.stderr)  # noqa: T201

    return extend
