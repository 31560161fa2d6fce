"""Rules as data: YAML files become a checked rulebook, or an error that names every mistake.

Each name is loaded when it is used: rules that were read before need no reader.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doctor.rulebook.catalogue import build_catalogue
    from doctor.rulebook.chaining import chaining_cycle
    from doctor.rulebook.checks import Known, check_rulebook
    from doctor.rulebook.condition import positive_names, used_names
    from doctor.rulebook.lint import check_signatures
    from doctor.rulebook.load import LoadedRulebook, load_rulebook
    from doctor.rulebook.problem import RuleProblem
    from doctor.rulebook.rule_grammar import underlying_kind
    from doctor.rulebook.signatures import SignatureSet
    from doctor.rulebook.sources import RuleSource, read_source
    from doctor.rulebook.templates import render

_HOMES = {
    "Known": "doctor.rulebook.checks",
    "LoadedRulebook": "doctor.rulebook.load",
    "RuleProblem": "doctor.rulebook.problem",
    "RuleSource": "doctor.rulebook.sources",
    "SignatureSet": "doctor.rulebook.signatures",
    "build_catalogue": "doctor.rulebook.catalogue",
    "chaining_cycle": "doctor.rulebook.chaining",
    "check_rulebook": "doctor.rulebook.checks",
    "check_signatures": "doctor.rulebook.lint",
    "load_rulebook": "doctor.rulebook.load",
    "positive_names": "doctor.rulebook.condition",
    "read_source": "doctor.rulebook.sources",
    "render": "doctor.rulebook.templates",
    "underlying_kind": "doctor.rulebook.rule_grammar",
    "used_names": "doctor.rulebook.condition",
}

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
    "load_rulebook",
    "positive_names",
    "read_source",
    "render",
    "underlying_kind",
    "used_names",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'doctor.rulebook' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
