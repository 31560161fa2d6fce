"""Python tracebacks in a log, line by line: chained, grouped, behind prefixes, or cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

from doctor.model.evidence import Value
from doctor.system.clock import stamp

HEAD = "Traceback (most recent call last)"
_LONGEST = 2_000
_AFTER = 25
_TEXT = 500
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]{1,400})", line (?P<line>\d{1,9})')
_LAST = re.compile(
    r"^(?P<type>[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)(?:: ?(?P<message>.*))?$", re.DOTALL
)
_MARGIN = re.compile(r"^\s*(?:\| ?|\+ (?=Exception)|\+-\+?-+(?: (?:\d+|\.\.\.) -+)?$)")
_CHAIN = (
    "The above exception was the direct cause of the following exception",
    "During handling of the above exception, another exception occurred",
)


@dataclass(slots=True)
class _Raised:
    type: str
    message: str


class TracebackReader:
    """Reads one traceback, from its head to its end."""

    def __init__(self) -> None:
        self._read = 0
        self._prefix: int | None = 0
        self._width = 0
        self._is_group = self._is_nested = False
        self._in_stack = False
        self._first: _Raised | None = None
        self._last: _Raised | None = None
        self._frame: tuple[str, int] | None = None
        self._since = 0
        self._is_over = False

    def feed(self, text: str) -> bool:
        """Take the next line; return False when the traceback was over before it."""
        self._read += 1
        if self._is_over or self._read > _LONGEST:
            return False
        at = text.find(HEAD)
        if at >= 0:
            return self._begin(text, at)
        body = self._body(text)
        if self._in_stack:
            self._in_stack = self._stack(body)
            return not self._is_over
        return self._between(body)

    @property
    def fields(self) -> dict[str, Value] | None:
        """What was raised, or None where the traceback was cut before it said so."""
        if self._last is None or self._first is None:
            return None
        fields: dict[str, Value] = {
            "type": self._last.type,
            "message": self._last.message,
            "root_type": self._first.type,
            "root_message": self._first.message,
        }
        if self._frame is not None:
            fields["file"], fields["line"] = self._frame
        return fields

    def _begin(self, text: str, at: int) -> bool:
        is_new = self._last is not None and not self._is_group and self._since >= 0
        if is_new or (self._in_stack and not self._is_group):
            self._is_over = True  # another one, not linked to this one
            return False
        if text[:at].rstrip().endswith("Exception Group"):
            self._is_group = True
            at = text.rfind("+", 0, at) if "+" in text[:at] else at - len("Exception Group ")
        self._prefix = None if text[:at].strip(" |+") else at
        self._width = at
        self._in_stack = True
        self._since = 0
        return True

    def _body(self, text: str) -> str:
        """Return the line without the log's own prefix and the margin of a group."""
        if self._prefix is None:
            found = _FRAME.match(text[self._width :].lstrip(" |"))
            self._prefix = self._width if found or stamp(text) is not None else 0
        text = text[self._prefix :]
        while self._is_group and (margin := _MARGIN.match(text)):
            self._is_nested = self._is_nested or "-" in margin[0]
            text = text[margin.end() :]
        return text

    def _stack(self, body: str) -> bool:
        """Take a line of the stack; return False at the line that names the exception."""
        frame = _FRAME.match(body)
        if frame is not None:
            if self._last is None or not self._is_group:
                self._frame = (frame["file"], int(frame["line"]))
            return True
        if not body.strip() or body[0].isspace():
            return True
        last = _LAST.match(body.rstrip())
        if last is None:
            self._is_over = True
            return False
        raised = _raised(last)
        if self._is_group and self._last is not None:
            if self._first is self._last:
                self._first = raised
        else:
            self._first = self._first or raised
            self._last = raised
        return False

    def _between(self, body: str) -> bool:
        """Look for what links this exception to another; the rest is its message."""
        self._since += 1
        if body.startswith(_CHAIN):
            self._since = -3
        elif self._is_nested and self._first is self._last and (found := _LAST.match(body)):
            self._first = _raised(found)
        elif self._since > _AFTER or (self._since > 0 and stamp(body) is not None):
            self._is_over = True
        return not self._is_over


def _raised(found: re.Match[str]) -> _Raised:
    return _Raised(found["type"][:_TEXT], (found["message"] or "")[:_TEXT].rstrip())
