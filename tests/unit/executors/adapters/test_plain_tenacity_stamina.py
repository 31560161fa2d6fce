"""The adapters of libraries that call a function again, over one kit."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import stamina
import tenacity

from doctor.executors.adapters.outcome import AskedError
from doctor.executors.adapters.plain import attempts, retrying
from doctor.executors.adapters.stamina import doctor as stamina_doctor
from doctor.executors.adapters.tenacity import doctor as tenacity_doctor
from tests.unit.executors.adapters import kit
from tests.unit.executors.adapters.kit import Failing, Played, caught

WAIT = 0.3
ATTEMPTS = 3


def plain(hook, failing):
    waited: list[float] = []

    def work():
        policy = {"hook": hook, "run": "r1", "operation": "work", "sleep": waited.append}
        for attempt in attempts((WAIT,) * (ATTEMPTS - 1), **policy):
            with attempt:
                return failing()
        return None

    return Played.of(failing, waited, caught(work))


def decorated(hook, failing):
    waited: list[float] = []
    policy = {"hook": hook, "run": "r1", "sleep": waited.append}
    work = retrying((WAIT,) * (ATTEMPTS - 1), **policy)(failing)
    return Played.of(failing, waited, caught(work))


def with_tenacity(hook, failing):
    waited: list[float] = []
    options: dict[str, Any] = {
        "stop": tenacity.stop_after_attempt(ATTEMPTS),
        "wait": tenacity.wait_fixed(WAIT),
        "sleep": waited.append,
    }
    if hook is None:
        policy: dict[str, Any] = {"reraise": True, **options}
    else:
        policy = tenacity_doctor(run="r1", hook=hook, **options)
    return Played.of(failing, waited, caught(tenacity.retry(**policy)(failing)))


def with_stamina(hook, failing):
    waited: list[float] = []
    on = ValueError if hook is None else stamina_doctor(ValueError, run="r1", hook=hook)
    stamina.instrumentation.set_on_retry_hooks([lambda details: waited.append(details.wait_for)])
    try:
        work = stamina.retry(
            on=on,
            attempts=ATTEMPTS,
            wait_initial=0.01,
            wait_max=0.01,
            wait_jitter=0,
            timeout=None,
        )(failing)
        return Played.of(failing, waited, caught(work))
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)


LIBRARIES = {
    "plain": (plain, WAIT),
    "decorator": (decorated, WAIT),
    "tenacity": (with_tenacity, WAIT),
    "stamina": (with_stamina, 0.01),
}


@pytest.fixture(params=LIBRARIES)
def library(request):
    return LIBRARIES[request.param]


def test_what_was_repaired_is_tried_again_at_once(library, answers):
    play, _ = library
    waits = (0.0,) if play in (with_tenacity, with_stamina) else ()
    assert play(answers(kit.FIXED), Failing(1)) == Played(2, waits, None)


def test_the_library_waits_as_long_as_doctor_says(library, answers):
    play, _ = library
    assert play(answers(kit.WAIT), Failing(2)) == Played(3, (0.05, 0.05), None)


def test_without_an_opinion_the_library_does_what_it_would_have_done(library, answers):
    play, wait = library
    assert play(answers(kit.DEFAULT), Failing(2)) == Played(3, (wait, wait), None)
    assert play(answers(kit.DEFAULT), Failing(9)) == Played(3, (wait, wait), "ValueError")


def test_stop_raises_the_failure_itself_at_once(library, answers):
    play, _ = library
    assert play(answers(kit.STOP), Failing(9)) == Played(1, (), "ValueError")


def test_asked_raises_that_a_human_was_asked(library, answers):
    play, _ = library
    assert play(answers(kit.ASKED), Failing(9)) == Played(1, (), "AskedError")


@pytest.mark.parametrize("times", [0, 1, 9])
def test_with_a_broken_doctor_it_is_as_without(library, answers, times):
    play, wait = library
    waits = (wait,) * min(times, ATTEMPTS - 1)
    expected = Played(min(times + 1, ATTEMPTS), waits, "ValueError" if times > 1 + 1 else None)
    assert play(answers(kit.BROKEN), Failing(times)) == expected


def test_a_repair_that_never_helps_ends_the_loop(answers):
    assert plain(answers(kit.FIXED), Failing(99)).attempts == 6


def test_other_errors_pass_through_unasked(answers):
    hook = answers(kit.ASKED)
    failing = Failing(9, lambda: KeyError("x"))
    work = retrying((1,), hook=hook, errors=(ValueError,), sleep=print)(failing)
    assert isinstance(caught(work), KeyError)
    assert failing.calls == 1
    assert stamina_doctor(ValueError, hook=hook)(KeyError("x")) is False


def test_the_error_that_a_human_was_asked_survives_pickling():
    error = AskedError("reason", "I-1")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.reason, again.incident) == (
        "reason (incident I-1)",
        "reason",
        "I-1",
    )
    assert str(AskedError("reason")) == "reason"


def test_tenacity_asks_only_about_what_it_would_retry(answers):
    hook = answers(kit.ASKED)
    retry = tenacity.retry_if_exception_type(KeyError)
    policy = tenacity_doctor(hook=hook, retry=retry, stop=tenacity.stop_after_attempt(3))
    failing = Failing(9)
    assert isinstance(caught(tenacity.retry(**policy)(failing)), ValueError)
    assert failing.calls == 1


def test_tenacity_may_retry_on_results_too(answers):
    results = iter(["bad", "good"])
    policy = tenacity_doctor(
        hook=answers(kit.STOP), retry=tenacity.retry_if_result(lambda one: one == "bad")
    )
    assert tenacity.retry(**policy)(lambda: next(results))() == "good"


def test_a_loop_without_a_return_ends_after_its_first_success(answers):
    tries = [
        attempt.advice for attempt in attempts((1,), hook=answers(kit.STOP)) if entered(attempt)
    ]
    assert tries == [None]


def entered(attempt):
    with attempt:
        return True
