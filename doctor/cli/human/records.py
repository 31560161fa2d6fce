"""What the store remembers, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from doctor.cli.human.layout import bold, columns, dim, printable
from doctor.schema import column_statement, update_statement
from doctor.store import Approval, Entry, Fix, JournalCheck, Limits, Pause, Spent, Stop


def fixes(ended: Sequence[Fix], nothing: str) -> str:
    """Return what became of fixes."""
    lines = []
    for one in ended:
        lines.append(f"fix {bold(one.id)} of {one.plan.run}: {one.state}: {printable(one.reason)}")
        lines += [
            dim(f"  {printable(update_statement(each, one.plan.target))}")
            for each in one.plan.changes
        ]
        lines += [
            dim(f"  {each.rows} rows: {printable(column_statement(each, one.plan.target))}")
            for each in one.plan.bulk
        ]
    return "\n".join(lines) or nothing


def approvals(known: Sequence[Approval]) -> str:
    """Return the requests, one a line."""
    rows = [
        (one.id, one.state, one.run, f"{len(one.plans)} plan(s)", f"until {_time(one.expires_at)}")
        for one in known
    ]
    return "\n".join(columns(rows, indent=0)) or "nothing waits for an answer"


def approval(one: Approval) -> str:
    """Return one request with its plans."""
    lines = [f"{bold(one.id)}: {one.state}", f"  run {printable(one.run)}"]
    lines.append(f"  asked by {one.requester}, open until {_time(one.expires_at)}")
    if one.decided_by:
        lines.append(f"  decided by {one.decided_by}: {one.plan or 'no plan'}")
    lines += columns(((plan.hash, plan.tier.name, plan.summary) for plan in one.plans), indent=4)
    if one.state == "pending":
        lines.append(f"  next: doctor approvals approve {one.id} --plan HASH")
    return "\n".join(lines)


def approved(one: Approval) -> str:
    """Return the answer to an approval."""
    lines = [f"{bold(one.id)}: plan {one.plan} is approved for one use"]
    if not one.is_separated:
        lines.append(
            dim("  who asked and who approved share an account: that is not enforced apart")
        )
    column = one.run.removeprefix("column:")
    what = f"repair {column}" if column != one.run else f"heal {one.run}"
    lines.append(f"next: doctor {printable(what)}")
    return "\n".join(lines)


def history(entries: Iterable[Entry], check: JournalCheck | None) -> str:
    """Return journal entries, oldest first; under an intent what was seen behind it."""
    entries = tuple(entries)
    rows = [
        (_time(one.at), one.kind, one.incident or "-", one.fix or "-", one.run or "-", one.summary)
        for one in entries
    ]
    lines = []
    for one, row in zip(entries, columns(rows, indent=0), strict=True):
        lines += [row, *(dim(f"    {_seen(each)}") for each in one.data.get("evidence", ()))]
    lines = lines or ["nothing was done yet"]
    if check is not None and check.ok:
        words = f"; what {check.pruned} of them told was dropped" if check.pruned else ""
        lines += ["", f"the chain of {check.entries} entries is whole{words}"]
    elif check is not None:
        lines += ["", f"the chain is broken at entry {check.first_bad_seq}: {check.reason}"]
    return "\n".join(lines)


def _seen(one: Mapping[str, Any]) -> str:
    place = f"{one['source']}:{one['line']}" if one["line"] else one["source"]
    role = "told by" if one["change"] is None else "because of"
    return printable(f"{role} {one['count']} x {one['kind']} in {place}")


def resumed(pause: Pause | None, stop: Stop | None) -> str:
    """Return what a human's word to go on has ended."""
    lines = []
    if stop is not None:
        lines.append(f"unattended treatment goes on; it had stopped: {printable(stop.reason)}")
    if pause is not None:
        lines.append("writes are allowed again")
    return "\n".join(lines) or "writes were not paused"


def budget(limits: Limits, spent: Sequence[Spent], pause: Pause | None, stop: Stop | None) -> str:
    """Return what is spent and left of each window, and what else holds writes back."""
    used = {one.scope: one.spent for one in spent}
    rows = [
        (
            scope,
            f"{used.get(scope, 0)} of {window.points} points spent",
            f"in any {window.per / 60:g} min",
        )
        for scope, window in limits.items()
    ]
    lines = columns(rows, indent=0)
    if pause is not None:
        lines.append(f"all writes are paused: {printable(pause.reason)} ({pause.by})")
    if stop is not None:
        lines.append(f"storm stop since {_time(stop.since)}: {printable(stop.reason)}")
        lines.append(f"  unattended treatment writes nothing; incident {stop.incident} asks")
    if pause is not None or stop is not None:
        lines.append("next: doctor resume")
    return "\n".join(lines)


def _time(at: datetime) -> str:
    return at.astimezone().isoformat(sep=" ", timespec="seconds")
