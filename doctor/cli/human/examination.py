"""Examinations, plans, surveys and verdicts as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from doctor.cli.human.layout import bold, columns, dim, printable, short_source, title
from doctor.evidence import evidence_entries
from doctor.model.change import Seen
from doctor.model.diagnosis import Candidate, Diagnosis
from doctor.model.evidence import Gap
from doctor.model.examination import Examination, Survey
from doctor.model.rule import Rule
from doctor.model.verdict import Verdict
from doctor.schema import update_statement

CANDIDATES = 3
RUNS = 30


def examination(found: Examination) -> str:
    """Return what ``doctor diagnose`` prints."""
    lines = [title(found.run, found.status)]
    for one in found.diagnoses:
        lines += ["", *diagnosis(one)]
    lines += gaps(found.gaps)
    lines += disagreement(found)
    lines += _next(found)
    return "\n".join(lines)


def plan(found: Examination) -> str:
    """Return what ``doctor plan`` prints."""
    lines = [title(found.run, found.status)]
    if found.plan is not None:
        chosen = found.plan
        lines += ["", f"plan {bold(chosen.hash)}: {chosen.tier.name}, costs {chosen.cost} point(s)"]
        lines += [f"  {printable(update_statement(one, chosen.target))}" for one in chosen.changes]
        lines += [f"  then: {one.probe} must agree" for one in chosen.verify]
        lines += ["  because", *columns(map(because, chosen.evidence), indent=4)]
        lines += [dim(f"  {note}") for note in chosen.notes]
    elif found.open_cells:
        lines += ["", f"open: {', '.join(found.open_cells)}; each candidate is a plan of its own"]
        for one in found.diagnoses:
            lines += _all_candidates(one)
    elif found.findings:
        lines += ["", "no rule knows a remedy; `doctor diagnose` says what is wrong"]
    lines += gaps(found.gaps)
    if len(found.open_cells) > 1:
        lines += ["", f"next: doctor plan {found.run} --choose TABLE.COLUMN=VALUE ..."]
    elif found.plan is not None or found.open_cells:
        lines += ["", f"next: doctor heal {found.run}"]
    return "\n".join(lines)


def because(one: Seen) -> tuple[str, str, str]:
    """Return what was seen, where, and what it is good for."""
    place = short_source(one.source) + (f":{one.line}" if one.line else "")
    role = "tells of it" if one.change is None else f"justifies change {one.change + 1}"
    return f"{one.count} x {one.kind}", place, role


def survey(found: Survey) -> str:
    """Return what ``doctor preflight`` prints."""
    lines = [title("preflight", found.examination.status)]
    total = "an unknown number of" if found.runs is None else str(found.runs)
    lines.append(f"{total} runs, {len(found.sick)} of them sick")
    for one in found.shared:
        lines += ["", *diagnosis(one)]
    if found.sick:
        lines.append("")
        rows = [
            (run, one.code, one.cause, one.message.partition(": ")[2] or one.message)
            for run, many in list(found.sick.items())[:RUNS]
            for one in many
        ]
        lines += columns(rows)
        if len(found.sick) > RUNS:
            lines.append(dim(f"  … and {len(found.sick) - RUNS} more; --format json has them all"))
        lines += ["", f"next: doctor diagnose {next(iter(found.sick))}"]
    lines += gaps(found.examination.gaps)
    lines += disagreement(found.examination)
    return "\n".join(lines)


def why(rule: Rule, verdicts: Sequence[Verdict]) -> str:
    """Return what ``doctor why`` prints."""
    from doctor.report.rules import condition_text

    lines = [f"{bold(rule.id)} ({rule.code}): {condition_text(rule.condition)}"]
    for one in verdicts:
        key = f" for {', '.join(one.key)}" if one.key else ""
        lines += ["", f"{bold(one.result)}{printable(key)}: {printable(one.reason)}"]
        lines += columns((clause.selection, clause.state, clause.detail) for clause in one.clauses)
    return "\n".join(lines)


def diagnosis(one: Diagnosis) -> list[str]:
    """Return one diagnosis: cause, message, evidence, consequences, candidates, hint."""
    retry = {True: "retrying may help", False: "retrying will not help"}.get(
        one.retryable if isinstance(one.retryable, bool) else None,  # type: ignore[arg-type]
        "whether retrying helps is unknown",
    )
    mark = click.style("✗", fg="red") if one.is_finding else dim("·")
    lines = [f"{mark} {bold(one.cause)} [{one.code}] {one.level}, {retry}"]
    lines.append(f"  {printable(one.message)}")
    if one.blast:
        lines.append(f"  blast radius: {printable(one.blast)}")
    if one.reason:
        lines.append(dim(f"  {printable(one.reason)}"))
    lines.append("  evidence")
    lines += columns(_evidence(one), indent=4)
    causes = dict.fromkeys(each.cause for each in one.consequences if each.cause != one.cause)
    if causes:
        lines.append(f"  which also explains: {', '.join(causes)}")
    if one.candidates:
        lines.append("  what could stand there, best first (nothing was changed)")
        lines += _candidates(one.candidates[:CANDIDATES])
        if len(one.candidates) > CANDIDATES:
            lines.append(dim(f"    … and {len(one.candidates) - CANDIDATES} more: doctor plan"))
    lines.append(f"  help: {printable(one.hint)}")
    return lines


def gaps(found: Iterable[Gap]) -> list[str]:
    """Return what could not be looked at."""
    rows = [(one.probe, one.reason) for one in found]
    return ["", "could not look at", *columns(rows)] if rows else []


def disagreement(found: Examination) -> list[str]:
    """Return why nothing is concluded, where the engines do not say the same."""
    return [] if found.agreed else ["", f"nothing is concluded: {printable(found.note or '')}"]


def _evidence(one: Diagnosis) -> Iterable[tuple[str, ...]]:
    for entry in evidence_entries(one.facts):
        span = ""
        if entry.first:
            span = entry.first if entry.first == entry.last else f"{entry.first} to {entry.last}"
        yield f"{entry.count} x {entry.kind}", short_source(entry.source), span or entry.summary


def _candidates(candidates: Iterable[Candidate]) -> list[str]:
    lines = []
    for one in candidates:
        lines.append(f"    {bold(printable(one.to))} {one.tier.name}: {printable(one.reason)}")
        lines.append(f"      {printable(one.statement)}")
        if one.plan:
            lines.append(dim(f"      plan {one.plan}"))
    return lines


def _all_candidates(one: Diagnosis) -> list[str]:
    if not one.candidates or one.subject is None:
        return []
    name = f"{one.subject.table}.{one.subject.column}"
    return ["", f"  {name} holds {one.subject.value!r}", *_candidates(one.candidates)]


def _next(found: Examination) -> list[str]:
    if found.plan is not None:
        return ["", f"next: doctor heal {found.run}   (plan {found.plan.hash})"]
    if found.open_cells:
        return ["", f"next: doctor heal {found.run}   (asks; a human then approves one plan)"]
    return []
