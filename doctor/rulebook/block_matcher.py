"""Finds the signatures in whole blocks of lines, the same ones as a ``SignatureSet`` line by line.

Measured on 200 MB of real logs with 1,000 signatures (one core, lines counted and attributed):
hyperscan 650 to 1,000 MB/s, RE2's set line by line 60 to 100 MB/s, ripgrep 400 MB/s. So hyperscan
looks at a block first, for patterns that find at least what the signatures find (``superset``).
Each line that it points at is then decided by RE2, unless the pattern is exact and the line plain
ASCII: there the byte engine and RE2 mean the same. It costs 50 ms to import, so that short logs
are read by RE2 alone, as everything is where it is not installed. Where its automata are not on
disk yet, which takes some ten seconds for 350 signatures, that pays for larger logs only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from doctor.model.evidence import Value
from doctor.model.rule import Signature
from doctor.rulebook import automaton
from doctor.rulebook.byte_pattern import NoSupersetError
from doctor.rulebook.candidates import FOLDING
from doctor.rulebook.sieve import Sieve
from doctor.rulebook.signatures import LONGEST_LINE, SignatureSet, compile_set
from doctor.rulebook.superset import Superset, superset

_SMALL = 1 << 20
_WORTH_COMPILING = 32 << 20
_RETURN = 13
_SURE = 100_000
_ALONE_MEMORY = 8 << 20


Known = Mapping[int, dict[str, Value]]
# A line that fits signatures: where it starts and ends in its block, which signatures by number,
# ascending, and those of their fields that are captured already. A tuple, since millions are made.
LineHit = tuple[int, int, tuple[int, ...], Known]
_NOTHING: Known = {}


class BlockMatcher:
    """Signatures compiled for blocks: bytes of UTF-8 in which every line ends with a byte 10.

    ``small`` bytes are read without the automata; None: as many as pay.
    """

    def __init__(self, signatures: Sequence[Signature], *, small: int | None = None) -> None:
        self.signatures = tuple(signatures)
        self._set = SignatureSet(signatures)
        self._small = small
        self._seen = 0

    def hits(self, data: bytes) -> list[LineHit]:
        """Return the lines of a block that fit a signature, in order."""
        self._seen += len(data)
        fast = self._fast if self.signatures and self._is_much else None
        return self._slowly(data) if fast is None else fast.hits(data)

    def fields(self, hit: LineHit, signature: int, data: bytes) -> dict[str, Value]:
        """Return the typed fields of one signature of a hit."""
        start, end, _, known = hit
        found = known.get(signature)
        if found is None:
            found = self._set.fields(signature, _readable(data[start:end]))
        return found or {}

    @property
    def _is_much(self) -> bool:
        if self._small is not None:
            return self._seen > self._small
        return self._seen > _WORTH_COMPILING or (self._seen > _SMALL and self._is_on_disk)

    @cached_property
    def _is_on_disk(self) -> bool:
        return automaton.was_built(one.pattern for one in self.signatures)

    @cached_property
    def _fast(self) -> _Fast | None:
        made = _Fast.made(self._set)
        if made is not None:
            automaton.note_built(one.pattern for one in self.signatures)
        return made

    def _slowly(self, data: bytes) -> list[LineHit]:
        hits: list[LineHit] = []
        start = 0
        for line in data.split(b"\n"):
            end = start + len(line)
            found = match(self._set, line)
            if found:
                hits.append((start, end, tuple(sorted(found)), found))
            start = end + 1
        return hits


def match(signatures: SignatureSet, line: bytes) -> dict[int, dict[str, Value]]:
    """Return what one line of bytes fits, by the signature's number: the reference."""
    return dict(signatures.match_text(line.decode("utf-8", "replace").rstrip("\r")))


