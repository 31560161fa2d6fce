"""What ``consult`` remembers, shares and forgets, over real child processes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import doctor
from doctor.executors.advice import Advice
from doctor.executors.client import Hook
from doctor.executors.fingerprint import fingerprint
from doctor.executors.hook import HOOK
from tests.support.deaths import answering, program

COUNT = "n = globals().get('n', 0) + 1; "
COUNTED = COUNT + 'advise(question, "stop", reason=str(n))'


class Answered(Exception):
    """An error that carries what an HTTP server answered."""

    def __init__(self, status):
        super().__init__(f"{status} for the call")
        self.status = status


def failed(error):
    """Return an error with a traceback, always raised by the same line."""
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - any error at all
        return caught


def deep(depth):
    if depth > 1:
        deep(depth - 1)
    raise ValueError("deep down")


def at_depth(depth):
    try:
        deep(depth)
    except ValueError as caught:
        return caught


def test_the_same_failure_is_examined_once(answers):
    hook = answers(COUNTED)
    found = [hook.consult(failed(ValueError("x")), run="r1", deadline=5) for _ in range(5)]
    assert [one.reason for one in found] == ["1"] * 5


@pytest.fixture(params=["fingerprint", "code location alone"])
def variant(request, monkeypatch):
    """The fingerprint, and a wrong one that must fail."""
    if request.param == "code location alone":

        def wrong(error, run, operation, status, config):
            key, code = fingerprint(error, run, operation, status, config)
            return (*key[:3], None, None, None, None), code

        monkeypatch.setattr("doctor.executors.client.fingerprint", wrong)
    return request.param


def test_four_answers_to_one_line_on_two_runs_are_eight_examinations(answers, variant):
    hook = answers(COUNTED)
    found = {
        hook.consult(failed(Answered(status)), run=run, operation="GET /x", deadline=5)
        for status in (500, 503, 404, 429)
        for run in ("r1", "r2")
    }
    assert len(found) == (8 if variant == "fingerprint" else 1)


def test_a_traceback_that_is_too_deep_still_has_a_place(answers):
    hook = answers(COUNTED)
    first, second = (hook.consult(at_depth(n), run="r1", deadline=5) for n in (30, 40))
    assert (first.reason, second.reason) == ("1", "1")
    assert hook.consult(at_depth(3), run="r1", deadline=5).reason == "2"


def test_a_thousand_threads_with_one_error_make_one_examination(answers):
    hook = answers(COUNT + 'time.sleep(0.3); advise(question, "retry", uses=0, reason=str(n))')
    error, found = failed(ValueError("x")), []
    start = threading.Barrier(1000)

    def ask():
        start.wait()
        found.append(hook.consult(error, run="r1", operation="o", deadline=20).reason)

    threads = [threading.Thread(target=ask) for _ in range(1000)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == ["1"] * 1000


def test_who_waits_for_anothers_question_keeps_its_own_deadline(answers):
    hook = answers("time.sleep(2)")
    error, taken = failed(ValueError("x")), []
    leader = threading.Thread(target=lambda: hook.consult(error, run="r1", deadline=1))
    leader.start()
    time.sleep(0.2)
    start = time.monotonic()
    assert hook.consult(error, run="r1", deadline=0.1).action == "retry"
    taken.append(time.monotonic() - start)
    start = time.monotonic()
    assert "busy" in hook.consult(error, run="r2", deadline=0.1).reason
    taken.append(time.monotonic() - start)
    leader.join()
    assert max(taken) < 0.2


def test_a_success_makes_advice_about_its_call_forgotten(answers):
    hook = answers(COUNTED)

    def ask(operation):
        error = failed(ValueError("x"))
        return hook.consult(error, run="r1", operation=operation, deadline=5).reason

    assert (ask("a"), ask("b")) == ("1", "2")
    hook.observe_success("r1", "a")
    assert (ask("b"), ask("a")) == ("2", "3")
    hook.observe_success("r1")
    assert (ask("a"), ask("b")) == ("4", "5")
    hook.observe_success("another")
    assert ask("a") == "4"


def test_what_was_fixed_and_what_has_no_time_left_is_not_repeated(answers):
    hook = answers(COUNT + 'advise(question, "fixed", uses=0, ttl=0, reason=str(n))')
    found = [hook.consult(failed(ValueError("x")), run="r1", deadline=5) for _ in range(3)]
    assert [one.reason for one in found] == ["1", "2", "3"]


def test_repetitions_answered_from_memory_are_reported_with_the_next_question(answers):
    hook = answers('advise(question, "retry", uses=2, reason=str(question["repeats"]))')
    found = [hook.consult(failed(ValueError("x")), run="r1", deadline=5) for _ in range(5)]
    assert [one.reason for one in found] == ["0", "0", "0", "2", "2"]


def test_the_context_of_an_attempt_names_run_and_operation(answers):
    names = "reason=f\"{question['run']} {question['operation']}\""
    hook = answers(f'advise(question, "retry", uses=0, {names})')
    with hook.attempt("r7", "GET /x"):
        assert hook.consult(failed(ValueError("x")), deadline=5).reason == "r7 GET /x"
        with hook.attempt(operation="GET /y") as inner:
            assert (inner.run, inner.operation) == ("r7", "GET /y")
    assert hook.consult(failed(ValueError("x")), deadline=5).reason == "None None"


def test_an_attempt_lets_exceptions_through_and_counts_as_success_without(answers):
    hook = answers(COUNTED)

    def ask():
        return hook.consult(failed(ValueError("x")), run="r1", operation="o", deadline=5).reason

    assert ask() == "1"
    with pytest.raises(KeyError), hook.attempt("r1", "o"):
        raise KeyError
    assert ask() == "1"

    async def attempt():
        async with hook.attempt("r1", "o"):
            pass

    asyncio.run(attempt())
    assert ask() == "2"


def test_tasks_share_one_examination_and_the_loop_goes_on(answers):
    hook = answers(COUNT + 'time.sleep(0.3); advise(question, "stop", reason=str(n))')
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.01)

    async def ask():
        ticking = asyncio.create_task(tick())
        error = failed(ValueError("x"))
        asked = [hook.aconsult(error, run="r1", deadline=5) for _ in range(100)]
        found = await asyncio.gather(*asked)
        ticking.cancel()
        return found, await hook.aconsult(error, run="r1")

    found, known = asyncio.run(ask())
    assert {one.reason for one in (*found, known)} == {"1"}
    assert len(ticks) > 10


def test_a_task_gets_no_opinion_at_its_deadline_and_can_be_cancelled(answers):
    hook = answers("time.sleep(9)")

    async def late():
        start = time.monotonic()
        advice = await hook.aconsult(failed(ValueError("x")), run="r1", deadline=0.1)
        return advice.action, time.monotonic() - start

    action, taken = asyncio.run(late())
    assert action == "retry"
    assert taken < 0.3

    async def cancelled():
        async with asyncio.timeout(0.05):
            await hook.aconsult(failed(ValueError("x")), run="r2", deadline=5)

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())


def test_a_fork_leaves_the_parents_child_alone_and_starts_its_own(answers):
    hook = answers('advise(question, "retry", uses=0, reason=str(os.getppid()))')
    assert hook.consult(failed(ValueError("x")), run="r1", deadline=5).reason == str(os.getpid())
    pid = os.fork()
    if pid == 0:
        advice = hook.consult(failed(ValueError("x")), run="r1", deadline=5)
        hook.close()
        os._exit(0 if advice.reason == str(os.getpid()) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert hook.consult(failed(ValueError("x")), run="r1", deadline=5).reason == str(os.getpid())


def test_it_works_where_the_standard_streams_are_closed(tmp_path):
    command = answering(tmp_path, 'advise(question, "stop", reason="heard")')
    code = (
        "import os, sys\nfor one in (0, 1, 2): os.close(one)\n"
        "from doctor.executors.client import Hook\nfrom doctor.executors.link import Link\n"
        f"hook = Hook(Link({command!r}))\n"
        "advice = hook.consult(ValueError('x'), run='r1', deadline=10)\n"
        "hook.close()\nos._exit(0 if advice.reason == 'heard' else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.fixture
def interruptible():
    """Runners that were started in the background ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_keyboard_interrupts_pass_through_and_the_next_question_is_answered(answers, tmp_path):
    heard = tmp_path / "heard"
    hook = answers(
        f'is_slow = question["run"] == "slow"; is_slow and open({str(heard)!r}, "w").close();'
        ' time.sleep(is_slow); advise(question, reason=question["run"])'
    )

    mine = threading.get_ident()

    def press():
        while not heard.exists():
            time.sleep(0.01)
        signal.pthread_kill(mine, signal.SIGINT)

    hook.consult(failed(ValueError("x")), run="first", deadline=5)
    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        hook.consult(failed(ValueError("x")), run="slow", deadline=5)
    pressing.join()
    assert hook.consult(failed(ValueError("x")), run="next", deadline=5).reason == "next"
    assert hook.consult(failed(ValueError("x")), run="slow", deadline=5).reason == "slow"


