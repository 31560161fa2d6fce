"""The command that repairs a whole column."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from doctor.cli.human import repair as repair_text
from doctor.cli.options import Common, with_common_options
from doctor.cli.rows import RowsBar
from doctor.cli.terminal import say
from doctor.model.change import Plan
from doctor.model.tier import Tier
from doctor.redaction import one_line
from doctor.report.plain import to_json
from doctor.report.repair import column_treatment_json
from doctor.treatment.column_plan import parse_replacement


@click.command()
@click.argument("column", metavar="TABLE.COLUMN")
@with_common_options
@click.option("--plan", "plan_hash", metavar="HASH", help="Apply only the plan with this hash.")
@click.option(
    "--max-tier",
    type=click.Choice([one.name for one in Tier]),
    default=Tier.SAFE.name,
    show_default=True,
    help="GUARDED asks you here, at the terminal, instead of opening a request.",
)
@click.option("--choose", metavar="OLD=NEW", multiple=True, help="What should stand for a value.")
@click.option("--yes", is_flag=True, help="Prompt for nothing; approves nothing.")
def repair(
    common: Common,
    column: str,
    *,
    plan_hash: str | None,
    max_tier: str,
    choose: tuple[str, ...],
    yes: bool,
) -> int:
    """Repair every row of TABLE.COLUMN that holds a value which the code does not have.

    It works in short batches, beside a system that goes on working; `doctor plan --column` shows
    what it would do. What is not certain, and what changes many rows, is asked, not done.
    """
    from doctor.repairing import Order

    tier = Tier[max_tier]
    may_ask = tier > Tier.SAFE and not yes and sys.stdin.isatty() and not common.is_json
    choices = dict(parse_replacement(one) for one in choose)
    with common.doctor() as doctor, RowsBar() as bar:
        confirm = _confirmed(tier) if may_ask else None
        done = doctor.repair(column, Order(tier, plan_hash, choices, confirm, bar.show))
    if common.is_json:
        common.print(to_json(column_treatment_json(done)))
    else:
        common.print(repair_text.treatment(done))
    return done.exit_code


def _confirmed(tier: Tier) -> Callable[[Plan], bool]:
    def confirm(plan: Plan) -> bool:
        if plan.tier > tier:
            return False
        for line in repair_text.changes(plan):
            say(one_line(line))
        return click.confirm(f"This plan is {plan.tier.name}. Apply it?", default=False, err=True)

    return confirm
