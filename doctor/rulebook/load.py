"""All files of all packs become one rulebook, or one error that names every mistake."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from doctor.errors import RuleError
from doctor.model.rule import Rulebook
from doctor.rulebook.grammar import File, LoadedRule, LoadedSignature, read_file
from doctor.rulebook.names import described_twice, name_problems
from doctor.rulebook.problem import RuleProblem
from doctor.rulebook.sources import RuleSource, uncollected


@dataclass(frozen=True, slots=True)
class LoadedRulebook:
    """A rulebook with the places that its rules and signatures were read from."""

    rulebook: Rulebook
    rules: tuple[LoadedRule, ...] = ()
    signatures: tuple[LoadedSignature, ...] = ()

    def within(self, paths: Sequence[str]) -> LoadedRulebook:
        """Return the rules and signatures that were read from these files and folders."""
        rules = tuple(one for one in self.rules if _is_within(one.document.label, paths))
        signatures = tuple(one for one in self.signatures if _is_within(one.document.label, paths))
        rulebook = replace(
            self.rulebook,
            rules=tuple(one.rule for one in rules),
            signatures=tuple(one.signature for one in signatures),
        )
        return LoadedRulebook(rulebook, rules, signatures)


def load_rulebook(sources: Sequence[RuleSource], *, placed: bool = True) -> LoadedRulebook:
    """Read all sources; see ``read_files`` for ``placed``.

    Raises:
        RuleError: with every mistake of every file; nothing is loaded then.
    """
    loaded, problems = read_files(sources, placed=placed)
    problems += name_problems(loaded.rules, loaded.signatures, complete=not problems)
    problems += described_twice(loaded.rulebook.systems)
    if problems:
        raise RuleError(tuple(problems))
    return loaded


def read_files(
    sources: Sequence[RuleSource], *, placed: bool = True
) -> tuple[LoadedRulebook, list[RuleProblem]]:
    """Return what each file holds, and every mistake that is within one file.

    Unless ``placed``, whoever finds a mistake later knows only the file.
    """
    with uncollected():
        files = [
            read_file(label, content, builtin=source.builtin, placed=placed)
            for source in sources
            for label, content in source.files
        ]
    return _join(files), [problem for file in files for problem in file.problems]


def _is_within(label: str, paths: Sequence[str]) -> bool:
    file = os.path.realpath(label)
    return any(Path(file).is_relative_to(os.path.realpath(path)) for path in paths)


def _join(files: Sequence[File]) -> LoadedRulebook:
    rules = tuple(one for file in files for one in file.rules)
    signatures = tuple(one for file in files for one in file.signatures)
    rulebook = Rulebook(
        rules=tuple(one.rule for one in rules),
        signatures=tuple(one.signature for one in signatures),
        mappings=tuple(one for file in files for one in file.mappings),
        overrides=tuple(one for file in files for one in file.overrides),
        systems=tuple(one for file in files for one in file.systems),
    )
    return LoadedRulebook(rulebook, rules, signatures)
