"""Which run and operation the code that is running belongs to."""

from __future__ import annotations

from contextvars import ContextVar

RUN: ContextVar[str | None] = ContextVar("doctor_run", default=None)
OPERATION: ContextVar[str | None] = ContextVar("doctor_operation", default=None)
