"""Commands for the first minutes: init, demo, plugins."""

from __future__ import annotations

from pathlib import Path

import click

from doctor.cli.human import rules as rules_text
from doctor.cli.options import Common, with_common_options
from doctor.report.plain import plain, to_json

UNKNOWN = 9


@click.command()
@with_common_options
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
def init(common: Common, folder: Path) -> int:
    """Write a commented doctor.toml into FOLDER from what is found there."""
    from doctor.system.discovery import write_config

    found = write_config(folder, common.settings.system)
    if common.is_json:
        common.print(to_json({"file": str(found.file), "found": plain(found.found)}))
    else:
        common.print(rules_text.initialised(found.file, found.found))
    return 0


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
