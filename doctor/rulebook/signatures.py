"""Log lines become facts: all patterns in one pass, then the captures of those that matched."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from doctor.model.evidence import Value
from doctor.model.rule import Signature
from doctor.rulebook.patterns import compile_pattern, options

MOST_SIGNATURES = 2_000
LONGEST_TEXT = 500
LONGEST_LINE = 65_536
_SET_MEMORY = 64 << 20
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class SignatureSet:
    """Signatures compiled for matching; at most ``MOST_SIGNATURES`` of them.

    Raises:
        ValueError: too many signatures.
        PatternError: a pattern is no RE2 syntax.
    """

    def __init__(self, signatures: Sequence[Signature]) -> None:
        if len(signatures) > MOST_SIGNATURES:
            raise ValueError(f"more than {MOST_SIGNATURES} signatures")
        self._signatures = tuple(signatures)
        self._patterns = [compile_pattern(one.pattern) for one in signatures]
        self._groups = [dict(pattern.groupindex) for pattern in self._patterns]
        self._set = _compile_set(self._signatures) if signatures else None

    def match_line(self, text: str) -> list[tuple[Signature, dict[str, Value]]]:
        """Return each signature that the line fits, with its typed fields, in file order.

        Only the first signature of a kind counts. A signature whose text cannot be converted to
        the type of its field does not fit; a group without text gives no field. Only the first
        ``LONGEST_LINE`` characters of a line are looked at, values keep ``LONGEST_TEXT``.
        """
        if self._set is None:
            return []
        line = text[:LONGEST_LINE].encode("utf-8", "replace")
        found: dict[str, tuple[Signature, dict[str, Value]]] = {}
        for index in sorted(self._set.Match(line) or ()):
            signature = self._signatures[index]
            if signature.kind in found:
                continue
            fields = self._capture(index, line)
            if fields is not None:
                found[signature.kind] = (signature, fields)
        return list(found.values())

    def _capture(self, index: int, line: bytes) -> dict[str, Value] | None:
        match = self._patterns[index].search(line)
        if match is None:
            return None
        groups = self._groups[index]
        fields: dict[str, Value] = {}
        for name, kind in self._signatures[index].fields.items():
            captured: bytes | None = match.group(groups[name])
            if captured is None:
                continue
            value = _CONVERT[kind](captured.decode("utf-8", "replace"))
            if value is None:
                return None
            fields[name] = value
        return fields


def _compile_set(signatures: Sequence[Signature]) -> Any:
    import re2

    compiled = re2.Set.SearchSet(options(_SET_MEMORY))
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
