"""Commands that look and change nothing: diagnose, preflight, plan, why."""

from __future__ import annotations

from dataclasses import replace

import click

from doctor.cli.human import examination as examination_text
from doctor.cli.options import Common, with_common_options
from doctor.model.examination import EXIT_CODES
from doctor.report.examination import examination_json, plan_json, survey_json
from doctor.report.plain import to_json
from doctor.treatment.planning import parse_choice

WARNINGS = 4


@click.command()
@click.argument("run_id")
@with_common_options
def diagnose(common: Common, run_id: str) -> int:
    """Say what is wrong with RUN_ID, why, and what would cure it. Changes nothing."""
    with common.doctor() as doctor:
        examination = doctor.examine(run_id)
        if common.is_json:
            common.print(to_json(examination_json(examination)))
        else:
            common.print(examination_text.examination(examination))
    return examination.exit_code


@click.command()
@with_common_options
@click.option("--strict", is_flag=True, help="Exit 4 where there is something worth knowing only.")
def preflight(common: Common, *, strict: bool) -> int:
    """Check the whole system: stored values, tables, columns, API; a verdict per run."""
    with common.doctor() as doctor:
        survey = doctor.preflight()
    code = survey.examination.exit_code
    if strict and code == 0 and survey.examination.diagnoses:
        code = WARNINGS
    if common.is_json:
        common.print(to_json({**survey_json(survey), "exit_code": code}))
    else:
        common.print(examination_text.survey(survey))
    return code


@click.command()
@click.argument("run_id", required=False)
@with_common_options
@click.option(
    "--choose",
    metavar="TABLE.COLUMN=VALUE",
    multiple=True,
    help="Choose the value of an open cell (repeatable); with --column: OLD=NEW.",
)
@click.option("--column", metavar="TABLE.COLUMN", help="Every bad row of a column, not a run.")
def plan(common: Common, run_id: str | None, choose: tuple[str, ...], column: str | None) -> int:
    """Show the exact change for RUN_ID, row by row, and its hash. Changes nothing.

    With --column: for every row of a table that holds a value which the code does not have.
    Exits 0 where there is nothing to do, else 3.
    """
    if (run_id is None) is (column is None):
        raise click.UsageError("name a run, or a column with --column")
    if run_id is None:
        return _plan_column(common, column or "", choose)
    choices = dict(parse_choice(one) for one in choose)
    with common.doctor() as doctor:
        examination = doctor.examine(run_id, choices)
        if choices and examination.plan:
            incident = doctor.offer(examination, choices)
            examination = replace(examination, incident=incident)
    if common.is_json:
        common.print(to_json(plan_json(examination)))
    else:
        common.print(examination_text.plan(examination))
    return examination.exit_code


def _plan_column(common: Common, column: str, choose: tuple[str, ...]) -> int:
    from doctor.cli.human import repair as repair_text
    from doctor.report.repair import column_examination_json
    from doctor.treatment.column_plan import parse_replacement

    with common.doctor() as doctor:
        found = doctor.examine_column(column, dict(parse_replacement(one) for one in choose))
    code = EXIT_CODES[found.status]
    if common.is_json:
        common.print(to_json(column_examination_json(found, code)))
    else:
        common.print(repair_text.examination(found))
    return code


@click.command()
@click.argument("rule")
@click.argument("run_id")
@with_common_options
def why(common: Common, rule: str, run_id: str) -> int:
    """Show which clauses of RULE held, failed or lacked evidence for RUN_ID."""
    with common.doctor() as doctor:
        verdicts = doctor.why(rule, run_id)
        definition = doctor.book.rule(rule)
    if common.is_json:
        from doctor.report.rules import verdict_json

        common.print(to_json({"run": run_id, "verdicts": [verdict_json(one) for one in verdicts]}))
    else:
        common.print(examination_text.why(definition, verdicts))
    return 0
