"""Operators and methods of plain values, bounded so that no source can exhaust memory."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from doctor.system.code.enums.values import EnumDef, LiteralValues, items, plain, text
from doctor.system.code.source.symbols import UnreadableError

MAX_SIZE = 10_000
_MAX_BITS = 256
_MAX_SHIFT = 64

_NUMBERS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
_SCALED = (ast.Pow, ast.LShift)
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
_TEXT_METHODS = frozenset(
    {"capitalize", "casefold", "endswith", "lower", "lstrip", "removeprefix", "removesuffix"}
    | {"replace", "rstrip", "split", "startswith", "strip", "swapcase", "title", "upper"}
)
_UNKNOWN = "the value is only known when the code runs"


def binary(kind: ast.operator, left: Any, right: Any) -> Any:
    """Return ``left <kind> right`` for numbers, and joins of texts, lists, tuples and dicts."""
    left, right = plain(left), plain(right)
    if isinstance(left, int) and isinstance(right, int):
        return _number(kind, left, right)
    joins = isinstance(kind, ast.Add) and type(left) in {str, list, tuple}
    merges = isinstance(kind, ast.BitOr) and type(left) is dict
    if type(left) is not type(right) or not (joins or merges):
        raise UnreadableError(_UNKNOWN)
    return bounded(left + right if joins else left | right)


def _number(kind: ast.operator, left: int, right: int) -> int:
    limit = _MAX_SHIFT if isinstance(kind, _SCALED) else 1 << _MAX_BITS
    if type(kind) not in _NUMBERS or abs(right) > limit or left.bit_length() > _MAX_BITS:
        raise UnreadableError(_UNKNOWN)
    result = guarded(_NUMBERS[type(kind)], left, right)
    if not isinstance(result, int):
        raise UnreadableError(_UNKNOWN)
    return result


def unary(kind: ast.unaryop, value: Any) -> Any:
    """Return ``<kind> value``."""
    return guarded(_UNARY[type(kind)], plain(value))


def compare(kind: ast.cmpop, left: Any, right: Any) -> Any:
    """Return ``left <kind> right`` for equality, identity and membership."""
    if type(kind) not in _COMPARE or isinstance(right, EnumDef):
        raise UnreadableError(_UNKNOWN)
    if isinstance(right, (list, tuple)):
        right = [plain(one) for one in right]
    return guarded(_COMPARE[type(kind)], plain(left), plain(right))


def guarded(function: Callable[..., Any], *args: Any) -> Any:
    """Return what ``function`` returns; its errors are those the code would raise."""
    try:
        return bounded(function(*args))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnreadableError(f"the value cannot be computed: {error}") from error


def bounded(value: Any) -> Any:
    """Return ``value``; raises UnreadableError where it is too large to be meant."""
    if isinstance(value, (str, list, tuple, dict)) and len(value) > MAX_SIZE:
        raise UnreadableError("the value is too large")
    return value


def method(owner: Any, name: str, args: list[Any]) -> Any:
    """Return ``owner.name(*args)`` for texts and dicts."""
    owner = plain(owner)
    if isinstance(owner, str) and name in _TEXT_METHODS:
        return guarded(getattr(str, name), owner, *map(plain, args))
    if isinstance(owner, str) and name == "join" and len(args) == 1:
        return guarded(owner.join, [plain(one) for one in items(args[0])])
    if isinstance(owner, dict) and name in {"keys", "values", "items"} and not args:
        return list(getattr(owner, name)())
    raise UnreadableError(f"the method {name!r} is not followed")


def _literal_values(value: Any) -> Any:
    if isinstance(value, LiteralValues):
        return value.values
    raise UnreadableError(_UNKNOWN)


def _set_of(value: Any) -> Any:
    return value if isinstance(value, frozenset) else guarded(frozenset, items(value))


_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "builtins.str": text,
    "builtins.list": items,
    "builtins.tuple": lambda value: tuple(items(value)),
    "builtins.reversed": lambda value: items(value)[::-1],
    "builtins.sorted": lambda value: guarded(sorted, [plain(one) for one in items(value)]),
    "builtins.len": lambda value: len(items(value)),
    "builtins.set": _set_of,
    "builtins.frozenset": _set_of,
    "typing.get_args": _literal_values,
    "typing_extensions.get_args": _literal_values,
}


def function(path: str, args: list[Any]) -> Any:
    """Return what the function at the dotted ``path`` returns, for the few that are known."""
    if path in _FUNCTIONS and len(args) == 1:
        return _FUNCTIONS[path](args[0])
    raise UnreadableError(f"the function {path!r} is not followed")
