"""The system that is treated under faults: a few jobs, some sick, made anew for each case."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.support import jobs_models
from tests.support.jobs import STAMP, job
from tests.support.jobs_models import Base

RUN = job(1)
WELL = job(2)


@dataclass(frozen=True, slots=True)
class Case:
    """What is treated, and how.

    Attributes:
        journal: the target's journal mode.
        steps: how many steps of the job are sick beside the job itself.
        padding: bytes in each row, so that rows lie on pages of their own.
        api: address of the system's API, or None; one that answers 500 makes every check fail.
        work: "heal", "undo" and "recover", joined by "+", in the order in which they are done.
        is_first: whether Doctor makes its store and its folders while it works.
    """

    journal: str = "delete"
    steps: int = 2
    padding: int = 0
    api: str | None = None
    work: str = "heal+undo"
    is_first: bool = False

    def __str__(self) -> str:
        check = "failing check" if self.api else "check by the probe"
        return f"{self.work}, {self.journal}, {1 + self.steps} cells, {check}"


class Site:
    """A folder with one case in it.

    ``sick`` and ``healed`` are digests of the data before the repair, and of what is planned.
    """

    def __init__(self, folder: Path, case: Case) -> None:
        self.folder = folder
        self.case = case
        self.config = folder / "doctor.toml"
        self.database = folder / "here" / "jobs.db"
        self.store = folder / "here" / "store.db"
        self.state = folder / "here" / "state"
        self._template = folder / "template"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(jobs_models.__file__, folder / "models.py")
        api = f'api = "{case.api}"\n' if case.api else ""
        self.config.write_text(
            f'[system]\ndatabase = "sqlite:///{self.database}"\nmodels = "{folder / "models.py"}"\n'
            f'{api}[store]\nurl = "sqlite:///{self.store}"\n'
            '[budget]\nrun = {points = 99, per = "1h"}\nsystem = {points = 99, per = "1h"}\n',
            encoding="utf-8",
        )
        shutil.rmtree(self._template, ignore_errors=True)
        (self._template / "state").mkdir(parents=True)
        _fill(self._template / self.database.name, case)
        self.reset()
        self.sick = digest(self.database)
        connection = sqlite3.connect(self.database)
        with connection:
            connection.execute("UPDATE jobs SET status = 'waiting' WHERE status = 'WAITING'")
            connection.execute("UPDATE steps SET progress = 'todo' WHERE progress = 'TODO'")
        connection.close()
        self.healed = digest(self.database)
        self.reset()

    def reset(self) -> None:
        """Make the system as it was, and forget everything that Doctor remembers."""
        shutil.rmtree(self.database.parent, ignore_errors=True)
        shutil.copytree(self._template, self.database.parent)

    def keep(self) -> None:
        """Let everything be from now on as it is now after a reset."""
        shutil.rmtree(self._template)
        shutil.copytree(self.database.parent, self._template)


def digest(database: Path) -> str:
    """Return a digest of every row of every user table but Doctor's marker."""
    connection = sqlite3.connect(database, timeout=0)
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'doctor_applied'"
        " ORDER BY name"
    )
    found = hashlib.sha256()
    for (table,) in connection.execute(query).fetchall():
        for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY 1'):
            found.update(repr((table, row)).encode())
    connection.close()
    return found.hexdigest()[:16]


def _fill(database: Path, case: Case) -> None:
    database.unlink(missing_ok=True)
    engine = sa.create_engine(f"sqlite:///{database}", poolclass=sa.NullPool)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        pad = "x" * case.padding
        jobs = [{"u": RUN, "v": "WAITING", "p": pad}, {"u": WELL, "v": "building", "p": ""}]
        jobs = [{**one, "t": STAMP} for one in jobs]
        connection.execute(sa.text("INSERT INTO jobs VALUES (:u, :v, :p, :t)"), jobs)
        stage = {"u": RUN, "t": STAMP}
        connection.execute(sa.text("INSERT INTO stages VALUES (1, :u, 'idle', :t)"), stage)
        for number in range(case.steps):
            row = {"n": number, "u": RUN, "v": "TODO", "t": STAMP}
            connection.execute(sa.text("INSERT INTO steps VALUES (:n, :u, 1, :v, :t)"), row)
    engine.dispose()
    raw = sqlite3.connect(database)
    raw.execute(f"PRAGMA journal_mode={case.journal}")
    raw.close()
