"""The adapter of Celery, over the kit: both ways to retry, and tasks that never do."""

from __future__ import annotations

import pytest
from celery import Celery  # type: ignore[import-untyped]

from doctor.executors.adapters.celery import DoctorTask
from tests.unit.executors.adapters import kit
from tests.unit.executors.adapters.kit import Failing


@pytest.fixture
def app():
    found = Celery("tests", broker="memory://", backend="cache+memory://")
    found.conf.update(task_always_eager=True, task_default_queue="tests")
    yield found
    found.close()


def task_of(app, hook, failing, style):
    base = type("Base", (DoctorTask,), {"abstract": True, "doctor_hook": hook})
    base = DoctorTask if hook is None else base
    if style == "auto":
        options = {"autoretry_for": (ValueError,), "default_retry_delay": 0, "max_retries": 2}

        def work(self, run_id="r1"):
            return failing()

    elif style == "explicit":
        options = {"max_retries": 2}

        def work(self, run_id="r1"):
            try:
                return failing()
            except ValueError as error:
                raise self.retry(exc=error, countdown=0) from error

    else:
        options = {"max_retries": 2}

        def work(self, run_id="r1"):
            return failing()

    return app.task(bind=True, base=base, name=f"work-{style}-{id(failing)}", **options)(work)


def outcome(app, hook, failing, style):
    result = task_of(app, hook, failing, style).apply(kwargs={"run_id": "r1"})
    ended = "worked" if result.successful() else type(result.result).__name__
    return ended, failing.calls


RETRYING = pytest.mark.parametrize("style", ["auto", "explicit"])
STYLES = pytest.mark.parametrize("style", ["auto", "explicit", "never"])


@STYLES
def test_what_was_repaired_is_tried_again(app, answers, style):
    assert outcome(app, answers(kit.FIXED), Failing(1), style) == ("worked", 2)


@RETRYING
@pytest.mark.parametrize("answer", [kit.WAIT, kit.DEFAULT, kit.BROKEN])
@pytest.mark.parametrize(("times", "expected"), [(2, ("worked", 3)), (9, ("ValueError", 3))])
def test_otherwise_celery_does_what_it_would_have_done(
    app, answers, style, answer, times, expected
):
    assert outcome(app, answers(answer), Failing(times), style) == expected


@STYLES
def test_stop_fails_the_task_with_its_own_error(app, answers, style):
    assert outcome(app, answers(kit.STOP), Failing(9), style) == ("ValueError", 1)


@STYLES
def test_asked_fails_the_task_with_what_was_asked(app, answers, style):
    assert outcome(app, answers(kit.ASKED), Failing(9), style) == ("AskedError", 1)


@pytest.mark.parametrize("answer", [kit.WAIT, kit.DEFAULT, kit.BROKEN])
def test_a_task_that_never_retries_is_not_made_to(app, answers, answer):
    assert outcome(app, answers(answer), Failing(9), "never") == ("ValueError", 1)


def test_doctor_sets_the_countdown(app, answers):
    waits = []

    class Watching(DoctorTask):
        abstract = True
        doctor_hook = answers(kit.WAIT)

        def signature_from_request(self, *args, **options):
            waits.append(options["countdown"])
            return super().signature_from_request(*args, **options)

    failing = Failing(1)

    @app.task(bind=True, base=Watching, autoretry_for=(ValueError,), max_retries=2)
    def work(self):
        return failing()

    assert work.apply().result == "worked"
    assert waits == [0.05]


def test_a_task_that_is_called_directly_runs(app, answers):
    work = task_of(app, answers(kit.STOP), Failing(0), "never")
    assert work(run_id="r1") == "worked"


def test_retry_without_an_exception_is_celerys_own(app, answers):
    tries = []

    def work(self):
        tries.append(1)
        if len(tries) == 1:
            raise self.retry(countdown=0)
        return "worked"

    base = type("Base", (DoctorTask,), {"abstract": True, "doctor_hook": answers(kit.ASKED)})
    task = app.task(bind=True, base=base, name="bare", max_retries=2)(work)
    assert task.apply().result == "worked"
