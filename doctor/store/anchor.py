"""A second place for the journal's head, so that a shortened journal is noticed."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from doctor.store.files import write_whole


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a journal: its number and its hash; 0 and zeros for an empty one."""

    seq: int
    hash: str


NO_HEAD = Head(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A file outside the store that follows the journal's head.

    It is written after each commit and may lag behind by what was being committed when a process
    died, never run ahead. It only helps to notice, so a folder that cannot be written is accepted.
    """

    path: Path

    def read(self) -> Head | None:
        """Return the head that was seen last, or None where there is no usable anchor."""
        try:
            value = json.loads(self.path.read_text(encoding="utf-8"))
            return Head(int(value["seq"]), str(value["hash"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def drop(self, head: Head) -> None:
        """Follow the journal; an older head never replaces a newer one."""
        seen = self.read()
        if seen is None or seen.seq < head.seq:
            with suppress(OSError):
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                text = json.dumps({"seq": head.seq, "hash": head.hash})
                write_whole(self.path, text, durable=False)
