"""Commands for running Doctor: history, budget, pause, resume."""

from __future__ import annotations

import click

from doctor.cli.human import records as records_text
from doctor.cli.options import Common, with_common_options
from doctor.cli.terminal import require_terminal
from doctor.errors import UsageError
from doctor.report.plain import plain, to_json
from doctor.report.records import entry_json
from doctor.store import paused
from doctor.treatment.account import user


@click.command()
@with_common_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--run", "run_id", metavar="RUN_ID", help="Only entries about this run.")
@click.option("--verify", is_flag=True, help="Check the chain of the whole journal.")
@click.option("--prune", is_flag=True, help="Drop what is older than is kept; the chain stays.")
@click.option("--older-than", metavar="TIME", help="With --prune: e.g. 30d; else [store] keep.")
def history(
    common: Common,
    *,
    limit: int,
    run_id: str | None,
    verify: bool,
    prune: bool,
    older_than: str | None,
) -> int:
    """Show what Doctor did and decided, oldest first."""
    with common.doctor() as doctor:
        if prune or older_than:
            doctor.prune(_period(older_than) if older_than else None)
        store = doctor.memory.open_for_reading()
        entries = store.journal.entries(limit, run=run_id) if store else ()
        check = store.journal.verify() if store and verify else None
    code = 2 if check is not None and not check.ok else 0
    if common.is_json:
        document = {"entries": [entry_json(one) for one in entries], "exit_code": code}
        common.print(to_json({**document, "verified": plain(check)}))
    else:
        common.print(records_text.history(entries, check))
    return code


def _period(text: str) -> float:
    from doctor.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


@click.command()
@with_common_options
@click.option("--run", "run_id", metavar="RUN_ID", help="Also the window of this run.")
@click.option(
    "--trust-clock", is_flag=True, help="The clock was ahead and is right now (at a terminal)."
)
def budget(common: Common, run_id: str | None, *, trust_clock: bool) -> int:
    """Show how many risk points are spent and how many are left."""
    with common.doctor() as doctor:
        if trust_clock:
            require_terminal()
            doctor.memory.open_for_writing().budget.trust_clock(user())
        store = doctor.memory.open_for_reading()
        limits = doctor.memory.limits
        spent = store.budget.spent(limits, run_id) if store else ()
        stop, storm = paused(doctor.memory.identity), doctor.stopped()
    if common.is_json:
        stops = {"paused": plain(stop), "storm_stop": plain(storm)}
        common.print(to_json({"limits": plain(limits), "spent": plain(spent), **stops}))
    else:
        common.print(records_text.budget(limits, spent, stop, storm))
    return 0


@click.command()
@with_common_options
@click.option("--reason", default="paused by hand", show_default=True, help="Shown to everybody.")
def pause(common: Common, reason: str) -> int:
    """Stop all writes to this system at once, from whatever folder they come."""
    with common.doctor() as doctor:
        stop, storm = doctor.pause(reason), doctor.stopped()
    if common.is_json:
        common.print(to_json({"paused": plain(stop), "storm_stop": plain(storm)}))
    else:
        common.print(f"paused: {stop.reason} ({stop.by}); `doctor resume` allows writes again")
    return 0


@click.command()
@with_common_options
def resume(common: Common) -> int:
    """Allow writes again: ends a pause, and a storm stop of unattended treatment."""
    with common.doctor() as doctor:
        pause, stop = doctor.resume()
    if common.is_json:
        common.print(to_json({"paused": None, "was": plain(pause), "storm_stop": plain(stop)}))
    else:
        common.print(records_text.resumed(pause, stop))
    return 0
