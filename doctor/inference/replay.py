"""Rules tried on recorded evidence: what they conclude, against what people say it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from doctor.inference.evaluate import infer_many
from doctor.inference.reference import ReferenceEngine
from doctor.model.evidence import Evidence
from doctor.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence with its name.

    Attributes:
        labels: the causes that people found in it; None: nobody looked.
        neutral: causes that are in it and count neither for nor against a rule.
    """

    name: str
    evidence: Evidence
    labels: frozenset[str] | None = None
    neutral: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Score:
    """How a rule or a cause did on the labelled cases.

    ``hits`` are cases in which it was found and is; ``false`` in which it was found and is not;
    ``missed`` in which it is and was not found.
    """

    name: str
    hits: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    @property
    def precision(self) -> float | None:
        """Return the share of what was found that is so; None where nothing was found."""
        found = len(self.hits) + len(self.false)
        return len(self.hits) / found if found else None

    @property
    def recall(self) -> float | None:
        """Return the share of what is so that was found; None where nothing is."""
        there = len(self.hits) + len(self.missed)
        return len(self.hits) / there if there else None


@dataclass(frozen=True, slots=True)
class Replay:
    """What rules say about cases.

    Attributes:
        matched: ids of the rules that matched, by the name of the case.
        rules, causes: scores in the order of the rules, and of the names of the causes.
        labelled: how many cases have labels.
    """

    matched: Mapping[str, tuple[str, ...]]
    rules: tuple[Score, ...]
    causes: tuple[Score, ...]
    labelled: int

    @property
    def total(self) -> Score:
        """Return the score over all causes; a case counts once for each of its causes."""
        parts = (_flat(self.causes, part) for part in ("hits", "false", "missed"))
        return Score("all", *parts)


@dataclass(slots=True)
class _Tally:
    hits: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def score(self, name: str) -> Score:
        return Score(name, tuple(self.hits), tuple(self.false), tuple(self.missed))


def replay(rules: Sequence[Rule], cases: Sequence[Case]) -> Replay:
    """Return what ``rules`` say about each case, and how right they are where there are labels.

    A rule is right where its cause is among the labels. A cause is found where one of its rules
    matches.
    """
    matched = dict(_matched(rules, cases))
    of_rules = {rule.id: _Tally() for rule in rules}
    causes = sorted({rule.cause for rule in rules}.union(*(one.labels or () for one in cases)))
    of_causes = {cause: _Tally() for cause in causes}
    for case in cases:
        if case.labels is None:
            continue
        named = {rule.cause for rule in rules if rule.id in matched[case.name]}
        for cause, tally in of_causes.items():
            _count(tally, case, cause, was_found=cause in named)
        for rule in rules:
            found = rule.id in matched[case.name]
            _count(of_rules[rule.id], case, rule.cause, was_found=found)
    return Replay(
        matched,
        tuple(tally.score(name) for name, tally in of_rules.items()),
        tuple(tally.score(name) for name, tally in of_causes.items()),
        sum(one.labels is not None for one in cases),
    )


def verdicts(
    rules: Sequence[Rule], cases: Sequence[Case]
) -> Iterator[tuple[str, Mapping[str, frozenset[tuple[str, tuple[str, ...]]]]]]:
    """Yield for each case its name, and by rule id what it said: results with their join keys."""
    inferred = infer_many([(rules, one.evidence) for one in cases], ReferenceEngine())
    for case, inference in zip(cases, inferred, strict=True):
        said: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
        for one in inference.verdicts:
            said.setdefault(one.rule, set()).add((one.result, one.key))
        yield case.name, {rule: frozenset(many) for rule, many in said.items()}


def _matched(rules: Sequence[Rule], cases: Sequence[Case]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, said in verdicts(rules, cases):
        yield name, tuple(rule for rule, many in said.items() if any(r == "match" for r, _ in many))


def _count(tally: _Tally, case: Case, cause: str, *, was_found: bool) -> None:
    if cause in case.neutral or case.labels is None:
        return
    if cause in case.labels:
        (tally.hits if was_found else tally.missed).append(case.name)
    elif was_found:
        tally.false.append(case.name)


def _flat(scores: Sequence[Score], part: str) -> tuple[str, ...]:
    return tuple(f"{one.name}: {case}" for one in scores for case in getattr(one, part))
