"""Doctor in Celery: ``Celery(task_cls=DoctorTask)``, or ``@app.task(base=DoctorTask)``.

Both ways to retry go through ``Task.retry`` (``autoretry_for`` and ``self.retry(exc=...)``); a
task that never retries is asked about where it fails.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from celery import Task  # type: ignore[import-untyped]
from celery.exceptions import Ignore, Reject, Retry  # type: ignore[import-untyped]

from doctor.executors.adapters.outcome import AskedError, Call, asked, delay_of
from doctor.executors.advice import Advice
from doctor.executors.client import Hook
from doctor.executors.hook import HOOK

_KNOWN = "_doctor_advice"


class DoctorTask(Task):  # type: ignore[misc]
    """A task that asks Doctor before it is retried.

    ``doctor_hook`` and ``doctor_deadline`` may be set in a subclass; ``doctor_run`` names the
    keyword argument that holds the run's id.
    """

    abstract = True
    doctor_hook: ClassVar[Hook] = HOOK
    doctor_deadline: ClassVar[float | None] = None
    doctor_run: ClassVar[str] = "run_id"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task, inside of an attempt of its run."""
        with self.doctor_hook.attempt(kwargs.get(self.doctor_run), self.name):
            try:
                return self._run_task(args, kwargs)
            except (Retry, Ignore, Reject, AskedError):
                raise
            except Exception as error:
                advice = self._advice(error, kwargs)
                if advice.action == "asked":
                    raise asked(advice) from error
                if advice.action == "fixed":
                    return super().retry(exc=error, countdown=0)
                raise

    def retry(
        self,
        args: Any = None,
        kwargs: Any = None,
        exc: BaseException | None = None,
        *rest: Any,
        **options: Any,
    ) -> Any:
        """Retry as Celery does, unless Doctor knows better."""
        if exc is None:
            return super().retry(args, kwargs, exc, *rest, **options)
        advice = self._advice(exc, self.request.kwargs or {})
        if advice.action == "asked":
            raise asked(advice) from exc
        if advice.action == "stop":
            raise exc
        delay = delay_of(advice)
        if delay is not None:
            options = {**options, "countdown": delay, "eta": None}
            rest = ()
        return super().retry(args, kwargs, exc, *rest, **options)

    def _run_task(self, args: Any, kwargs: Any) -> Any:
        """A worker has pushed the request already; who calls the task directly has not."""
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        return self.run(*args, **kwargs)

    def _advice(self, error: BaseException, kwargs: Any) -> Advice:
        """Ask once for each exception, whichever way it comes."""
        known: Advice | None = getattr(error, _KNOWN, None)
        if known is not None:
            return known
        call = Call(kwargs.get(self.doctor_run), None, self.doctor_hook, self.doctor_deadline)
        advice = call.consult(error, self.name)
        with suppress(AttributeError):
            setattr(error, _KNOWN, advice)
        return advice
