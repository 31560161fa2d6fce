"""From the bytes of a stream to the failures in its lines, quickly: most blocks hold none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from doctor.model.rule import Signature
from doctor.rulebook.signatures import SignatureSet, compile_set

LONGEST_LINE = 1 << 16
_SMALL = 1 << 12
_METHOD = re.compile(r"\b(GET|HEAD|POST|PUT|PATCH|DELETE)\b")
_STAMP = re.compile(r"^\W*\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?\S*\s*")
_HTTP = "http.failure"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A failure that a line tells of: what was called, what was answered, or just the text."""

    text: str
    operation: str | None = None
    status: int | None = None


class LineReader:
    """Finds failures in the blocks of one stream; a line may be cut anywhere."""

    def __init__(self, signatures: Iterable[Signature]):
        chosen = [one for one in signatures if _is_telling(one)]
        self._set = SignatureSet(chosen)
        anchored = [replace(one, pattern=f"(?m){one.pattern}") for one in chosen]
        self._quick = compile_set(anchored) if chosen else None
        self._rest = b""

    def read(self, block: bytes) -> Iterator[Sighting]:
        """Yield what the whole lines in ``block`` and before it tell of."""
        data = self._rest + block
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > LONGEST_LINE:
            cut = len(data)
        self._rest = data[cut:]
        yield from self._in(data[:cut])

    def _in(self, data: bytes) -> Iterator[Sighting]:
        if not data or self._quick is None or not self._quick.Match(data):
            return
        if len(data) > _SMALL:
            middle = data.find(b"\n", len(data) // 2) + 1
            if 0 < middle < len(data):
                yield from self._in(data[:middle])
                yield from self._in(data[middle:])
                return
        for line in data.splitlines():
            yield from self._of(line[:LONGEST_LINE].decode("utf-8", "replace"))

    def _of(self, line: str) -> Iterator[Sighting]:
        for signature, fields in self._set.match_line(line):
            if signature.kind != _HTTP:
                yield Sighting(_STAMP.sub("", line)[:500])
                return
            status, endpoint = fields.get("status"), fields.get("endpoint")
            if isinstance(status, int) and isinstance(endpoint, str):
                method = _METHOD.search(line)
                operation = f"{method[0]} {endpoint}" if method else endpoint
                yield Sighting(line[:500], operation, status)
                return


def _is_telling(signature: Signature) -> bool:
    """Whether a line of this kind says that something failed which does not pass by itself."""
    if signature.kind == _HTTP:
        return True
    symptom = signature.symptom
    return symptom is not None and symptom.retryable is False and not symptom.noise
