"""Runs the examples that rules and signatures carry: each must say what it is expected to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from doctor.errors import RuleError
from doctor.inference.dnf import alternatives
from doctor.inference.evaluate import infer
from doctor.inference.reference import ReferenceEngine
from doctor.model.evidence import Evidence
from doctor.model.rule import Rule, RuleTest, Signature
from doctor.registry import Registry
from doctor.rulebook import LoadedRulebook, RuleProblem, check_signatures
from doctor.rulebook.authoring import known_names, read_book
from doctor.rulebook.book import Book
from doctor.rulebook.lint import lint


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What one example said.

    Attributes:
        of: id of the rule, or the kind of the signature.
        name: name of the test; a signature's line.
        failure: what it said instead of what is expected, or None.
        location: ``file:line:column``.
        is_line: whether it is a signature's line.
    """

    of: str
    name: str
    failure: str | None
    location: str
    is_line: bool = False


def lint_rules(
    registry: Registry, paths: Sequence[str]
) -> tuple[Book, tuple[RuleProblem, ...], LoadedRulebook]:
    """Read all rules; return them with every mistake, failing examples included.

    Raises:
        RuleError: a file cannot even be read.
    """
    book, loaded = read_book(registry, paths)
    problems = list(lint(loaded, known_names(registry, loaded.rulebook)))
    problems += book.warnings
    for rule in loaded.rulebook.rules:
        problems += too_large(rule)
    for one in run_examples(loaded):
        if one.failure is not None and not one.is_line:
            message = f"test {one.name!r} of {one.of!r}: {one.failure}"
            problems.append(RuleProblem(message, location=one.location))
    return book, tuple(problems), loaded


def run_examples(loaded: LoadedRulebook) -> Iterator[ExampleResult]:
    """Run every test of every rule, and every test line of every signature, in file order."""
    for rule, document in loaded.rules:
        if any(too_large(rule)):
            continue
        for index, test in enumerate(rule.tests):
            place = document.locate("tests", index)
            yield ExampleResult(rule.id, test.name, failure_of(rule, test), place)
    for one in loaded.signatures:
        failed = {problem.location: problem.message for problem in check_signatures([one])}
        signature: Signature = one.signature
        for key, lines in (("tests", signature.tests), ("silent", signature.silent)):
            for index, line in enumerate(lines):
                place = one.document.locate(key, index)
                yield ExampleResult(signature.kind, line, failed.get(place), place, is_line=True)


def failure_of(rule: Rule, test: RuleTest) -> str | None:
    """Return what a rule says about an example where that is not what is expected, or None."""
    first = infer([rule], Evidence(test.facts, test.gaps), ReferenceEngine()).verdicts[0]
    if first.result != test.verdict:
        return f"the verdict is {first.result!r}, not {test.verdict!r}: {first.reason}"
    if test.remedy is not None and rule.remedies[0].id != test.remedy:
        return f"the first remedy is {rule.remedies[0].id!r}, not {test.remedy!r}"
    return None


def too_large(rule: Rule) -> Iterator[RuleProblem]:
    """Yield a problem where the condition of a rule is too large for the engines."""
    try:
        alternatives(rule.condition, location=rule.origin)
    except RuleError as error:
        yield from (RuleProblem(one.message, location=rule.origin) for one in error.problems)
