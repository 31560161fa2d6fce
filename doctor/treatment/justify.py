"""The last gate before a write: a probe must see the illness now, in exactly that cell.

Logs, reports and gaps open incidents; none of them justifies a change, whoever approved it.
"""

from __future__ import annotations

from collections.abc import Sequence

from doctor.evidence import LogProbe, collect_evidence
from doctor.model.change import Change, Plan
from doctor.model.evidence import Fact
from doctor.model.system import Probe, Run, System
from doctor.treatment.provenance import justifies


def unfounded(plan: Plan) -> str | None:
    """Return why nothing that a plan names justifies all of its changes, or None."""
    founded = {one.change for one in plan.evidence}
    for number, change in enumerate(plan.changes):
        if number not in founded:
            return f"no probe saw what {_cell(change)} holds: logs alone justify no change"
    return None


def unjustified(plan: Plan, system: System, probes: Sequence[Probe]) -> str | None:
    """Look again, and return why the plan is not justified by what is there now, or None.

    Only the probes that the plan names are asked, and of their facts only those that a probe saw
    in exactly the table, row, column and old value of a change.
    """
    reason = unfounded(plan)
    if reason is not None:
        return reason
    kinds = {one.kind for one in plan.evidence if one.change is not None}
    asked = [
        one
        for one in probes
        if not isinstance(one, LogProbe) and kinds & {kind.name for kind in one.kinds}
    ]
    evidence = collect_evidence(asked, system, Run(plan.run))
    for change in plan.changes:
        facts = [one for one in evidence.facts if one.kind in kinds and justifies(one, change)]
        if not _covers(facts, change):
            gaps = "".join(f"; {one.reason}" for one in evidence.gaps)
            return f"no probe finds {_cell(change)} sick any more{gaps}"
    return None


def _covers(facts: Sequence[Fact], change: Change) -> bool:
    return set(change.to) <= {one.fields.get("column") for one in facts}


def _cell(change: Change) -> str:
    key = ", ".join(f"{name}={value!r}" for name, value in change.key.items())
    return f"{change.table}.{', '.join(change.to)} ({key})"
