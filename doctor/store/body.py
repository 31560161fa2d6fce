"""What an entry of the journal tells, kept beside the chain so that it can be dropped.

The entry itself holds the digest of its body: the chain is whole without the bodies, and a body
that is still there is proven by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doctor.store.serial import canonical

PRUNED = "pruned"
GONE = "(dropped: it was older than what is kept)"


@dataclass(frozen=True, slots=True)
class Body:
    """The words and the data of an entry, as they are stored."""

    summary: str
    data: str

    @property
    def reference(self) -> str:
        """What the entry holds in its place."""
        digest = hashlib.sha256(canonical([self.summary, self.data]).encode()).hexdigest()
        return canonical({"body": digest})


def has_body(values: Mapping[str, Any]) -> bool:
    """Tell whether what an entry tells is, or was, beside it; older stores have it within."""
    data = values.get("data")
    return isinstance(data, str) and data.startswith('{"body":') and values.get("summary") == ""


def told(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the words and the data of an entry that was read with its body."""
    if not has_body(values):
        return values["summary"], values["data"]
    if values.get("body_data") is None:
        return GONE, "{}"
    return values["body_summary"], values["body_data"]


@dataclass(slots=True)
class Dropped:
    """Follows a journal and tells bodies that were dropped on purpose from those that are lost."""

    count: int = 0
    _missing: dict[str, list[int]] = field(default_factory=dict)
    _through: dict[str, int] = field(default_factory=dict)

    def take(self, values: Mapping[str, Any]) -> str | None:
        """Take the next entry; return what is wrong with its body."""
        if not has_body(values):
            return None
        seq, target = values["seq"], str(values["target"])
        if values.get("body_data") is None:
            self.count += 1
            self._missing.setdefault(target, []).append(seq)
            return None
        body = Body(values["body_summary"], values["body_data"])
        if body.reference != values["data"]:
            return f"what entry {seq} tells was changed"
        if values["kind"] == PRUNED:
            known = self._through.get(target, 0)
            self._through[target] = max(known, int(json.loads(body.data).get("through", 0)))
        return None

    @property
    def unexplained(self) -> int | None:
        """The first entry whose body is gone and that no pruning covers, or None."""
        lost = (
            seq
            for target, many in self._missing.items()
            for seq in many
            if seq > self._through.get(target, 0)
        )
        return min(lost, default=None)
