"""The rulebook in force: packs and the team's own files, read, checked and ready to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import RuleError, UsageError
from doctor.model.evidence import FactKind
from doctor.model.rule import Rule, Signature, ValueMapping
from doctor.registry import Registry
from doctor.rulebook import (
    Known,
    LoadedRulebook,
    build_catalogue,
    check_rulebook,
    load_rulebook,
    read_source,
)


@dataclass(frozen=True, slots=True)
class Book:
    """Rules in the order in which their packs and files come, and what they may name.

    ``catalogue`` holds every fact kind by name; ``signature_kinds`` those that logs bring.
    """

    loaded: LoadedRulebook
    catalogue: Mapping[str, FactKind]
    signature_kinds: tuple[FactKind, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules."""
        return self.loaded.rulebook.rules

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """All signatures."""
        return self.loaded.rulebook.signatures

    @property
    def mappings(self) -> tuple[ValueMapping, ...]:
        """All declared meanings of bad values."""
        return self.loaded.rulebook.mappings

    def rule(self, name: str) -> Rule:
        """Return the rule with this id or code; raises UsageError with the nearest one."""
        found = self.loaded.rulebook.rule(name)
        if found is None:
            import difflib

            known = [one for rule in self.rules for one in (rule.id, rule.code)]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "doctor rules list"
            raise UsageError(f"there is no rule {name!r}", hint=hint)
        return found


def load_book(registry: Registry, paths: tuple[str, ...]) -> Book:
    """Read all packs and ``paths``; raises RuleError with every mistake of every file."""
    sources = [read_source(pack.name, pack.folder, builtin=pack.builtin) for pack in registry.packs]
    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"there are no rules at {path!r}")
        sources.append(read_source(path, Path(path)))
    loaded = load_rulebook(sources)
    kinds = [kind for probe in registry.probes for kind in probe.kinds]
    catalogue = build_catalogue(kinds, loaded.rulebook.signatures)
    named = {one.kind for one in loaded.rulebook.signatures}
    signature_kinds = tuple(catalogue[name] for name in sorted(named))
    known = Known(
        catalogue,
        [probe.name for probe in registry.probes],
        [fixer.name for fixer in registry.fixers],
    )
    problems = check_rulebook(loaded, known)
    if problems:
        raise RuleError(tuple(problems))
    return Book(loaded, catalogue, signature_kinds)
