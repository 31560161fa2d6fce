"""Commands that look and change nothing: diagnose, preflight, plan, why."""

from __future__ import annotations

from dataclasses import replace

import click

from doctor.cli.human import examination as examination_text
from doctor.cli.options import Common, with_common_options
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
@click.argument("run_id")
@with_common_options
@click.option(
    "--choose",
    metavar="TABLE.COLUMN=VALUE",
    multiple=True,
    help="Choose the value of an open cell (repeatable).",
)
def plan(common: Common, run_id: str, choose: tuple[str, ...]) -> int:
    """Show the exact change for RUN_ID, row by row, and its hash. Changes nothing.

    Exits 0 where there is nothing to do, else 3.
    """
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
