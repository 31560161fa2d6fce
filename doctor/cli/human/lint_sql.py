"""What was found in SQL, as text."""

from __future__ import annotations

import click

from doctor.cli.human.examination import gaps
from doctor.cli.human.layout import bold, printable
from doctor.model.sql_finding import SqlReport

_COLORS = {"error": "red", "warning": "yellow"}


def sql_report(report: SqlReport) -> str:
    """Return what ``doctor lint-sql`` prints."""
    lines: list[str] = []
    for one in report.findings:
        code = click.style(one.code, fg=_COLORS[one.severity], bold=True)
        lines.append(f"{bold(printable(one.location))}: {code} {printable(one.message)}")
        lines.append(f"  help: {printable(one.hint)}")
    count = len(report.findings)
    color = "red" if count else "yellow" if report.exit_code else "green"
    words = click.style(_counted(count, "finding") if count else "no finding", fg=color, bold=True)
    files, statements = _counted(report.files, "file"), _counted(report.statements, "statement")
    is_one = report.tables == 1
    known = f"{_counted(report.tables, 'table')} {'is' if is_one else 'are'} known"
    lines.append(f"{words} in {files}: {statements}; {known}")
    lines += gaps(report.gaps)
    return "\n".join(lines)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
