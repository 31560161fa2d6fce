"""The marker that a fix leaves beside the data, in the transaction of the change itself.

One row of the same table, FENCE, holds the newest token of those who may treat this database.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import TreatmentError
from doctor.model.evidence import Scalar
from doctor.model.ports import ChangeImage
from doctor.model.schema import Row

FENCE = "fence"

MARKER = sa.Table(
    "doctor_applied",
    sa.MetaData(),
    sa.Column("fix", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("images", sa.Text, nullable=False),
)


def images_to_json(images: Sequence[ChangeImage]) -> list[Any]:
    """Return the images as plain JSON values; bytes become {"bytes": hex}."""
    return [[_row_out(one.before), _row_out(one.after)] for one in images]


def images_from_json(data: Sequence[Any]) -> tuple[ChangeImage, ...]:
    """Return the images that ``images_to_json`` wrote."""
    return tuple(ChangeImage(_row_in(before), _row_in(after)) for before, after in data)


def has_marker(connection: Connection, schema: str | None) -> bool:
    """Tell whether the table of the marker is there."""
    return sa.inspect(connection).has_table(MARKER.name, schema=schema)


@cache
def marker_in(schema: str | None) -> sa.Table:
    """Return the table of the marker in a schema."""
    return MARKER if schema is None else MARKER.to_metadata(sa.MetaData(), schema=schema)


def marked_images(
    connection: Connection, schema: str | None, fix: str
) -> tuple[ChangeImage, ...] | None:
    """Return the images that an applied fix left, or None if it never committed."""
    if not has_marker(connection, schema):
        return None
    marker = marker_in(schema)
    query = sa.select(marker.c.images).where(marker.c.fix == fix, marker.c.kind == "applied")
    text = connection.scalar(query)
    return None if text is None else images_from_json(json.loads(text))


def noted_token(connection: Connection, schema: str | None) -> int:
    """Return the newest token of a lease that was noted, 0 for none."""
    if not has_marker(connection, schema):
        return 0
    marker = marker_in(schema)
    row = (marker.c.fix == FENCE) & (marker.c.kind == FENCE)
    text = connection.scalar(sa.select(marker.c.images).where(row))
    return 0 if text is None else fence_from_json(text)[0]


def _row_out(row: Row) -> dict[str, Any]:
    return {
        name: {"bytes": value.hex()} if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def _row_in(row: dict[str, Any]) -> dict[str, Scalar]:
    return {
        name: bytes.fromhex(value["bytes"]) if isinstance(value, dict) else value
        for name, value in row.items()
    }


def fence_to_json(token: int, holder: str) -> str:
    """Return the newest token and who has it, as the row FENCE keeps them."""
    return json.dumps([token, holder])


def fence_from_json(text: str) -> tuple[int, str]:
    """Return what ``fence_to_json`` wrote; raises TreatmentError for anything else."""
    try:
        token, holder = json.loads(text)
        return int(token), str(holder)
    except (ValueError, TypeError):
        raise TreatmentError(
            f"the row {FENCE!r} of {MARKER.name} is damaged: {text!r}",
            hint="see in `doctor history` that nobody else treats this system, then delete the row",
        ) from None
