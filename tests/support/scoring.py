"""How well the rules in force read labelled logs: recall, precision, and whether retrying helps."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doctor.evidence.log_end import log_end
from doctor.inference import ReferenceEngine, diagnose, infer
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Evidence, Fact
from doctor.model.rule import Retryable, Rule, Signature
from doctor.registry import load_registry
from doctor.rulebook import SignatureSet
from doctor.rulebook.book import Book, load_book
from doctor.system.logs import FileLog
from tests.support.paths import CORPUS

Pair = tuple[str, str]
RUN = "labelled"
FAILURE = "http.failure"
LAST_LINE = "log.end"
HEALTHY = "no_failure"
_ANSWERS: Mapping[object, Retryable] = {True: True, False: False}


@dataclass(frozen=True, slots=True)
class Labels:
    """What the labels say.

    Attributes:
        retryable: of every (file, class) that should be found.
        neutral: pairs that count neither way: noise.
        own: classes whose wording is one product's own; they count neither way.
        healthy: files without any failure.
    """

    retryable: Mapping[Pair, Retryable]
    neutral: frozenset[Pair]
    own: frozenset[str]
    healthy: tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """What one log shows: lines and retryable by class, noise apart, and the diagnoses."""

    lines: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    retryable: dict[str, Retryable] = field(default_factory=dict)
    noise: set[str] = field(default_factory=set)
    diagnoses: tuple[Diagnosis, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The figures over all logs; ``wrong_yes`` are pairs called retryable against their label."""

    right: frozenset[Pair]
    missed: frozenset[Pair]
    false: frozenset[Pair]
    agreeing: int
    compared: int
    wrong_yes: tuple[Pair, ...]
    differing: tuple[str, ...]
    ill: Mapping[str, tuple[str, ...]]

    @property
    def recall(self) -> float:
        """Part of the labelled pairs that were found."""
        return len(self.right) / max(1, len(self.right) + len(self.missed))

    @property
    def precision(self) -> float:
        """Part of the found pairs that are labelled."""
        return len(self.right) / max(1, len(self.right) + len(self.false))

    @property
    def agreement(self) -> float:
        """Part of the right pairs whose retryable is that of the label."""
        return self.agreeing / max(1, self.compared)


def built_in_book(*paths: str) -> Book:
    """Return the rules in force without any configuration, and those in ``paths``."""
    book = load_book(load_registry(), paths)
    if book.broken:
        raise ValueError(f"a pack has mistakes: {book.broken}")
    return book


def read_labels(folder: Path = CORPUS) -> Labels:
    """Read labels.jsonl and symptom_classes.tsv of a corpus."""
    own = frozenset(
        row["symptom"] for row in classes(folder).values() if row["one_products_own"] == "yes"
    )
    retryable: dict[Pair, Retryable] = {}
    neutral: set[Pair] = set()
    healthy = []
    for text in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        pair = (row["file"], row["symptom"])
        if row["symptom"] == HEALTHY:
            healthy.append(row["file"])
        elif row["noise"]:
            neutral.add(pair)
        elif row["symptom"] not in own:
            retryable[pair] = _ANSWERS.get(row["retryable"], "unknown")
    return Labels(retryable, frozenset(neutral), own, tuple(healthy))


def classes(folder: Path = CORPUS) -> dict[str, dict[str, str]]:
    """Return the rows of symptom_classes.tsv by class."""
    with (folder / "symptom_classes.tsv").open(encoding="utf-8", newline="") as stream:
        return {row["symptom"]: row for row in csv.DictReader(stream, delimiter="\t")}


