"""Answers what a guest asks of the system, through Doctor's own read-only ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, get_type_hints

from doctor.errors import SourceError
from doctor.guests.loading import shown
from doctor.guests.message import LINES_AT_ONCE, PORTS
from doctor.guests.wire import WireError, decode, encode
from doctor.model.ports import LogLine
from doctor.model.system import System

ROWS = 10_000
_METHODS = {
    "database": ("tables", "rows", "rows_not_in", "count", "missing_parents", "marker"),
    "api": ("get",),
    "code": ("models",),
}
_OPEN = 64


class Porter:
    """Stands at the ports of one system for the length of one call. It has no write door."""

    def __init__(self, system: System | None):
        self._system = system
        self._lines: list[Iterator[LogLine]] = []

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``{"value": ...}``, or ``{"error": text}`` where a port cannot be read.

        Raises WireError for a question that no port has.
        """
        try:
            port, method, given = question["port"], question["method"], question["with"]
            return {"value": encode(self._answer(port, method, given, question.get("number")))}
        except WireError:
            raise
        except SourceError as error:
            return {"error": error.message}
        except Exception as error:  # noqa: BLE001 - what a guest asks for may be anything
            return {"error": f"it cannot be answered: {shown(error)}"[:1000]}

    def _answer(self, port: Any, method: Any, given: Any, number: Any) -> object:
        if port == "lines":
            return tuple(islice(self._lines[number], LINES_AT_ONCE))
        if port in ("logs", "reports"):
            if len(self._lines) >= _OPEN:
                raise WireError(f"more than {_OPEN} logs are read in one call")
            self._lines.append(getattr(self._system, port)[number].lines())
            return len(self._lines) - 1
        if method not in _METHODS.get(port, ()):
            raise WireError(f"a question that no port has: {port}.{method}"[:200])
        call = getattr(getattr(self._system, port), method)
        hints = get_type_hints(getattr(PORTS[port], method))
        values = {name: decode(hints[name], one) for name, one in given.items()}
        if "limit" in values:
            values["limit"] = max(0, min(values["limit"], ROWS))
        return call(**values)
