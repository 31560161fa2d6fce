"""What the core itself thinks of a proposal that came from somebody else's fixer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from doctor.model.diagnosis import Diagnosis
from doctor.model.system import Fixer, Proposal, System
from doctor.model.tier import Tier
from doctor.schema import rank_values


def weigh(
    fixer: Fixer, proposals: Sequence[Proposal], diagnosis: Diagnosis, system: System
) -> tuple[Proposal, ...]:
    """Return the proposals with a tier that is no lower than what Doctor's own ranking gives.

    A foreign fixer's value is SAFE and certain only where the owner declared it, or where it is
    the same after folding; anything else is GUARDED at least, whatever the fixer says.
    """
    subject = diagnosis.subject
    if subject is None or not getattr(fixer, "is_foreign", False):
        return tuple(proposals)
    enum = next((str(one.fields["enum"]) for one in diagnosis.facts if "enum" in one.fields), "")
    ranked = rank_values(subject, enum, system.mappings, system.terminal)
    own = {one.to: one for one in ranked}
    weighed = []
    for one in proposals:
        view = own.get(one.to)
        tier = max(one.tier, view.tier if view else Tier.GUARDED)
        is_certain = one.certain and view is not None and view.certain
        weighed.append(replace(one, tier=tier, certain=is_certain))
    return tuple(weighed)
