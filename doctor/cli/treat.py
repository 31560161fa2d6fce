"""Commands that write: heal, undo, recover."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from doctor.cli.human import records as records_text
from doctor.cli.human import treatment as treatment_text
from doctor.cli.options import Common, with_common_options
from doctor.cli.rows import RowsBar
from doctor.cli.terminal import say
from doctor.model.change import Plan
from doctor.model.tier import Tier
from doctor.redaction import one_line
from doctor.report.examination import treatment_json
from doctor.report.plain import to_json
from doctor.report.records import fix_json
from doctor.schema import update_statement
from doctor.treatment.planning import parse_choice


@click.command()
@click.argument("run_id")
@with_common_options
@click.option("--plan", "plan_hash", metavar="HASH", help="Apply only the plan with this hash.")
@click.option(
    "--max-tier",
    type=click.Choice([one.name for one in Tier]),
    default=Tier.SAFE.name,
    show_default=True,
    help="GUARDED asks you here, at the terminal, instead of opening a request.",
)
@click.option("--choose", metavar="TABLE.COLUMN=VALUE", multiple=True, help="As in `doctor plan`.")
@click.option("--yes", is_flag=True, help="Prompt for nothing; approves nothing.")
def heal(
    common: Common,
    run_id: str,
    *,
    plan_hash: str | None,
    max_tier: str,
    choose: tuple[str, ...],
    yes: bool,
) -> int:
    """Cure RUN_ID: plan, decide, apply, verify. What is not certain is asked, not done."""
    tier = Tier[max_tier]
    may_ask = tier > Tier.SAFE and not yes and sys.stdin.isatty() and not common.is_json
    with common.doctor() as doctor:
        treatment = doctor.treat(
            run_id,
            max_tier=tier,
            plan=plan_hash,
            choices=dict(parse_choice(one) for one in choose),
            confirm=_confirmed(tier) if may_ask else None,
        )
    if common.is_json:
        common.print(to_json(treatment_json(treatment)))
    else:
        common.print(treatment_text.treatment(treatment))
    return treatment.exit_code


@click.command()
@click.argument("fix")
@with_common_options
def undo(common: Common, fix: str) -> int:
    """Put back what FIX changed. Refuses, naming the row, when a row moved on since."""
    with common.doctor() as doctor, RowsBar() as bar:
        ended = doctor.undo(fix, bar.show)
    if common.is_json:
        common.print(to_json({"exit_code": 0, "fix": fix_json(ended)}))
    else:
        common.print(records_text.fixes([ended], "nothing to undo"))
    return 0


@click.command()
@with_common_options
def recover(common: Common) -> int:
    """Bring every fix that a killed doctor left behind to an outcome."""
    with common.doctor() as doctor, RowsBar() as bar:
        ended = doctor.recover(bar.show)
    if common.is_json:
        common.print(to_json({"exit_code": 0, "fixes": [fix_json(one) for one in ended]}))
    else:
        common.print(records_text.fixes(ended, "nothing to recover"))
    return 0


def _confirmed(tier: Tier) -> Callable[[Plan], bool]:
    def confirm(plan: Plan) -> bool:
        if plan.tier > tier:
            return False
        for change in plan.changes:
            say(one_line(f"  {update_statement(change, plan.target)}"))
        question = one_line(f"This plan is {plan.tier.name}. Apply it as {plan.run}'s repair?")
        return click.confirm(question, default=False, err=True)

    return confirm
