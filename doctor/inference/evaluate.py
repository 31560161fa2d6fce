"""From rules and evidence to verdicts: the engine decides, the reference must agree."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from doctor.inference.chaining import Horizon, Unsettled, diagnosis
from doctor.inference.dnf import occurrences
from doctor.inference.explain import Explainer, failed_reason, held_reason, open_reason
from doctor.inference.openness import Key, Openness
from doctor.inference.port import BatchEngine, Engine, EngineUnavailable, Job, Match
from doctor.inference.reference import Outcome, ReferenceEngine, judge
from doctor.inference.selection import FactIndex, Selected, select
from doctor.inference.strata import stratify
from doctor.model.evidence import Evidence
from doctor.model.rule import Rule
from doctor.model.verdict import Result, Verdict

Answer = frozenset[Match] | EngineUnavailable
_Ask = Callable[[Sequence[Job]], Sequence[frozenset[Match]]]
_Rounds = Generator[Job, Answer | None, None]

_ALONE: Final = "the reference engine answered alone"


@dataclass(frozen=True, slots=True)
class Inference:
    """The verdicts of all rules on one body of evidence.

    Attributes:
        verdicts: in the order of the rules, at least one per rule: its matches sorted by key,
            then for which keys it is unknown, else one no_match or unknown with key ().
        engine: name of the engine that decided.
        agreed: whether engine and reference said the same; nothing may be written otherwise.
        note: why not, or that the reference engine answered alone.
    """

    verdicts: tuple[Verdict, ...]
    engine: str
    agreed: bool
    note: str | None = None


def infer(rules: Sequence[Rule], evidence: Evidence, engine: Engine) -> Inference:
    """Return what ``rules`` say about ``evidence``.

    A match that the engine and the reference do not both see is unknown, with the reason.

    Raises:
        RuleError: the rules depend on each other in a circle, or a condition is too large.
    """

    def ask(jobs: Sequence[Job]) -> Sequence[frozenset[Match]]:
        return [engine.match(job.rules, job.selections) for job in jobs]

    examination = _Examination(rules, evidence)
    _drive([examination], ask)
    return examination.result(engine)


def infer_many(
    cases: Sequence[tuple[Sequence[Rule], Evidence]], engine: BatchEngine
) -> tuple[Inference, ...]:
    """Return one inference per case: as ``infer``, at a fraction of the price.

    The cases go through the engine side by side, stratum by stratum. Once it is unavailable, it is
    so for all of them.

    Raises:
        RuleError: as for ``infer``, by any of the cases.
    """
    examinations = [_Examination(rules, evidence) for rules, evidence in cases]
    _drive(examinations, engine.match_all)
    return tuple(one.result(engine) for one in examinations)


def _drive(examinations: Sequence[_Examination], ask: _Ask) -> None:
    down: EngineUnavailable | None = None
    waiting: list[tuple[_Rounds, Answer | None]] = [(one.rounds(), None) for one in examinations]
    while True:
        asked = [(rounds, job) for rounds, last in waiting if (job := _next(rounds, last))]
        if not asked:
            return
        answers: Sequence[Answer] = ()
        if down is None:
            try:
                answers = ask([job for _, job in asked])
            except EngineUnavailable as error:
                down = error
        if down is not None:
            answers = [down] * len(asked)
        waiting = [(rounds, answer) for (rounds, _), answer in zip(asked, answers, strict=True)]


def _next(rounds: _Rounds, answer: Answer | None) -> Job | None:
    try:
        return rounds.send(answer)
    except StopIteration:
        return None


@dataclass(slots=True)
class _Ruling:
    """What stands about one rule: the reference's outcome, and where the engine differs."""

    rule: Rule
    selected: Mapping[str, Selected]
    outcome: Outcome
    missing: str | None
    doubts: dict[Key, str] = field(default_factory=dict)

    @property
    def matched(self) -> tuple[Key, ...]:
        return tuple(key for key in self.outcome.keys("held") if key not in self.doubts)

    @property
    def unknown(self) -> tuple[Key, ...]:
        undecided = set(self.outcome.keys("open")) | self.doubts.keys()
        if self.missing:
            undecided |= set(self.outcome.keys("failed"))
        return tuple(sorted(undecided))

    @property
    def open_elsewhere(self) -> bool:
        missing = self.missing is not None
        return bool(self.rule.join) and (missing or self.outcome.elsewhere == "open")

    @property
    def openness(self) -> Openness:
        unknown = frozenset(self.unknown)
        settled = (self.outcome.settled | self.outcome.states.keys()) - unknown
        if self.missing:
            settled = frozenset(self.matched)
        return Openness(unknown, everywhere=self.open_elsewhere, settled=settled)


