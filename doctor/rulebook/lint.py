"""What a rulebook must have before it is trusted: examples, explanations, a confirming probe."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from doctor.model.rule import Rule, Select
from doctor.model.tier import Tier
from doctor.rulebook.checks import Known, check_rulebook
from doctor.rulebook.grammar import LoadedRule, LoadedSignature
from doctor.rulebook.load import LoadedRulebook
from doctor.rulebook.nodes import Document
from doctor.rulebook.problem import RuleProblem, brief
from doctor.rulebook.signatures import SignatureSet


def lint(loaded: LoadedRulebook, known: Known) -> tuple[RuleProblem, ...]:
    """Return everything that is wrong with a rulebook, conventions and examples included.

    Whether the tests of rules give the verdict that they expect is not looked at here.
    """
    problems = list(check_rulebook(loaded, known))
    for rule in loaded.rules:
        problems.extend(_conventions(rule))
    problems.extend(check_signatures(loaded.signatures))
    return tuple(problems)


def check_signatures(signatures: Collection[LoadedSignature]) -> tuple[RuleProblem, ...]:
    """Return the examples of signatures that do not match, or match and should be silent."""
    return tuple(problem for one in signatures for problem in _examples(one))


def _examples(loaded: LoadedSignature) -> Iterator[RuleProblem]:
    signature, document = loaded
    alone = SignatureSet((signature,))
    if not signature.tests:
        message = f"the signature of {signature.kind!r} has no test line"
        yield RuleProblem(message, hint="add 'tests: [LINE]'", location=document.locate())
    for index, line in enumerate(signature.tests):
        if not alone.match_line(line):
            message = f"the pattern does not match its test line {brief(line)}"
            yield RuleProblem(message, location=document.locate("tests", index))
    for index, line in enumerate(signature.silent):
        if alone.match_line(line):
            message = f"the pattern matches {brief(line)}, on which it should be silent"
            yield RuleProblem(message, location=document.locate("silent", index))


def _conventions(loaded: LoadedRule) -> Iterator[RuleProblem]:
    rule, document = loaded
    yield from _examples_of_verdicts(rule, document)
    if any(remedy.tier > Tier.ADVISE for remedy in rule.remedies):
        place = document.locate("remedies")
        if rule.confirm is None:
            message = "a rule with a remedy above ADVISE needs a probe that confirms it"
            yield RuleProblem(message, hint="add 'confirm: {probe: NAME}'", location=place)
        if rule.explanation.fix_safety is None:
            message = "a rule with a remedy above ADVISE needs 'fix_safety' in its explanation"
            yield RuleProblem(message, location=document.locate("explanation"))
    if document.builtin:
        yield from _table_tests(rule, document)


def _examples_of_verdicts(rule: Rule, document: Document) -> Iterator[RuleProblem]:
    writes = any(remedy.tier > Tier.ADVISE for remedy in rule.remedies)
    wanted = ("match", "no_match", "unknown") if writes else ("match", "no_match")
    present = {test.verdict for test in rule.tests}
    for verdict in wanted:
        if verdict not in present:
            message = f"no test of the rule {rule.id!r} expects {verdict!r}"
            yield RuleProblem(message, location=document.locate("tests"))


def _table_tests(rule: Rule, document: Document) -> Iterator[RuleProblem]:
    for selection in rule.selections.values():
        for test in selection.tests if isinstance(selection, Select) else ():
            if test.field == "table":
                key = "table" if test.operator == "eq" else f"table|{test.operator}"
                place = document.locate_key("match", selection.name, key)
                message = "a built-in rule names roles, never tables"
                yield RuleProblem(message, hint="test 'role' instead", location=place)
