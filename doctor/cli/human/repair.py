"""Repairs of whole columns as text."""

from __future__ import annotations

from doctor.cli.human.examination import gaps
from doctor.cli.human.layout import bold, columns, dim, printable, title
from doctor.model.change import Plan
from doctor.model.repair import BadValue, ColumnExamination, ColumnOutcome, ColumnTreatment
from doctor.schema import column_statement

CANDIDATES = 3


def examination(found: ColumnExamination) -> str:
    """Return what ``doctor plan --column`` prints."""
    lines = [title(found.name, found.status), *_values(found)]
    if found.plan is not None:
        chosen = found.plan
        cost = f"{chosen.tier.name}, costs {chosen.cost} point(s), {chosen.rows} rows in batches"
        lines += ["", f"plan {bold(chosen.hash)}: {cost}", *changes(chosen)]
        lines += [f"  then: {one.probe} must agree" for one in chosen.verify]
        lines += [dim(f"  {note}") for note in chosen.notes]
        lines += ["", f"next: doctor repair {found.name}"]
    elif found.values:
        lines += ["", f"next: doctor repair {found.name} --choose OLD=NEW"]
    return "\n".join([*lines, *gaps(found.gaps)])


def changes(plan: Plan) -> list[str]:
    """Return what a plan sets, a line per value."""
    return [
        f"  {one.rows} rows: {printable(column_statement(one, plan.target))}" for one in plan.bulk
    ]


def treatment(done: ColumnTreatment) -> str:
    """Return what ``doctor repair`` prints."""
    lines = [title(done.examination.name, done.status)]
    if done.decision is not None:
        lines.append(f"  {done.decision.ruling}: {printable(done.decision.reason)}")
    if done.outcome is not None:
        lines += ["", *_outcome(done.outcome), *(changes(done.plan) if done.plan else [])]
    lines += _values(done.examination)
    if done.writers:
        lines += ["", "what may write it", *[f"  {printable(one)}" for one in done.writers]]
    if done.prevention:
        lines += ["", "what would keep it out (nothing of this was done)"]
        lines += columns((name, one) for name, one in done.prevention.items())
    lines += gaps(done.examination.gaps)
    return "\n".join([*lines, *_next(done)])


def _values(found: ColumnExamination) -> list[str]:
    lines: list[str] = []
    for one in found.values:
        lines += ["", f"{bold(repr(one.value))} in {one.rows} rows"]
        lines += _about(one)
    return lines


def _about(one: BadValue) -> list[str]:
    if one.diagnosis is None:
        return []
    lines = [f"  {printable(one.diagnosis.message)}"]
    shown = one.diagnosis.candidates[:CANDIDATES]
    lines += columns(((each.to, each.tier.name, each.reason) for each in shown), indent=4)
    more = len(one.diagnosis.candidates) - len(shown)
    return [*lines, dim(f"    … and {more} more")] if more > 0 else lines


def _outcome(outcome: ColumnOutcome) -> list[str]:
    words = {"clear": "verified", "failed": "the check failed", "could_not_run": "not verified"}
    checked = words.get(outcome.verified or "", "not settled")
    result = outcome.result.replace("_", " ")
    lines = [f"fix {bold(outcome.fix)}: {result}, {checked}: {printable(outcome.reason)}"]
    if outcome.moved:
        lines.append(f"  {outcome.moved} of {outcome.done} rows had moved on: they were left alone")
    return lines


def _next(done: ColumnTreatment) -> list[str]:
    name = done.examination.name
    if done.status == "asked" and done.plan is not None:
        return [
            "",
            f"next, by a human: doctor approvals approve {done.incident} --plan {done.plan.hash}",
            f"then:             doctor repair {name}",
        ]
    if done.status == "asked":
        return ["", f"next: doctor repair {name} --choose OLD=NEW"]
    if done.outcome is not None and done.outcome.result == "unknown":
        return ["", "next: doctor recover"]
    if done.outcome is not None and done.outcome.result == "applied":
        return ["", f"to take it back: doctor undo {done.outcome.fix}"]
    return []