class _Examination:
    """One evidence going through the strata of the rules."""

    def __init__(self, rules: Sequence[Rule], evidence: Evidence) -> None:
        self._rules = rules
        self._strata = stratify(rules)
        self._index = FactIndex(evidence.facts)
        self._horizon = Horizon(evidence)
        self._explainer = Explainer(evidence, self._index, self._horizon)
        self._verdicts: dict[str, tuple[Verdict, ...]] = {}
        self._notes: list[str] = []

    def rounds(self) -> _Rounds:
        """Ask one job per stratum, take its answer, and hand the diagnoses to the next."""
        for stratum in self._strata:
            selections = {rule.id: select(rule, self._index, self._horizon.of) for rule in stratum}
            answer = yield Job(stratum, selections)
            assert answer is not None  # noqa: S101 - only the first send carries none
            rulings = [self._rule(rule, selections[rule.id]) for rule in stratum]
            self._compare(rulings, answer)
            for ruling in rulings:
                self._verdicts[ruling.rule.id] = tuple(self._verdicts_of(ruling))
            for ruling in rulings:
                self._horizon.add(Unsettled(ruling.rule, ruling.openness))
            self._index.add(diagnosis(one.rule, key) for one in rulings for key in one.matched)

    def result(self, engine: Engine) -> Inference:
        """Return all verdicts in the order of the rules."""
        verdicts = tuple(one for rule in self._rules for one in self._verdicts[rule.id])
        note = self._notes[0] if self._notes else None
        if note is None and isinstance(engine, ReferenceEngine):
            return Inference(verdicts, engine.name, agreed=True, note=_ALONE)
        return Inference(verdicts, engine.name, agreed=note is None, note=note)

    def _rule(self, rule: Rule, selected: Mapping[str, Selected]) -> _Ruling:
        missing = self._explainer.missing(rule.needs)
        return _Ruling(rule, selected, judge(rule, selected), missing)

    def _compare(self, rulings: Sequence[_Ruling], answer: Answer) -> None:
        """Note where the engine does not say what the reference says."""
        if isinstance(answer, EngineUnavailable):
            reason = f"the rule engine gave no answer: {answer}"
            self._notes.append(reason)
            for ruling in rulings:
                ruling.doubts.update(dict.fromkeys(ruling.outcome.keys("held"), reason))
            return
        mine = {(one.rule.id, key) for one in rulings for key in one.outcome.keys("held")}
        by_id = {one.rule.id: one for one in rulings}
        for rule, key in sorted(answer ^ mine):
            says = "only the reference sees" if (rule, key) in mine else "only the engine sees"
            reason = f"engines disagree: {says} a match of {rule!r} for {key!r}"
            self._notes.append(reason)
            if rule in by_id and len(key) == len(by_id[rule].rule.join):
                by_id[rule].doubts[key] = reason

    def _verdicts_of(self, ruling: _Ruling) -> Iterator[Verdict]:
        matched, unknown = ruling.matched, ruling.unknown
        yield from (self._verdict(ruling, "match", key) for key in matched)
        yield from (self._verdict(ruling, "unknown", key) for key in unknown)
        if matched or unknown:
            return
        yield self._nothing(ruling)

    def _verdict(self, ruling: _Ruling, result: Result, key: Key) -> Verdict:
        rule, selected = ruling.rule, ruling.selected
        clauses = self._explainer.clauses(rule, selected, key)
        if result == "match":
            facts = {name: own.by_key[key] for name, own in selected.items() if key in own.by_key}
            reason = held_reason(clauses, occurrences(rule.condition))
            return Verdict(rule.id, result, key, facts, clauses, reason)
        missing = ruling.doubts.get(key) or open_reason(clauses) or ruling.missing
        return Verdict(rule.id, result, key, {}, clauses, missing or "")

    def _nothing(self, ruling: _Ruling) -> Verdict:
        """Return the one verdict of a rule that has neither a match nor an open key."""
        rule, selected = ruling.rule, ruling.selected
        if ruling.open_elsewhere:
            clauses = self._explainer.clauses(rule, selected, None)
            reason = open_reason(clauses) or ruling.missing or ""
            return Verdict(rule.id, "unknown", (), {}, clauses, reason)
        wanted = occurrences(rule.condition)
        nearest = _nearest_key(ruling, wanted)
        clauses = self._explainer.clauses(rule, selected, nearest)
        return Verdict(rule.id, "no_match", (), {}, clauses, failed_reason(clauses, wanted))


def _nearest_key(ruling: _Ruling, wanted: Mapping[str, bool]) -> Key | None:
    """Return the key for which most selections stand as the condition wants them."""

    def agreeing(key: Key) -> int:
        return sum(
            ruling.selected[name].state(key) == ("held" if positive else "failed")
            for name, positive in wanted.items()
        )

    return max(ruling.outcome.states, key=agreeing, default=None)
