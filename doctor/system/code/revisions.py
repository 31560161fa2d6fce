"""The migrations of a project, read and not run: which revisions there are, and which are last."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from doctor.system.project import python_files

_FOLDERS = ("versions", "migrations", "alembic")
_LOCATION = re.compile(r"^\s*script_location\s*=\s*(.+?)\s*$", re.MULTILINE)
_PRAGMA = re.compile(rb"foreign_keys['\"\s]*[=(,]\s*['\"]?(?:on|1|true)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Revisions:
    """All revisions of a project, and the heads: those that no other one follows."""

    known: frozenset[str]
    heads: tuple[str, ...]


def read_revisions(root: Path) -> Revisions | None:
    """Return the revisions of the project at ``root``, None where it has no migrations.

    Raises ValueError where a migration does not say what it is, or what it follows.
    """
    place = _location(root)
    followed: set[str] = set()
    known: set[str] = set()
    for path, content in python_files(place, () if place != root else _FOLDERS):
        if b"down_revision" not in content:
            continue
        names = _assigned(path, content)
        own, below = names.get("revision"), names.get("down_revision")
        if isinstance(own, str):
            known.add(own)
            many = below if isinstance(below, (list, tuple)) else [below]
            followed |= {str(one) for one in many}
    if not known:
        return None
    return Revisions(frozenset(known), tuple(sorted(known - followed)))


def _location(root: Path) -> Path:
    """Return the folder that alembic.ini names, where there is one."""
    try:
        found = _LOCATION.search((root / "alembic.ini").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return root
    if found is None:
        return root
    place = root / found[1].replace("%(here)s", str(root)).replace("%%", "%")
    return place if place.is_dir() else root


def _assigned(path: Path, content: bytes) -> dict[str, object]:
    """Return the constants that a file sets at its top; raises ValueError for what is none."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    found: dict[str, object] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for one in targets:
            if isinstance(one, ast.Name) and one.id in {"revision", "down_revision"}:
                value = getattr(node, "value", None)
                found[one.id] = ast.literal_eval(value) if value is not None else None
    return found


def turns_foreign_keys_on(root: Path) -> bool:
    """Tell whether a file of the project asks SQLite to enforce references."""
    return any(_PRAGMA.search(content) for _, content in python_files(root))
