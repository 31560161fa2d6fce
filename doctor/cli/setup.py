"""Commands for the first minutes: init, demo, plugins."""

from __future__ import annotations

from pathlib import Path

import click

from doctor.cli import human
from doctor.cli.options import Common, with_common_options
from doctor.report import to_json
from doctor.report.plain import plain


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
        common.print(human.initialised(found.file, found.found))
    return 0


@click.command()
@with_common_options
@click.option("--keep", is_flag=True, help="Keep the folder of the demo system and name it.")
def demo(common: Common, *, keep: bool) -> int:
    """Watch a small system fail without Doctor, and heal with it. Needs no configuration."""
    from doctor.demo import run_demo

    return run_demo(common.print, keep=keep)


@click.command()
@with_common_options
def plugins(common: Common) -> int:
    """List the plugins and rule packs: distribution, version, hooks, failures."""
    from doctor.registry import load_registry

    records = load_registry().records
    if common.is_json:
        common.print(to_json({"plugins": plain(records)}))
    else:
        common.print(human.plugins(records))
    return 0
