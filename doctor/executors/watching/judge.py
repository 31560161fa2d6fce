"""Who says whether a command turns in a circle: the counters alone, or the warm child."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doctor.executors.advice import Advice, advice_from_json
from doctor.executors.adviser import Adviser, utc_now
from doctor.executors.client import Hook
from doctor.executors.ledger import Ledger
from doctor.executors.practice import Practice
from doctor.executors.watching.lines import Sighting
from doctor.store.identity import state_folder

DEADLINE = 10.0

Judge = Callable[[Sighting], Advice]


def counting_judge(config: str | None) -> Judge:
    """Return a judge that only counts: it answers at once, in this process."""
    ledger = Ledger(state_folder() / "loops")
    adviser = Adviser(Practice(lambda _: None), ledger, utc_now)

    def judge(one: Sighting) -> Advice:
        question: dict[str, Any] = {
            "kind": "failure",
            "run": None,
            "config": config,
            "operation": one.operation,
            "status": one.status,
            "error": {"types": [], "message": one.text, "location": None},
        }
        return advice_from_json(adviser.answer(question)["advice"])

    return judge


def examining_judge(hook: Hook, run: str, config: str | None) -> Judge:
    """Return a judge that has the run examined, and treated as far as its owner allows."""

    def judge(one: Sighting) -> Advice:
        return hook.consult(
            one.text if one.status is None else f"{one.operation} {one.status}",
            run=run,
            operation=one.operation,
            status=one.status,
            config=config,
            deadline=DEADLINE,
        )

    return judge
