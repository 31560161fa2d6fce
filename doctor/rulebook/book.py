"""The rulebook in force: packs and the team's own files, read, checked and ready to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from doctor.errors import RuleError, UsageError
from doctor.model.description import SystemDescription
from doctor.model.evidence import FactKind, Gap
from doctor.model.rule import Rule, Rulebook, Signature, ValueMapping
from doctor.registry import Registry
from doctor.rulebook.cache import RuleCache, book_key, open_cache
from doctor.rulebook.catalogue import build_catalogue, offered_kinds, offered_names
from doctor.rulebook.log_kinds import LOG_KINDS
from doctor.rulebook.problem import RuleProblem, nearest
from doctor.rulebook.sources import read_sources

if TYPE_CHECKING:
    from doctor.rulebook.fallback import BrokenPack


@dataclass(frozen=True, slots=True)
class Book:
    """Rules in the order in which their packs and files come, and what they may name.

    Attributes:
        rulebook: what is in force, overrides applied. The rules of a book that was read for
            diagnosing may lack tests and explanation.
        catalogue: every fact kind by name.
        signature_kinds: those that logs bring.
        warnings: overrides that are not in force any more.
        broken: packs that have mistakes.
    """

    rulebook: Rulebook
    catalogue: Mapping[str, FactKind]
    signature_kinds: tuple[FactKind, ...]
    warnings: tuple[RuleProblem, ...] = ()
    broken: tuple[BrokenPack, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules."""
        return self.rulebook.rules

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """All signatures."""
        return self.rulebook.signatures

    @property
    def mappings(self) -> tuple[ValueMapping, ...]:
        """All declared meanings of bad values."""
        return self.rulebook.mappings

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What examinations lack because packs are broken."""
        return tuple(one.gap for one in self.broken)

    @property
    def systems(self) -> Mapping[str, SystemDescription]:
        """All descriptions of systems by name; a team's own comes before the built-in one."""
        found = sorted(self.rulebook.systems, key=lambda one: (one.name, not one.builtin))
        return {one.name: one for one in found}

    def system(self, name: str) -> SystemDescription | None:
        """Return the description of this name, None for a system that is to be discovered.

        Raises UsageError with the nearest name.
        """
        if name == "discovered":
            return None
        if name not in self.systems:
            known = sorted(self.systems)
            hint = nearest(name, known) or f"known are {', '.join(known) or 'none'}"
            raise UsageError(f"no system {name!r} is described", hint=hint)
        return self.systems[name]

    def rule(self, name: str) -> Rule:
        """Return the rule with this id or code, or the only one with this cause.

        Raises UsageError with those that have the cause, else with the nearest name.
        """
        found = self.rulebook.rule(name)
        of_cause = [one for one in self.rules if one.cause == name] if found is None else []
        if len(of_cause) == 1:
            return of_cause[0]
        if found is None:
            import difflib

            known = [one for rule in self.rules for one in (rule.id, rule.code, rule.cause)]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "doctor rules list"
            if of_cause:
                codes = ", ".join(sorted(one.code for one in of_cause))
                hint = f"several rules find this cause: {codes}"
            raise UsageError(f"there is no rule {name!r}", hint=hint)
        return found


def load_book(
    registry: Registry,
    paths: Sequence[str] = (),
    *,
    strict: bool = False,
    cache: RuleCache | None = None,
    today: date | None = None,
) -> Book:
    """Return the rules in force: those of all packs and of ``paths``, for diagnosing.

    A broken pack takes no other one down: its last good version, if there was one, stays in
    force. ``strict`` says that ``paths`` must have no mistake.

    Raises:
        RuleError: with every mistake of every file of ``paths`` that must have none.
        UsageError: there is nothing at a path.
    """
    today = today or datetime.now(UTC).date()
    kept = cache or open_cache()
    sources = read_sources(registry, paths)
    key = book_key(sources, offered_kinds(registry), offered_names(registry))
    rulebook = kept.find_book(key)
    if rulebook is not None:
        return in_force(rulebook, registry, today)
    from doctor.rulebook.fallback import load_what_is_good

    packs = len(registry.packs)
    must = {source.name for source in sources[packs:]} if strict else set()
    loaded, broken = load_what_is_good(sources, must, registry, kept, today)
    if not broken:
        kept.keep_book(key, loaded.rulebook)
        for source in sources:
            kept.keep_good(source)
    return in_force(loaded.rulebook, registry, today, broken)


def in_force(
    rulebook: Rulebook, registry: Registry, today: date, broken: Sequence[BrokenPack] = ()
) -> Book:
    """Return the rules with their overrides applied; raises RuleError for one that cannot be."""
    catalogue = build_catalogue(offered_kinds(registry), rulebook.signatures)
    rules = rulebook.rules
    problems: tuple[RuleProblem, ...] = ()
    if rulebook.overrides:
        from doctor.rulebook.overrides import apply_overrides

        rules, problems = apply_overrides(rules, rulebook.overrides, catalogue, today)
    mistakes = tuple(one for one in problems if one.severity == "error")
    if mistakes:
        raise RuleError(mistakes)
    named = sorted({*(one.kind for one in rulebook.signatures), *(one.name for one in LOG_KINDS)})
    return Book(
        replace(rulebook, rules=rules),
        catalogue,
        tuple(catalogue[name] for name in named),
        problems,
        tuple(broken),
    )
