"""Fourteen ways in which Doctor can die: the executor never waits longer, and does as without."""

from __future__ import annotations

import gc
import math
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path

import pytest

from doctor.demo.executor import Executor
from doctor.executors.advice import Advice, no_opinion
from doctor.executors.breaker import Breaker
from doctor.executors.client import Hook
from doctor.executors.link import Link
from tests.support.deaths import KINDS, NO_START, command
from tests.support.ports import answering, server
from tests.support.soak import sized

DEADLINE = 0.1
TIMES = sized(30, 1000)
RUNS = sized(5, 500)
ROUNDS = 2
soak = pytest.mark.soak
pytestmark = pytest.mark.alone


class Tireless(Breaker):
    """Never opens, so that every call meets a child."""

    def __init__(self):
        super().__init__(time.monotonic, failures=10**9)


def ready(hook):
    """Wait until the child can be asked; what happens to it after that is its death."""
    end = time.monotonic() + 10
    while not hook.asker.is_ready and time.monotonic() < end:
        hook.warm()
        time.sleep(0.002)
        hook.asker.listen()
    assert hook.asker.is_ready


def seconds_of(ask):
    """Return what a call took and what it said."""
    start = time.perf_counter()
    advice = ask(ValueError("x"), run="r1", operation="work", deadline=DEADLINE)
    return time.perf_counter() - start, advice


@pytest.mark.parametrize("kind", [pytest.param(one, marks=soak) for one in KINDS])
def test_every_death_is_no_opinion_in_time(tmp_path, kind, figure):
    """The slowest of 30 calls counts; a hiccup of the machine is given a second chance."""
    before = zombies()
    gc.collect()
    gc.freeze()  # what the test runner holds is not the executor's
    p99 = 9.0
    for _ in range(ROUNDS):
        if p99 > DEADLINE * 1.1:
            times = rounds_of(tmp_path, kind)
            p99 = min(p99, times[math.ceil(len(times) * 0.99) - 1])
    gc.unfreeze()
    figure(f"{kind}: p50 {statistics.median(times) * 1000:.1f} p99 {p99 * 1000:.1f} ms")
    assert p99 <= DEADLINE * 1.1
    assert not zombies() - before, kind


def rounds_of(tmp_path, kind):
    """Return how long each call of a round took, ascending; none has an opinion."""
    hook = Hook(Link(command(tmp_path, kind)), breaker=Tireless())
    times = []
    for _ in range(TIMES):
        if kind != NO_START:
            ready(hook)
        taken, advice = seconds_of(hook.consult)
        assert advice == no_opinion(advice.reason), kind
        times.append(taken)
    hook.close()
    return sorted(times)


def zombies():
    """Return the children of this process that nobody took away."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                text = (Path(entry) / "stat").read_text(encoding="utf-8")
                state, parent = text.rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state == "Z" and int(parent) == os.getpid():
                found.add(entry.name)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_death_before_the_child_ever_spoke_is_no_opinion_in_time(tmp_path, kind):
    hook = Hook(Link(command(tmp_path, kind, greets=False)), breaker=Tireless())
    for _ in range(3):
        taken, advice = seconds_of(hook.consult)
        assert advice.action == "retry"
        assert taken <= DEADLINE * 1.1 + 0.02
    hook.close()


def work(tmp_path, port, consult):
    """Run the demo's executor to its end; return how it ended and its log, without the times."""
    log = tmp_path / "executor.log"
    log.unlink(missing_ok=True)
    executor = Executor(f"http://127.0.0.1:{port}", "job", log, consult)
    ended = executor.work(1)
    lines = [line.partition("] ")[2] for line in log.read_text(encoding="utf-8").splitlines()]
    return ended, executor.failing_calls, [one for one in lines if "doctor says" not in one]


@pytest.mark.parametrize("kind", [pytest.param(one, marks=soak) for one in KINDS])
def test_an_executor_with_a_broken_doctor_ends_as_one_without(tmp_path, kind):
    with server(answering(500)) as port:
        without = work(tmp_path, port, None)
        for _ in range(RUNS):
            hook = Hook(Link(command(tmp_path, kind)))

            def consult(error, *, run, operation, asked=hook):
                return asked.consult(error, run=run, operation=operation, deadline=DEADLINE)

            assert work(tmp_path, port, consult) == without
            hook.close()


def test_the_figure_would_catch_a_deadline_by_thread(tmp_path):
    """A regex holds the interpreter: with the child's work in a thread nobody keeps the time."""
    import re

    pool = ThreadPoolExecutor(1)

    def consult(*_, **__):
        future = pool.submit(re.match, r"(a+)+$", "a" * 24 + "!")
        try:
            return Advice("stop", reason=str(future.result(DEADLINE)))
        except TooLate:
            return no_opinion("too late")

    taken, _ = seconds_of(consult)
    pool.shutdown()
    assert taken > DEADLINE * 1.1


def test_after_three_failures_nobody_asks_for_a_minute(tmp_path):
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    hook = Hook(Link(command(tmp_path, "exit")), breaker=breaker)
    for _ in range(3):
        hook.consult(ValueError("x"), run="r1", deadline=2)
    assert "left alone" in hook.consult(ValueError("x"), run="r1", deadline=2).reason
    now[0] = 61.0
    assert "left alone" not in hook.consult(ValueError("x"), run="r1", deadline=2).reason
    assert "left alone" in hook.consult(ValueError("x"), run="r1", deadline=2).reason
    hook.close()


def test_no_thread_is_left_behind(tmp_path):
    hook = Hook(Link(command(tmp_path, "exit")))
    for _ in range(3):
        hook.consult(ValueError("x"), run="r1", deadline=2)
    hook.close()
    end = time.monotonic() + 5
    while time.monotonic() < end and "doctor-warm" in {one.name for one in threading.enumerate()}:
        time.sleep(0.01)
    assert "doctor-warm" not in {one.name for one in threading.enumerate()}
