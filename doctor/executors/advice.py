"""What the retry hook gets. Standard library only: this runs in an executor's process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

LONGEST = 86_400
Action = Literal["retry", "wait", "fixed", "stop", "asked"]


@dataclass(frozen=True)
class Advice:
    """One answer to "should this call be retried?".

    Attributes:
        action: ``fixed``: the cause is repaired, retry now; ``retry``: no opinion, do what you
            would have done; ``wait``: retry after ``delay``; ``stop``: retrying is useless;
            ``asked``: a human was asked, stop until they answered.
        delay: seconds before the next attempt, for ``wait``.
        reason: one sentence.
        incident: id of the incident, if one was opened.
        cause: the cause that was found, if any.
    """

    action: Action
    delay: float = 0.0
    reason: str = ""
    incident: str | None = None
    cause: str | None = None


def no_opinion(reason: str) -> Advice:
    """Return the advice to do as without Doctor."""
    return Advice("retry", reason=reason)


def advice_from_json(data: Any) -> Advice:
    """Return the advice in a reply; raises ValueError for anything else."""
    if not isinstance(data, dict) or data.get("action") not in get_args(Action):
        raise ValueError("the reply is no advice")
    delay = data.get("delay", 0.0)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= LONGEST:
        raise ValueError("the reply has no valid delay")
    texts = {name: data.get(name) for name in ("reason", "incident", "cause")}
    if any(value is not None and not isinstance(value, str) for value in texts.values()):
        raise ValueError("the reply has no valid text")
    return Advice(
        data["action"], float(delay), texts["reason"] or "", texts["incident"], texts["cause"]
    )