def test_an_error_that_cannot_be_printed_or_looked_into_is_asked_about_all_the_same(answers):
    class Bad(Exception):
        def __str__(self):
            raise RuntimeError

        @property
        def request(self):
            raise RuntimeError

        @property
        def response(self):
            return type("Response", (), {"headers": property(lambda _: 1 / 0)})()

    hook = answers(COUNTED)
    assert hook.consult(failed(Bad()), run="r1", deadline=5).reason == "1"
    assert hook.consult("only a text", run="r1", deadline=5).action == "stop"


def test_runs_that_cannot_be_compared_are_no_opinion(answers):
    assert answers(COUNTED).consult(failed(ValueError("x")), run=["r1"]).action == "retry"


def test_memory_is_bounded_and_errors_are_not_kept(answers):
    class Kept(Exception):
        """Only this test raises it."""

    hook = answers(COUNTED)
    for number in range(1100):
        hook.consult(failed(Kept("x" * 1000)), run=f"r{number}", deadline=5)
    assert len(hook.known) == 1024
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Kept]


def test_a_child_that_repairs_is_left_alone_and_its_word_is_heard_later(hooks, tmp_path):
    command = program(
        tmp_path,
        'say({"hello": True})\n'
        "question = hear()\n"
        'say({"id": question["id"], "treating": True})\n'
        'assert hear() == {"go": question["id"]}\n'
        "time.sleep(0.6)\n"
        'advise(question, "fixed", uses=0, ttl=0, reason="repaired")\n'
        'advise(hear(), "stop", reason="the next")\n'
        "hear()\n",
    )
    hook = hooks(command)

    def ask(run, deadline=0.2):
        return hook.consult(failed(ValueError("x")), run=run, deadline=deadline)

    assert ask("r1", 0.5).action == "wait"
    assert ask("r1").action == "wait"
    assert ask("r2").action == "retry"
    time.sleep(0.6)
    assert ask("r1") == Advice("fixed", reason="repaired")
    assert ask("r2", 5).reason == "the next"


