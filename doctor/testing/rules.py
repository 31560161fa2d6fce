"""Rules of a pack, tried without a system."""

from __future__ import annotations

from pathlib import Path

from doctor.errors import RuleError
from doctor.inference.examples import lint_rules
from doctor.registry import Registry, load_registry
from doctor.rulebook import RuleProblem


def check_rules(folder: Path, registry: Registry | None = None) -> None:
    """Lint the rules in ``folder`` and run their tests; raise AssertionError with every mistake.

    ``registry`` says what probes and fixers they may name: that of a Trial, else what is installed.
    """
    try:
        problems = lint_rules(registry or load_registry(), (str(folder),))[1]
    except RuleError as error:
        raise AssertionError("\n".join(str(one) for one in error.problems)) from None
    own = [one for one in problems if _is_in(one, folder)]
    if own:
        raise AssertionError("\n".join(str(one) for one in own))


def _is_in(problem: RuleProblem, folder: Path) -> bool:
    return problem.location is None or problem.location.startswith(str(folder))
