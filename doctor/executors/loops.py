"""Finds out that an executor turns in a circle, from what the ledger remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from doctor.executors.advice import Receipt
from doctor.executors.failure import Failure, Nature, nature_of
from doctor.executors.ledger import Ledger, Page, boot, is_alive
from doctor.settings import HookSettings

NO_PROGRESS = 3
DEATHS = 3
_BUDGET = "the retries of all runs"
_BUCKETS = 30
_TEXT = 200
_MOST_TRIED = 8


@dataclass(frozen=True, slots=True)
class Loop:
    """What the detector says about one failure.

    Attributes:
        nature: whether such a failure passes by itself.
        count: equal failures so far, in all processes.
        left: how many more may come before it is a loop; None: any number.
        receipt: set where it is a loop.
    """

    nature: Nature
    count: int
    left: int | None
    receipt: Receipt | None = None


class LoopDetector:
    """Counts what happens to runs; a success of the same call makes its failures forgotten.

    ``place`` keeps the runs and calls of one project from those of another.
    """

    def __init__(self, ledger: Ledger, settings: HookSettings, place: str):
        self._ledger = ledger
        self._place = place
        self._settings = settings

    def failed(self, failure: Failure, repeats: int, now: float) -> Loop:
        """Count a failure, and ``repeats`` equal ones before it that were not reported."""
        nature, limit = nature_of(failure)
        if limit is None and nature == "unknown":
            limit = self._settings.same_failure
        with self._ledger.page(self._page(failure.run, failure.operation), now) as page:
            entry = page["failures"].setdefault(failure.key, {"count": 0, "first": now})
            entry["count"] += 1 + max(0, repeats)
            entry |= {"last": now, "label": failure.label, "operation": failure.operation}
            died = _deaths(page, failure.operation, now)
            count = entry["count"]
            receipt = None
            if limit is not None and count >= limit:
                receipt = _receipt(page, _proof(failure, count))
            elif died >= DEATHS:
                receipt = _receipt(page, f"{died} attempts died without an exception")
        left = None if limit is None else max(0, limit - count)
        return Loop(nature, count, left, receipt)

    def succeeded(self, run: str | None, operation: str | None, now: float) -> None:
        """Forget the failures and deaths of a call, or of a whole run."""
        with self._ledger.page(self._page(run, operation), now) as page:
            for part in ("failures", "deaths"):
                page[part] = {
                    name: entry
                    for name, entry in page[part].items()
                    if operation is not None and entry.get("operation") != operation
                }

    def progressed(self, run: str, phase: str, result: str, now: float) -> Receipt | None:
        """Count a phase's result; a receipt where it came out the same three times."""
        with self._ledger.page(self._page(run, None), now) as page:
            entry = page["progress"].setdefault(phase[:_TEXT], {"result": None, "first": now})
            if entry["result"] != result:
                entry |= {"result": result, "count": 0, "first": now}
            entry |= {"count": entry["count"] + 1, "last": now}
            if entry["count"] < NO_PROGRESS:
                return None
            times = f"{entry['count']} times the same result: {result}"
            return _receipt(page, f"phase {phase!r} makes no progress, {times}"[: 2 * _TEXT])

    def started(
        self, attempt: str, run: str | None, operation: str | None, pid: int, now: float
    ) -> None:
        """Remember that a worker began an attempt."""
        with self._ledger.page(self._page(run, operation), now) as page:
            page["attempts"][attempt] = {
                "operation": operation,
                "pid": pid,
                "boot": boot(),
                "first": now,
                "last": now,
            }

    def ended(self, attempt: str, run: str | None, operation: str | None, now: float) -> None:
        """Remember that an attempt ended, well or with an exception."""
        with self._ledger.page(self._page(run, operation), now) as page:
            page["attempts"].pop(attempt, None)

    def died(self, attempt: str, run: str | None, operation: str | None, now: float) -> None:
        """Remember that the worker of an attempt is gone and the attempt never ended."""
        with self._ledger.page(self._page(run, operation), now) as page:
            if page["attempts"].pop(attempt, None) is not None:
                _bury(page, operation, now)

    def outlook(self, run: str | None, operation: str | None, now: float) -> Receipt | None:
        """Return a receipt where the attempts before this one died without an exception."""
        with self._ledger.page(self._page(run, operation), now) as page:
            died = _deaths(page, operation, now)
            if died < DEATHS:
                return None
            return _receipt(page, f"{died} attempts died without an exception")

    def _page(self, run: str | None, operation: str | None) -> str:
        return f"{self._place} {f'run {run}' if run is not None else f'operation {operation}'}"

    def grant(self, retries: int, delay: float, now: float) -> float:
        """Take retries from the budget that all runs share; return the seconds to wait for it.

        A retry counts from now until its back-off has ended and the window after it has passed.
        """
        window = self._settings.retries
        size = window.per / _BUCKETS
        with self._ledger.page(f"{self._place} {_BUDGET}", now) as page:
            entries = page["retries"]
            for name in [one for one, each in entries.items() if each["last"] <= now - window.per]:
                del entries[name]
            spent = sum(each["count"] for each in entries.values())
            if spent >= window.points:
                oldest = float(min(each["last"] for each in entries.values()))
                return max(size, oldest + window.per - now)
            name = str(int((now + delay) / size))
            entry = entries.setdefault(name, {"count": 0})
            entry |= {"count": entry["count"] + retries, "last": now + delay}
            return 0.0


def _proof(failure: Failure, count: int) -> str:
    if count == 1:
        return f"{failure.label} does not pass by itself"
    return f"{count} times the same failure: {failure.label}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _deaths(page: Page, operation: str | None, now: float) -> int:
    for name, entry in list(page["attempts"].items()):
        if not is_alive(int(entry.get("pid") or 0), str(entry.get("boot"))):
            del page["attempts"][name]
            _bury(page, entry.get("operation"), now)
    found: dict[str, Any] = page["deaths"].get(str(operation), {})
    return int(found.get("count", 0))


def _bury(page: Page, operation: str | None, now: float) -> None:
    entry = page["deaths"].setdefault(str(operation), {"count": 0, "first": now})
    entry |= {"count": entry["count"] + 1, "last": now, "operation": operation}


def _receipt(page: Page, why: str) -> Receipt:
    """Add up what a run has cost so far."""
    failures = sorted(page["failures"].values(), key=lambda one: -one["count"])
    deaths = page["deaths"].values()
    tried = [f"{one['label']}, {_times(one['count'])}" for one in failures]
    tried += [f"{one['operation'] or 'an attempt'}: died, {_times(one['count'])}" for one in deaths]
    every = [*failures, *deaths]
    calls = sum(one["count"] for one in every)
    first = min((one["first"] for one in every), default=0.0)
    last = max((one["last"] for one in every), default=0.0)
    return Receipt(why, tuple(tried[:_MOST_TRIED]), calls, round(max(0.0, last - first), 3))
