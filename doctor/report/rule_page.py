"""One page about a rule, made from the rule: documentation and ``doctor explain`` are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from doctor.model.rule import Retryable, Rule
from doctor.report.rules import condition_text, selection_text

_HELPS = {True: "yes", False: "no", "unknown": "not known"}


def rule_page(rule: Rule) -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines(rule)) + "\n"


def rule_index(rules: Iterable[Rule]) -> str:
    """Return the page that lists all rules."""
    lines = [
        "# Rules",
        "",
        "| code | rule | level | retrying helps | what |",
        "|---|---|---|---|---|",
    ]
    for one in sorted(rules, key=lambda rule: rule.code):
        link = f"[{one.code}]({one.code}.md)"
        lines.append(
            f"| {link} | `{one.id}` | {one.level} | {_helps(one.retryable)} | {one.title} |"
        )
    return "\n".join(lines) + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    text = rule.explanation
    yield f"# {rule.code} {rule.id}"
    yield from ("", rule.title, "")
    yield f"- level: {rule.level}, status: {rule.status}, revision {rule.revision}"
    yield f"- cause: `{rule.cause}`"
    yield f"- retrying helps: {_helps(rule.retryable)}"
    if rule.explains:
        yield f"- explains: {', '.join(f'`{one}`' for one in rule.explains)}"
    yield from ("", "## What it is", "", text.what.strip())
    yield from ("", "## Why it matters", "", text.why.strip())
    yield from ("", "## When it matches", "")
    for name, selection in rule.selections.items():
        yield f"- `{name}`: `{selection_text(selection)}`"
    yield f"- condition: `{condition_text(rule.condition)}`"
    if rule.join:
        yield f"- for one {', '.join(f'`{one}`' for one in rule.join)}"
    for one in rule.exceptions:
        yield f"- exception `{one.name}` of `{one.selection}`: {', '.join(one.fields)}"
    yield from ("", "## What to do", "", rule.hint)
    for number, remedy in enumerate(rule.remedies, start=1):
        yield f"{number}. `{remedy.id}`: fixer `{remedy.fixer}`, {remedy.tier.name}"
    if text.fix_safety:
        yield from ("", "## How safe the repair is", "", text.fix_safety.strip())
    if rule.tests:
        yield from ("", "## Examples", "")
        yield from (f"- {test.name}: {test.verdict}" for test in rule.tests)
    if text.references:
        yield from ("", "## References", "", *(f"- <{one}>" for one in text.references))
    yield from ("", f"Read from `{PurePosixPath(rule.origin.rpartition(':')[0])}`.")


def _helps(retryable: Retryable) -> str:
    return _HELPS[retryable]
