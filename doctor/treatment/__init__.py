"""From diagnoses to a plan, a decision, a repair by one protocol, its verification, its undo."""

from doctor.treatment.apply import apply_plan
from doctor.treatment.planning import Prescription, parse_choice, prescribe
from doctor.treatment.policy import Authority, decide
from doctor.treatment.recover import recover_fix
from doctor.treatment.undo import undo_fix
from doctor.treatment.verify import verify_plan

__all__ = [
    "Authority",
    "Prescription",
    "apply_plan",
    "decide",
    "parse_choice",
    "prescribe",
    "recover_fix",
    "undo_fix",
    "verify_plan",
]
