"""Looks around a folder for what a doctor.toml should name: database, models, logs."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import DoctorError, UsageError
from doctor.model.schema import LiveTable
from doctor.settings import SystemSettings
from doctor.system.database import open_read_door

FILES = 5_000
DATABASES = 20
NAMED = 3
MODELS_CAP = 2 << 20
DISCOVERED = "discovered"
SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", ".doctor", "site-packages"}
_MODELS = re.compile(rb"DeclarativeBase|declarative_base\(|__tablename__")
_TEST = re.compile(r"(?:^|[/_])tests?(?:[/_.]|$)")

Recognise = Callable[[Sequence[LiveTable]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a folder.

    Attributes:
        kind: the described system that the database belongs to, else ``discovered``.
        database, api, models: what the file should name, None for nothing.
        logs: patterns.
        unsure: what else could have been meant, in words.
    """

    kind: str = DISCOVERED
    database: str | None = None
    api: str | None = None
    models: str | None = None
    logs: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Database:
    url: str
    tables: tuple[LiveTable, ...]
    kinds: tuple[str, ...]


def look_around(folder: Path, given: SystemSettings, recognise: Recognise) -> Found:
    """Return what is found in ``folder``; what is ``given`` by options or environment beats it.

    ``recognise`` names the described systems that have such tables, best first. Raises UsageError
    where there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {str(folder)!r}")
    seen = list(_files(folder))
    unsure: list[str] = []
    if given.database is not None:
        database = _given(given.database, recognise)
    else:
        database = _database(folder, seen, recognise, unsure)
    models = given.models or _models(folder, seen, unsure)
    kind = given.kind
    if kind == DISCOVERED and database is not None and database.kinds:
        kind, *others = database.kinds
        if others:
            unsure.append(f"kind: the tables would fit {', '.join(others)} too")
    return Found(
        kind,
        database.url if database else given.database,
        given.api,
        models,
        given.logs or tuple(_logs(folder, seen)),
        tuple(unsure),
    )


def _files(folder: Path) -> Iterator[Path]:
    number = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in SKIPPED)
        for name in sorted(names):
            number += 1
            if number > FILES:
                return
            path = Path(place) / name
            if path.is_file() and str(path.relative_to(folder)).isprintable():
                yield path


def _given(url: str, recognise: Recognise) -> _Database | None:
    try:
        tables = open_read_door(url).tables()
    except DoctorError:
        return None
    return _Database(url, tables, tuple(recognise(tables)))


def _database(
    folder: Path, seen: list[Path], recognise: Recognise, unsure: list[str]
) -> _Database | None:
    """Return the first database of a known system, else the first that has tables."""
    found: list[_Database] = []
    for path in seen:
        tables = _tables(path) if len(found) < DATABASES else ()
        if tables:
            url = f"sqlite:///{path.relative_to(folder)}"
            found.append(_Database(url, tables, tuple(recognise(tables))))
    chosen = next((one for one in found if one.kinds), found[0] if found else None)
    others = [one.url.removeprefix("sqlite:///") for one in found if one is not chosen]
    if others:
        unsure.append(f"database: {_listed(others)} could be meant as well")
    return chosen


def _tables(path: Path) -> tuple[LiveTable, ...]:
    try:
        with path.open("rb") as stream:
            is_sqlite = stream.read(16) == b"SQLite format 3\0"
        return open_read_door(f"sqlite:///{path}").tables() if is_sqlite else ()
    except Exception:  # noqa: BLE001 - a file that cannot be opened is not the one
        return ()


def _models(folder: Path, seen: list[Path], unsure: list[str]) -> str | None:
    counts: dict[str, int] = {}
    for path in seen:
        name = str(path.relative_to(folder))
        if path.suffix == ".py" and not _TEST.search(name):
            counts[name] = _declared_tables(path)
    found = sorted((name for name, number in counts.items() if number), key=lambda n: -counts[n])
    if len(found) > 1:
        more = "name a folder to have all files below it read"
        unsure.append(f"models: {_listed(found[1:])} may declare tables as well; {more}")
    return found[0] if found else None


def _declared_tables(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            return len(_MODELS.findall(stream.read(MODELS_CAP)))
    except OSError:
        return 0


def _logs(folder: Path, seen: list[Path]) -> list[str]:
    logs = [path for path in seen if path.suffix == ".log"]
    if not logs:
        return []
    return [str(Path(glob.escape(str(logs[0].parent.relative_to(folder)))) / "*.log")]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
