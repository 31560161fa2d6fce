"""Commands for the first minutes: init, demo, plugins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doctor.cli.human import rules as rules_text
from doctor.cli.options import Common, with_common_options
from doctor.report.plain import plain, to_json

if TYPE_CHECKING:
    from doctor.model.description import SystemDescription

UNKNOWN = 9


@click.command()
@with_common_options
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--force", is_flag=True, help="Replace a doctor.toml that is there.")
@click.option("--print", "prints", is_flag=True, help="Show the file and write nothing.")
def init(common: Common, folder: Path, *, force: bool, prints: bool) -> int:
    """Write a commented doctor.toml into FOLDER from what is found there.

    Databases, models and logs are looked for; a system that is described (Airflow, Optuna and
    others) is recognised by its tables. Options such as --database beat what is found.
    """
    from doctor.evidence.first_look import look_first
    from doctor.registry import load_registry
    from doctor.rulebook.book import load_book
    from doctor.runs import recognised
    from doctor.settings import settings_in
    from doctor.system.configuration import config_text, shown, write_config
    from doctor.system.discovery import look_around

    settings = common.given
    book = load_book(load_registry({"DOCTOR_PLUGINS": ""}), settings.rules.paths)
    systems = book.systems.values()
    found = look_around(
        folder, settings.system, lambda tables: [one.name for one in recognised(systems, tables)]
    )
    chosen = settings_in(
        folder,
        settings,
        kind=found.kind,
        database=found.database,
        models=found.models,
    )
    look = look_first(chosen, book.system(found.kind))
    text = config_text(found, look.known)
    file = folder / "doctor.toml"
    if not prints:
        write_config(file, text, force=force)
    unsure = (*found.unsure, *look.unsure, *_installed(found.database, systems))
    next_step = _next(found.database, look.known.runs)
    if common.is_json:
        document = {
            "file": None if prints else str(file),
            "found": plain(shown(found)),
            "runs": look.known.runs,
            "belongs": list(look.known.belongs),
            "unsure": list(unsure),
            "next": next_step,
            "text": text,
        }
        common.print(to_json(document))
    elif prints:
        common.print(text)
    else:
        common.print(rules_text.initialised(file, shown(found), look.known, unsure, next_step))
    return 0


def _installed(database: str | None, systems: Iterable[SystemDescription]) -> Iterator[str]:
    """Yield a word about described systems that are installed, where nothing else tells."""
    from importlib import metadata

    if database is None:
        names = {str(one.metadata["Name"]).lower() for one in metadata.distributions()}
        here = sorted(one.name for one in systems if (one.package or "").lower() in names)
        if here:
            yield f"kind: installed here are {', '.join(here)}: --system NAME --database URL"


def _next(database: str | None, runs: str | None) -> str:
    if database is None:
        return "fill in the database, then run: doctor preflight"
    return "doctor preflight" if runs else "name the run table in [system.runs]; doctor preflight"


@click.command()
@with_common_options
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the demo system in there.")
def demo(common: Common, keep: Path | None) -> int:
    """Watch a small system fail without Doctor, and heal with it. Needs no configuration."""
    from doctor.demo import run_demo

    return run_demo(common.print, keep)


@click.command()
@with_common_options
@click.option("--check", is_flag=True, help="Run the probes of foreign plugins once, dry.")
def plugins(common: Common, *, check: bool) -> int:
    """List the plugins and rule packs: distribution, version, hooks, failures.

    With --check, exits 9 where a plugin or one of its probes failed.
    """
    if check:
        with common.doctor() as doctor:
            records, trials = doctor.registry.records, doctor.try_plugins()
    else:
        from doctor.registry import load_registry

        registry = load_registry()
        records, trials = registry.records, ()
        registry.close()
    is_bad = any(one.failure for one in records) or any(one.gaps for one in trials)
    code = UNKNOWN if check and is_bad else 0
    if common.is_json:
        tried = {"tried": plain(trials), "exit_code": code} if check else {}
        common.print(to_json({"plugins": plain(records), **tried}))
    else:
        common.print(rules_text.plugins(records))
        if check:
            common.print(rules_text.tried(trials))
    return code
