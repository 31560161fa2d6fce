"""Commands about rules: list, show, lint, facts, and explain."""

from __future__ import annotations

import click

from doctor.cli.human import rules as rules_text
from doctor.cli.options import Common, with_common_options
from doctor.errors import RuleError
from doctor.model.rule import Rulebook
from doctor.report.plain import plain, to_json
from doctor.report.rules import rule_json
from doctor.rulebook.book import Book


@click.group()
@with_common_options
def rules(common: Common) -> None:
    """List, show and check rules; list the facts they can use."""


@rules.command("list")
@with_common_options
def list_(common: Common) -> int:
    """List every rule that is in force."""
    book = _book(common)
    if common.is_json:
        common.print(to_json({"rules": [rule_json(one) for one in book.rules]}))
    else:
        common.print(rules_text.rules(book.rules))
    return 0


@rules.command()
@click.argument("rule")
@with_common_options
def show(common: Common, rule: str) -> int:
    """Show one rule as it is in force, with the file it comes from."""
    found = _book(common).rule(rule)
    if common.is_json:
        common.print(to_json({"rule": rule_json(found)}))
    else:
        common.print(rules_text.rule(found))
    return 0


@rules.command()
@click.argument("paths", nargs=-1)
@with_common_options
def lint(common: Common, paths: tuple[str, ...]) -> int:
    """Check the rules in force and those in PATHS; run the examples inside them.

    Every mistake of every file at once, as file:line:column. Exits 2 where there is one.
    """
    from doctor.inference.examples import lint_rules
    from doctor.registry import load_registry

    settings = common.settings
    book, problems = lint_rules(load_registry(), (*settings.rules.paths, *paths))
    if problems:
        raise RuleError(problems)
    counts = _counts(book)
    if common.is_json:
        common.print(to_json({"exit_code": 0, **counts}))
    else:
        common.print("no mistakes in " + ", ".join(f"{n} {noun}" for noun, n in counts.items()))
    return 0


@rules.command()
@with_common_options
def facts(common: Common) -> int:
    """List the fact kinds that rules can select, with their fields."""
    kinds = [kind for _, kind in sorted(_book(common).catalogue.items())]
    if common.is_json:
        common.print(to_json({"facts": plain(kinds)}))
    else:
        common.print(rules_text.facts(kinds))
    return 0


@click.command()
@click.argument("code")
@with_common_options
def explain(common: Common, code: str) -> int:
    """Explain a diagnosis by its CODE, e.g. DB001, or by the id of its rule."""
    found = _book(common).rule(code)
    if common.is_json:
        document = {"code": found.code, "rule": found.id, "title": found.title}
        common.print(to_json({**document, "explanation": plain(found.explanation)}))
    else:
        common.print(rules_text.explanation(found))
    return 0


def _book(common: Common) -> Book:
    from doctor.registry import load_registry
    from doctor.rulebook.book import load_book

    return load_book(load_registry(), common.settings.rules.paths)


def _counts(book: Book) -> dict[str, int]:
    rulebook: Rulebook = book.loaded.rulebook
    return {
        "rules": len(rulebook.rules),
        "signatures": len(rulebook.signatures),
        "mappings": len(rulebook.mappings),
        "tests": sum(len(one.tests) for one in rulebook.rules),
    }
