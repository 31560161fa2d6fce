"""Types that an engine spells otherwise than the models: no drift, whatever Alembic thinks."""

from __future__ import annotations

import re
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

Family = Literal["same", "size", "other"]
_SAME = (
    {"BOOLEAN", "BOOL", "TINYINT(1)", "TINYINT"},
    {"NUMERIC", "DECIMAL", "DEC", "FIXED"},
    {"FLOAT", "DOUBLE", "DOUBLE PRECISION", "REAL"},
    {"JSON", "LONGTEXT"},
    {"INTEGER", "INT"},
    {"CHAR(36)", "UUID"},
    {"TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"},
    {"TIME WITHOUT TIME ZONE", "TIME"},
    {"TEXT", "CLOB"},
    {"VARCHAR", "CHARACTER VARYING"},
    {"CHAR", "CHARACTER"},
)
_EXTRAS = re.compile(r"\s+(?:COLLATE|CHARACTER SET)\s+\S+|\s+(?:UNSIGNED|ZEROFILL)\b")
_FLOAT = re.compile(r"\bFLOAT\s*\(\d+\)")
_SIZE = re.compile(r"\s*\(([^)]*)\)")
_TEXTS = {"VARCHAR", "CHARACTER VARYING", "TEXT", "CHAR", "CHARACTER", "CLOB", "LONGTEXT"}
_LONG = {"TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"}
_BLOBS = {"TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"}
_NUMBERS = {"SMALLINT", "INTEGER", "INT", "BIGINT", "TINYINT", "MEDIUMINT"}


def spelled(kind: TypeEngine[Any], dialect: Dialect) -> str:
    """Return a type as the engine writes it, "" where it cannot."""
    try:
        return str(kind.compile(dialect=dialect))
    except (sa.exc.SQLAlchemyError, AttributeError):
        return ""


def same_type(live: TypeEngine[Any], wanted: TypeEngine[Any], dialect: Dialect) -> bool:
    """Tell whether two types are the same to the engine."""
    inner = wanted.dialect_impl(dialect)
    if isinstance(inner, sa.Enum) and isinstance(live, sa.Enum):
        return True  # labels are compared one by one
    first, second = (_FLOAT.sub("FLOAT", spelled(one, dialect).upper()) for one in (live, wanted))
    if first == second or (dialect.name in {"mysql", "mariadb"} and _fits(first, second)):
        return True
    return any({first, second} <= batch for batch in _SAME)


def _fits(live: str, wanted: str) -> bool:
    """MariaDB takes the smallest of its types for a text or blob of a given length."""
    sized = _SIZE.search(wanted) is not None
    return sized and any({_base(live), _base(wanted)} <= batch for batch in (_LONG, _BLOBS))


def distance(live: str, wanted: str) -> Family:
    """Tell whether two spellings differ in kind, or in size only."""
    first, second = _base(live), _base(wanted)
    if first == second or any({first, second} <= batch for batch in _SAME):
        return "size"
    for group in (_TEXTS, _NUMBERS):
        if {first, second} <= group:
            return "size"
    return "other"


def _base(text: str) -> str:
    return _SIZE.sub("", _EXTRAS.sub("", text.upper())).strip()
