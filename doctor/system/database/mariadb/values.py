"""How values come from MariaDB and go there: as they are stored, by their own spelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doctor.errors import UsageError


def stored_values() -> dict[Any, Callable[..., Any]]:
    """Return the conversions: numbers are numbers; dates, decimals and the like their text.

    Raises UsageError when the driver is not installed.
    """
    try:
        from pymysql.constants import FIELD_TYPE
        from pymysql.converters import encoders
    except ImportError as error:
        raise UsageError(
            f"the driver of mariadb databases is not installed: {error}",
            hint="pip install 'run-doctor[mariadb]'",
        ) from error
    integers = ("TINY", "SHORT", "LONG", "LONGLONG", "INT24", "YEAR")
    known: dict[Any, Callable[..., Any]] = dict(encoders)
    known |= {getattr(FIELD_TYPE, name): int for name in integers}
    known |= {FIELD_TYPE.FLOAT: float, FIELD_TYPE.DOUBLE: float}
    return known
