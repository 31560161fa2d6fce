"""The commands about how ids are made up."""

from __future__ import annotations

import click

from doctor.cli.options import Common, with_common_options

WARNINGS = 4


@click.group()
def ids() -> None:
    """Say how the ids of runs and of what belongs to them are made up."""


@ids.command("infer")
@click.option("--toml", "as_toml", is_flag=True, help="Print what pins it, for doctor.toml.")
@with_common_options
def infer(common: Common, *, as_toml: bool) -> int:
    """Learn the conventions from the rows: families, the next id, relations to the parent's id.

    At most 2,000 rows of a table are read, chosen by chance where there are more. Where the ids
    follow no convention it says so, with the counts. Exits 0; 9 where nothing could be read.
    """
    from doctor.cli.human import ids as text
    from doctor.report.ids import conventions_json, pinned_text
    from doctor.report.plain import to_json

    with common.doctor() as doctor:
        found = doctor.id_convention(pinned=not as_toml)
    code = 9 if found.gaps and not found.columns else 0
    if common.is_json:
        common.print(to_json(conventions_json(found, code)))
    else:
        common.print(pinned_text(found) if as_toml else text.conventions(found))
    return code


@ids.command("check")
@click.argument("id_", metavar="ID")
@click.option("--table", metavar="TABLE", help="Whose id it would be; by default a run's.")
@click.option("--parent", metavar="ID", help="The id of its parent.")
@click.option("--strict", is_flag=True, help="Exit 4 where it is unusual.")
@with_common_options
def check(common: Common, id_: str, *, table: str | None, parent: str | None, strict: bool) -> int:
    """Hold a new ID against the convention. It warns, and forbids nothing."""
    from doctor.cli.human import ids as text
    from doctor.report.ids import check_json
    from doctor.report.plain import to_json

    with common.doctor() as doctor:
        found = doctor.check_id(id_, table=table, parent=parent)
    code = WARNINGS if strict and found.warnings else 0
    if common.is_json:
        common.print(to_json(check_json(found, code)))
    else:
        common.print(text.check(found))
    return code
