"""What the tools for rules found, as text."""

from __future__ import annotations

from collections.abc import Sequence

from doctor.cli.human.layout import bold, columns
from doctor.inference.difference import ChangedVerdict, Said
from doctor.inference.examples import ExampleResult
from doctor.inference.replay import Replay, Score
from doctor.report.rule_tests import MutantResult
from doctor.treatment.track_record import RuleRecord


def tested(results: Sequence[ExampleResult], survivors: Sequence[MutantResult] | None) -> str:
    """Return every failure with its place, and the sum."""
    lines = []
    failed = [one for one in results if one.failure is not None]
    for one in failed:
        lines += [
            f"{bold('failed')} {one.of}: {one.name}",
            f"  {one.failure}",
            f"  at {one.location}",
        ]
    for mutant in survivors or ():
        lines += [f"{bold('survived')} {mutant.of}: {mutant.what}", f"  at {mutant.location}"]
    of = len({one.of for one in results})
    lines.append(f"{len(results) - len(failed)} of {len(results)} tests pass, {of} rules and kinds")
    if survivors is not None:
        lines.append(f"{len(survivors) or 'no'} mutants survive")
    return "\n".join(lines)


def replayed(found: Replay) -> str:
    """Return which rules matched where, and the scores where there are labels."""
    lines = [
        f"{bold(name)}: {', '.join(rules) or 'no rule matches'}"
        for name, rules in found.matched.items()
    ]
    if not found.labelled:
        return "\n".join(lines)
    for title, scores in (("rule", found.rules), ("cause", found.causes)):
        rows: list[tuple[str, ...]] = [(title, "right", "wrong", "missed", "precision", "recall")]
        rows += [_score(one) for one in scores if one.hits or one.false or one.missed]
        lines += ["", *columns(rows, indent=0)]
    total = found.total
    lines += ["", f"precision {_share(total.precision)}, recall {_share(total.recall)}"]
    return "\n".join(lines)


def changed(found: Sequence[ChangedVerdict], cases: int) -> str:
    """Return what each rule said before and says after."""
    lines = [
        f"{bold(one.rule)} on {one.case}: {_said(one.before)} -> {_said(one.after)}"
        for one in found
    ]
    lines.append(f"{len(found) or 'no'} verdicts changed on {cases} cases")
    return "\n".join(lines)


def records(found: Sequence[RuleRecord]) -> str:
    """Return one line per rule."""
    rows = [("code", "rule", "asked", "hits", "last hit", "repairs", "")]
    for one in found:
        last = one.last_match.isoformat(timespec="seconds") if one.last_match else "-"
        repairs = f"{one.verified} of {one.verified + one.failed} verified"
        repairs = repairs if one.success is not None else "-"
        rows.append(
            (one.code, one.rule, str(one.evaluated), str(one.matched), last, repairs, _note(one))
        )
    return "\n".join(columns(rows, indent=0))


def _note(one: RuleRecord) -> str:
    if one.is_demoted:
        return "only observes: its repairs failed"
    if one.always_unknown:
        return "always unknown"
    return "never fired" if one.never_fired else ""


def _score(one: Score) -> tuple[str, ...]:
    counts = (str(len(part)) for part in (one.hits, one.false, one.missed))
    return (one.name, *counts, _share(one.precision), _share(one.recall))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _said(said: Said | None) -> str:
    if said is None:
        return "no such rule"
    return ", ".join(f"{result} {'/'.join(key)}".strip() for result, key in said)
