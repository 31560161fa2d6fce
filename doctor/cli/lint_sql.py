"""The command that checks the SQL in source code."""

from __future__ import annotations

from pathlib import Path

import click

from doctor.cli.options import Common, also_prints, with_common_options
from doctor.model.sql_finding import TITLES


@also_prints("sarif")
@click.command("lint-sql")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--ignore",
    metavar="CODE",
    multiple=True,
    type=click.Choice(list(TITLES)),
    help="Do not report findings of this code (repeatable).",
)
@with_common_options
def lint_sql(common: Common, paths: tuple[str, ...], *, ignore: tuple[str, ...]) -> int:
    """Check the SQL in the .py and .sql files at and below each PATH, without running anything.

    It is held against the SQLAlchemy models of the project, which are found by themselves, or
    with --database against the tables that are there: values that an enum does not have
    (LINT001), tables and columns that do not exist (LINT002, LINT003), required fields that an
    INSERT leaves out (LINT004), values that are formatted into the text (LINT005). Values that are
    written through mapped classes are checked too. What cannot be decided is silent, and so are
    migrations, but for LINT005. A line with `doctor: ignore`, or `doctor: ignore[CODE]`, is left
    out.

    Exits 3 where there is a finding, 0 where there is none, 9 where none was found and a part
    could not be looked at.
    """
    from doctor import __version__
    from doctor.cli.human import lint_sql as text
    from doctor.linting import lint_paths
    from doctor.report.plain import to_json
    from doctor.report.sarif import sarif_text
    from doctor.report.sql_findings import sql_report_json
    from doctor.system.database import open_read_door
    from doctor.system.source import SourceCode

    settings, url = common.settings.system, common.given.system.database
    code = None
    if settings.models is not None:
        code = SourceCode(Path(settings.models), by_import=settings.import_models)
    report = lint_paths(
        [Path(one) for one in paths],
        code=code,
        door=open_read_door(url) if url is not None else None,
        engine=(url or "").partition(":")[0].partition("+")[0],
        ignore=ignore,
    )
    if common.is_json:
        common.print(to_json(sql_report_json(report)))
    elif common.is_sarif:
        common.print(sarif_text(report.findings, __version__))
    else:
        common.print(text.sql_report(report))
    return report.exit_code
