"""The built-in signatures read what executors that they were not written for say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from doctor.model.evidence import Value
from doctor.model.rule import Signature
from doctor.rulebook import SignatureSet
from tests.support.scoring import LAST_LINE, built_in_book

pytestmark = pytest.mark.slow  # what is data reads alike on every Python

FOLDER = Path(__file__).parent / "wordings"
SIGNATURES = [one for one in built_in_book().signatures if one.kind != LAST_LINE]
EVERY = SignatureSet(SIGNATURES)
CLASSES = {one.symptom.name for one in SIGNATURES if one.symptom}
FEWEST_SILENT = {"widened": 150, "unseen": 75, "dialects": 50, "dialects_unseen": 50}
FEWEST_CLASSES = 45  # of the sets in prose, which hold the classes that no library words


@dataclass(slots=True)
class Reading:
    """How one set was read: lines of each class and those found, and what was not said."""

    found: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        return sum(sum(one) for one in self.found.values())

    @property
    def recall(self) -> float:
        return self.right / sum(len(one) for one in self.found.values())

    @property
    def precision(self) -> float:
        return self.right / (self.right + len(self.false))

    def summary(self, name: str, silent: int) -> str:
        lines = sum(len(one) for one in self.found.values())
        return (
            f"{name}: recall {self.recall:.3f} of {lines} lines of {len(self.found)} classes,"
            f" precision {self.precision:.3f} with {silent} silent lines"
        )

    def figures(self, name: str, silent: int) -> str:
        weak = [
            f"{one} {sum(hits)}/{len(hits)}"
            for one, hits in sorted(self.found.items())
            if not all(hits)
        ]
        return f"{self.summary(name, silent)}; less than all: {', '.join(weak) or 'no class'}"


def classes_of(text: str) -> set[str]:
    return {name for found, fields in EVERY.match_line(text) if (name := _class(found, fields))}


def _class(signature: Signature, fields: dict[str, Value]) -> str | None:
    """Return the class; two are concluded by a rule from facts that have none of their own."""
    if signature.kind == "executor.escalation":
        return "escalation_ignored"
    if signature.kind == "vcs.failure" and "hunk" in fields:
        return "patch_apply_failed"
    return signature.symptom.name if signature.symptom else None


def symptoms(name: str) -> list[tuple[list[str], str]]:
    text = (FOLDER / name / "symptoms.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t", 1) for line in text.splitlines()]
    return [(labels.split(), line) for labels, line in rows]


def silent(name: str) -> list[str]:
    return (FOLDER / name / "silent.txt").read_text(encoding="utf-8").splitlines()


def read(name: str) -> Reading:
    reading = Reading()
    for labels, line in symptoms(name):
        said = classes_of(line)
        hit = bool(said & set(labels))
        reading.found[labels[0]].append(hit)
        reading.missed += [] if hit else [f"{labels[0]}: {line}"]
        reading.false += [f"{one}: {line}" for one in sorted(said - set(labels))]
    reading.false += [f"{one}: {line}" for line in silent(name) for one in sorted(classes_of(line))]
    return reading


@pytest.mark.parametrize("name", ["widened", "unseen", "dialects", "dialects_unseen"])
def test_a_set_names_every_class_in_several_wordings_and_many_harmless_lines(name):
    rows = symptoms(name)
    assert {one for labels, _ in rows for one in labels} <= CLASSES | {"escalation_ignored"}
    assert {labels[0] for labels, _ in rows} >= CLASSES
    assert len(silent(name)) >= FEWEST_SILENT[name]


def test_the_wordings_that_the_signatures_were_widened_for_are_read(figure):
    reading = read("widened")
    figure(reading.figures("widened", len(silent("widened"))))
    assert reading.recall >= 0.97, "\n".join(reading.missed)
    assert reading.precision >= 0.98, "\n".join(reading.false)


def test_wordings_that_nobody_tuned_for_are_mostly_read_too(figure):
    reading = read("unseen")
    figure(reading.figures("unseen", len(silent("unseen"))))
    assert reading.recall >= 0.85, "\n".join(reading.missed)
    assert reading.precision >= 0.93, "\n".join(reading.false)


def test_what_other_languages_say_is_read(figure):
    reading = read("dialects")
    figure(reading.figures("dialects", len(silent("dialects"))))
    assert reading.recall >= 0.98, "\n".join(reading.missed)
    assert reading.precision >= 0.98, "\n".join(reading.false)


def test_what_executors_tell_in_a_sentence_is_read(figure):
    reading = read("prose")
    figure(reading.figures("prose", len(silent("prose"))))
    assert len(reading.found) >= FEWEST_CLASSES
    assert reading.recall >= 0.98, "\n".join(reading.missed)
    assert reading.precision >= 0.98, "\n".join(reading.false)


@pytest.mark.parametrize(
    ("name", "recall", "precision"), [("dialects_unseen", 0.95, 0.95), ("prose_unseen", 0.9, 0.95)]
)
def test_the_halves_that_nobody_tuned_for_are_mostly_read_too(name, recall, precision, figure):
    """What is missed stays unsaid: who reads it here can no longer be surprised by it."""
    reading = read(name)
    figure(reading.summary(name, len(silent(name))))
    assert reading.recall >= recall
    assert reading.precision >= precision
