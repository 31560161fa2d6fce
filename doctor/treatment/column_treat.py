"""One repair of a column from decision to outcome; the caller holds the lock of the target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from doctor.errors import DoctorError, LeaseLostError
from doctor.model.change import Decision, Key, Plan, Result, Verified
from doctor.model.examination import Status
from doctor.model.repair import ColumnExamination, ColumnOutcome, ColumnTreatment
from doctor.store import AskedPlan, Fix, Refused
from doctor.treatment.account import user
from doctor.treatment.batch_undo import undo_batches
from doctor.treatment.batches import Progress, StoppedError, Told, apply_batches
from doctor.treatment.limits import limit_reason
from doctor.treatment.pause import PausedError, pause_reason
from doctor.treatment.planning import Prescription
from doctor.treatment.policy import Authority, decide
from doctor.treatment.settle import UnsettledError
from doctor.treatment.treat import Clinic, Confirm
from doctor.treatment.undo import UndoError

TREATMENT_FAILED = 7
Checked = tuple[Verified, str]
Rows = Sequence[Sequence[Key]]


@dataclass(frozen=True, slots=True)
class Care:
    """What a repair of a column needs beside the clinic.

    Attributes:
        unfounded: why what is there now does not justify a plan, or None; asked right before.
        verify: looks again after it.
        told: hears of rows done and of all.
    """

    unfounded: Callable[[Plan], str | None]
    verify: Callable[[Plan], Checked]
    told: Told


def treat_column(
    examination: ColumnExamination,
    clinic: Clinic,
    care: Care,
    authority: Authority,
    confirm: Confirm | None = None,
) -> ColumnTreatment:
    """Decide about the plan of a sick column and carry out what was decided."""
    plan = examination.plan
    if plan is None:
        asked = Decision("ask", "what should stand there is for a human to say")
        if not any(one.diagnosis and one.diagnosis.candidates for one in examination.values):
            return ColumnTreatment(examination, "sick", Decision("ask", "no rule knows a remedy"))
        incident = _open(examination, clinic, ())
        clinic.store.incidents.move(incident, "asked", asked.reason)
        return ColumnTreatment(examination, "asked", asked, incident)
    decision, chosen = decide(Prescription((), plan, {plan.hash: plan}), authority)
    is_person = confirm is not None and authority.paused is None and decision.ruling == "ask"
    if is_person and confirm is not None and confirm(plan):
        incident = _ask(examination, clinic, plan)
        clinic.store.approvals.approve(incident, plan.hash, user())
        decision = Decision("approve", "approved at the terminal")
        return _carry_out(examination, clinic, care, plan, decision, approved=True)
    if decision.ruling == "approve" and chosen is not None:
        approved = plan.hash in authority.approved
        return _carry_out(examination, clinic, care, plan, decision, approved=approved)
    if decision.ruling == "refuse":
        return _refuse(examination, clinic, plan, decision)
    incident = _ask(examination, clinic, plan)
    return ColumnTreatment(examination, "asked", decision, incident, plan)


def resume_column(fix: Fix, rows: Rows | None, clinic: Clinic, care: Care) -> Fix:
    """Go on with a repair that a killed doctor left between two batches, or that was stopped.

    Where its pinned rows are kept no more, what was done is undone.
    """
    store, door = clinic.store, clinic.door
    if fix.state == "intended":
        with door.transaction() as transaction:
            batches, _, _ = transaction.batches(fix.id)
        if rows is None and not batches:
            return store.fixes.record_not_applied(fix.id, "recovered: it never reached the target")
        if rows is None:
            reason = "recovered: the rows that were left are not known any more"
            return undo_batches(fix, door, store, reason, clinic.step, care.told)
        if not batches and (unfounded := care.unfounded(fix.plan)) is not None:
            return store.fixes.record_not_applied(fix.id, f"recovered: {unfounded}")
        try:
            apply_batches(fix, rows, door, store, clinic.step, care.told)
        except StoppedError as error:
            if error.cause.exit_code != TREATMENT_FAILED:
                raise
            return undo_batches(fix, door, store, error.message, clinic.step, care.told)
        fix = store.fixes.get(fix.id)
    if fix.state == "applied":
        verified, reason = care.verify(fix.plan)
        fix = store.fixes.record_verified(fix.id, verified, f"recovered: {reason}")
    if fix.state in ("verify_failed", "undoing"):
        fix = undo_batches(fix, door, store, fix.reason, clinic.step, care.told)
    store.pins.forget(fix.plan.hash)
    return fix


def _carry_out(  # noqa: PLR0911 - one end after the other
    examination: ColumnExamination,
    clinic: Clinic,
    care: Care,
    plan: Plan,
    decision: Decision,
    *,
    approved: bool,
) -> ColumnTreatment:
    store = clinic.store
    limit = pause_reason(store.target) or care.unfounded(plan)
    limit = limit or limit_reason(
        plan, clinic.rules, store.fixes.find(), store.now(), approved=approved
    )
    if limit is not None:
        return _refuse(examination, clinic, plan, Decision("refuse", limit))
    rows = store.pins.rows(plan) or examination.rows
    incident = _open(examination, clinic, [plan.hash])
    fix = store.fixes.new_id()
    intend = store.fixes.intend_approved if approved else store.fixes.intend
    with store.transaction():
        store.pins.keep(plan, rows)
        intended = intend(fix, plan, clinic.limits, incident=incident)
    if isinstance(intended, Refused):
        return _refuse(examination, clinic, plan, Decision("refuse", intended.reason))
    done = ColumnTreatment(examination, "unknown", decision, incident, plan)
    try:
        progress = apply_batches(intended, rows, clinic.door, store, clinic.step, care.told)
    except LeaseLostError:
        raise
    except StoppedError as error:
        return _stopped(done, clinic, care, intended, error)
    except PausedError as error:
        store.fixes.record_not_applied(fix, error.message)
        return _refuse(examination, clinic, plan, Decision("refuse", error.message))
    except UnsettledError as error:
        return replace(done, outcome=_outcome(intended, "unknown", None, error.message))
    except DoctorError as error:
        store.fixes.record_not_applied(fix, error.message)
        outcome = _outcome(intended, "not_applied", None, error.message)
        return replace(done, status="undone", outcome=outcome)
    verified, reason = care.verify(plan)
    store.fixes.record_verified(fix, verified, reason)
    clinic.step("verify")
    store.incidents.move(incident, "treated", reason)
    if verified == "failed":
        return _undo(done, clinic, care, store.fixes.get(fix), reason)
    store.pins.forget(plan.hash)
    status: Status = "healed" if verified == "clear" else "unknown"
    if verified == "clear" and not examination.open_values:
        store.incidents.move(incident, "closed", reason)
    if verified == "clear" and examination.open_values:
        status = "sick"
    return replace(
        done, status=status, outcome=_outcome(intended, "applied", verified, reason, progress)
    )


def _stopped(
    done: ColumnTreatment, clinic: Clinic, care: Care, fix: Fix, error: StoppedError
) -> ColumnTreatment:
    """Take back what the database will not let go on; leave the rest to recovery."""
    if isinstance(error.cause, LeaseLostError):
        raise error.cause
    progress = Progress(error.done, 0)
    if isinstance(error.cause, PausedError):
        outcome = _outcome(fix, "unknown", None, error.message, progress)
        refusal = Decision("refuse", f"{error.message}; {error.hint}")
        return replace(done, status="refused", decision=refusal, outcome=outcome)
    if error.cause.exit_code == TREATMENT_FAILED:
        return _undo(done, clinic, care, fix, error.message)
    return replace(done, outcome=_outcome(fix, "unknown", None, error.message, progress))


def _undo(
    done: ColumnTreatment, clinic: Clinic, care: Care, fix: Fix, reason: str
) -> ColumnTreatment:
    try:
        undo_batches(fix, clinic.door, clinic.store, reason, clinic.step, care.told)
    except PausedError as error:
        refusal = Decision("refuse", f"{reason}; the undo waits: {error.message}")
        return replace(done, status="refused", decision=refusal)
    except UndoError as error:
        outcome = _outcome(fix, "undo_failed", "failed", f"{reason}; {error.message}")
        return replace(done, status="undo_failed", outcome=outcome)
    except UnsettledError as error:
        outcome = _outcome(fix, "unknown", "failed", f"{reason}; {error.message}")
        return replace(done, status="unknown", outcome=outcome)
    clinic.store.pins.forget(fix.plan.hash)
    return replace(done, status="undone", outcome=_outcome(fix, "undone", "failed", reason))


def _open(examination: ColumnExamination, clinic: Clinic, plans: Sequence[str]) -> str:
    first = next((one.diagnosis for one in examination.values if one.diagnosis), None)
    incident = clinic.store.incidents.open_or_get(
        examination.run,
        first.cause if first else "bad_values",
        "",
        first.message if first else f"{examination.name} holds values that it should not",
        tuple(plans),
    )
    return incident.id


def _ask(examination: ColumnExamination, clinic: Clinic, plan: Plan) -> str:
    with clinic.store.transaction():
        incident = _open(examination, clinic, [plan.hash])
        clinic.store.pins.keep(plan, clinic.store.pins.rows(plan) or examination.rows)
        asked = AskedPlan(plan.hash, summary(plan), plan.tier)
        clinic.store.approvals.request(incident, plan.run, [asked], user(), clinic.ttl)
        clinic.store.incidents.move(incident, "asked", f"the plan is {plan.tier.name}")
    return incident


def _refuse(
    examination: ColumnExamination, clinic: Clinic, plan: Plan, decision: Decision
) -> ColumnTreatment:
    incident = _open(examination, clinic, [plan.hash])
    store = clinic.store
    store.journal.append("refused", decision.reason, incident=incident, run=examination.run)
    return ColumnTreatment(examination, "refused", decision, incident, plan)


def summary(plan: Plan) -> str:
    """Return a plan of many rows in one line."""
    return "; ".join(
        f"{one.rows} rows of {one.table}.{one.column}: {one.expected!r} -> {one.to!r}"
        for one in plan.bulk
    )


def _outcome(
    fix: Fix,
    result: Result,
    verified: Verified | None,
    reason: str,
    progress: Progress | None = None,
) -> ColumnOutcome:
    done = progress or Progress(0, 0)
    return ColumnOutcome(fix.id, fix.plan.hash, result, verified, reason, done.done, done.moved)
