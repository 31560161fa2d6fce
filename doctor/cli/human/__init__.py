"""Values as text for a tired operator: the cause first, then its evidence, then what to do."""

from doctor.cli.human.examination import examination, plan, survey, why
from doctor.cli.human.records import approval, approvals, approved, budget, fixes, history
from doctor.cli.human.rules import explanation, facts, initialised, plugins, rule, rules
from doctor.cli.human.treatment import treatment

__all__ = [
    "approval",
    "approvals",
    "approved",
    "budget",
    "examination",
    "explanation",
    "facts",
    "fixes",
    "history",
    "initialised",
    "plan",
    "plugins",
    "rule",
    "rules",
    "survey",
    "treatment",
    "why",
]
