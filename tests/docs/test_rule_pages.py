"""The pages in docs/rules are those that the rules in force give."""

from __future__ import annotations

from doctor.registry import load_registry
from doctor.report.rule_page import rule_index, rule_page
from doctor.rulebook.authoring import read_book
from tests.support.paths import REPOSITORY

PAGES = REPOSITORY / "docs" / "rules"


def test_every_built_in_rule_has_its_page_as_make_docs_writes_it():
    book, loaded = read_book(load_registry({}))
    rules = [one for one, document in loaded.rules if document.builtin]
    pages = {f"{one.code}.md": rule_page(one) for one in rules} | {"README.md": rule_index(rules)}
    there = {one.name: one.read_text(encoding="utf-8") for one in PAGES.glob("*.md")}
    assert sorted(there) == sorted(pages), "run `make docs`"
    assert [name for name in pages if there[name] != pages[name]] == [], "run `make docs`"
    assert len(book.rules) == len(rules)
