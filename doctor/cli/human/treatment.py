"""Treatments as text."""

from __future__ import annotations

from doctor.cli.human.examination import diagnosis, disagreement, gaps
from doctor.cli.human.layout import bold, printable, title
from doctor.model.change import Outcome
from doctor.model.examination import Treatment
from doctor.schema import update_statement


def treatment(done: Treatment) -> str:
    """Return what ``doctor heal`` prints."""
    examination = done.examination
    lines = [title(examination.run, done.status)]
    if done.decision is not None:
        lines.append(f"  {done.decision.ruling}: {printable(done.decision.reason)}")
    for outcome in done.outcomes:
        lines += ["", *_outcome(outcome, done.plan.target if done.plan else "")]
    if not done.outcomes or done.status == "sick":
        for one in examination.diagnoses:
            lines += ["", *diagnosis(one)]
    lines += gaps(examination.gaps)
    lines += disagreement(examination)
    lines += _next(done)
    return "\n".join(lines)


def _outcome(outcome: Outcome, target: str) -> list[str]:
    words = {"clear": "verified", "failed": "the check failed", "could_not_run": "not verified"}
    unchecked = "not settled" if outcome.result == "unknown" else "nothing was changed"
    checked = words.get(outcome.verified or "", unchecked)
    result = outcome.result.replace("_", " ")
    lines = [f"fix {bold(outcome.fix)}: {result}, {checked}: {printable(outcome.reason)}"]
    lines += [f"  {printable(update_statement(one, target))}" for one in outcome.changes]
    return lines


def _next(done: Treatment) -> list[str]:
    run = done.examination.run
    if done.status == "asked" and done.incident:
        plans = dict.fromkeys(
            candidate.plan for one in done.examination.diagnoses for candidate in one.candidates
        )
        if not any(plans):
            return ["", f"next: doctor plan {run} --choose TABLE.COLUMN=VALUE ..."]
        plan = next(iter(plans)) if len(plans) == 1 else "HASH"
        return [
            "",
            f"next, by a human: doctor approvals approve {done.incident} --plan {plan}",
            f"then:             doctor heal {run}",
        ]
    if done.status == "healed":
        return ["", f"to take it back: doctor undo {done.outcomes[-1].fix}"]
    if any(one.result == "unknown" for one in done.outcomes):
        return ["", "next: doctor recover"]
    if done.status == "undo_failed":
        return ["", "a human is needed now: the statement names the row, its old and its new value"]
    return []
