"""One treatment from decision to outcome; the caller holds the lock of the target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from doctor.errors import DoctorError, LeaseLostError, UsageError
from doctor.model.change import Decision, Outcome, Plan
from doctor.model.diagnosis import Diagnosis
from doctor.model.examination import EXIT_CODES, Examination, Status, Treatment
from doctor.model.ports import WriteDoor
from doctor.model.rule import Rule
from doctor.model.system import Probe, System
from doctor.store import AskedPlan, Fix, Limits, Refused, Store, subject_fingerprint
from doctor.treatment.account import user
from doctor.treatment.apply import Step, apply_plan
from doctor.treatment.justify import unfounded, unjustified
from doctor.treatment.limits import limit_reason
from doctor.treatment.pause import PausedError, pause_reason
from doctor.treatment.planning import Prescription, rung
from doctor.treatment.policy import Authority, decide
from doctor.treatment.settle import UnsettledError
from doctor.treatment.undo import UndoError, undo_fix
from doctor.treatment.verify import verify_plan

Confirm = Callable[[Plan], bool]


@dataclass(frozen=True, slots=True)
class Clinic:
    """What a treatment works with.

    Attributes:
        system: the system as it was opened for the examination.
        door: its write door.
        store: what Doctor remembers.
        probes: for the verification.
        limits: the risk budget.
        ttl: how long a question stays open.
        step: is told each step of the repair protocol after it is done.
        rules: by id, for the limits that they set.
    """

    system: System
    door: WriteDoor
    store: Store
    probes: Sequence[Probe]
    limits: Limits
    ttl: timedelta
    step: Step
    rules: Mapping[str, Rule] = field(default_factory=dict)


def treat(
    examination: Examination,
    clinic: Clinic,
    authority: Authority,
    *,
    wanted: str | None = None,
    confirm: Confirm | None = None,
) -> Treatment:
    """Decide about the plans of a sick run and carry out what was decided.

    ``wanted`` is the hash of the only plan that may be applied; ``confirm`` asks the person at
    the terminal about a GUARDED plan. Raises UsageError when there is no such plan.
    """
    plans = dict(examination.plans)
    if wanted is not None:
        if wanted not in plans:
            raise UsageError(
                f"run {examination.run} has no plan {wanted} now",
                hint=f"doctor plan {examination.run}",
            )
        plans = {wanted: plans[wanted]}
    for one in plans.values():
        if (reason := unfounded(one)) is not None:
            incident = _open(examination, clinic.store, plans)
            return _refuse(examination, clinic, incident, Decision("refuse", reason))
    plan = plans[wanted] if wanted else examination.plan
    prescription = Prescription(examination.diagnoses, plan, plans, examination.open_cells)
    if authority.stop is not None:
        refusal = Decision("refuse", f"storm stop: {authority.stop.reason}; doctor resume")
        return _ended(examination, "refused", refusal, authority.stop.incident)
    decision, chosen = decide(prescription, authority)
    is_person = confirm is not None and authority.paused is None and decision.ruling == "ask"
    if is_person and chosen is not None and confirm is not None and confirm(chosen):
        incident = _open(examination, clinic.store, plans)
        _ask(examination, clinic, incident, [chosen])
        clinic.store.approvals.approve(incident, chosen.hash, user())
        decision = Decision("approve", "approved at the terminal")
        return _carry_out(examination, clinic, chosen, decision, approved=True)
    if decision.ruling == "approve" and chosen is not None:
        approved = chosen.hash in authority.approved
        return _carry_out(examination, clinic, chosen, decision, approved=approved)
    incident = _open(examination, clinic.store, plans)
    if decision.ruling == "refuse":
        return _refuse(examination, clinic, incident, decision)
    if plans:
        _ask(examination, clinic, incident, list(plans.values()))
    clinic.store.incidents.move(incident, "asked", decision.reason)
    return _ended(examination, "asked", decision, incident)


def offer_plan(
    examination: Examination, plan: Plan, choices: Mapping[str, str], store: Store, ttl: timedelta
) -> str:
    """Ask for a plan that a human composed, beside what was asked before; return the incident."""
    with store.transaction():
        incident = _open(examination, store, [plan.hash])
        known = [one for one in store.approvals.find(run=plan.run) if one.id == incident]
        others = [each for one in known for each in one.plans if each.hash != plan.hash]
        asked = [*others, AskedPlan(plan.hash, _summary(plan), plan.tier)]
        store.approvals.request(incident, plan.run, asked, user(), ttl)
        store.journal.append(
            "offered",
            f"plan {plan.hash} was composed",
            incident=incident,
            run=plan.run,
            data={"plan": plan.hash, "choices": dict(choices)},
        )
    return incident


def _carry_out(  # noqa: PLR0911 - one end after the other
    examination: Examination, clinic: Clinic, plan: Plan, decision: Decision, *, approved: bool
) -> Treatment:
    store = clinic.store
    incident = _open(examination, clinic.store, [plan.hash])
    limit = pause_reason(store.target) or unjustified(plan, clinic.system, clinic.probes)
    limit = limit or limit_reason(
        plan, clinic.rules, store.fixes.find(), store.now(), approved=approved
    )
    if limit is not None:
        return _refuse(examination, clinic, incident, Decision("refuse", limit))
    fix = store.fixes.new_id()
    intend = store.fixes.intend_approved if approved else store.fixes.intend
    intended = intend(fix, plan, clinic.limits, incident=incident)
    if isinstance(intended, Refused):
        refusal = Decision("refuse", intended.reason)
        return _refuse(examination, clinic, incident, refusal)
    started = time.monotonic()
    try:
        apply_plan(fix, plan, clinic.door, store, clinic.step)
    except LeaseLostError:
        raise
    except PausedError as error:
        return _refuse(examination, clinic, incident, Decision("refuse", error.message))
    except UnsettledError as error:
        outcome = Outcome(fix, plan.hash, plan.changes, "unknown", None, error.message)
        return _ended(examination, "unknown", decision, incident, plan, [outcome])
    except DoctorError as error:
        outcome = Outcome(fix, plan.hash, plan.changes, "not_applied", None, error.message)
        return _ended(examination, "undone", decision, incident, plan, [outcome])
    verified, reason = verify_plan(plan, clinic.system, clinic.probes, examination.gaps)
    longest = _timeout(plan, clinic.rules)
    if longest is not None and time.monotonic() - started > longest:
        verified, reason = "failed", f"repair and checks took longer than {longest:g} s"
    store.fixes.record_verified(fix, verified, reason)
    clinic.step("verify")
    if verified == "failed":
        return _undo(examination, clinic, plan, decision, store.fixes.get(fix))
    outcome = Outcome(fix, plan.hash, plan.changes, "applied", verified, reason)
    store.incidents.move(incident, "treated", reason)
    if verified == "clear":
        store.incidents.move(incident, "closed", reason)
    status: Status = "healed" if verified == "clear" else "unknown"
    return _ended(examination, status, decision, incident, plan, [outcome])


def _timeout(plan: Plan, rules: Mapping[str, Rule]) -> float | None:
    """Return how many seconds the rungs behind a plan allow at most, or None."""
    allowed = [
        remedy.timeout.total_seconds()
        for rule in rules.values()
        for remedy in rule.remedies
        if remedy.timeout is not None and rung(rule, remedy) in plan.rules
    ]
    return min(allowed, default=None)


def _undo(
    examination: Examination, clinic: Clinic, plan: Plan, decision: Decision, fix: Fix
) -> Treatment:
    incident = fix.incident
    try:
        undo_fix(fix, clinic.door, clinic.store, fix.reason)
    except PausedError as error:
        reason = f"{fix.reason}; the undo waits: {error.message}"
        outcome = Outcome(fix.id, plan.hash, plan.changes, "applied", "failed", reason)
        refusal = Decision("refuse", reason)
        return _ended(examination, "refused", refusal, incident, plan, [outcome])
    except UnsettledError as error:
        reason = f"{fix.reason}; {error.message}"
        outcome = Outcome(fix.id, plan.hash, plan.changes, "unknown", "failed", reason)
        return _ended(examination, "unknown", decision, incident, plan, [outcome])
    except UndoError as error:
        reason = f"{fix.reason}; the undo failed: {error.message}"
        outcome = Outcome(fix.id, plan.hash, plan.changes, "undo_failed", "failed", reason)
        return _ended(examination, "undo_failed", decision, incident, plan, [outcome])
    outcome = Outcome(fix.id, plan.hash, plan.changes, "undone", "failed", fix.reason)
    return _ended(examination, "undone", decision, incident, plan, [outcome])


def _open(examination: Examination, store: Store, plans: Iterable[str]) -> str:
    first: Diagnosis = examination.findings[0]
    incident = store.incidents.open_or_get(
        examination.run,
        first.cause,
        subject_fingerprint(first.subject),
        first.message,
        tuple(plans),
    )
    return incident.id


def _ask(examination: Examination, clinic: Clinic, incident: str, plans: Sequence[Plan]) -> None:
    asked = [AskedPlan(plan.hash, _summary(plan), plan.tier) for plan in plans]
    clinic.store.approvals.request(incident, examination.run, asked, user(), clinic.ttl)


def _summary(plan: Plan) -> str:
    parts = [
        f"{one.table}.{name}: {one.expected[name]!r} -> {value!r}"
        for one in plan.changes
        for name, value in one.to.items()
    ]
    return "; ".join(parts)


def _refuse(
    examination: Examination, clinic: Clinic, incident: str, decision: Decision
) -> Treatment:
    clinic.store.journal.append("refused", decision.reason, incident=incident, run=examination.run)
    return _ended(examination, "refused", decision, incident)


def _ended(
    examination: Examination,
    status: Status,
    decision: Decision,
    incident: str | None = None,
    plan: Plan | None = None,
    outcomes: Sequence[Outcome] = (),
) -> Treatment:
    code = EXIT_CODES[status]
    return Treatment(examination, status, code, decision, incident, plan, tuple(outcomes))
