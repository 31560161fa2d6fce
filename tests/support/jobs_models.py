"""A made-up team's models: jobs of stages of steps, stored by the values of their enums."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

from sqlalchemy import Enum, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def _now() -> datetime:
    return datetime.now(UTC)


class JobStatus(enum.StrEnum):
    DRAFTED = "drafted"
    WAITING = "waiting"
    BUILDING = "building"
    VERIFYING = "verifying"
    FINISHED = "finished"
    ABORTED = "aborted"


class StageCondition(enum.StrEnum):
    IDLE = "idle"
    ACTIVE = "active"
    OVER = "over"


class StepProgress(enum.StrEnum):
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    DROPPED = "dropped"


class Base(DeclarativeBase):
    pass


class Job(Base):
    __tablename__ = "jobs"
    uid: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[JobStatus] = mapped_column(
        Enum(JobStatus, values_callable=lambda e: [one.value for one in e])
    )
    title: Mapped[str] = mapped_column(default="")
    touched_at: Mapped[datetime] = mapped_column(default=_now, onupdate=_now)
    stages: Mapped[list[Stage]] = relationship(back_populates="job")


class Stage(Base):
    __tablename__ = "stages"
    number: Mapped[int] = mapped_column(primary_key=True)
    job_uid: Mapped[str] = mapped_column(ForeignKey("jobs.uid"))
    condition: Mapped[StageCondition] = mapped_column(
        Enum(StageCondition, values_callable=lambda e: [one.value for one in e])
    )
    touched_at: Mapped[datetime] = mapped_column(default=_now, onupdate=_now)
    job: Mapped[Job] = relationship(back_populates="stages")
    steps: Mapped[list[Step]] = relationship(back_populates="stage")


class Step(Base):
    __tablename__ = "steps"
    number: Mapped[int] = mapped_column(primary_key=True)
    job_uid: Mapped[str] = mapped_column(ForeignKey("jobs.uid"))
    stage_number: Mapped[int] = mapped_column(ForeignKey("stages.number"))
    progress: Mapped[StepProgress] = mapped_column(
        Enum(StepProgress, values_callable=lambda e: [one.value for one in e])
    )
    touched_at: Mapped[datetime] = mapped_column(default=_now, onupdate=_now)
    stage: Mapped[Stage] = relationship(back_populates="steps")