class Reader:
    """Reads logs by the signatures and rules of a book."""

    def __init__(self, book: Book) -> None:
        self._rules: Sequence[Rule] = book.rules
        every = [one for one in book.signatures if one.kind != LAST_LINE]
        self._every = SignatureSet(every)

    def read(self, path: Path) -> Reading:
        """Return the symptoms and diagnoses of one log."""
        reading = Reading()
        facts = list(self._facts(path, reading))
        evidence = Evidence(tuple(_with_failures_after(facts)))
        inference = infer(self._rules, evidence, ReferenceEngine())
        reading.diagnoses = diagnose(self._rules, inference.verdicts)
        for verdict in inference.verdicts:
            if verdict.result == "match":
                rule = next(one for one in self._rules if one.id == verdict.rule)
                reading.retryable.setdefault(rule.cause, rule.retryable)
        return reading

    def _facts(self, path: Path, reading: Reading) -> Iterator[Fact]:
        tail: list[str] = []
        number = 0
        for line in FileLog(path).lines():
            for signature, fields in self._every.match_line(line.text):
                self._note(signature, line.number, reading)
                yield Fact(
                    signature.kind,
                    {"run": RUN, **fields},
                    f"log:{path.name}",
                    line.at,
                    line.number,
                    line.order,
                )
            tail = [*tail[-4:], line.text] if line.text.strip() else tail
            number = line.number
        ended = log_end("".join(f"{one}\n" for one in tail).encode(), number)
        if ended is not None:
            yield Fact(LAST_LINE, {"run": RUN, "ended": ended}, f"log:{path.name}", line=number)

    def _note(self, signature: Signature, number: int, reading: Reading) -> None:
        symptom = signature.symptom
        if symptom is None:
            return
        reading.lines[symptom.name].append(number)
        if symptom.noise:
            reading.noise.add(symptom.name)
        else:
            reading.retryable.setdefault(symptom.name, symptom.retryable)


def score(folder: Path = CORPUS, book: Book | None = None) -> Score:
    """Read every log of a corpus and compare with its labels."""
    labels = read_labels(folder)
    reader = Reader(book or built_in_book())
    readings = {path.name: reader.read(path) for path in sorted((folder / "logs").iterdir())}
    found = {
        (name, symptom): retryable
        for name, reading in readings.items()
        for symptom, retryable in reading.retryable.items()
        if symptom not in labels.own and (name, symptom) not in labels.neutral
    }
    right = found.keys() & labels.retryable.keys()
    differing = sorted(pair for pair in right if found[pair] != labels.retryable[pair])
    return Score(
        right=frozenset(right),
        missed=frozenset(labels.retryable.keys() - found.keys()),
        false=frozenset(found.keys() - labels.retryable.keys()),
        agreeing=len(right) - len(differing),
        compared=len(right),
        wrong_yes=tuple(
            one for one in differing if found[one] is True and labels.retryable[one] is False
        ),
        differing=tuple(
            f"{name} {symptom}: {found[name, symptom]}, labelled {labels.retryable[name, symptom]}"
            for name, symptom in differing
        ),
        ill={
            name: tuple(one.code for one in readings[name].diagnoses if one.is_finding)
            for name in labels.healthy
            if any(one.is_finding for one in readings[name].diagnoses)
        },
    )


def table(scored: Score) -> str:
    """Return the figures as text: one line per class, then what is missing and what is false."""
    counts = {
        name: Counter(symptom for _, symptom in pairs)
        for name, pairs in (
            ("right", scored.right),
            ("missed", scored.missed),
            ("false", scored.false),
        )
    }
    names = sorted({one for each in counts.values() for one in each})
    lines = [f"{'class':34}right missed false"]
    lines += [
        f"{name:34}{counts['right'][name]:5} {counts['missed'][name]:6} {counts['false'][name]:5}"
        for name in names
    ]
    lines += [f"missed: {file} {symptom}" for file, symptom in sorted(scored.missed)]
    lines += [f"false: {file} {symptom}" for file, symptom in sorted(scored.false)]
    lines += [f"retryable differs: {one}" for one in scored.differing]
    lines += [f"healthy, yet diagnosed: {name} {codes}" for name, codes in scored.ill.items()]
    lines.append(
        f"recall {scored.recall:.3f}, precision {scored.precision:.3f},"
        f" retryable {scored.agreement:.3f} of {scored.compared}"
    )
    return "\n".join(lines)


def _with_failures_after(facts: Sequence[Fact]) -> list[Fact]:
    found: list[Fact] = []
    failures = 0
    for fact in reversed(facts):
        fields = {**fact.fields, "failures_after": failures}
        failures += fact.kind == FAILURE
        found.append(Fact(fact.kind, fields, fact.source, fact.at, fact.line, fact.order))
    return found[::-1]


if __name__ == "__main__":
    sys.stdout.write(table(score()) + "\n")
