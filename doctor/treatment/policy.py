"""Who may let a plan pass: pure, one comparison of tiers after the reasons to refuse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from doctor.model.change import Decision, Plan
from doctor.model.tier import Tier
from doctor.store import Stop
from doctor.treatment.planning import Prescription

REPAIRS_BEFORE_STOP = 2


@dataclass(frozen=True, slots=True)
class Authority:
    """On whose word a treatment acts.

    Attributes:
        max_tier: the highest tier that passes without a human; never more than SAFE does.
        attended: whether a person or program called the treatment by name.
        approved: hashes of plans that a human approved.
        paused: why writes are paused, or None.
        repaired: how often the cells of the plan were repaired before.
        alone: why no second engine confirmed the verdicts, or None.
        stop: the storm stop that binds an unattended treatment, or None.
        writers: where the source may write the bad value, file:line first.
    """

    max_tier: Tier
    attended: bool
    approved: Collection[str] = ()
    paused: str | None = None
    repaired: int = 0
    alone: str | None = None
    stop: Stop | None = None
    writers: tuple[str, ...] = ()


def decide(  # noqa: PLR0911 - one reason after the other
    prescription: Prescription, authority: Authority
) -> tuple[Decision, Plan | None]:
    """Return whether a plan may be applied now, and which one."""
    if authority.paused is not None:
        return Decision("refuse", f"writes are paused: {authority.paused}"), None
    approved = [prescription.plans[one] for one in authority.approved if one in prescription.plans]
    if approved:
        return Decision("approve", "a human approved exactly this plan"), approved[0]
    plan = prescription.plan
    if plan is None:
        cells = ", ".join(prescription.open_cells)
        return Decision("ask", f"what should stand in {cells} is for a human to say"), None
    if authority.repaired >= REPAIRS_BEFORE_STOP:
        times = f"repaired {authority.repaired} times before"
        at = f"; see {', '.join(authority.writers)}" if authority.writers else ""
        return Decision("ask", f"writer still active: the same cell was {times}{at}"), plan
    if plan.tier > min(authority.max_tier, Tier.SAFE):
        return Decision("ask", _too_high(plan.tier, authority)), plan
    if authority.alone is not None and not authority.attended:
        return Decision("refuse", f"unattended writes need both engines: {authority.alone}"), plan
    return Decision("approve", f"{plan.tier.name} and within the policy"), plan


def _too_high(tier: Tier, authority: Authority) -> str:
    if tier <= Tier.SAFE and not authority.attended:
        return "unattended healing is off: [hook] max_tier is ADVISE"
    if tier <= Tier.SAFE:
        return f"the plan is {tier.name}, and only {authority.max_tier.name} is allowed"
    return f"the plan is {tier.name}: a human must approve it"
