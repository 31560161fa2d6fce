"""Values as the JSON that every door emits."""

from doctor.report.examination import (
    examination_json,
    plan_json,
    survey_json,
    treatment_json,
)
from doctor.report.plain import to_json
from doctor.report.records import approval_json, entry_json, fix_json
from doctor.report.rules import rule_json, verdict_json

__all__ = [
    "approval_json",
    "entry_json",
    "examination_json",
    "fix_json",
    "plan_json",
    "rule_json",
    "survey_json",
    "to_json",
    "treatment_json",
    "verdict_json",
]
