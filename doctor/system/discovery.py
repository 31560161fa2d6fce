"""Looks around a folder and writes a commented doctor.toml from what is there."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import UsageError
from doctor.redaction import redact
from doctor.settings import SystemSettings
from doctor.system.database import open_read_door

FILES = 5_000
MODELS_CAP = 2 << 20
SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", ".doctor", "site-packages"}
_MODELS = re.compile(rb"DeclarativeBase|declarative_base\(|__tablename__")
_TEST = re.compile(r"(?:^|[/_])tests?(?:[/_.]|$)")


@dataclass(frozen=True, slots=True)
class Found:
    """The file that was written, and what was found for each setting (None: nothing)."""

    file: Path
    found: dict[str, str | None]


def write_config(folder: Path, given: SystemSettings) -> Found:
    """Write ``folder``/doctor.toml; raises UsageError where one is there already.

    What is ``given`` by options or environment beats what is found.
    """
    file = folder / "doctor.toml"
    if file.exists():
        raise UsageError(f"{str(file)!r} is there already", hint="edit it, or remove it first")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {str(folder)!r}")
    seen = list(_files(folder))
    logs = list(given.logs) or _logs(folder, seen)
    found = {
        "database": given.database or _database(folder, seen),
        "api": given.api,
        "models": given.models or _models(folder, seen),
        "logs": ", ".join(logs) or None,
    }
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(_toml(found, logs))
    except OSError as error:
        raise UsageError(f"cannot write {str(file)!r}: {error.strerror}") from error
    return Found(file, found)


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


def _database(folder: Path, seen: list[Path]) -> str | None:
    for path in seen:
        try:
            with path.open("rb") as stream:
                is_sqlite = stream.read(16) == b"SQLite format 3\0"
            if is_sqlite and open_read_door(f"sqlite:///{path}").tables():
                return f"sqlite:///{path.relative_to(folder)}"
        except Exception:  # noqa: BLE001, S112 - a file that cannot be opened is not the one
            continue
    return None


def _models(folder: Path, seen: list[Path]) -> str | None:
    best: tuple[int, str] | None = None
    for path in seen:
        name = str(path.relative_to(folder))
        if path.suffix != ".py" or _TEST.search(name):
            continue
        tables = _declared_tables(path)
        if tables and (best is None or tables > best[0]):
            best = (tables, name)
    return best[1] if best else None


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


def _toml(found: dict[str, str | None], logs: list[str]) -> str:
    def line(name: str, example: str, meaning: str) -> str:
        value = found.get(name)
        if value and redact(value) != value:
            value, meaning = None, f"{meaning}; it holds a secret: set DOCTOR_{name.upper()}"
        text = _quoted(value) if value else example
        if name == "logs":
            text = f"[{', '.join(map(_quoted, logs)) or example}]"
        return f"{'' if value else '# '}{name} = {text}".ljust(44) + f"  # {meaning}"

    return "\n".join(
        [
            "# What Doctor looks after. Relative paths are relative to this file.",
            "[system]",
            'kind = "discovered"',
            line("database", '"sqlite:///app.db"', "the database that holds the runs"),
            line("api", '"http://127.0.0.1:8000"', "the API that executors call"),
            line("models", '"src/app/models.py"', "SQLAlchemy models; read, never imported"),
            line("logs", '"logs/{run_id}*.log"', "what executors write"),
            '# error_reports = ["errors/{run_id}/*.json"]  # what the server side writes',
            "",
            "# [system.runs]                              # only where names are not discovered",
            '# table = "runs"',
            '# terminal = ["DONE"]                        # states after which a run does nothing',
            "",
            "# [rules]",
            '# paths = ["doctor-rules/"]                  # your rules, signatures and mappings',
            "",
            "# [budget]                                   # risk points: SAFE costs 1, GUARDED 3",
            '# run = {points = 6, per = "30m"}',
            '# system = {points = 30, per = "1h"}',
            "",
            "# [hook]",
            '# deadline = "1s"',
            '# max_tier = "ADVISE"                        # SAFE: the retry hook heals unattended',
            "",
        ]
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
