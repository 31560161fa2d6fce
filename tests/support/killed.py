"""A doctor that kills itself: `python killed.py heal|repair|undo RUN|COLUMN|FIX POINT CONFIG`.

POINT is the name of a step of a repair, with `:2` behind it for its second time, or a number: the
kill comes before that commit, of all that this process makes in whatever database; or w and a
number: before that statement of all that lock or change something on a database server, their
commit included. Prints the steps; ends with 0 if it never came to the point.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from doctor.doctor import Doctor
from doctor.settings import load_settings

WRITING = ("CREATE", "INSERT", "UPDATE", "SAVEPOINT", "ROLLBACK")


def die() -> None:
    """End here and now, with nothing flushed, closed or rolled back."""
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Do the one thing."""
    what, name, point, config = sys.argv[1:]
    seen = 0
    times: Counter[str] = Counter()

    def step(done: str) -> None:
        times[done] += 1
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
        if point in (f"{done}:{times[done]}", done):
            die()

    def commit(_connection: sa.Connection) -> None:
        nonlocal seen
        seen += 1
        if str(seen) == point:
            die()

    written = 0

    def writing(connection: sa.Connection) -> None:
        nonlocal written
        if connection.dialect.name != "sqlite":
            written += 1
            if f"w{written}" == point:
                die()

    def statement(connection: sa.Connection, _cursor: object, text: str, *_: object) -> None:
        first = text.split(maxsplit=1)[0]
        if first in WRITING or text.endswith("FOR UPDATE"):
            writing(connection)

    sa.event.listen(sa.Engine, "commit", commit)
    sa.event.listen(sa.Engine, "commit", writing)
    sa.event.listen(sa.Engine, "before_cursor_execute", statement)
    with Doctor(load_settings(Path(config)), step=step) as doctor:
        if what == "heal":
            doctor.treat(name)
        elif what == "repair":
            doctor.repair(name)
        else:
            doctor.undo(name)


if __name__ == "__main__":
    main()
