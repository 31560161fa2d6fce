"""SQLAlchemy's own objects from what was read of them in source code; nothing else is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from doctor.model.schema import Made, MadeValue, Many

_PARTS = frozenset(
    {"CheckConstraint", "Computed", "ForeignKey", "ForeignKeyConstraint", "Identity", "Index"}
    | {"PrimaryKeyConstraint", "UniqueConstraint", "false", "literal_column", "null", "text"}
    | {"true"}
)
_DEEPEST = 6


class UnmakeableError(Exception):
    """Something in the models is not known to SQLAlchemy, or not to this version of it."""


def made(value: MadeValue) -> Any:
    """Return the object that a value stands for.

    Raises:
        UnmakeableError: it is none that this may make.
    """
    if isinstance(value, Many):
        return [made(one) for one in value.values]
    if not isinstance(value, Made):
        return value
    if value.path == "column":
        return value.args[0]
    args = [made(one) for one in value.args]
    options = {name: made(one) for name, one in value.options.items()}
    try:
        if value.path == "with_variant":
            return args[0].with_variant(*args[1:])
        return _maker(value.path)(*args, **options)
    except (sa.exc.SQLAlchemyError, TypeError, ValueError, AttributeError) as error:
        raise UnmakeableError(f"{value.path} cannot be made: {error}") from error


def _maker(path: str) -> Any:
    *way, last = path.split(".")
    if way[-1:] == ["func"]:
        return getattr(sa.func, last)
    if last in _PARTS:
        return getattr(sa, last)
    found = _type(way, last)
    if found is None:
        raise UnmakeableError(f"{path} is not followed")
    return found


def _type(way: list[str], last: str) -> type[TypeEngine[Any]] | None:
    """Return the type of that name in SQLAlchemy; only its own modules are imported."""
    if way[:1] != ["sqlalchemy"] or len(way) > _DEEPEST:
        return None
    try:
        module = import_module(".".join(way))
    except ImportError:
        module = sa
    found = getattr(module, last, None)
    is_type = isinstance(found, type) and issubclass(found, TypeEngine)
    return found if is_type else None
