"""Finds ids that are not as doctor.toml says: only where a convention is pinned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from doctor.errors import SourceError
from doctor.ids.conventions import MOST_ROWS
from doctor.ids.learning import fitting
from doctor.model.evidence import Fact, Gap
from doctor.model.ids import Family
from doctor.model.ports import ReadDoor

KIND = "database.unusual_id"
_SHOWN = 3


def unusual_ids(door: ReadDoor, pinned: Mapping[str, Sequence[str]]) -> Iterator[Fact | Gap]:
    """Yield one fact per column that is pinned and has ids which no pattern of it fits.

    At most ``MOST_ROWS`` rows of a table are looked at, chosen by chance where there are more.
    """
    tables = {one.name: one for one in door.tables()}
    for name, patterns in pinned.items():
        table, _, column = name.rpartition(".")
        if table not in tables or tables[table].column(column) is None:
            yield Gap(KIND, f"[ids.{name!r}] names a column that is not there", (KIND,))
            continue
        try:
            rows, of = door.sample(tables[table], [column], [column], limit=MOST_ROWS)
        except SourceError as error:
            yield Gap(KIND, f"{name}: {error.message}", (KIND,))
            continue
        families = [Family(one, one) for one in patterns]
        ids = sorted({str(row[column]) for row in rows if row[column] is not None})
        odd = [one for one in ids if fitting(families, one) is None]
        if odd:
            more = ", …" if len(odd) > _SHOWN else ""
            shown = f"{', '.join(map(repr, odd[:_SHOWN]))}{more}"
            fields = {"run": "", "table": table, "column": column, "ids": shown}
            counts = {"odd": len(odd), "looked": len(rows), "rows": of}
            yield Fact(KIND, {**fields, **counts}, "database")
