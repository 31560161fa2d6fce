"""The documentation of a database as text."""

from __future__ import annotations

import click

from doctor.cli.human.examination import gaps
from doctor.cli.human.layout import bold, columns, dim, printable
from doctor.documenting import Written
from doctor.model.documentation import DocEntry, Documentation

_LONGEST = 70


def documentation(found: Documentation, written: Written | None, *, only_coverage: bool) -> str:
    """Return what ``doctor schema document`` prints."""
    lines: list[str] = []
    if not only_coverage:
        for table in found.tables:
            entries = [one for one in found.entries if one.table == table.name]
            about, inner = entries[0], entries[1:]
            lines.append(f"{bold(printable(table.name))}  {_said(about)}")
            lines += columns((one.column, _said(one), one.origin) for one in inner)
            lines.append("")
    lines += _coverage(found)
    if only_coverage:
        lines += [f"  {printable(one.name)}" for one in found.missing]
    if written is not None:
        lines.append(
            f"written into the database: {written.added} added, {written.changed} changed,"
            f" {written.removed} removed"
        )
    elif not only_coverage:
        lines.append(dim("nothing was written; --write puts it into the database"))
    lines += gaps(found.gaps)
    return "\n".join(lines)


def _said(one: DocEntry) -> str:
    text = one.description or "-"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _coverage(found: Documentation) -> list[str]:
    done, count = len(found.entries) - len(found.missing), len(found.entries)
    share = click.style(f"{found.coverage:.0%}", fg="green" if not found.missing else "yellow")
    return [f"{share} of tables and columns are described: {done:,} of {count:,}"]