@pytest.mark.slow
def test_a_repair_that_takes_for_ever_is_not_waited_for_for_ever(hooks, tmp_path, monkeypatch):
    monkeypatch.setattr("doctor.executors.link.TREAT_SECONDS", 0.2)
    command = program(
        tmp_path,
        'say({"hello": True})\nquestion = hear()\n'
        'say({"id": question["id"], "treating": True})\n'
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(3)\nopen(" + repr(str(tmp_path / "ended")) + ", 'w').close()\n",
    )
    hook = hooks(command)

    def ask():
        return hook.consult(failed(ValueError("x")), run="r1", deadline=0.5)

    assert ask().action == "wait"
    first = int((tmp_path / "pid").read_text())
    time.sleep(0.3)
    assert ask().action == "wait"
    assert int((tmp_path / "pid").read_text()) != first
    os.kill(first, 0)  # it is still there
    end = time.monotonic() + 10
    while time.monotonic() < end and not (tmp_path / "ended").exists():
        time.sleep(0.05)
    assert (tmp_path / "ended").exists()


def test_a_late_answer_is_given_to_the_next_who_asks(answers):
    hook = answers('time.sleep(0.01); advise(question, "stop", reason="late")')
    link = hook.asker
    assert link.is_ready is False
    found = hook.consult(failed(ValueError("x")), run="r1", deadline=0.001)
    assert found.reason == "doctor is still starting"
    time.sleep(0.5)
    assert hook.consult(failed(ValueError("x")), run="r1", deadline=5).reason == "late"


def test_a_child_that_died_in_between_is_replaced_within_the_question(answers):
    hook = answers('advise(question, "stop", reason=str(os.getpid()))')
    pid = int(hook.consult(failed(ValueError("x")), run="r1", deadline=5).reason)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    other = hook.consult(failed(ValueError("x")), run="r2", deadline=5)
    assert other.action == "stop"
    assert int(other.reason) != pid


