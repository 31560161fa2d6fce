"""A source tree with models and many scripts that write SQL, clean or with planted mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODELS = """\
import enum
from datetime import UTC, datetime

from sqlalchemy import Computed, Enum, ForeignKey, Identity
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class JobState(enum.Enum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class Base(DeclarativeBase):
    pass


class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[JobState] = mapped_column(Enum(JobState))
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    priority: Mapped[int] = mapped_column(server_default="0")
    note: Mapped[str | None]


class Step(Base):
    __tablename__ = "steps"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    state: Mapped[JobState] = mapped_column(Enum(JobState, name="step_state"))
    serial: Mapped[int] = mapped_column(Identity())
    double: Mapped[int] = mapped_column(Computed("serial * 2"))
"""

FILLER = "\n".join(
    f'''
def work_{number}(items, update=None):
    """Select what is left from the items; the update is set later."""
    found = {{one: len(str(one)) for one in items if one is not None}}
    for name, size in sorted(found.items()):
        if size > {number} and name not in (update or ()):
            found[name] = size - {number}
    return found
'''
    for number in range(5)
)

WRITE = '''\
"""One job more. INSERT INTO jobs (id) VALUES ('only an example')"""
import sqlite3
{filler}

def main(connection, job, note="select one from the list"):
    connection.execute(
        "INSERT INTO jobs (id, state, title, created_at) "
        "VALUES (?, 'QUEUED', ?, CURRENT_TIMESTAMP)",
        (job, f"job {{job}}"),
    )
    connection.execute("UPDATE jobs SET state = ?, note = ? WHERE id = ?", ("DONE", note, job))
    rows = connection.execute(
        "SELECT j.id, count(*) AS steps FROM jobs j JOIN steps s ON s.job_id = j.id"
        " WHERE j.state = 'READY' GROUP BY j.id ORDER BY steps"
    )
    return list(rows)
'''

READ = '''\
import logging
{filler}

def report(rows):
    """Update the table of steps, set by set."""
    logging.info("select %s from the list, then update it and set the rest", rows)
    return [row for row in rows if row]
'''


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake: what stands instead of what, and what is to be found, at which word."""

    code: str
    clean: str
    wrong: str
    word: str


_FORMATTED = "f\"UPDATE jobs SET state = ?, note = '{note}'"
PLANTED = (
    Planted("LINT001", "(?, 'QUEUED', ?", "(?, 'READY', ?", "READY"),
    Planted("LINT001", "(?, 'QUEUED', ?", "(?, 'queued', ?", "queued"),
    Planted("LINT001", '("DONE", note', '("finished", note', '"finished"'),
    Planted("LINT004", "state, title, created_at)", "state, note, created_at)", "jobs (id"),
    Planted("LINT003", "note = ? WHERE", "remark = ? WHERE", "remark"),
    Planted("LINT003", "s.job_id = j.id", "s.job = j.id", "job = j"),
    Planted("LINT002", "JOIN steps s", "JOIN stepz s", "stepz"),
    Planted("LINT005", '"UPDATE jobs SET state = ?, note = ?', _FORMATTED, "note}"),
)


def write_tree(folder: Path, files: int, every: int = 0) -> dict[tuple[str, int], Planted]:
    """Write a project of at least ``files`` Python files; return what was planted, by file, line.

    Half of them hold SQL. Each ``every``-th of those has one mistake; 0 plants none.
    """
    (folder / "app").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\nname = 'jobs'\n")
    (folder / "app" / "models.py").write_text(MODELS)
    planted: dict[tuple[str, int], Planted] = {}
    for number in range(files):
        part = folder / f"part_{number % 20}"
        part.mkdir(exist_ok=True)
        path = part / f"script_{number}.py"
        text = (READ if number % 2 else WRITE).format(filler=FILLER)
        if every and number % (2 * every) == 0:
            one = PLANTED[number // (2 * every) % len(PLANTED)]
            before, _, after = text.partition(one.clean)
            text = before + one.wrong + after
            at = text.index(one.word, len(before) - 60)
            planted[str(path), text[:at].count("\n") + 1] = one
        path.write_text(text)
    return planted
