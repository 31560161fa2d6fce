"""What is in force where packs have mistakes: their last good version, or what is good of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from doctor.errors import RuleError
from doctor.model.evidence import Gap
from doctor.model.rule import Rulebook
from doctor.registry import Registry
from doctor.rulebook.authoring import known_names
from doctor.rulebook.cache import RuleCache
from doctor.rulebook.checks import check_rulebook
from doctor.rulebook.load import LoadedRulebook, load_rulebook
from doctor.rulebook.overrides import apply_overrides
from doctor.rulebook.problem import RuleProblem
from doctor.rulebook.sources import RuleSource


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


@dataclass(slots=True)
class _Choice:
    """Which version of a source is read."""

    source: RuleSource
    problems: list[RuleProblem] = field(default_factory=list)
    has_good: bool = True


def load_what_is_good(
    sources: Sequence[RuleSource], must: set[str], registry: Registry, cache: RuleCache, today: date
) -> tuple[LoadedRulebook, tuple[BrokenPack, ...]]:
    """Read all sources; put what was last good, or nothing, in the place of those with mistakes.

    Raises:
        RuleError: a source that ``must`` have no mistake has one, or nobody knows whose it is.
    """
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
