"""What the child is told about a failure; made only where the answer is not known."""

from __future__ import annotations

from typing import Any

from doctor.executors.fingerprint import Key

TEXT_CAP = 4000
NAME_CAP = 200
_MOST_BASES = 12


def question_of(error: BaseException | str, key: Key) -> dict[str, Any]:
    """Return the question about a failure whose fingerprint is ``key``."""
    run, operation, status, config = key[3:]
    return {
        "kind": "failure",
        "error": _described(error, key),
        "run": _text(run),
        "operation": _text(operation),
        "status": status if isinstance(status, int) else _text(status),
        "retry_after": _retry_after(error),
        "config": _text(config),
    }


def _described(error: BaseException | str, key: Key) -> dict[str, Any]:
    if isinstance(error, str):
        return {"types": [], "message": error[:TEXT_CAP], "location": None}
    names = [one.__name__[:NAME_CAP] for one in type(error).__mro__[:_MOST_BASES]]
    return {"types": names, "message": _message(error), "location": _location(error, key)}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:TEXT_CAP]
    except Exception:  # noqa: BLE001 - somebody else's __str__
        return ""


def _location(error: BaseException, key: Key) -> str | None:
    _, code_id, line = key[:3]
    trace = error.__traceback__
    while trace is not None and (id(trace.tb_frame.f_code), trace.tb_lineno) != (code_id, line):
        trace = trace.tb_next
    if trace is None:
        return None
    code = trace.tb_frame.f_code
    return f"{code.co_filename}:{code.co_qualname}:{line}"[-NAME_CAP * 2 :]


def _retry_after(error: BaseException | str) -> str | None:
    try:
        response = getattr(error, "response", None)
        headers = getattr(error if response is None else response, "headers", None)
        found = headers.get("Retry-After") if headers is not None else None
    except Exception:  # noqa: BLE001 - somebody else's headers
        return None
    return found[:NAME_CAP] if isinstance(found, str) else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[: TEXT_CAP // 4]
