"""Rules, facts and plugins as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from doctor.cli.human.layout import bold, columns, printable
from doctor.evidence.trial import ProbeTrial
from doctor.model.evidence import FactKind
from doctor.model.rule import Rule
from doctor.registry import PluginRecord
from doctor.report.rule_page import rule_page
from doctor.report.rules import (
    condition_text,
    exception_text,
    limit_texts,
    remedy_text,
    selection_text,
)
from doctor.system.configuration import Known

WIDTH = 88


def rules(known: Iterable[Rule]) -> str:
    """Return one line per rule."""
    rows = [(one.code, one.id, one.level, one.status, one.title) for one in known]
    return "\n".join(columns(rows, indent=0)) or "no rules are in force"


def rule(one: Rule, places: Mapping[str, str]) -> str:
    """Return one rule in full; ``places`` tells where each key was set."""
    lines = [f"{bold(one.id)} ({one.code}, revision {one.revision}): {one.title}"]
    lines += columns(
        [
            ("from", one.origin),
            ("status", f"{one.status}, {one.level}, owner {one.owner}"),
            ("needs", ", ".join(one.needs) or "-"),
            *((name, selection_text(each)) for name, each in one.selections.items()),
            ("condition", condition_text(one.condition)),
            ("join", ", ".join(one.join) or "-"),
            ("explains", ", ".join(one.explains) or "-"),
            ("cause", one.cause),
            ("message", one.message),
            ("hint", one.hint),
            *(("remedy", remedy_text(each)) for each in one.remedies),
            *(("limit", text) for text in limit_texts(one.limits)),
            *(("exception", exception_text(each)) for each in one.exceptions),
            ("tests", ", ".join(f"{test.name} ({test.verdict})" for test in one.tests)),
        ]
    )
    lines += ["", bold("set at"), *columns(places.items())]
    return "\n".join(lines)


def explanation(one: Rule) -> str:
    """Return the page about a rule as a terminal shows it: headings bold, text wrapped."""
    lines: list[str] = []
    for line in rule_page(one).splitlines():
        if line.startswith("#"):
            lines.append(bold(line.lstrip("# ")))
        elif line.startswith(("- ", "1. ")):
            lines += _wrapped(line, "    ")
        else:
            lines += _wrapped(line, "  ") or [""]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="  ",
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def facts(kinds: Iterable[FactKind]) -> str:
    """Return every fact kind with its fields."""
    lines = []
    for kind in kinds:
        lines.append(f"{bold(kind.name)}: {kind.title}")
        lines += columns(
            ((one.name, one.type, "" if one.required else "optional") for one in kind.fields),
            indent=4,
        )
    return "\n".join(lines)


def plugins(records: Iterable[PluginRecord]) -> str:
    """Return every plugin and pack, with what it brought or why it failed."""
    rows = [
        (
            one.name,
            f"{one.distribution} {one.version}",
            ", ".join(one.hooks) or "-",
            f"FAILED: {one.failure}" if one.failure else "loaded",
        )
        for one in records
    ]
    return "\n".join(columns(rows, indent=0)) or "no plugins are loaded"


def tried(trials: Iterable[ProbeTrial]) -> str:
    """Return what the probes of foreign plugins did when they were tried."""
    lines = [""]
    for one in trials:
        took = f"{one.facts} facts in {one.seconds:.2f} s"
        lines.append(f"probe {one.probe} of the plugin {one.plugin}: {took}")
        lines += [printable(f"  gap: {reason}") for reason in one.gaps]
        lines += [f"  printed: {one.printed!r}"] if one.printed else []
    return "\n".join(lines) if lines[1:] else "\nno plugin of others brings a probe"


def initialised(
    file: Path,
    found: Mapping[str, str | None],
    known: Known,
    unsure: Sequence[str],
    next_step: str,
) -> str:
    """Return what ``doctor init`` found and wrote."""
    lines = [f"wrote {bold(str(file))}"]
    missing = dict.fromkeys(found, "not found: fill it in")
    if found.get("kind") != "discovered":
        missing["models"] = "not needed: the system is described"
    rows = [(name, value or missing[name]) for name, value in found.items()]
    if known.runs:
        belongs = f"; {', '.join(known.belongs)} belong to a run" if known.belongs else ""
        rows.append(("runs", f"{known.runs} names a run{belongs}"))
    lines += columns(rows)
    if unsure:
        lines += ["", "not certain", *(f"  {printable(one)}" for one in unsure)]
    return "\n".join([*lines, "", f"next: {next_step}"])
