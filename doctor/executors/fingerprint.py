"""What makes two errors the same: type, code location, run, operation, and what it answered.

Standard library only, and quick: this runs at every failing call. No traceback is formatted.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

DEEPEST = 12
LONGEST_TEXT = 200
_SQLSTATE = 5
_FIRST_STATUS, _LAST_STATUS = 100, 599

Key = tuple[Any, ...]


def fingerprint(
    error: BaseException | str, run: Any, operation: Any, status: Any, config: Any
) -> tuple[Key, CodeType | None]:
    """Return the key of a failure, and the code object that must be kept as long as the key.

    The key holds the id of the code, because hashing code costs more than all the rest; an id is
    only unique while its object lives.
    """
    if isinstance(error, str):
        return (str, error[:LONGEST_TEXT], 0, run, operation, status, config), None
    trace = error.__traceback__
    code, line = None, 0
    if trace is not None:
        for _ in range(DEEPEST):
            following = trace.tb_next
            if following is None:
                break
            trace = following
        code, line = trace.tb_frame.f_code, trace.tb_lineno
    if status is None:
        status = status_of(error)
    if operation is None:
        operation = operation_of(error)
    return (type(error), id(code), line, run, operation, status, config), code


def status_of(error: BaseException) -> int | str | None:
    """Return the HTTP status or the SQLSTATE that an exception carries, or None."""
    response = getattr(error, "response", None)
    if response is not None:  # a response may be false: those of requests are, from 400 on
        found = getattr(response, "status_code", None)
        if found is None:
            found = getattr(response, "status", None)
        if found is not None and _is_status(found):
            return int(found)
    for name in ("status", "status_code", "code"):
        found = getattr(error, name, None)
        if found is not None and _is_status(found):
            return int(found)
    found = getattr(error, "sqlstate", None)
    if found is None:
        cause = getattr(error, "orig", None)
        if cause is None:
            return None
        found = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return found if isinstance(found, str) and len(found) >= _SQLSTATE else None


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and _FIRST_STATUS <= value <= _LAST_STATUS


def operation_of(error: BaseException) -> str | None:
    """Return METHOD URL of the request that an exception of an HTTP library carries, or None."""
    try:
        request = getattr(error, "request", None)
    except RuntimeError:  # httpx raises it where no request is set
        return None
    if request is None:
        return None
    method, url = getattr(request, "method", None), getattr(request, "url", None)
    return f"{method} {url}" if isinstance(method, str) and url is not None else None
