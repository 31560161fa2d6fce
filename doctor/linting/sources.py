"""The files of a source tree that are looked at, and what a glance at their bytes tells."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import UsageError

MOST_FILES = 20_000
MOST_BYTES = 2 << 20
SUFFIXES = (".py", ".sql")
_LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})
# Each pattern begins with letters that are searched for at once, in text of lower case.
_SQL = (
    re.compile(rb"insert\b.{1,40}?\binto\b", re.DOTALL),
    re.compile(rb"replace\s+into\b"),
    re.compile(rb"delete\s+from\b"),
    re.compile(rb"select\s.{1,2000}?\sfrom\s", re.DOTALL),
    re.compile(rb"update\s.{1,400}?\sset\s", re.DOTALL),
)
_CREATED = re.compile(
    rb"create\s+(?:(?:or\s+replace|temp|temporary|virtual|unlogged|materialized|global|local)\s+)*"
    rb"(?:table|view)\s+(?:if\s+not\s+exists\s+)?(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?(\w+)"
)
_NAME = rb"\s*[(=]\s*['\"](\w+)['\"](?:\s*,\s*['\"](\w+)['\"])?"
_NAMED = tuple(
    re.compile(one + _NAME)
    for one in (b"create_table", b"rename_table", b"table", b"__tablename__", b"db_table")
)
_MODELS = (b"DeclarativeBase", b"declarative_base(", b"__tablename__", b"Table(", b"SQLModel")
_MIGRATION_FOLDERS = frozenset({"versions", "migrations", "alembic"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file with its content."""

    path: Path
    content: bytes

    @property
    def may_hold_sql(self) -> bool:
        """Whether a look inside is worth it."""
        text = self.content.lower()
        return any(one.search(text) is not None for one in _SQL)

    def names_one(self, names: Iterable[str]) -> bool:
        """Tell whether one of ``names`` is used as if it were called, or given to a call."""
        if self.path.suffix != ".py":
            return False
        calls = (f"{end}".encode() for one in names for end in (f"{one}(", f"({one})"))
        return any(one in self.content for one in calls)

    @property
    def may_declare_tables(self) -> bool:
        """Whether SQLAlchemy models may stand in it."""
        return self.path.suffix == ".py" and any(one in self.content for one in _MODELS)

    @property
    def is_migration(self) -> bool:
        """Whether its statements are about the tables of some day in the past."""
        in_folder = not _MIGRATION_FOLDERS.isdisjoint(self.path.parts)
        return in_folder or (b"def upgrade" in self.content and b"revision" in self.content)

    def created(self) -> frozenset[str]:
        """Return the folded names of the tables that it creates by SQL."""
        return _names(_CREATED, self.content.lower())

    def named(self) -> frozenset[str]:
        """Return the folded names of all tables that it makes or renames, by SQL or by calls."""
        text = self.content.lower()
        return frozenset().union(*(_names(one, text) for one in (_CREATED, *_NAMED)))


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not looked at, and why."""

    path: Path
    reason: str


def _names(pattern: re.Pattern[bytes], text: bytes) -> frozenset[str]:
    found = (one for match in pattern.finditer(text) for one in match.groups() if one)
    return frozenset(one.decode("ascii", "replace").casefold() for one in found)


def sources(paths: Sequence[Path], read: Mapping[Path, Source]) -> Iterator[Source | Unread]:
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
            yield read.get(path) or _read(path)


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
