"""Log lines become facts: all patterns in one pass, then the captures of those that matched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from doctor.model.evidence import Value
from doctor.model.rule import Signature
from doctor.rulebook.patterns import compile_pattern, options

if TYPE_CHECKING:
    from doctor.rulebook.candidates import Candidates

MOST_SIGNATURES = 2_000
LONGEST_TEXT = 500
LONGEST_LINE = 65_536
_SET_MEMORY = 64 << 20
_SMALL_SET = 16
_MOST_SETS = 8
_WORTH_KEEPING = 3 << 16
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class SignatureSet:
    """Signatures compiled for matching; at most ``MOST_SIGNATURES`` of them.

    With ``remembers`` it looks on disk for what ``remember`` kept there.

    Raises:
        ValueError: too many signatures.
    """

    def __init__(self, signatures: Sequence[Signature], *, remembers: bool = False) -> None:
        if len(signatures) > MOST_SIGNATURES:
            raise ValueError(f"more than {MOST_SIGNATURES} signatures")
        self.signatures = tuple(signatures)
        self._captures: dict[int, tuple[Any, dict[str, int]]] = {}
        self._seen = 0
        self._remembers = remembers

    @cached_property
    def _candidates(self) -> Candidates | None:
        if not self._remembers or not self.signatures:
            return None
        from doctor.rulebook import candidates

        return candidates.find([one.pattern for one in self.signatures])

    @cached_property
    def _sets(self) -> list[tuple[int, Any]]:
        return _compile_small_sets(self.signatures)

    def match_line(self, text: str) -> list[tuple[Signature, dict[str, Value]]]:
        """Return each signature that the line fits, with its typed fields, in file order.

        Only the first signature of a kind counts. A signature whose text cannot be converted to
        the type of its field does not fit; a group without text gives no field. Only the first
        ``LONGEST_LINE`` characters of a line are looked at, values keep ``LONGEST_TEXT``.
        """
        return [(self.signatures[index], fields) for index, fields in self.match_text(text)]

    def match_lines(
        self, texts: Sequence[str]
    ) -> Iterator[list[tuple[Signature, dict[str, Value]]]]:
        """Yield for each line what ``match_line`` returns for it."""
        if self._candidates is None or any("\n" in text for text in texts):
            yield from map(self.match_line, texts)
            return
        lines = [text[:LONGEST_LINE].encode("utf-8", "replace") for text in texts]
        for line, numbers in zip(lines, self._candidates.of(lines), strict=True):
            fits = self.fitting(numbers, line) if numbers else ()
            yield [(self.signatures[index], fields) for index, fields in fits]

    def remember(self) -> None:
        """Keep on disk what makes the next process quicker, if so much was read that it pays."""
        if self._remembers and self._seen > _WORTH_KEEPING and self._candidates is None:
            from doctor.rulebook import candidates

            candidates.keep([one.pattern for one in self.signatures])
            self._seen = 0

    def match_text(self, text: str) -> list[tuple[int, dict[str, Value]]]:
        """Return the same as ``match_line`` with the number of each signature."""
        line = text[:LONGEST_LINE].encode("utf-8", "replace")
        self._seen += len(line)
        found = [first + one for first, each in self._sets for one in each.Match(line) or ()]
        return self.fitting(sorted(found), line) if found else []

    def fitting(self, candidates: Iterable[int], line: bytes) -> list[tuple[int, dict[str, Value]]]:
        """Return which of the signatures at ``candidates``, ascending, the line fits."""
        found: dict[str, tuple[int, dict[str, Value]]] = {}
        for index in candidates:
            kind = self.signatures[index].kind
            if kind in found:
                continue
            fields = self.fields(index, line)
            if fields is not None:
                found[kind] = (index, fields)
        return list(found.values())

    def fields(self, index: int, line: bytes) -> dict[str, Value] | None:
        """Return the typed fields of one signature, or None where the line does not fit it."""
        pattern, groups = self._captures.get(index) or self._compiled(index)
        match = pattern.search(line)
        if match is None:
            return None
        fields: dict[str, Value] = {}
        for name, kind in self.signatures[index].fields.items():
            captured: bytes | None = match.group(groups[name])
            if captured is None:
                continue
            value = _CONVERT[kind](captured.decode("utf-8", "replace"))
            if value is None:
                return None
            fields[name] = value
        return fields

    def _compiled(self, index: int) -> tuple[Any, dict[str, int]]:
        """Compile a pattern when a line fits it for the first time: most never meet one."""
        pattern = compile_pattern(self.signatures[index].pattern)
        self._captures[index] = pattern, dict(pattern.groupindex)
        return self._captures[index]


def _compile_small_sets(signatures: Sequence[Signature]) -> list[tuple[int, Any]]:
    """Return sets of some signatures each, with the number of the first.

    RE2 builds its automaton while it reads, the larger the set the more states, and begins anew
    where they are too many: on 8 MB of logs one set of 356 patterns takes 1.4 s a MB, eight 0.4 s.
    """
    size = max(_SMALL_SET, -(-len(signatures) // _MOST_SETS))
    starts = range(0, len(signatures), size)
    return [(first, compile_set(signatures[first : first + size])) for first in starts]


def compile_set(signatures: Iterable[Signature], memory: int = _SET_MEMORY) -> Any:
    """Return all patterns as one automaton; ``Match`` tells which of them a line has."""
    import re2

    compiled = re2.Set.SearchSet(options(memory))
    for signature in signatures:
        compiled.Add(signature.pattern)
    compiled.Compile()
    return compiled


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _float(text: str) -> float | None:
    return float(text) if _FLOAT.fullmatch(text) else None


def _boolean(text: str) -> bool | None:
    return _BOOLEANS.get(text.lower())


def _string(text: str) -> str:
    return text[:LONGEST_TEXT]


def _url_path(text: str) -> str:
    rest = re.split(r"[?#]", text, maxsplit=1)[0]
    if "://" in rest and not rest.startswith("/"):
        _, slash, path = rest.split("://", 1)[1].partition("/")
        rest = "/" + path if slash else "/"
    return rest[:LONGEST_TEXT]


_CONVERT: dict[str, Callable[[str], Value]] = {
    "str": _string,
    "int": _integer,
    "float": _float,
    "bool": _boolean,
    "url_path": _url_path,
}
