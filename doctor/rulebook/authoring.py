"""Rules as their authors need them: with tests, explanations and places, and every mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from doctor.errors import RuleError
from doctor.model.rule import Rulebook
from doctor.registry import Registry
from doctor.rulebook.book import Book, in_force
from doctor.rulebook.catalogue import build_catalogue, offered_kinds, offered_names
from doctor.rulebook.checks import Known, check_rulebook
from doctor.rulebook.load import LoadedRulebook, load_rulebook, read_files
from doctor.rulebook.sources import read_sources

_NOTHING = Registry((), (), (), ())


def read_book(
    registry: Registry, paths: Sequence[str] = (), *, today: date | None = None
) -> tuple[Book, LoadedRulebook]:
    """Return all rules with their tests and where they stand, for those who write them.

    Raises:
        RuleError: with every mistake of every file; nothing is in force then.
        UsageError: there is nothing at a path.
    """
    loaded = load_rulebook(read_sources(registry, paths))
    problems = check_rulebook(loaded, known_names(registry, loaded.rulebook))
    if problems:
        raise RuleError(tuple(problems))
    return in_force(loaded.rulebook, registry, today or datetime.now(UTC).date()), loaded


def read_folder(registry: Registry, paths: Sequence[str], folder: str) -> Book:
    """Return the rules of one folder alone, with the signatures of all packs and paths.

    Rules that they explain and that are elsewhere are not missed.

    Raises:
        RuleError: with every mistake of every file.
        UsageError: there is nothing at ``folder``.
    """
    others, _ = read_files(read_sources(registry, paths))
    own, problems = read_files(read_sources(_NOTHING, (folder,)))
    signatures = (*others.rulebook.signatures, *own.rulebook.signatures)
    rulebook = replace(own.rulebook, signatures=signatures)
    if not problems:
        problems = list(check_rulebook(own, known_names(registry, rulebook)))
    if problems:
        raise RuleError(tuple(problems))
    return in_force(rulebook, registry, datetime.now(UTC).date())


def known_names(registry: Registry, rulebook: Rulebook) -> Known:
    """Return what the rules may name."""
    catalogue = build_catalogue(offered_kinds(registry), rulebook.signatures)
    return Known(catalogue, *offered_names(registry))
