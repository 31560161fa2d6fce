"""Rules as data: YAML files become a checked rulebook, or an error that names every mistake."""

from doctor.rulebook.catalogue import build_catalogue
from doctor.rulebook.chaining import chaining_cycle
from doctor.rulebook.checks import Known, check_rulebook
from doctor.rulebook.condition import positive_names, used_names
from doctor.rulebook.lint import check_signatures, lint
from doctor.rulebook.load import LoadedRulebook, RuleSource, load_rulebook, read_source
from doctor.rulebook.problem import RuleProblem
from doctor.rulebook.rule_grammar import underlying_kind
from doctor.rulebook.signatures import SignatureSet
from doctor.rulebook.templates import render

__all__ = [
    "Known",
    "LoadedRulebook",
    "RuleProblem",
    "RuleSource",
    "SignatureSet",
    "build_catalogue",
    "chaining_cycle",
    "check_rulebook",
    "check_signatures",
    "lint",
    "load_rulebook",
    "positive_names",
    "read_source",
    "render",
    "underlying_kind",
    "used_names",
]
