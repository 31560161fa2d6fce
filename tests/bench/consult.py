"""What asking costs: a known failure, a new one, from many threads, in tenacity, at import."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tenacity

from doctor.executors.adapters.tenacity import doctor
from doctor.executors.client import Hook
from doctor.executors.link import Link
from tests.bench.figure import Figure
from tests.bench.stream import passing_on
from tests.support.deaths import answering
from tests.support.incident import INCIDENT, SEED, api_process
from tests.support.paths import CORPUS

DEPTH = 12
ROUNDS = 15
CALLS = 2000
THREADS = 8
NEW = 15
_PARSED = "import json, subprocess"


def measure() -> Iterator[Figure]:
    """Yield the figures of the hook; ratios compare both sides in the same run."""
    with tempfile.TemporaryDirectory() as folder:
        command = answering(Path(folder), 'advise(question, "retry")')
        hook = Hook(Link(command))
        try:
            yield Figure("consult.known_us", _known(hook), 5.0)
            yield Figure("consult.tenacity_ratio", _tenacity(hook), 1.25)
            yield Figure("consult.threads_p99_us", _threads(hook), 150.0)
        finally:
            hook.close()
        yield Figure("consult.import_ratio", _import(), 1.5)
        yield Figure("consult.new_ms", _new(Path(folder)), 60.0)
        yield Figure("consult.watch_ratio", passing_on(Path(folder)), 1.10)


def _deep(depth: int) -> None:
    if depth > 1:
        _deep(depth - 1)
    raise ConnectionError("the call failed")


def _error(depth: int = DEPTH) -> Exception:
    try:
        _deep(depth)
    except ConnectionError as error:
        return error
    raise AssertionError("it always fails")


def _known(hook: Hook) -> float:
    error = _error()
    hook.consult(error, run="r1", operation="GET /x", deadline=10)
    best = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            hook.consult(error, run="r1", operation="GET /x")
        best.append((time.perf_counter() - start) / CALLS)
    return min(best) * 1e6


def _tenacity(hook: Hook) -> float:
    """Compare a call that fails once and is retried, with Doctor and alone."""
    options: dict[str, Any] = {"stop": tenacity.stop_after_attempt(3), "sleep": lambda _: None}
    alone = _failing_once(tenacity.retry(reraise=True, **options))
    asking = _failing_once(tenacity.retry(**doctor(run="r1", hook=hook, **options)))
    asking()
    ratios = []
    for _ in range(ROUNDS):
        without, with_doctor = _seconds(alone), _seconds(asking)
        ratios.append(with_doctor / without)
    return statistics.median(ratios)


def _failing_once(decorate: Any) -> Callable[[], Any]:
    calls = iter(range(10**9))

    def call() -> None:
        if next(calls) % 2 == 0:
            raise ConnectionError("the call failed")

    decorated: Callable[[], Any] = decorate(call)
    return decorated


def _seconds(work: Callable[[], Any]) -> float:
    best = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(CALLS // 10):
            work()
        best.append(time.perf_counter() - start)
    return min(best)


def _threads(hook: Hook) -> float:
    """Return the 99th percentile of the best of five rounds, in microseconds."""
    error = _error()
    hook.consult(error, run="r1", operation="GET /x", deadline=10)
    return min(_round(hook, error) for _ in range(5)) * 1e6


def _round(hook: Hook, error: Exception) -> float:
    times: list[list[float]] = [[] for _ in range(THREADS)]

    def ask(found: list[float]) -> None:
        for _ in range(CALLS):
            start = time.perf_counter()
            hook.consult(error, run="r1", operation="GET /x")
            found.append(time.perf_counter() - start)
            time.sleep(0)

    threads = [threading.Thread(target=ask, args=(found,)) for found in times]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    every = sorted(one for found in times for one in found)
    return every[int(len(every) * 0.99)]


def _import() -> float:
    rounds = []
    for _ in range(ROUNDS):
        bare, parsed, ours = (
            _start(code) for code in ("pass", _PARSED, "import doctor; doctor.consult")
        )
        rounds.append((bare, parsed, ours))
    bare, parsed, ours = (min(one[at] for one in rounds) for at in range(3))
    return (ours - bare) / (parsed - bare)


def _start(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def _new(folder: Path) -> float:
    """Return the median of new failures on the incident, with its database, models and API."""
    if not CORPUS.is_dir():
        raise SystemExit(f"consult.new_ms measures the real incident, which is not at {CORPUS}")
    for name in ("incident.db", "models.py", "api.py"):
        shutil.copyfile(INCIDENT / name, folder / name)
    with api_process(folder, detail=False) as api:
        config = folder / "doctor.toml"
        config.write_text(
            f'[system]\ndatabase = "sqlite:///incident.db"\napi = "{api}"\nmodels = "models.py"\n'
        )
        time.sleep(2.5)  # what was written a moment ago is read again and again: models are older
        hook = Hook()
        try:
            return statistics.median(_first_times(hook, str(config))[2:])
        finally:
            hook.close()


def _first_times(hook: Hook, config: str) -> list[float]:
    times = []
    for number in range(NEW + 2):
        start = time.perf_counter()
        advice = hook.consult(
            _error(2), run=SEED, operation=f"GET /{number}", config=config, deadline=20
        )
        times.append((time.perf_counter() - start) * 1000)
        assert advice.cause == "enum_drift", advice
        time.sleep(0.1)
    return times
