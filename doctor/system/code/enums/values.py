"""The few values that the reader of enums computes, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doctor.system.code.source.symbols import ClassRef, FunctionRef, UnreadableError


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enum; an alias is a second name for the value of an earlier member."""

    enum: str
    name: str
    value: Any = field(hash=False)
    mixin: str | None = None
    textual: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EnumDef:
    """A Python enum, read completely.

    Attributes:
        name: of the class.
        location: ``file:line`` of its definition.
        members: the member by each of its names, in the order of ``__members__``.
        ref: its class statement, or None for ``Enum("Name", ...)``.
        flags: it is a Flag, whose iteration leaves out members of several bits.
    """

    name: str
    location: str
    members: Mapping[str, Member]
    ref: ClassRef | None = None
    flags: bool = False

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names that are second names of a member."""
        return tuple(name for name, one in self.members.items() if one.name != name)


@dataclass(frozen=True, slots=True)
class MappedClass:
    """The class that a ``declared_attr`` receives."""

    name: str


@dataclass(frozen=True, slots=True)
class LiteralValues:
    """``Literal[...]`` with its values."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a plain value."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class BoundMethod:
    """A method of the source with its first argument."""

    function: FunctionRef
    first: Any


def plain(value: Any) -> Any:
    """Return what ``value`` compares as: members of str and int enums are their values."""
    return value.value if isinstance(value, Member) and value.mixin is not None else value


def text(value: Any) -> str:
    """Return ``str(value)`` for values where it is the same on every version of Python."""
    if isinstance(value, Member) and value.textual:
        value = value.value
    if type(value) not in {str, int, bool, float, type(None)}:
        raise UnreadableError("the text of a value is only known when the code runs")
    return str(value)


def items(value: Any) -> list[Any]:
    """Return the items of ``value`` in order; an enum has its members without aliases."""
    match value:
        case EnumDef(flags=False):
            return [one for name, one in value.members.items() if one.name == name]
        case str() | list() | tuple() | dict():
            return list(value)
    raise UnreadableError("the order of the values is only known when the code runs")
