"""The command that reads logs on their own."""

from __future__ import annotations

import click

from doctor.cli.human import scan as scan_text
from doctor.cli.options import Common, with_common_options
from doctor.cli.progress import Bar
from doctor.report.plain import to_json
from doctor.report.scan import scan_json


@click.command()
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@with_common_options
def scan(common: Common, logs: tuple[str, ...]) -> int:
    """Say what LOGs show, without looking at any system: causes, symptoms, when they happened.

    A LOG is a file of any size, also packed by gzip or zstd; - is standard input. Exits 3 where
    there is a finding, 0 where there is none, 9 where none was found and a log could not be read.
    """
    from doctor.scanning import scan_logs

    with Bar(logs) as bar:
        found = scan_logs(common.settings, logs, bar.show)
    if common.is_json:
        common.print(to_json(scan_json(found)))
    else:
        common.print(scan_text.scan(found))
    return found.exit_code
