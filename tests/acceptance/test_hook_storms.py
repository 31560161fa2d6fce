"""The real storms, replayed by an executor of the same policy in virtual time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from doctor.executors.advice import Advice
from doctor.executors.client import Hook
from tests.support.asking import Virtual, near_hook
from tests.support.incident import ABSENT
from tests.support.paths import CORPUS

BACK_OFF = (1.0, 2.0, 4.0)
POLL = 10.0
ATTEMPT = re.compile(
    r"Fetch run status from API failed \(attempt (\d)/4\): (\w+): (?:(\d{3}) \w+ Error)?"
)
SUCCESS = re.compile(r"succeeded on retry (\d)|Next phase:")
STORMS = {
    "build127-v2": ("build127-phase1-self-healing-governance", 336),
    "build129-v2": ("build129-token-budget-intelligence", 335),
    "build129-phase1": ("build129-phase1-output-size-predictor", 1144),
}
pytestmark = pytest.mark.corpus


class HTTPError(Exception):
    """What requests raises, as far as anybody looks at it."""

    def __init__(self, status):
        super().__init__(f"{status} Error for url")
        self.response = type("Response", (), {"status_code": status})()


def errors(name) -> Iterator[Exception]:
    """Yield the failures of a log, in order."""
    path = CORPUS / "logs" / f"{name}.log"
    if not path.is_file():
        pytest.skip(ABSENT)
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        found = ATTEMPT.search(line)
        if found:
            kinds = {"ConnectionError": ConnectionError, "ReadTimeout": TimeoutError}
            yield HTTPError(int(found[3])) if found[3] else kinds[found[2]](line)


@dataclass
class Executor:
    """Four attempts, 1 + 2 + 4 s between them, then a poll of 10 s and the next round, for ever.

    ``answers`` are what the API does: a failure, or None for success. ``stop`` ends the executor;
    a human starts it again once the API works.
    """

    hook: Hook
    time: Virtual
    run: str
    config: str | None = None
    failing: int = 0
    heard: list[Advice] = field(default_factory=list)

    def call(self, error: Exception | None) -> str | None:
        """Make one call; return the advice about its failure."""
        if error is None:
            self.hook.observe_success(self.run, f"GET /runs/{self.run}")
            return None
        self.failing += 1
        try:
            raise error
        except (HTTPError, ConnectionError, TimeoutError) as caught:
            advice = self.hook.consult(
                caught, run=self.run, operation=f"GET /runs/{self.run}", config=self.config
            )
        self.heard.append(advice)
        return advice.action

    def play(self, answers) -> str:
        """Play until it succeeds, stops, or the answers are over."""
        while True:
            for wait in (*BACK_OFF, POLL):
                try:
                    action = self.call(next(answers))
                except StopIteration:
                    return "storm"
                if action in (None, "stop", "asked", "fixed"):
                    return action or "succeeded"
                delay = self.heard[-1].delay if action == "wait" else wait
                self.time.sleep(delay)


@pytest.fixture
def virtual(tmp_path):
    found = Virtual()
    return found, near_hook(tmp_path, found)


@pytest.mark.parametrize("name", STORMS)
def test_without_probes_the_storm_ends_at_the_second_call(virtual, name, figure):
    time_, hook = virtual
    run, before = STORMS[name]
    storm = list(errors(name))
    assert len(storm) == before
    executor = Executor(hook, time_, run)
    assert executor.play(iter(storm)) == "stop"
    figure(f"{name}, without probes: {executor.failing} instead of {before} failing calls")
    assert executor.failing <= 2
    receipt = executor.heard[-1].receipt
    assert receipt is not None
    assert receipt.calls == executor.failing
    assert any(code in receipt.why for code in ("404", "500"))


def test_dropped_connections_in_between_do_not_reset_the_count(virtual):
    time_, hook = virtual
    answers = [HTTPError(500), ConnectionError("x"), ConnectionError("x"), HTTPError(500)]
    executor = Executor(hook, time_, "r1")
    assert executor.play(iter(answers)) == "stop"
    assert executor.failing == 4


@pytest.mark.parametrize("name", ["build127-v2", "build129-v2"])
def test_the_call_that_later_succeeded_is_still_made(virtual, name):
    """It succeeded because somebody repaired the system: the executor that was stopped then is
    started again, and nothing keeps its call from being made."""
    time_, hook = virtual
    run, _ = STORMS[name]
    executor = Executor(hook, time_, run)
    assert executor.play(errors(name)) == "stop"
    time_.sleep(1800)
    assert executor.play(iter([None])) == "succeeded"
    assert executor.play(iter([HTTPError(500), None])) == "succeeded"


RETRIED = re.compile(r"Retrying request to (\S+) in")
ANSWERED = re.compile(r'HTTP Request: POST https?://[^/]+(/\S+) "HTTP/1.1 (\d{3})')


def recoveries() -> Iterator[tuple[str, list[Exception]]]:
    """Yield each call of the corpus that failed and then succeeded, with its failures."""
    logs = sorted((CORPUS / "logs").glob("*"))
    if not logs:
        pytest.skip(ABSENT)
    for log in logs:
        failures: list[Exception] = []
        last = None
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            answer = ANSWERED.search(line)
            if RETRIED.search(line):
                failures.append(HTTPError(last) if last and last >= 400 else ConnectionError(line))
                last = None
            elif answer:
                last = int(answer[2])
                if last < 400 and failures:
                    yield log.name, failures
                    failures = []


def test_every_retry_of_the_corpus_that_succeeded_is_still_made(virtual, figure):
    time_, hook = virtual
    count = 0
    for name, failures in recoveries():
        executor = Executor(hook, time_, name)
        assert executor.play(iter([*failures, None])) == "succeeded", name
        count += 1
    figure(f"{count} calls failed first and succeeded later; all of them are still made")
    assert count >= 5


def config(ward, **hook):
    file = ward.folder / "doctor.toml"
    lines = "".join(f"{name} = {value!r}\n" for name, value in hook.items())
    file.write_text(
        f"[system]\ndatabase = '{ward.url}'\napi = '{ward.api}'\nmodels = '{ward.models}'\n"
        f"[rules]\npaths = ['{ward.mapping(ward.columns[0])}']\n[hook]\n{lines}"
    )
    return str(file)


@pytest.mark.parametrize("name", STORMS)
def test_with_probes_the_storm_ends_at_the_first_call(virtual, incident, name, figure):
    time_, hook = virtual
    run, before = STORMS[name]
    executor = Executor(hook, time_, run, config(incident))
    assert executor.play(errors(name)) == "stop"
    figure(f"{name}, with probes: {executor.failing} instead of {before} failing calls")
    assert executor.failing == 1


@pytest.mark.durable
@pytest.mark.parametrize("name", ["build127-v2", "build129-v2"])
def test_where_the_owner_allows_it_the_first_call_is_repaired(virtual, incident, name):
    time_, hook = virtual
    run, _ = STORMS[name]
    executor = Executor(hook, time_, run, config(incident, max_tier="SAFE"))
    assert executor.play(errors(name)) == "fixed"
    assert executor.failing == 1
    assert executor.heard[-1].cause == "enum_drift"


def test_the_replay_needs_no_real_time(virtual):
    time_, hook = virtual
    start = time.monotonic()
    executor = Executor(hook, time_, "r1")
    answers = [ConnectionError("x") for _ in range(300)]
    assert executor.play(iter(answers)) == "storm"
    assert time_.seconds() > 1000
    assert time.monotonic() - start < 60
