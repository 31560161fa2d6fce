"""What the retry hook gets. Standard library only: this runs in an executor's process."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

LONGEST = 86_400
Action = Literal["retry", "wait", "fixed", "stop", "asked"]


class Receipt(NamedTuple):
    """Why Doctor advises against going on, and what was spent before it did.

    Attributes:
        why: one sentence.
        tried: what was tried, one line each.
        calls: failing calls that were counted, in all processes.
        seconds: from the first of them to the last.
    """

    why: str
    tried: tuple[str, ...] = ()
    calls: int = 0
    seconds: float = 0.0


class Advice(NamedTuple):
    """One answer to "should this call be retried?".

    Attributes:
        action: ``fixed``: the cause is repaired, retry now; ``retry``: no opinion, do what you
            would have done; ``wait``: retry after ``delay``; ``stop``: retrying is useless;
            ``asked``: a human was asked, stop until they answered.
        delay: seconds before the next attempt, for ``wait``.
        reason: one sentence.
        incident: id of the incident, if one was opened.
        cause: the cause that was found, if any.
        receipt: for ``stop`` by the loop detector: why, what was tried, what it cost.
    """

    action: Action
    delay: float = 0.0
    reason: str = ""
    incident: str | None = None
    cause: str | None = None
    receipt: Receipt | None = None

    @property
    def is_final(self) -> bool:
        """Whether the executor should not try again by itself."""
        return self.action in ("stop", "asked")


def no_opinion(reason: str) -> Advice:
    """Return the advice to do as without Doctor."""
    return Advice("retry", reason=reason)


def advice_from_json(data: Any) -> Advice:
    """Return the advice in a reply; raises ValueError for anything else."""
    if not isinstance(data, dict) or data.get("action") not in get_args(Action):
        raise ValueError("the reply is no advice")
    delay = _number(data.get("delay", 0.0), "delay")
    texts = {name: data.get(name) for name in ("reason", "incident", "cause")}
    if any(value is not None and not isinstance(value, str) for value in texts.values()):
        raise ValueError("the reply has no valid text")
    return Advice(
        data["action"],
        delay,
        texts["reason"] or "",
        texts["incident"],
        texts["cause"],
        _receipt(data.get("receipt")),
    )


def advice_to_json(advice: Advice) -> dict[str, Any]:
    """Return the advice as every door emits it."""
    receipt = advice.receipt
    return {**advice._asdict(), "receipt": receipt._asdict() if receipt else None}


def _receipt(data: Any) -> Receipt | None:
    if data is None:
        return None
    if not isinstance(data, dict):
        raise ValueError("the reply has no valid receipt")  # noqa: TRY004 - one error for replies  # noqa: TRY004 - like the rest
    tried, calls = data.get("tried"), data.get("calls")
    if not isinstance(tried, list | tuple) or not all(isinstance(one, str) for one in tried):
        raise ValueError("the reply has no valid list of what was tried")
    if not isinstance(calls, int) or not isinstance(data.get("why"), str):
        raise ValueError("the reply has no valid receipt")  # noqa: TRY004 - one error for replies
    return Receipt(data["why"], tuple(tried), calls, _number(data.get("seconds"), "seconds"))


def _number(value: Any, name: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= LONGEST:
        raise ValueError(f"the reply has no valid {name}")
    return float(value)