class _Fast:
    """The automata, and what they leave to RE2."""

    def __init__(
        self,
        signatures: SignatureSet,
        sieve: Sieve,
        easier: Mapping[int, Superset],
        rest: Sequence[int],
    ) -> None:
        self._set = signatures
        self._sieve = sieve
        self._count = len(signatures.signatures)
        self._same = sieve.same
        self._rest = rest
        self._rest_set: Any = compile_set(signatures.signatures[one] for one in rest)
        self._exact = [one in easier and easier[one].exact for one in range(self._count)]
        self._converts = [
            all(
                kind in ("str", "url_path")
                or (kind == "int" and index in easier and name in easier[index].numbers)
                for name, kind in one.fields.items()
            )
            for index, one in enumerate(signatures.signatures)
        ]
        self._alone: dict[int, Any] = {}
        self._sure: dict[tuple[int, ...], tuple[int, ...]] = {}

    @classmethod
    def made(cls, signatures: SignatureSet) -> _Fast | None:
        """Return it, or None where the engine cannot be used."""
        easier: dict[int, Superset] = {}
        for index, one in enumerate(signatures.signatures):
            try:
                easier[index] = superset(one.pattern)
            except NoSupersetError:
                continue
        count = len(signatures.signatures)
        folding = {count: b"|".join(FOLDING)}
        sieve = Sieve.made(easier, folding, count + 1)
        if sieve is None:
            return None
        rest = [one for one in range(count) if one not in easier or one in sieve.left]
        return cls(signatures, sieve, easier, rest)

    def hits(self, data: bytes) -> list[LineHit]:
        """Return the lines of a block that fit a signature, in order."""
        ends = self._sieve.ends(data)
        if self._rest:
            ends = sorted([*ends, *self._rest_ends(data)])
        if len(data) > LONGEST_LINE:
            longest = [(end, self._count) for end in _long_ends(data)]
            ends = sorted([*ends, *longest]) if longest else ends
        if not ends:
            return []
        has_returns = _RETURN in data
        find, find_last, sure = data.find, data.rfind, self._sure
        hits: list[LineHit] = []
        start = stop = -1
        numbers: tuple[int, ...] = ()
        ends.append((len(data) + 2, 0))
        for end, number in ends:
            if end <= stop:
                numbers += (number,)
                continue
            if numbers:
                line = data[start:stop]
                fits = sure[numbers] if numbers in sure else self._sure_of(numbers)
                is_plain = (
                    line.isascii()
                    and stop - start <= LONGEST_LINE
                    and not (has_returns and line.endswith(b"\r"))
                )
                known = _NOTHING
                if not (fits and is_plain):
                    fits, known = self._decided(line, numbers, is_plain=is_plain)
                if fits:
                    hits.append((start, stop, fits, known))
            start = find_last(b"\n", 0, end) + 1
            stop = find(b"\n", end)
            if stop < 0:
                stop = len(data)
            numbers = (number,)
        return hits

    def _sure_of(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """Return what these patterns mean on a plain line where each is exact, else nothing."""
        fits: tuple[int, ...] = ()
        meant = self._meant(numbers)
        if self._count not in numbers and all(
            self._exact[one] and self._converts[one] for one in meant
        ):
            kinds: dict[str, int] = {}
            for one in meant:
                kinds.setdefault(self._set.signatures[one].kind, one)
            fits = tuple(kinds.values())
        if len(self._sure) < _SURE:
            self._sure[numbers] = fits
        return fits

    def _meant(self, numbers: tuple[int, ...]) -> list[int]:
        """Return the signatures that these patterns stand for, ascending."""
        same = self._same
        return sorted({index for one in numbers for index in same.get(one, (one,))})

    def _decided(
        self, line: bytes, numbers: tuple[int, ...], *, is_plain: bool
    ) -> tuple[tuple[int, ...], Known]:
        """Return what the line fits of the signatures that it may fit."""
        if self._count in numbers:
            found = match(self._set, line)
            return tuple(sorted(found)), found
        line = line if is_plain else _readable(line)
        kinds: set[str] = set()
        fits: list[int] = []
        known: dict[int, dict[str, Value]] = {}
        for one in self._meant(numbers):
            kind = self._set.signatures[one].kind
            if kind in kinds:
                continue
            if not self._converts[one]:
                fields = self._set.fields(one, line)
                if fields is None:
                    continue
                known[one] = fields
            elif not (is_plain and self._exact[one]) and not self._is_found(one, line):
                continue
            kinds.add(kind)
            fits.append(one)
        return tuple(fits), known

    def _is_found(self, number: int, line: bytes) -> bool:
        """Ask RE2, without captures: that is its fastest way."""
        alone = self._alone.get(number)
        if alone is None:
            alone = compile_set([self._set.signatures[number]], _ALONE_MEMORY).Match
            self._alone[number] = alone
        return bool(alone(line))

    def _rest_ends(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the ends of lines that fit what the automaton could not take."""
        end = -1
        for line in data.split(b"\n"):
            end += len(line) + 1
            for one in self._rest_set.Match(_readable(line)) or ():
                yield end, self._rest[one]


def _long_ends(data: bytes) -> Iterator[int]:
    """Yield where lines end of which the reference looks at the beginning only."""
    start = 0
    while len(data) - start > LONGEST_LINE:
        end = data.rfind(b"\n", start, start + LONGEST_LINE + 1)
        if end < 0:
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            yield end
        start = end + 1


def _readable(line: bytes) -> bytes:
    """Return a line as the reference sees it: valid UTF-8, cut, without CR at its end."""
    if line.isascii():
        return line.rstrip(b"\r")[:LONGEST_LINE]
    return line.decode("utf-8", "replace").rstrip("\r")[:LONGEST_LINE].encode()