def test_the_child_tells_the_deadline(hooks, tmp_path):
    command = program(
        tmp_path, 'say({"hello": True, "deadline": 0.15})\nadvise(hear())\nhear(); time.sleep(9)\n'
    )
    hook = hooks(command)
    hook.consult(failed(ValueError("x")), run="r1", deadline=5)
    start = time.monotonic()
    assert hook.consult(failed(ValueError("x")), run="r2").action == "retry"
    assert time.monotonic() - start < 0.5


def test_closing_ends_the_child_and_does_not_hang(answers):
    hook = answers("advise(question, reason=str(os.getpid()))")
    pid = int(hook.consult(failed(ValueError("x")), run="r1", deadline=5).reason)
    start = time.monotonic()
    hook.close()
    assert time.monotonic() - start < 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("body", ["advise(question, 'explode')", "advise(question, ttl='x')"])
def test_a_reply_that_is_no_advice_is_no_opinion(answers, body):
    assert answers(body).consult(failed(ValueError("x")), run="r1", deadline=5).action == "retry"


def test_importing_doctor_and_asking_loads_only_the_standard_library(tmp_path):
    command = answering(tmp_path, 'advise(question, "stop")')
    code = (
        "import sys; before = set(sys.modules); import doctor; doctor.consult\n"
        "from doctor.executors.client import Hook\nfrom doctor.executors.link import Link\n"
        f"hook = Hook(Link({command!r}))\n"
        "assert hook.consult(ValueError('x'), run='r1', deadline=10).action == 'stop'\n"
        "with hook.attempt('r1'): hook.close()\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(one for one in new - {'doctor'} if one not in sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_caller_grows_by_less_than_8_mib(answers):
    def resident():
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    hook = answers(COUNTED)
    hook.consult(failed(ValueError("x")), run="r", deadline=5)
    before = resident()
    for number in range(3000):
        hook.consult(failed(ValueError("x" * 10_000)), run=f"r{number}", deadline=5)
    assert resident() - before < 8 << 20


def test_the_public_names_are_those_of_the_hook():
    assert doctor.consult == HOOK.consult
    assert doctor.observe_success == HOOK.observe_success


def test_a_thread_that_fails_at_the_same_time_shares_the_advice(answers):
    hook = answers(COUNT + 'advise(question, "retry", uses=0, reason=str(n))')
    error, found = failed(ValueError("x")), []

    def ask():
        found.append(hook.consult(error, run="r1", deadline=5).reason)

    ask()
    other = threading.Thread(target=ask)
    other.start()
    other.join()
    ask()
    assert found == ["1", "1", "2"]


def test_a_hook_that_is_broken_itself_disturbs_nobody(monkeypatch):
    broken: Any = object()
    hook = Hook(link=broken)
    error = failed(ValueError("x"))
    found = [
        hook.consult(error, run="r1"),
        asyncio.run(hook.aconsult(error, run="r1", deadline=2)),
        hook.observe_progress("r1", "build", "failed"),
        hook.outlook("r1"),
    ]
    assert {one.action for one in found} == {"retry"}
    assert {one.reason for one in found} == {"doctor could not be asked: AttributeError"}
    odd: Any = ["r1"]
    hook.warm()
    hook.observe_success(odd)
    assert asyncio.run(hook.aconsult(error, run=odd)).action == "retry"

    def refuse(*_, **__):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("doctor.executors.asking.Thread", refuse)
    assert "RuntimeError" in asyncio.run(hook.aconsult(error, run="r1")).reason


def test_a_child_that_cannot_even_start_is_listened_to_in_vain(hooks, tmp_path):
    hook = hooks(program(tmp_path, "sys.exit(3)"))
    started = [hook.child]
    hook.warm()
    started.append(hook.child)
    assert [one is None for one in started] == [True, False]
    time.sleep(0.3)
    hook.asker.listen()
    assert not hook.asker.is_ready


def test_success_of_a_run_that_nobody_asked_about_is_no_news(answers):
    hook = answers(COUNTED)
    hook.consult(failed(ValueError("x")), run="r1", operation="a", deadline=5)
    hook.observe_success("r2", "a")
    hook.observe_success("r2")
    assert hook.consult(failed(ValueError("x")), run="r1", operation="a").reason == "1"
