"""How values come from PostgreSQL and go there: as they are stored, by their own spelling."""

from __future__ import annotations

from typing import Any

from doctor.errors import UsageError

_INTEGERS = (20, 21, 23)
_FLOATS = (700, 701)
_BOOLEAN, _BYTEA, _ANY = 16, 17, 0


class StoredValues:
    """What psycopg asks for when it adapts values."""

    connection = None

    def __init__(self, adapters: Any):
        self.adapters = adapters


def stored_values() -> StoredValues:
    """Return the adaptation: numbers, truth values, text and bytes; all else as its text.

    Raises UsageError when the driver is not installed.
    """
    try:
        from psycopg.adapt import AdaptersMap
        from psycopg.types.bool import BoolDumper, BoolLoader
        from psycopg.types.none import NoneDumper
        from psycopg.types.numeric import FloatDumper, FloatLoader, IntDumper, IntLoader
        from psycopg.types.string import ByteaLoader, BytesDumper, StrDumperUnknown, TextLoader
    except ImportError as error:
        raise UsageError(
            f"the driver of postgresql databases is not installed: {error}",
            hint="pip install 'run-doctor[postgresql]'",
        ) from error

    class NumberOrNan(FloatLoader):
        """What is no number is not equal to itself, as a text it is."""

        def load(self, data: Any) -> Any:
            value = super().load(data)
            return value if value == value else "NaN"  # noqa: PLR0124

    known = AdaptersMap()
    for kind, dumper in (
        (str, StrDumperUnknown),
        (int, IntDumper),
        (float, FloatDumper),
        (bool, BoolDumper),
        (bytes, BytesDumper),
        (type(None), NoneDumper),
    ):
        known.register_dumper(kind, dumper)
    known.register_loader(_ANY, TextLoader)
    known.register_loader(_BOOLEAN, BoolLoader)
    known.register_loader(_BYTEA, ByteaLoader)
    for oid in _INTEGERS:
        known.register_loader(oid, IntLoader)
    for oid in _FLOATS:
        known.register_loader(oid, NumberOrNan)
    return StoredValues(known)
