"""How a log ends, said only where it can be told from its last lines."""

from __future__ import annotations

import re
from typing import Literal

_FEW = 20
_COMPLETE = re.compile(
    r"(?i)\b(?:finished|completed|exiting|all done|shut ?down complete|run complete"
    r"|exit(?:ed with)? (?:code|status) \d+|process finished)|=== .*\b(?:passed|failed)\b.* ==="
)
_ANSWERED = re.compile(r'\bHTTP Request: [A-Z]{3,7} \S+ "HTTP/[\d.]+ 2\d\d\b')
_WAITING = re.compile(
    r"(?i)\b(?:waiting|retrying|sleeping|polling|backing off)\b.{0,80}"
    r"(?:\.\.\.|…|(?:\b|\d)s(?:ec|econds)?\b)|(?:\.\.\.|…)\s*$"
)


def log_end(tail: bytes, lines: int) -> Literal["complete", "abrupt"] | None:
    """Return ``complete``, ``abrupt`` or, where nothing is sure, None.

    Abrupt: the last line waits for something, or it tells of an answer that nothing was made of, or
    it was cut, in a log of some length in which every line but this one is ended. Complete: one of
    the last five lines says so; what the very last one says counts more than those before it.
    """
    last = [line for line in tail.decode("utf-8", "replace").split("\n") if line.strip()][-5:]
    if not last or lines < _FEW:
        return None
    end = last[-1][:1000]
    if not _COMPLETE.search(end) and (_WAITING.search(end) or _ANSWERED.search(end)):
        return "abrupt"
    if any(_COMPLETE.search(line[:1000]) for line in last):
        return "complete"
    is_cut = not tail.endswith(b"\n") and len(last[-1]) < len(last[0]) // 2
    return "abrupt" if is_cut else None
