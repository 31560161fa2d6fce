"""Everything that the built-in pack claims about itself holds."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from doctor.inference import ReferenceEngine, infer
from doctor.inference.examples import lint_rules
from doctor.model.evidence import Evidence, Fact
from doctor.registry import load_registry
from doctor.rulebook import SignatureSet
from tests.support.paths import CORPUS, REPOSITORY
from tests.support.scoring import HEALTHY, classes

pytestmark = pytest.mark.slow  # what is data reads alike on every Python

TEAM = REPOSITORY / "docs" / "sample-team-pack"
PROBLEMS, LOADED = lint_rules(load_registry(), (str(TEAM),))[1:]
BOOK = LOADED.rulebook
CODE = re.compile(r"(?:DB|SQL|HTTP|NET|LLM|OS|PY|BLD|GIT|EXEC)\d{3}")
BUILT_IN = [one for one in BOOK.rules if one.origin.startswith("builtin/")]
SIGNATURES = [one for one in BOOK.signatures if one.origin.startswith("builtin/")]
EVERY = SignatureSet(SIGNATURES)
START = datetime(2025, 1, 2, 10, tzinfo=UTC)
ENOUGH = 2
STEP = timedelta(seconds=10)
NOT_FROM_ONE_LINE = {"abrupt_end"}


@pytest.mark.parametrize("signature", BOOK.signatures, ids=lambda one: one.origin)
def test_a_signature_matches_its_test_lines_and_no_silent_line(signature):
    alone = SignatureSet([signature])
    assert signature.tests
    assert signature.silent
    assert [line for line in signature.tests if not alone.match_line(line)] == []
    assert [line for line in signature.silent if alone.match_line(line)] == []


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda one: one.origin)
def test_a_test_line_of_a_class_is_read_as_that_class_among_all_signatures(signature):
    if signature.symptom is None:
        return
    for line in signature.tests:
        found = {one.symptom.name for one, _ in EVERY.match_line(line) if one.symptom}
        assert signature.symptom.name in found, line


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda one: one.id)
def test_a_rule_gives_the_verdicts_of_its_tests(rule):
    said = {}
    for test in rule.tests:
        inference = infer([rule], Evidence(test.facts, test.gaps), ReferenceEngine())
        said[test.name] = inference.verdicts[0].result
    assert said == {test.name: test.verdict for test in rule.tests}
    assert {one.verdict for one in rule.tests} >= {"match", "no_match"}


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda one: one.id)
def test_a_rule_says_what_it_means_and_whether_retrying_helps(rule):
    assert CODE.fullmatch(rule.code)
    assert rule.explanation.what
    assert rule.explanation.why
    assert rule.hint
    assert rule.retryable in (True, False, "unknown")


def test_codes_and_ids_are_unique():
    for names in ([one.code for one in BOOK.rules], [one.id for one in BOOK.rules]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_nothing_is_wrong_in_the_pack_and_the_sample_of_a_team():
    assert [str(one) for one in PROBLEMS] == []


def test_a_class_says_the_same_about_retrying_wherever_it_is_named():
    said: dict[str, set[object]] = {}
    for one in BOOK.signatures:
        if one.symptom is not None:
            said.setdefault(one.symptom.name, set()).add((one.symptom.noise, one.symptom.retryable))
    assert {name: values for name, values in said.items() if len(values) > 1} == {}


def test_a_rule_agrees_with_its_class_about_retrying():
    said = {
        one.symptom.name: one.symptom.retryable for one in SIGNATURES if one.symptom is not None
    }
    differing = {one.id for one in BUILT_IN if said.get(one.cause, one.retryable) != one.retryable}
    assert differing == set()


def test_noise_is_diagnosed_by_no_rule():
    noise = {one.symptom.name for one in BOOK.signatures if one.symptom and one.symptom.noise}
    assert [one.id for one in BOOK.rules if one.cause in noise and one.level != "info"] == []


def test_a_class_of_a_team_takes_fewer_than_15_lines():
    for file in TEAM.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        parts = re.split(r"(?m)^  - kind:", text.partition("\n---\n")[0])[1:]
        assert max(len(one.strip().splitlines()) for one in parts) < 15, file


def test_no_built_in_signature_names_a_product_under_care():
    names = re.compile(r"(?i)autopack|\bbuild-?\d{3}|DELIVERABLES|ARCHIVE_CONSOLIDATOR")
    assert [one.origin for one in SIGNATURES if names.search(one.pattern)] == []


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the shared corpus is not at {CORPUS}")
def test_every_class_of_the_corpus_has_a_signature_or_a_rule():
    known = {one.symptom.name for one in SIGNATURES if one.symptom}
    known |= {one.cause for one in BUILT_IN} | NOT_FROM_ONE_LINE | {HEALTHY}
    rows = classes().values()
    general = {row["symptom"] for row in rows if row["one_products_own"] == "no"}
    own = {row["symptom"] for row in rows if row["one_products_own"] == "yes"}
    assert general - known == set()
    team = {one.symptom.name for one in BOOK.signatures if one.symptom} - known
    assert own - team == set()


def test_a_rule_says_where_to_read_on_and_how_long_to_wait_where_retrying_helps():
    addresses = re.compile(r"https://[\w.-]+/\S*")
    silent = [one.id for one in BUILT_IN if not one.explanation.references]
    odd = [
        (one.id, text)
        for one in BUILT_IN
        for text in one.explanation.references
        if not addresses.fullmatch(text)
    ]
    timeless = [
        one.id
        for one in BUILT_IN
        if one.retryable is True and not re.search(r"\d+ s\b|larger output budget", one.hint)
    ]
    assert (silent, odd, timeless) == ([], [], [])


def test_what_two_tools_say_of_a_class_leads_to_its_rule():
    """Lines become facts, and the facts make the rule of the class match: not only its own tests.

    The lines stand ten seconds apart, thrice each, since some rules want a failure to repeat.
    """
    wordings: dict[str, set[str]] = {}
    for signature in SIGNATURES:
        name = signature.symptom.name if signature.symptom else ""
        lines = wordings.setdefault(name, set())
        for line in signature.tests if name else ():
            if len(lines) < ENOUGH and name in _causes_of(line):
                lines.add(line)
    concluded = {one.cause for one in BUILT_IN} & wordings.keys()
    few = {name: wordings[name] for name in concluded if len(wordings[name]) < ENOUGH}
    assert few == {}


def _causes_of(line: str) -> frozenset[str]:
    facts = [
        Fact(one.kind, {"run": "r", **fields}, "log:x", START + n * STEP, n, n)
        for n in range(3)
        for one, fields in EVERY.match_line(line)
    ]
    verdicts = infer(BUILT_IN, Evidence(tuple(facts)), ReferenceEngine()).verdicts
    causes = {one.id: one.cause for one in BUILT_IN}
    return frozenset(causes[one.rule] for one in verdicts if one.result == "match")
