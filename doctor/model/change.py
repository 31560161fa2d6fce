"""What would be changed, who may let it pass, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from doctor.model.evidence import Scalar
from doctor.model.rule import Verify
from doctor.model.tier import Tier


@dataclass(frozen=True, slots=True)
class SetCells:
    """Set cells of exactly one row, if they still hold the expected values.

    ``key`` is the whole primary key; ``expected`` and ``to`` hold the same columns.
    """

    table: str
    key: Mapping[str, Scalar]
    expected: Mapping[str, Scalar]
    to: Mapping[str, Scalar]


Change = SetCells
Key = tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class SetColumn:
    """Set one column of many rows of a table, each only while it still holds the expected value.

    Attributes:
        key: the columns of the whole primary key.
        rows: how many rows are pinned.
        pins: digest of their keys in order (see ``pins_of``); the keys are kept beside the plan.
    """

    table: str
    key: tuple[str, ...]
    column: str
    expected: Scalar
    to: Scalar
    rows: int
    pins: str


def pins_of(keys: Sequence[Key]) -> str:
    """Return the digest that stands for the keys of pinned rows, in this order."""
    text = json.dumps(keys, ensure_ascii=True, separators=(",", ":"), default=_bytes)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation behind a plan.

    Attributes:
        kind: of the fact.
        source: where it was seen: ``database``, ``api``, or a log or report by its path.
        change: number of the change that a probe justifies by it, from 0; None: a log or a report
            that only tells of the illness, and justifies nothing.
        line: of the first such fact in a log, 1-based.
        at: when it happened, where the source has a time.
        count: how many there were.
    """

    kind: str
    source: str
    change: int | None = None
    line: int | None = None
    at: datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The exact changes for one run, in order; nothing else is ever applied.

    Attributes:
        target: identity of the database, without credentials.
        run: the run that the plan belongs to; () changes mean there is nothing to do.
        rules: ids of the rules behind it, with their revisions.
        tier: the highest tier of its parts.
        cost: budget points.
        verify: the checks after it.
        notes: what a reader should know, e.g. that a marker table will be created.
        evidence: what justifies each change, then the logs and reports that tell of it.
        sealed: hash of the exact plan, where secrets were left out of this one to keep it; such a
            plan can be shown and compared, never applied.
        bulk: changes of many rows each, carried out in batches; such a plan has no ``changes``.
    """

    target: str
    run: str
    rules: tuple[str, ...]
    changes: tuple[Change, ...]
    tier: Tier
    cost: int
    verify: tuple[Verify, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: tuple[Seen, ...] = ()
    sealed: str | None = None
    bulk: tuple[SetColumn, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows it changes at most."""
        return len(self.changes) + sum(one.rows for one in self.bulk)

    @property
    def hash(self) -> str:
        """SHA-256 over target, run, rules, tier, every change, and the kind of what justifies it.

        Logs may grow between two looks, so what they tell is not part of it.
        """
        if self.sealed is not None:
            return self.sealed
        changes = [
            [one.table, _pairs(one.key), _pairs(one.expected), _pairs(one.to)]
            for one in self.changes
        ]
        parts: list[object] = [self.target, self.run, list(self.rules), changes, int(self.tier)]
        justified = [
            [one.change, one.kind, one.source] for one in self.evidence if one.change is not None
        ]
        parts += [justified] if justified else []
        if self.bulk:
            parts.append([[getattr(one, name) for name in _BULK] for one in self.bulk])
        text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"), default=_bytes)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


_BULK = ("table", "key", "column", "expected", "to", "rows", "pins")


def _bytes(value: object) -> object:
    return {"bytes": value.hex()} if isinstance(value, bytes) else repr(value)


def _pairs(cells: Mapping[str, Scalar]) -> list[list[Scalar]]:
    return [[name, cells[name]] for name in sorted(cells)]


Ruling = Literal["approve", "ask", "refuse"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a plan may be applied now, and why."""

    ruling: Ruling
    reason: str


Result = Literal["applied", "not_applied", "failed", "undone", "undo_failed", "unknown"]
Verified = Literal["clear", "failed", "could_not_run"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan. ``verified`` is None while no check has run."""

    fix: str
    plan: str
    changes: tuple[Change, ...]
    result: Result
    verified: Verified | None
    reason: str
