"""What kind of failure it is: does it pass by itself, and how many equal ones prove otherwise?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

Nature = Literal["final", "certain", "passing", "unknown"]

ONCE, TWICE, THRICE = 1, 2, 3
PASSING_STATUS = frozenset({408, 409, 423, 425, 429, 502, 503, 504})
_WRITING = re.compile(r"(?i)(POST|PUT|PATCH|DELETE)\b")
_PASSING_STATE = re.compile(r"08|40001|40P01|53|55P03|57P0|58|SQLITE_(BUSY|LOCKED)")
_CERTAIN_STATE = re.compile(r"22|23|28|3D|3F|42|SQLITE_(CONSTRAINT|MISMATCH|RANGE|AUTH|NOTADB)")
_PASSING_TYPES = frozenset(
    {
        *("ConnectionError", "TimeoutError", "Timeout", "TimeoutException", "NetworkError"),
        *("RemoteDisconnected", "IncompleteRead", "TransportError", "ProtocolError"),
        *("NewConnectionError", "NameResolutionError", "ClientConnectionError"),
        *("BlockingIOError", "InterruptedError", "SSLError"),
    }
)
_CERTAIN_TYPES = frozenset(
    {"NameError", "ImportError", "SyntaxError", "NotImplementedError", "UnboundLocalError"}
)
_BUGS = frozenset({"TypeError", "AttributeError"})
_ENUM = re.compile(r"is not among the defined enum values")
_VARYING = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d+")
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_TEXT = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call as an executor reported it.

    Attributes:
        types: names of the exception's class and its bases, the class first.
        message: its text.
        location: where it was raised, as FILE:FUNCTION:LINE.
        status: HTTP status or SQLSTATE.
        retry_after: what the server said about when to come again.
    """

    run: str | None
    operation: str | None
    types: tuple[str, ...]
    message: str
    location: str | None
    status: int | str | None
    retry_after: str | None = None

    @property
    def label(self) -> str:
        """How a person calls it."""
        what = str(self.status or (self.types[0] if self.types else "failure"))
        return f"{self.operation or self.location or 'a call'}: {what}"[:_TEXT]

    @property
    def key(self) -> str:
        """What makes two failures the same, in every process.

        Where something was answered that is the answer; else it is the exception, where it was
        raised, and its text without numbers and ids.
        """
        if self.status is not None and self.operation is not None:
            return f"{self.operation} {self.status}"
        text = _VARYING.sub("#", self.message)[:_TEXT]
        kind = self.types[0] if self.types else ""
        return f"{self.operation} {self.status} {kind} {self.location} {text}"


def failure_from_json(question: Mapping[str, Any]) -> Failure:
    """Return the failure in a question."""
    error = question.get("error") or {}
    return Failure(
        question.get("run"),
        question.get("operation"),
        tuple(error.get("types") or ()),
        str(error.get("message") or ""),
        error.get("location"),
        question.get("status"),
        question.get("retry_after"),
    )


def nature_of(failure: Failure) -> tuple[Nature, int | None]:
    """Return the nature of a failure, and how many equal ones prove that retrying is useless.

    None: no number does. ``unknown`` has no number of its own.
    """
    status, types = failure.status, set(failure.types)
    if isinstance(status, int):
        return _by_status(status, failure.operation or "")
    if isinstance(status, str):
        if _PASSING_STATE.match(status):
            return "passing", None
        return ("certain", TWICE) if _CERTAIN_STATE.match(status) else ("unknown", None)
    if types & _PASSING_TYPES:
        return "passing", None
    if types & _CERTAIN_TYPES or _ENUM.search(failure.message):
        return "certain", TWICE
    return ("certain", THRICE) if types & _BUGS else ("unknown", None)


def _by_status(status: int, operation: str) -> tuple[Nature, int | None]:
    if status in PASSING_STATUS:
        return "passing", None
    if _CLIENT_ERROR <= status < _SERVER_ERROR:
        return "final", ONCE
    if status < _CLIENT_ERROR:
        return "unknown", None
    return "certain", THRICE if _WRITING.match(operation) else TWICE


def seconds_to_wait(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header means, or None."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())
