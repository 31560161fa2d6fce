"""How the value of an enum member comes about: ``auto()``, mixed-in types, aliases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from doctor.system.code.enums.bases import Inherited
from doctor.system.code.enums.evaluate import Evaluator
from doctor.system.code.enums.values import Member, plain
from doctor.system.code.source.symbols import UnreadableError

_DATA = (str, int, float, bool, bytes, complex, type(None), type(...))
_MAX_FLAG = 1 << 62


@dataclass(slots=True)
class MemberList:
    """The members of one enum as they are defined, one after another."""

    enum: str
    inherited: Inherited
    evaluator: Evaluator
    start: int = 1
    members: dict[str, Member] = field(default_factory=dict)
    _raw: list[Any] = field(default_factory=list)

    def next_value(self, name: str) -> Any:
        """Return what ``auto()`` gives to the member ``name``."""
        if self.inherited.counter is not None:
            arguments = [name, self.start, len(self._raw), list(self._raw)]
            return self.evaluator.call(self.inherited.counter, arguments)
        if self.inherited.counts == "name":
            return name.lower()
        if self.inherited.counts is None or any(type(one) is not int for one in self._raw):
            raise UnreadableError("what auto() gives differs by version of Python")
        highest = max(self._raw, default=self.start - 1)
        if self.inherited.counts == "bits":
            return 1 << max(highest, 0).bit_length()
        if self._raw and self._raw[-1] != highest:
            raise UnreadableError("what auto() gives differs by version of Python")
        return highest + 1

    def add(self, name: str, raw: Any) -> None:
        """Add the member ``name`` with the value that is written for it."""
        if name in self.members:
            raise UnreadableError(f"the member {name!r} is defined twice")
        value = self._converted(raw)
        same = next((one for one in self._distinct() if _equal(one.value, value)), None)
        textual = self.inherited.textual and not self.inherited.writes_text
        member = Member(self.enum, name, value, self.inherited.mixin, textual)
        self.members[name] = same or member
        self._raw.append(raw)

    def _distinct(self) -> list[Member]:
        return [one for name, one in self.members.items() if one.name == name]

    def _converted(self, raw: Any) -> Any:
        if not _is_data(raw):
            raise UnreadableError("the value of a member is only known when the code runs")
        mixin = self.inherited.mixin
        if self.inherited.counts == "bits" and not (type(raw) is int and 0 <= raw < _MAX_FLAG):
            raise UnreadableError("the value of a flag is no plain number")
        if mixin is None:
            return raw
        if mixin == "str" and type(raw) in {str, int} and not self._must_be_text(raw):
            return str(raw)
        if mixin == "int" and type(raw) in {int, bool}:
            return int(raw)
        if mixin == "float" and type(raw) in {int, float}:
            return float(raw)
        raise UnreadableError(f"the value of a member is made by {mixin}()")

    def _must_be_text(self, raw: Any) -> bool:
        return self.inherited.textual and type(raw) is not str


def _equal(left: Any, right: Any) -> bool:
    return bool(plain(left) == plain(right))


def _is_data(value: Any) -> bool:
    if isinstance(value, (tuple, list, frozenset)):
        return all(_is_data(one) for one in value)
    if isinstance(value, dict):
        return all(_is_data(one) for pair in value.items() for one in pair)
    return isinstance(value, Member) or type(value) in {*_DATA, object}
