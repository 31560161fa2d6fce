"""The rulebook in force: packs and the team's own files, read, checked and ready to use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from doctor.errors import RuleError, UsageError
from doctor.model.evidence import FactKind, Gap
from doctor.model.rule import Rule, Rulebook, Signature, ValueMapping
from doctor.registry import Registry
from doctor.rulebook.cache import RuleCache, book_key, open_cache
from doctor.rulebook.catalogue import build_catalogue
from doctor.rulebook.checks import Known, check_rulebook
from doctor.rulebook.load import (
    LoadedRulebook,
    RuleSource,
    load_rulebook,
    read_files,
    read_source,
)
from doctor.rulebook.log_kinds import LOG_KINDS
from doctor.rulebook.overrides import apply_overrides
from doctor.rulebook.problem import RuleProblem


@dataclass(frozen=True, slots=True)
class BrokenPack:
    """A pack with mistakes: its last good version is in force, or its files without any."""

    name: str
    problems: tuple[RuleProblem, ...]
    has_good: bool

    @property
    def gap(self) -> Gap:
        """What an examination lacks because of it."""
        first, *others = self.problems
        more = f" (and {len(others)} more)" if others else ""
        left = (
            "its last good version is in force" if self.has_good else "its wrong files are left out"
        )
        return Gap(f"rules {self.name}", f"{first}{more}; {left}")


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

    def rule(self, name: str) -> Rule:
        """Return the rule with this id or code; raises UsageError with the nearest one."""
        found = self.rulebook.rule(name)
        if found is None:
            import difflib

            known = [one for rule in self.rules for one in (rule.id, rule.code)]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "doctor rules list"
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
    key = book_key(sources, _kinds(registry), _names(registry))
    rulebook = kept.find_book(key)
    if rulebook is not None:
        return _in_force(rulebook, registry, today)
    packs = len(registry.packs)
    must = {source.name for source in sources[packs:]} if strict else set()
    loaded, broken = _load_what_is_good(sources, must, registry, kept, today)
    if not broken:
        kept.keep_book(key, loaded.rulebook)
        for source in sources:
            kept.keep_good(source)
    return _in_force(loaded.rulebook, registry, today, broken)


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
    return _in_force(loaded.rulebook, registry, today or datetime.now(UTC).date()), loaded


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
    return _in_force(rulebook, registry, datetime.now(UTC).date())


_NOTHING = Registry((), (), (), ())


def read_sources(registry: Registry, paths: Sequence[str]) -> list[RuleSource]:
    """Return the files of all packs and paths; a file that is named twice counts once."""
    seen: set[str] = set()
    sources = [read_source(pack.name, pack.folder, builtin=pack.builtin) for pack in registry.packs]
    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"there are no rules at {path!r}")
        sources.append(read_source(path, Path(path)))
    for index, source in enumerate(sources):
        sources[index] = _unseen(source, seen)
    return sources


def known_names(registry: Registry, rulebook: Rulebook) -> Known:
    """Return what the rules may name."""
    catalogue = build_catalogue(_kinds(registry), rulebook.signatures)
    return Known(catalogue, *_names(registry))


def _unseen(source: RuleSource, seen: set[str]) -> RuleSource:
    paths = source.paths or ("",) * len(source.files)
    kept = [
        (file, path)
        for file, path in zip(source.files, paths, strict=True)
        if not path or path not in seen
    ]
    seen.update(path for path in paths if path)
    files, left = tuple(file for file, _ in kept), tuple(path for _, path in kept)
    return replace(source, files=files, paths=left)


def _kinds(registry: Registry) -> list[FactKind]:
    return [*(kind for probe in registry.probes for kind in probe.kinds), *LOG_KINDS]


def _names(registry: Registry) -> tuple[list[str], list[str]]:
    probes = [probe.name for probe in registry.probes]
    return probes, [fixer.name for fixer in registry.fixers]


def _in_force(
    rulebook: Rulebook, registry: Registry, today: date, broken: Sequence[BrokenPack] = ()
) -> Book:
    catalogue = build_catalogue(_kinds(registry), rulebook.signatures)
    rules, problems = apply_overrides(rulebook.rules, rulebook.overrides, catalogue, today)
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


@dataclass(slots=True)
class _Choice:
    """Which version of a source is read."""

    source: RuleSource
    problems: list[RuleProblem] = field(default_factory=list)
    has_good: bool = True


def _load_what_is_good(
    sources: Sequence[RuleSource], must: set[str], registry: Registry, cache: RuleCache, today: date
) -> tuple[LoadedRulebook, tuple[BrokenPack, ...]]:
    """Read all sources; put what was last good, or nothing, in the place of those with mistakes."""
    choices = [_Choice(source) for source in sources]
    while True:
        loaded, problems = _try(choices, registry, today, placed=False)
        if problems:  # rare enough to read everything again for the places
            loaded, problems = _try(choices, registry, today, placed=True)
        if not problems:
            break
        blamed = [(one, _blamed(one, choices)) for one in problems]
        fatal = [one for one, who in blamed if who is None or who.source.name in must]
        if fatal:
            raise RuleError(tuple(fatal))
        for choice in {id(who): who for _, who in blamed if who is not None}.values():
            found = [one for one, who in blamed if who is choice]
            _step_back(choice, found, cache)
    broken = tuple(
        BrokenPack(one.source.name, tuple(one.problems), one.has_good)
        for one in choices
        if one.problems
    )
    return loaded, broken


def _try(
    choices: Sequence[_Choice], registry: Registry, today: date, *, placed: bool
) -> tuple[LoadedRulebook, tuple[RuleProblem, ...]]:
    try:
        loaded = load_rulebook([one.source for one in choices], placed=placed)
    except RuleError as error:
        return LoadedRulebook(Rulebook()), error.problems  # type: ignore[return-value]
    known = known_names(registry, loaded.rulebook)
    problems = check_rulebook(loaded, known)
    book = loaded.rulebook
    _, others = apply_overrides(book.rules, book.overrides, known.catalogue, today)
    return loaded, (*problems, *(one for one in others if one.severity == "error"))


def _blamed(problem: RuleProblem, choices: Sequence[_Choice]) -> _Choice | None:
    label = _label(problem)
    return next(
        (one for one in choices if any(label == file for file, _ in one.source.files)), None
    )


def _label(problem: RuleProblem) -> str:
    return (problem.location or "").rsplit(":", 2)[0]


def _step_back(choice: _Choice, problems: list[RuleProblem], cache: RuleCache) -> None:
    is_first = not choice.problems
    if is_first:
        choice.problems = problems
    good = cache.find_good(choice.source) if is_first else None
    choice.has_good = good is not None
    choice.source = good or _without(choice.source, {_label(one) for one in problems})


def _without(source: RuleSource, labels: Collection[str]) -> RuleSource:
    """Return a source without the files that have mistakes: the others stay in force."""
    paths = source.paths or ("",) * len(source.files)
    kept = [
        (file, path)
        for file, path in zip(source.files, paths, strict=True)
        if file[0] not in labels
    ]
    files, left = tuple(file for file, _ in kept), tuple(path for _, path in kept)
    return replace(source, files=files, paths=left)
