"""The demo team's models: jobs with their steps."""

from __future__ import annotations

import enum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class JobState(enum.Enum):
    """What a job can be."""

    CREATED = "created"
    WORKING = "working"
    DONE = "done"


class StepState(enum.Enum):
    """What a step can be."""

    OPEN = "open"
    DONE = "done"


class Base(DeclarativeBase):
    """All tables of the demo."""


class Job(Base):
    """One run of the demo's executor."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[JobState] = mapped_column(default=JobState.CREATED)
    steps: Mapped[list[Step]] = relationship(back_populates="job")


class Step(Base):
    """One step of a job."""

    __tablename__ = "steps"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    state: Mapped[StepState] = mapped_column(default=StepState.OPEN)
    job: Mapped[Job] = relationship(back_populates="steps")
