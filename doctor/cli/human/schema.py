"""What differs between models and database, as text."""

from __future__ import annotations

import click

from doctor.cli.human.examination import disagreement, gaps
from doctor.cli.human.layout import bold, columns, dim, printable, title
from doctor.model.diagnosis import Diagnosis
from doctor.model.examination import Examination

_LONGEST = 300


def check(found: Examination) -> str:
    """Return what ``doctor schema check`` prints."""
    errors = len(found.findings)
    lines = [title("schema", found.status)]
    warnings = len(found.diagnoses) - errors
    lines.append(f"{_many(errors, 'error')}, {_many(warnings, 'warning')}")
    for one in found.diagnoses:
        lines += ["", *_drift(one)]
    lines += gaps(found.gaps)
    lines += disagreement(found)
    return "\n".join(lines)


def _drift(one: Diagnosis) -> list[str]:
    fields = one.facts[0].fields if one.facts else {}
    mark = click.style("✗", fg="red") if one.is_finding else dim("·")
    lines = [f"{mark} {bold(one.code)} {printable(one.message)}"]
    says = [
        ("the code says", "code"),
        ("the database says", "database"),
        ("change the database", "statement"),
        ("or the code", "line"),
        ("declared at", "declared_at"),
    ]
    rows = [(words, _short(str(fields.get(name) or ""))) for words, name in says]
    lines += columns([row for row in rows if row[1]])
    lines.append(f"  help: {printable(one.hint)}")
    return lines


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… (all of it: --format json)"
