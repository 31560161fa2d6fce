"""One request for a human's word, as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from doctor.errors import UsageError
from doctor.model.tier import Tier
from doctor.store.moment import Moment
from doctor.store.serial import canonical

ApprovalState = Literal["pending", "approved", "denied", "expired", "used"]

_LEEWAY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class AskedPlan:
    """A plan that may be approved: its hash, what a reader should know of it, its tier."""

    hash: str
    summary: str
    tier: Tier


@dataclass(frozen=True, slots=True)
class Approval:
    """A request and its answer. Only ``approved`` lets its one ``plan`` pass, once.

    Attributes:
        id: the id of its incident.
        plans: what was asked for; the answer names one of them.
        state: where it stands at the time of reading; expired means denied.
        plan: hash of the plan that was approved.
        decided_by: who answered.
    """

    id: str
    run: str
    plans: tuple[AskedPlan, ...]
    requester: str
    requested_at: datetime
    expires_at: datetime
    state: ApprovalState
    plan: str | None
    decided_by: str | None
    decided_at: datetime | None
    used_at: datetime | None

    @property
    def is_alive(self) -> bool:
        """Tell whether it waits for an answer or for its use."""
        return self.state in {"pending", "approved"}

    @property
    def is_separated(self) -> bool:
        """Tell whether somebody else than the requester answered."""
        return self.decided_by is not None and self.decided_by != self.requester


def latest_request(moment: Moment) -> datetime:
    """Return the latest time at which a request that counts can have been made.

    A clock that went back further than this voids the requests made before it did.
    """
    return moment.clock + _LEEWAY


def plans_to_json(plans: Sequence[AskedPlan]) -> str:
    """Return the plans that are asked for as canonical JSON."""
    return canonical([[one.hash, one.summary, int(one.tier)] for one in plans])


def approval_from_row(row: Mapping[Any, Any], moment: Moment) -> Approval:
    """Return a stored request as it stands now; raises UsageError if it is damaged."""
    try:
        plans = tuple(
            AskedPlan(str(digest), str(summary), Tier(tier))
            for digest, summary, tier in json.loads(row["plans"])
        )
    except (ValueError, TypeError):
        raise UsageError(f"approval {row['id']} is damaged in the store") from None
    return Approval(
        id=row["id"],
        run=row["run"],
        plans=plans,
        requester=row["requester"],
        requested_at=row["requested_at"],
        expires_at=row["expires_at"],
        state=_state(row, moment),
        plan=row["plan"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        used_at=row["used_at"],
    )


def _state(row: Mapping[Any, Any], moment: Moment) -> ApprovalState:
    if row["used_at"] is not None:
        return "used"
    if row["decision"] == "denied":
        return "denied"
    if (
        row["expires_at"] <= moment.clock
        or row["expires_ledger"] <= moment.ledger
        or row["requested_at"] > latest_request(moment)
    ):
        return "expired"
    return "approved" if row["decision"] == "approved" else "pending"
