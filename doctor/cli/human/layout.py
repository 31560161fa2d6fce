"""The few marks that all human output shares."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

_COLORS = {
    "healthy": "green",
    "healed": "green",
    "sick": "red",
    "asked": "yellow",
    "refused": "yellow",
    "undone": "red",
    "undo_failed": "red",
    "unknown": "yellow",
}


def title(run: str, status: str) -> str:
    """Return the first line: what it is about and how it stands."""
    return (
        f"{bold(run)}: {click.style(status.replace('_', ' '), fg=_COLORS.get(status), bold=True)}"
    )


def bold(text: str) -> str:
    """Return emphasised text."""
    return click.style(text, bold=True)


def dim(text: str) -> str:
    """Return text that may be skipped."""
    return click.style(text, dim=True)


def printable(text: str) -> str:
    """Return text without control characters: a log line must not steer a terminal."""
    return "".join(
        one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text
    )


def short_source(source: str) -> str:
    """Return a source with its path relative to the working directory where that is shorter."""
    kind, colon, path = source.partition(":")
    if not colon:
        return source
    relative = os.path.relpath(path) if Path(path).is_absolute() else path
    return f"{kind}:{min(path, relative, key=len)}"


def columns(rows: Iterable[tuple[str, ...]], indent: int = 2) -> list[str]:
    """Return rows as lines with aligned columns."""
    table = [tuple(printable(cell) for cell in row) for row in rows]
    if not table:
        return []
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return [
        (
            " " * indent
            + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
