"""Commands for the first minutes: init, demo, plugins."""

from __future__ import annotations

from pathlib import Path

import click

from doctor.cli.human import rules as rules_text
from doctor.cli.options import Common, with_common_options
from doctor.report.plain import plain, to_json


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
def plugins(common: Common) -> int:
    """List the plugins and rule packs: distribution, version, hooks, failures."""
    from doctor.registry import load_registry

    records = load_registry().records
    if common.is_json:
        common.print(to_json({"plugins": plain(records)}))
    else:
        common.print(rules_text.plugins(records))
    return 0
