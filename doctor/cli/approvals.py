"""The commands around approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from doctor.cli.human import records as records_text
from doctor.cli.options import Common, with_common_options
from doctor.cli.terminal import require_terminal
from doctor.errors import UsageError
from doctor.report.plain import to_json
from doctor.report.records import approval_json
from doctor.treatment.account import user

if TYPE_CHECKING:
    from doctor.doctor import Doctor
    from doctor.store import Store


@click.group()
@with_common_options
def approvals(common: Common) -> None:
    """List, show, approve or deny what Doctor asked."""


@approvals.command("list")
@with_common_options
@click.option("--all", "every", is_flag=True, help="Also what is decided, used or expired.")
def list_(common: Common, *, every: bool) -> int:
    """List what waits for an answer."""
    with common.doctor() as doctor:
        store = doctor.memory.open_for_reading()
        known = store.approvals.find() if store else ()
        shown = [one for one in known if every or one.is_alive]
    if common.is_json:
        common.print(to_json({"approvals": [approval_json(one) for one in shown]}))
    else:
        common.print(records_text.approvals(shown))
    return 0


@approvals.command()
@click.argument("approval")
@with_common_options
def show(common: Common, approval: str) -> int:
    """Show one request with all of its plans."""
    with common.doctor() as doctor:
        known = _store(doctor).approvals.get(approval)
    if common.is_json:
        common.print(to_json({"approval": approval_json(known)}))
    else:
        common.print(records_text.approval(known))
    return 0


@approvals.command()
@click.argument("approval")
@with_common_options
@click.option("--plan", "plan_hash", metavar="HASH", required=True, help="The plan to approve.")
def approve(common: Common, approval: str, plan_hash: str) -> int:
    """Approve exactly one plan, once. Needs a terminal: a program cannot approve."""
    require_terminal()
    with common.doctor() as doctor:
        store = _store(doctor)
        known = store.approvals.approve(approval, plan_hash, user())
    if common.is_json:
        common.print(to_json({"approval": approval_json(known)}))
    else:
        common.print(records_text.approved(known))
    return 0


@approvals.command()
@click.argument("approval")
@with_common_options
def deny(common: Common, approval: str) -> int:
    """Deny a request. Needs a terminal."""
    require_terminal()
    with common.doctor() as doctor:
        known = _store(doctor).approvals.deny(approval, user())
    if common.is_json:
        common.print(to_json({"approval": approval_json(known)}))
    else:
        common.print(records_text.approval(known))
    return 0


def _store(doctor: Doctor) -> Store:
    store = doctor.memory.open_for_reading()
    if store is None:
        raise UsageError("nothing was asked yet", hint="doctor heal RUN_ID asks where in doubt")
    return store
