"""The files of a source tree that are looked at, and what a glance at their bytes tells."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import UsageError

MOST_FILES = 20_000
MOST_BYTES = 2 << 20
SUFFIXES = (".py", ".sql")
_LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})
_SQL = re.compile(
    rb"\b(?:insert|replace)\b.{1,40}?\binto\b|\bdelete\s+from\b"
    rb"|\bselect\s.{1,2000}?\sfrom\s|\bupdate\s.{1,400}?\sset\s",
    re.IGNORECASE | re.DOTALL,
)
_CREATED = re.compile(
    rb"create\s+(?:(?:or\s+replace|temp|temporary|virtual|unlogged|materialized|global|local)\s+)*"
    rb"(?:table|view)\s+(?:if\s+not\s+exists\s+)?(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?(?P<name>\w+)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rb"(?:create_table|rename_table|\bTable|__tablename__\s*=|db_table\s*=)\s*\(?\s*['\"](\w+)['\"]"
    rb"(?:\s*,\s*['\"](\w+)['\"])?"
)
_MODELS = re.compile(rb"DeclarativeBase|declarative_base\(|__tablename__|\bTable\(|SQLModel")
_MIGRATION_FOLDERS = frozenset({"versions", "migrations", "alembic"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file with its content."""

    path: Path
    content: bytes

    @property
    def may_hold_sql(self) -> bool:
        """Whether a look inside is worth it."""
        return _SQL.search(self.content) is not None

    @property
    def may_declare_tables(self) -> bool:
        """Whether SQLAlchemy models may stand in it."""
        return self.path.suffix == ".py" and _MODELS.search(self.content) is not None

    @property
    def is_migration(self) -> bool:
        """Whether its statements are about the tables of some day in the past."""
        in_folder = not _MIGRATION_FOLDERS.isdisjoint(self.path.parts)
        return in_folder or (b"def upgrade" in self.content and b"revision" in self.content)

    def created(self) -> frozenset[str]:
        """Return the folded names of the tables that it creates by SQL."""
        if b"reate" not in self.content and b"REATE" not in self.content:
            return frozenset()
        found = (one["name"] for one in _CREATED.finditer(self.content))
        return frozenset(one.decode("ascii", "replace").casefold() for one in found)

    def named(self) -> frozenset[str]:
        """Return the folded names of all tables that it makes or renames, by SQL or by calls."""
        calls = (one for match in _NAMED.finditer(self.content) for one in match.groups() if one)
        return self.created() | {one.decode("ascii", "replace").casefold() for one in calls}


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not looked at, and why."""

    path: Path
    reason: str


def sources(paths: Sequence[Path]) -> Iterator[Source | Unread]:
    """Yield the files at and below ``paths``, each once, in a stable order.

    Hidden folders, virtual environments and installed packages below them are left out; links to
    folders are not followed. Raises UsageError where there is nothing at a path.
    """
    seen: set[Path] = set()
    for root in paths:
        if not root.exists():
            raise UsageError(f"there is no {str(root)!r}", hint="name files or folders")
        for path in _files(root):
            if path in seen:
                continue
            if len(seen) >= MOST_FILES:
                yield Unread(root, f"only the first {MOST_FILES:,} files were read")
                return
            seen.add(path)
            yield _read(path)


def _files(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if _is_source(folder, one))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _is_source(folder: str, name: str) -> bool:
    if name.startswith(".") or name in _LEFT_OUT:
        return False
    return not Path(folder, name, "pyvenv.cfg").exists()


def _read(path: Path) -> Source | Unread:
    try:
        # opening a named pipe would otherwise wait for a writer
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Unread(path, "it is not a regular file")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        return Unread(path, f"it cannot be read: {error.strerror}")
    if len(content) > MOST_BYTES:
        return Unread(path, f"it is larger than {MOST_BYTES:,} bytes")
    if b"\0" in content:
        return Unread(path, "it is binary")
    return Source(path, content)
