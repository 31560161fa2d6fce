"""Verifies a repair by the probes that the plan names: the one that diagnosed, and the API."""

from __future__ import annotations

from collections.abc import Sequence

from doctor.evidence import collect_evidence
from doctor.model.change import Plan, Verified
from doctor.model.evidence import Evidence, Gap
from doctor.model.rule import Verify
from doctor.model.system import Probe, Run, System


def verify_plan(
    plan: Plan, system: System, probes: Sequence[Probe], known_gaps: Sequence[Gap] = ()
) -> tuple[Verified, str]:
    """Return whether the plan cured what it was made for, and one sentence about it.

    A Gap means that the check could not run, which is never a failed verification. One that the
    rerun probe had before the repair too does not count: it is about something else.
    """
    could_not: list[str] = []
    passed: list[str] = []
    for check in plan.verify:
        probe = next((one for one in probes if one.name == check.probe), None)
        if probe is None:
            could_not.append(f"there is no probe {check.probe!r}")
            continue
        evidence = collect_evidence([probe], system, Run(plan.run))
        failure = _failure(check, evidence, plan)
        if failure is not None:
            return "failed", failure
        is_end_to_end = check.expect_status is not None
        gaps = [gap.reason for gap in evidence.gaps if is_end_to_end or gap not in known_gaps]
        could_not += gaps
        if not gaps and (evidence.facts or not is_end_to_end):
            passed.append(_passed(check))
    if could_not:
        return "could_not_run", "; ".join(dict.fromkeys(could_not))
    return "clear", "; ".join(passed) or "there was nothing to check"


def _failure(check: Verify, evidence: Evidence, plan: Plan) -> str | None:
    if check.expect_status is not None:
        for fact in evidence.facts:
            status = fact.fields.get("status")
            if status is not None and status != check.expect_status:
                return f"GET {fact.fields.get('endpoint')!s} answers {status!s}"
        return None
    cells = [(one.table, name, dict(one.key)) for one in plan.changes for name in one.to]
    for fact in evidence.facts:
        fields = fact.fields
        if (fields.get("table"), fields.get("column"), fields.get("key")) in cells:
            return f"{check.probe} still finds {fields.get('table')!s}.{fields.get('column')!s}"
    return None


def _passed(check: Verify) -> str:
    if check.expect_status is not None:
        return f"the GET of the run answers {check.expect_status}"
    return f"{check.probe} finds nothing"
