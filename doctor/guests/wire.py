"""Values as JSON and back, by their declared types: what does not fit its type is refused.

A dataclass is the list of its fields, bytes are ``{"b": hex}``, a mapping is ``{"m": {...}}``.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_PLAIN = (str, int, float, bool, type(None))
HEAD = 4


class WireError(ValueError):
    """What came does not have the declared type."""


def pack(document: Mapping[str, Any]) -> bytes:
    """Return a frame: the length in four bytes, then that much JSON."""
    import json

    return frame(json.dumps(document, separators=(",", ":")))


def frame(text: str) -> bytes:
    """Return the frame of JSON."""
    body = text.encode("ascii")
    return len(body).to_bytes(HEAD, "big") + body


def take(buffer: bytearray, cap: int) -> dict[str, Any] | None:
    """Remove the first whole frame; None while there is none; WireError where it is none."""
    if len(buffer) < HEAD:
        return None
    size = int.from_bytes(buffer[:HEAD], "big")
    if size > cap:
        raise WireError(f"a message of {size:,} bytes")
    if len(buffer) < HEAD + size:
        return None
    import json

    body = bytes(buffer[HEAD : HEAD + size])
    del buffer[: HEAD + size]
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise WireError("a message that is no JSON") from None
    if not isinstance(document, dict):
        raise WireError("a message that is no object")
    return document


def encode(value: object) -> Any:
    """Return ``value`` as JSON; raises WireError for what no model holds."""
    if isinstance(value, _PLAIN):
        return int(value) if isinstance(value, IntEnum) else value
    if isinstance(value, bytes):
        return {"b": value.hex()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {"m": {_key(name): encode(one) for name, one in value.items()}}
    if isinstance(value, tuple | list | frozenset):
        return [encode(one) for one in value]
    if dataclasses.is_dataclass(value):
        return [encode(getattr(value, one.name)) for one in dataclasses.fields(value)]
    raise WireError(f"{type(value).__name__} cannot be sent")


def decode(declared: Any, data: Any) -> Any:
    """Return the value of type ``declared`` that ``data`` stands for, or raise WireError."""
    try:
        return _decoder(declared)(data)
    except RecursionError:
        raise WireError("it is nested too deeply") from None


def _key(name: object) -> str:
    if not isinstance(name, str):
        raise WireError(f"{type(name).__name__} cannot be a name")
    return name


@cache
def _decoder(declared: Any) -> Callable[[Any], Any]:
    if get_origin(declared) is not None:
        return _decoder_of(get_origin(declared), get_args(declared))
    if dataclasses.is_dataclass(declared):
        return _dataclass(declared)
    if isinstance(declared, type) and issubclass(declared, IntEnum):
        return lambda data: _made(declared, _typed(int, data))
    own: dict[Any, Callable[[Any], Any]] = {bytes: _bytes, float: _number, datetime: _moment}
    return own.get(declared) or (lambda data: _typed(declared, data))


def _decoder_of(origin: Any, arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    if origin in (Union, types.UnionType):
        return lambda data: _one_of(arguments, data)
    if origin is Literal:
        return lambda data: _literal(arguments, data)
    if issubclass(origin, Mapping):
        return lambda data: _mapping(arguments[1], data)
    make = frozenset if origin is frozenset else tuple
    if origin is tuple and Ellipsis not in arguments:
        return lambda data: _row(arguments, data)
    return lambda data: make(decode(arguments[0], one) for one in _typed(list, data))


def _row(declared: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if len(_typed(list, data)) != len(declared):
        raise WireError(f"{len(data)} values instead of {len(declared)}")
    return tuple(decode(one, value) for one, value in zip(declared, data, strict=True))


def _moment(data: Any) -> Any:
    return _made(datetime.fromisoformat, _typed(str, data))


def _dataclass(declared: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(declared)
    names = [one.name for one in dataclasses.fields(declared)]

    def made(data: Any) -> Any:
        if len(_typed(list, data)) != len(names):
            raise WireError(f"{len(data)} fields are no {declared.__name__}")
        parts = zip(names, data, strict=True)
        return declared(**{name: decode(hints[name], one) for name, one in parts})

    return made


def _one_of(choices: tuple[Any, ...], data: Any) -> Any:
    for one in choices:
        try:
            return _decoder(one)(data)
        except WireError:
            continue
    raise WireError(f"{type(data).__name__} is none of the declared types")


def _literal(choices: tuple[Any, ...], data: Any) -> Any:
    for one in choices:
        if type(one) is type(data) and one == data:
            return one
    raise WireError(f"{data!r:.50} is none of {choices}")


def _mapping(of: Any, data: Any) -> Any:
    if not isinstance(data, dict) or list(data) != ["m"]:
        raise WireError(f"{type(data).__name__} is no mapping")
    return {name: decode(of, one) for name, one in _typed(dict, data["m"]).items()}


def _bytes(data: Any) -> bytes:
    if not isinstance(data, dict) or list(data) != ["b"]:
        raise WireError(f"{type(data).__name__} is not bytes")
    made: bytes = _made(bytes.fromhex, _typed(str, data["b"]))
    return made


def _number(data: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise WireError(f"{type(data).__name__} is no number")
    try:
        return float(data)
    except OverflowError:
        raise WireError("a number is too large") from None


def _typed(declared: type, data: Any) -> Any:
    if type(data) is not declared:
        raise WireError(f"{type(data).__name__} is no {declared.__name__}")
    return data


def _made(make: Callable[[Any], Any], data: Any) -> Any:
    try:
        return make(data)
    except ValueError:
        raise WireError(f"{data!r:.50} cannot be read") from None
