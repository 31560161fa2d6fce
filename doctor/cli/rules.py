"""Commands about rules: list, show, lint, facts, schema, docs, and explain."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doctor.cli.options import Common, also_prints, with_common_options
from doctor.errors import RuleError
from doctor.report.plain import plain, to_json

if TYPE_CHECKING:
    from doctor.rulebook import LoadedRulebook
    from doctor.rulebook.book import Book

_TOOLS = ("test", "replay", "diff", "stats")


class RulesGroup(click.Group):
    """The commands of this module, and those of the tools, which are loaded when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all commands in the order of their use."""
        return ["list", "show", "lint", *_TOOLS, "facts", "schema", "docs"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command."""
        if cmd_name not in _TOOLS:
            return super().get_command(ctx, cmd_name)
        tools = import_module("doctor.cli.rules_tools")
        command: click.Command = getattr(tools, f"{cmd_name}_rules")
        return command


@click.group(cls=RulesGroup)
@with_common_options
def rules(common: Common) -> None:
    """Read, check, test and compare rules; list the facts they can use."""


@rules.command("list")
@with_common_options
def list_(common: Common) -> int:
    """List every rule that is in force."""
    from doctor.cli.human import rules as rules_text
    from doctor.report.rules import rule_json

    book, _ = _read(common)
    if common.is_json:
        common.print(to_json({"rules": [rule_json(one) for one in book.rules]}))
    else:
        common.print(rules_text.rules(book.rules))
    return 0


@rules.command()
@click.argument("rule")
@with_common_options
def show(common: Common, rule: str) -> int:
    """Show one rule as it is in force, and the file that each key comes from."""
    from doctor.cli.human import rules as rules_text
    from doctor.report.rules import rule_json

    book, loaded = _read(common)
    found = book.rule(rule)
    document = next(one.document for one in loaded.rules if one.rule.id == found.id)
    places = {**document.places(), **found.set_by}
    if common.is_json:
        common.print(to_json({"rule": rule_json(found), "set_at": places}))
    else:
        common.print(rules_text.rule(found, places))
    return 0


@also_prints("sarif")
@rules.command()
@click.argument("paths", nargs=-1)
@click.option("--strict", is_flag=True, help="Exit 4 where there is a warning.")
@with_common_options
def lint(common: Common, paths: tuple[str, ...], *, strict: bool) -> int:
    """Check the rules in force and those in PATHS; run the examples inside them.

    Every mistake of every file at once, as file:line:column. Exits 2 where there is one.
    """
    from doctor import __version__
    from doctor.inference.examples import lint_rules
    from doctor.registry import load_registry
    from doctor.report.sarif import sarif_text

    try:
        book, problems, loaded = lint_rules(load_registry(), (*common.settings.rules.paths, *paths))
        if any(one.severity == "error" for one in problems):
            raise RuleError(problems)
    except RuleError as error:
        if common.is_sarif:
            common.print(sarif_text(error.problems, __version__))
        raise
    counts = _counts(loaded)
    code = 4 if strict and book.warnings else 0
    if common.is_json:
        warnings = [{"message": one.message, "at": one.location} for one in book.warnings]
        common.print(to_json({"exit_code": code, **counts, "warnings": warnings}))
    elif common.is_sarif:
        common.print(sarif_text(book.warnings, __version__))
    else:
        lines = [f"warning: {one.message}\n  at {one.location}" for one in book.warnings]
        lines.append("no mistakes in " + ", ".join(f"{n} {noun}" for noun, n in counts.items()))
        common.print("\n".join(lines))
    return code


@rules.command()
@with_common_options
def facts(common: Common) -> int:
    """List the fact kinds that rules can select, with their fields."""
    from doctor.cli.human import rules as rules_text

    kinds = [kind for _, kind in sorted(_book(common).catalogue.items())]
    if common.is_json:
        common.print(to_json({"facts": plain(kinds)}))
    else:
        common.print(rules_text.facts(kinds))
    return 0


@rules.command()
@with_common_options
def schema(common: Common) -> int:
    """Print the JSON Schema (draft-07) of rule files, for editors.

    Begin a rule file with `# yaml-language-server: $schema=FILE`.
    """
    from doctor.registry import load_registry
    from doctor.rulebook.json_schema import rule_schema

    registry = load_registry()
    probes = [one.name for one in registry.probes]
    fixers = [one.name for one in registry.fixers]
    common.print(to_json(rule_schema(_book(common).catalogue, probes, fixers)))
    return 0


@rules.command()
@click.argument("folder")
@with_common_options
def docs(common: Common, folder: str) -> int:
    """Write one page per rule in force into FOLDER, and README.md with all of them."""
    from doctor.errors import UsageError
    from doctor.report.rule_page import rule_index, rule_page

    book, _ = _read(common)
    pages = {f"{one.code}.md": rule_page(one) for one in book.rules}
    pages["README.md"] = rule_index(book.rules)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (target / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write into {folder!r}: {error.strerror}") from error
    if common.is_json:
        common.print(to_json({"folder": folder, "pages": sorted(pages), "exit_code": 0}))
    else:
        common.print(f"wrote {len(pages)} pages into {folder}")
    return 0


@click.command()
@click.argument("code")
@with_common_options
def explain(common: Common, code: str) -> int:
    """Explain a diagnosis by its CODE, e.g. DB001, by its cause, or by the id of its rule."""
    from doctor.cli.human import rules as rules_text
    from doctor.report.rule_page import rule_page

    book, _ = _read(common)
    found = book.rule(code)
    if common.is_json:
        document = {"code": found.code, "rule": found.id, "title": found.title}
        document["page"] = rule_page(found)
        common.print(to_json({**document, "explanation": plain(found.explanation)}))
    else:
        common.print(rules_text.explanation(found))
    return 0


def _book(common: Common) -> Book:
    from doctor.registry import load_registry
    from doctor.rulebook.book import load_book

    settings = common.settings.rules
    return load_book(load_registry(), settings.paths, strict=settings.strict)


def _read(common: Common) -> tuple[Book, LoadedRulebook]:
    from doctor.registry import load_registry
    from doctor.rulebook.authoring import read_book

    return read_book(load_registry(), common.settings.rules.paths)


def _counts(loaded: LoadedRulebook) -> dict[str, int]:
    rulebook = loaded.rulebook
    return {
        "rules": len(rulebook.rules),
        "signatures": len(rulebook.signatures),
        "mappings": len(rulebook.mappings),
        "tests": sum(len(one.tests) for one in rulebook.rules),
    }
