"""Runs the examples that rules carry: each must give the verdict that it expects."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.errors import DoctorError, RuleError
from doctor.inference.dnf import alternatives
from doctor.inference.evaluate import infer
from doctor.inference.reference import ReferenceEngine
from doctor.model.evidence import Evidence
from doctor.model.rule import Rule
from doctor.registry import Registry
from doctor.rulebook import RuleProblem, lint
from doctor.rulebook.book import Book, load_book


def lint_rules(registry: Registry, paths: tuple[str, ...]) -> tuple[Book, tuple[DoctorError, ...]]:
    """Read all rules; return them with every mistake, failing examples included.

    Raises:
        RuleError: a file cannot even be read.
    """
    book = load_book(registry, paths)
    probes = [probe.name for probe in registry.probes]
    fixers = [fixer.name for fixer in registry.fixers]
    problems = list(lint(book.loaded, book.catalogue, probes, fixers))
    for rule in book.rules:
        problems += failing_examples(rule)
    return book, tuple(problems)


def failing_examples(rule: Rule) -> Iterator[RuleProblem]:
    """Yield one problem per example whose verdict is another one than it expects.

    A condition that is too large for the engines is a problem too.
    """
    try:
        alternatives(rule.condition, location=rule.origin)
    except RuleError as error:
        yield from (RuleProblem(one.message, location=rule.origin) for one in error.problems)
        return
    for test in rule.tests:
        inference = infer([rule], Evidence(test.facts, test.gaps), ReferenceEngine())
        first = inference.verdicts[0]
        if first.result != test.verdict:
            yield RuleProblem(
                f"test {test.name!r} of {rule.id!r}: the verdict is {first.result!r},"
                f" not {test.verdict!r}: {first.reason}",
                location=rule.origin,
            )
