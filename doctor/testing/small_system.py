"""A system that is small enough for a test: one SQLite file, and models where they are wanted."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from doctor.model.diagnosis import Diagnosis, Subject
from doctor.model.evidence import Fact, Scalar
from doctor.settings import RunsSettings, Settings, SystemSettings


@dataclass(frozen=True, slots=True)
class SmallSystem:
    """A system under care in ``folder``.

    Attributes:
        folder: the folder of the test; Doctor keeps its store and state there too.
        database: the SQLite file.
        settings: what a doctor.toml would say about it.
    """

    folder: Path
    database: Path
    settings: Settings

    def execute(self, *statements: str) -> None:
        """Run SQL statements in one transaction, as the system itself would."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            for one in statements:
                connection.execute(one)

    def rows(self, query: str) -> list[dict[str, Scalar]]:
        """Return what a SELECT answers, a dict per row."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(one) for one in connection.execute(query)]


def build_system(
    folder: Path,
    *statements: str,
    runs: str | None = None,
    models: str | None = None,
    logs: Mapping[str, str] | None = None,
) -> SmallSystem:
    """Make a system in ``folder``, which may not hold one yet.

    ``statements`` are SQL; ``runs`` is the table of the runs, where no references tell; ``models``
    is the source of a module with SQLAlchemy models; ``logs`` are texts by the name of their file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "system.db"
    if models is not None:
        (folder / "models.py").write_text(models, encoding="utf-8")
    for name, text in (logs or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    settings = Settings(
        engine="reference",
        system=SystemSettings(
            database=f"sqlite:///{database}",
            models=str(folder / "models.py") if models is not None else None,
            runs=RunsSettings(table=runs),
            logs=tuple(str(folder / name) for name in logs or {}),
        ),
    )
    system = SmallSystem(folder, database, settings)
    system.execute(*statements)
    return system


def sick_cell(
    table: str,
    column: str,
    key: Mapping[str, Scalar],
    value: Scalar,
    *,
    valid: tuple[str, ...] = (),
    facts: tuple[Fact, ...] = (),
) -> Diagnosis:
    """Return a diagnosis about one cell, to ask a fixer about."""
    return Diagnosis(
        code="TRIAL",
        rule="trial",
        level="high",
        cause="trial",
        retryable=False,
        subject=Subject(table, column, key, value, valid),
        message=f"{table}.{column} holds {value!r}",
        hint="look at it",
        facts=facts,
    )
