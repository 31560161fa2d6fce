"""Descriptions that a person wrote into a file, for what no source says anything about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from doctor.errors import RuleError, UsageError
from doctor.model.documentation import DocEntry, Place, Words
from doctor.rulebook.nodes import Table, Text
from doctor.rulebook.problem import Sheet, TooManyProblemsError, brief, nearest
from doctor.rulebook.reader import read

FILLED = "filled in by "
_KEY = "descriptions"


def read_descriptions(path: Path, known: Iterable[str]) -> dict[Place, Words]:
    """Return what a file says about tables and columns, by ``table`` and ``table.column``.

    ``known`` are the names that there are. Texts that are empty say nothing.

    Raises:
        UsageError: the file cannot be read.
        RuleError: it is no such file, with every mistake.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from error
    sheet = Sheet(str(path))
    found: dict[Place, Words] = {}
    try:
        roots = read(content, sheet)
        names = {name: tuple(name.partition(".")[::2]) for name in known}
        for root in roots:
            _root(root, sheet, names, found, path.name)
    except TooManyProblemsError:
        pass
    if sheet.problems:
        raise RuleError(tuple(sheet.problems))
    return found


def _root(
    root: object,
    sheet: Sheet,
    names: dict[str, tuple[str, ...]],
    found: dict[Place, Words],
    file: str,
) -> None:
    table = root.values.get(_KEY) if isinstance(root, Table) else None
    if not isinstance(root, Table) or not isinstance(table, Table):
        place = getattr(root, "place", (1, 1))
        sheet.report(place, f"there is no mapping {_KEY!r}", f"write '{_KEY}:' and below it names")
        return
    for name, key in root.keys.items():
        if name not in (_KEY, "format"):
            sheet.report(key.place, f"unknown key {brief(name)}", f"one of: format, {_KEY}")
    for name, key in table.keys.items():
        node = table.values[name]
        if not isinstance(node, Text):
            sheet.report(key.place, f"the description of {brief(name)} is no text")
        elif name not in names:
            message = f"there is no table or column {brief(name)} in the database"
            sheet.report(key.place, message, nearest(name, names))
        elif node.text.strip():
            place = (names[name][0], names[name][1])
            found[place] = Words(" ".join(node.text.split()), f"{FILLED}{file}")


def missing_descriptions(missing: Iterable[DocEntry]) -> str:
    """Return a file to be filled in, with a line for each entry without a description."""
    lines = ["format: doctor/1", f"{_KEY}:"]
    lines += [f"  {_quoted(one.name)}: ''" for one in missing]
    return "\n".join(lines)


def _quoted(name: str) -> str:
    is_plain = name.replace(".", "").replace("_", "").isalnum() and name[0].isalpha()
    return name if is_plain else "'" + name.replace("'", "''") + "'"
