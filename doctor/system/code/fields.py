"""What pydantic models say about the columns of the mapped classes that they are named after."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from doctor.model.documentation import Place, Words
from doctor.model.schema import CodeModels
from doctor.system.code.source.files import shown
from doctor.system.code.words import SourceFiles
from doctor.system.project import python_files

MOST_SECONDS = 0.5
_MARK = b"description="


def field_words(models: CodeModels, files: SourceFiles, project: Path) -> dict[Place, Words]:
    """Return the descriptions of fields such as those of ``JobOut`` for the table of ``Job``.

    A class counts whose name begins with that of a mapped one and goes on with a capital; of
    several that describe a field the first in the order of files does.
    """
    named = _named(models, files)
    found: dict[Place, Words] = {}
    for path, content in python_files(project, seconds=MOST_SECONDS) if named else ():
        if _MARK not in content or b"BaseModel" not in content:
            continue
        place = files.at(f"{shown(path)}:1")
        for node in place[0].tree.body if place is not None else ():
            table = _table(node, named)
            if table is None or not isinstance(node, ast.ClassDef):
                continue
            columns = {one.name for one in models.tables[table].columns}
            for name, text, line in _described(node):
                if name in columns:
                    words = Words(text, f"{shown(path)}:{line}")
                    found.setdefault((models.tables[table].name, name), words)
    return found


def _named(models: CodeModels, files: SourceFiles) -> dict[str, int]:
    """Return which table each mapped class is of."""
    found: dict[str, int] = {}
    for at, table in enumerate(models.tables):
        place = files.at(table.location)
        node = place[0].statements.get(place[1], (None,))[0] if place is not None else None
        if isinstance(node, ast.ClassDef):
            found[node.name] = at
    return found


def _table(node: ast.stmt, named: dict[str, int]) -> int | None:
    """Return the table of the longest name that a class of fields begins with."""
    if not isinstance(node, ast.ClassDef) or node.name in named:
        return None
    for size in range(len(node.name) - 1, 0, -1):
        if node.name[size].isupper() and node.name[:size] in named:
            return named[node.name[:size]]
    return None


def _described(node: ast.ClassDef) -> Iterator[tuple[str, str, int]]:
    for one in node.body:
        if not isinstance(one, ast.AnnAssign) or not isinstance(one.target, ast.Name):
            continue
        for keyword in one.value.keywords if isinstance(one.value, ast.Call) else ():
            if keyword.arg == "description" and isinstance(keyword.value, ast.Constant):
                yield one.target.id, " ".join(str(keyword.value.value).split()), one.lineno
