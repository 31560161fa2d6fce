"""Commands about the schema of the system's database."""

from __future__ import annotations

from pathlib import Path

import click

from doctor.cli.options import Common, also_prints, with_common_options
from doctor.errors import UsageError

INCOMPLETE = 3
WARNINGS = 4


@click.group()
def schema() -> None:
    """Say what the database's tables and columns are, and where the models say otherwise."""


@also_prints("markdown")
@schema.command("document")
@click.option("--write", is_flag=True, help="Put it into the table schema_documentation.")
@click.option(
    "--descriptions", metavar="FILE", type=Path, help="Descriptions of what no source describes."
)
@click.option("--coverage", is_flag=True, help="Only how much is described; exits 3 below 100 %.")
@click.option("--missing", is_flag=True, help="Print a file of descriptions to be filled in.")
@click.option("--comments", is_flag=True, help="Print the COMMENT statements that say the same.")
@with_common_options
def document(
    common: Common,
    *,
    write: bool,
    descriptions: Path | None,
    coverage: bool,
    missing: bool,
    comments: bool,
) -> int:
    """Put together what is known about every table and column of the database.

    Descriptions come from the models (comment=, doc=, docstrings, comments), from COMMENT in the
    database, and from --descriptions; examples from real rows, with secrets left out; the shape of
    JSON columns from the rows where no class declares it. Nothing is written without --write, which
    creates the table schema_documentation. `doctor preflight` then says which entries are not true
    any more, and which documents do not have the shape that is described.

    Exits 0; with --coverage 3 where something is not described.
    """
    from doctor.cli.human import documentation as text
    from doctor.report.documentation import documentation_json, documentation_markdown
    from doctor.report.plain import plain, to_json
    from doctor.schema.documents import comment_statements, missing_descriptions

    with common.doctor() as doctor:
        found = doctor.document(descriptions)
        statements = comment_statements(found, doctor.memory.identity) if comments else ()
        written = doctor.write_documentation(found) if write else None
    code = INCOMPLETE if coverage and found.missing else 0
    if common.is_json:
        document = documentation_json(found)
        done = plain(written._asdict()) if written is not None else None
        more = {"comments": list(statements)} if comments else {}
        common.print(to_json({**document, **more, "written": done, "exit_code": code}))
    elif comments:
        common.print("\n".join(statements))
    elif missing:
        common.print(missing_descriptions(found.missing))
    elif common.values.get("format") == "markdown":
        common.print(documentation_markdown(found))
    else:
        common.print(text.documentation(found, written, only_coverage=coverage))
    return code


@schema.command()
@click.argument("table")
@with_common_options
@click.option("--given", metavar="COLUMN=VALUE", multiple=True, help="What is known (repeatable).")
@click.option("--no-proof", is_flag=True, help="Only read: try no row on the database.")
def required(common: Common, table: str, *, given: tuple[str, ...], no_proof: bool) -> int:
    """Say what a new row of TABLE needs, and where each value comes from.

    What is complete is tried by an INSERT that is rolled back. Nothing is invented: keys, unique
    values and references are yours to give. Exits 0; with --given 3 where something is missing or
    wrong, 9 where the database could not be asked.
    """
    from doctor.cli.human import insertion as text
    from doctor.report.insertion import required_json
    from doctor.report.plain import to_json

    known = dict(_parsed(one) for one in given)
    with common.doctor() as doctor:
        needed = doctor.required_fields(table, known, proof=not no_proof)
    code = needed.exit_code if known else 0
    if common.is_json:
        common.print(to_json(required_json(needed, code)))
    else:
        common.print(text.required(needed))
    return code


def _parsed(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"{text!r} is no value", hint="write it as COLUMN=VALUE")
    return name, value


@also_prints("sarif")
@schema.command()
@click.option("--table", "tables", metavar="TABLE", multiple=True, help="Only this (repeatable).")
@click.option("--strict", is_flag=True, help="Exit 4 where there are warnings only.")
@with_common_options
def check(common: Common, tables: tuple[str, ...], *, strict: bool) -> int:
    """Find every drift between models and database, with both ways out. Changes nothing.

    Errors are what breaks reads or writes, all else is a warning. Exits 3 where there is an error,
    0 where there are warnings only (4 with --strict), 9 where something could not be compared.
    """
    from doctor.cli.human import schema as text
    from doctor.report.plain import to_json
    from doctor.report.schema import schema_json, schema_sarif

    with common.doctor() as doctor:
        found = doctor.compare_schema(tables)
    code = found.exit_code
    if strict and code == 0 and found.diagnoses:
        code = WARNINGS
    if common.is_json:
        common.print(to_json(schema_json(found, code)))
    elif common.is_sarif:
        common.print(schema_sarif(found))
    else:
        common.print(text.check(found))
    return code
