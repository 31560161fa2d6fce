"""Products of others, run by tests: what they leave open is closed behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Close every connection that any engine opened meanwhile, the borrowed ones too."""
    opened: list[Any] = []

    def note(connection: Any, _record: object) -> None:
        opened.append(connection)

    sa.event.listen(sa.Engine, "connect", note)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", note)
        for one in opened:
            if getattr(one, "open", True):  # only PyMySQL may not be closed twice
                one.close()
