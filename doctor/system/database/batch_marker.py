"""The markers of batches: the kind of each tells how far it went, so a cursor needs no image."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from doctor.errors import TreatmentError
from doctor.model.ports import Batch, RowsImage

_KIND = re.compile(r"([bum])(\d{2})-(\d{9})")
DONE, UNDONE, MOVED = "b", "u", "m"
Known = tuple[tuple[Batch, ...], tuple[Batch, ...], int]


def write_batch(
    connection: Connection, marker: sa.Table, fix: str, batch: Batch, image: RowsImage
) -> int:
    """Write the image of a batch, return its length; what had moved on has a row of its own."""
    before = _dumps([image.columns, image.before])
    rows = [{"fix": fix, "kind": _kind(DONE, batch), "images": before}]
    if image.moved:
        moved = _dumps([len(image.moved), image.moved])
        rows.append({"fix": fix, "kind": _kind(MOVED, batch), "images": moved})
    connection.execute(marker.insert(), rows)
    return len(before)


def write_undone(connection: Connection, marker: sa.Table, fix: str, batch: Batch) -> None:
    """Note that the rows of a batch are back."""
    row = {"fix": fix, "kind": _kind(UNDONE, batch), "images": "[]"}
    connection.execute(marker.insert(), row)


def known_batches(connection: Connection, marker: sa.Table, fix: str) -> Known:
    """Return the batches of a fix, those undone, and how many rows had moved on."""
    kinds = connection.scalars(sa.select(marker.c.kind).where(marker.c.fix == fix)).all()
    found = [one for one in map(_KIND.fullmatch, sorted(kinds)) if one is not None]
    done = _batches([one for one in found if one[1] == DONE])
    ends = {(int(one[2]), int(one[3])) for one in found if one[1] == UNDONE}
    moved = 0
    if any(one[1] == MOVED for one in found):
        texts = sa.select(marker.c.images).where(
            marker.c.fix == fix, marker.c.kind.startswith(MOVED)
        )
        moved = sum(_count(one) for one in connection.scalars(texts))
    return done, tuple(one for one in done if (one.part, one.end) in ends), moved


def read_batch(connection: Connection, marker: sa.Table, fix: str, batch: Batch) -> RowsImage:
    """Return the image of a batch; raises TreatmentError where it is gone."""
    query = sa.select(marker.c.images).where(
        marker.c.fix == fix, marker.c.kind == _kind(DONE, batch)
    )
    text = connection.scalar(query)
    try:
        columns, before = json.loads(text or "", object_hook=_object)
        return RowsImage(tuple(columns), tuple(map(tuple, before)))
    except (ValueError, TypeError):
        raise TreatmentError(f"the image of a batch of fix {fix} is gone or damaged") from None


def _batches(found: Sequence[re.Match[str]]) -> tuple[Batch, ...]:
    made: list[Batch] = []
    for one in found:
        part, end = int(one[2]), int(one[3])
        start = made[-1].end if made and made[-1].part == part else 0
        made.append(Batch(part, start, end))
    return tuple(made)


def _kind(what: str, batch: Batch) -> str:
    return f"{what}{batch.part:02d}-{batch.end:09d}"


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    raise TypeError(type(value).__name__)


def _object(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["bytes"])


def _count(text: str) -> int:
    try:
        return int(json.loads(text, object_hook=_object)[0])
    except (ValueError, TypeError, IndexError):
        return 0
