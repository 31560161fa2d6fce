"""The ``tests`` of a rule: given facts and gaps, the verdict that is expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, cast

from doctor.model.evidence import Fact, Gap, Scalar, Value
from doctor.model.rule import Remedy, RuleTest
from doctor.rulebook.nodes import Items, Node, Table, Text
from doctor.rulebook.scalars import seconds
from doctor.rulebook.section import Reading, Section

VERDICTS = ("match", "no_match", "unknown")
NOT_FIELDS = ("kind", "at", "source", "times", "every")
_MOST_TIMES = 10_000
_MOST_FACTS = 20_000
_LATEST = 10 * 365 * 86400


def read_tests(
    node: Node | None, remedies: Sequence[Remedy], reading: Reading
) -> tuple[RuleTest, ...]:
    """Read the tests of a rule; mistakes go to the sheet of ``reading``."""
    tests: dict[str, RuleTest] = {}
    if node is None:
        return ()
    for item in reading.items(node, "tests"):
        test = _test(reading.section(item, "a test"), remedies, reading)
        if test.name in tests and test.name:
            reading.sheet.report(item.place, f"two tests are called {test.name!r}")
        tests[test.name] = test
    return tuple(tests.values())


def _test(section: Section, remedies: Sequence[Remedy], reading: Reading) -> RuleTest:
    name = reading.text(section.need("name"), "name")
    given = reading.section(section.need("given"), "given")
    facts: list[Fact] = []
    if (node := given.find("facts")) is not None:
        for item in reading.items(node, "facts"):
            facts.extend(_facts(reading.section(item, "a fact"), reading))
            if len(facts) > _MOST_FACTS:
                reading.sheet.report(item.place, f"more than {_MOST_FACTS} facts in one test")
                break
    gaps: tuple[Gap, ...] = ()
    if (node := given.find("gaps")) is not None:
        sections = [reading.section(item, "a gap") for item in reading.items(node, "gaps")]
        gaps = tuple(_gap(one, reading) for one in sections)
    given.close()
    expect = reading.section(section.need("expect"), "expect")
    verdict = reading.choice(expect.need("verdict"), "verdict", VERDICTS)
    remedy = None
    if (node := expect.find("remedy")) is not None:
        remedy = reading.choice(node, "remedy", [one.id for one in remedies])
        if verdict != "match":
            reading.sheet.report(node.place, "a remedy goes with 'verdict: match'")
    expect.close()
    section.close()
    result = cast('Literal["match", "no_match", "unknown"]', verdict)
    return RuleTest(name, tuple(facts), gaps, result, remedy)


def _gap(section: Section, reading: Reading) -> Gap:
    gap = Gap(
        probe=reading.text(section.need("probe"), "probe"),
        reason=reading.text(section.need("reason"), "reason"),
        kinds=reading.texts(section.need("kinds"), "kinds"),
    )
    section.close()
    return gap


def _facts(section: Section, reading: Reading) -> Iterator[Fact]:
    kind = reading.text(section.need("kind"), "kind")
    source = "test"
    if (node := section.find("source")) is not None:
        source = reading.text(node, "source")
    at = _seconds(section.find("at"), reading)
    times, every = 1, 0.0
    if (node := section.find("times")) is not None:
        times = reading.integer(node, "times", 1, _MOST_TIMES)
    if (node := section.find("every")) is not None:
        every = seconds(reading.duration(node, "every"))
        if section.find("times") is None:
            reading.sheet.report(node.place, "'every' has no meaning without 'times'")
    fields = {
        name: _field(name, node, reading)
        for name, node in section.table.values.items()
        if name not in NOT_FIELDS
    }
    for number in range(times):
        yield Fact(kind, fields, source, order=at + number * every)


def _seconds(node: Node | None, reading: Reading) -> float:
    if node is None:
        return 0.0
    value = reading.scalar(node, "at")
    if isinstance(value, str):
        return seconds(reading.duration(node, "at"))
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST:
        return float(value)
    reading.sheet.report(node.place, f"at must be seconds from 0 to {_LATEST}")
    return 0.0


def _field(name: str, node: Node, reading: Reading) -> Value:
    if isinstance(node, Text):
        return reading.scalar(node, name)
    if isinstance(node, Items):
        return tuple(reading.verbatim(item, f"an item of {name!r}") for item in node.nodes)
    return _entries(node, reading)


def _entries(table: Table, reading: Reading) -> dict[str, Scalar]:
    return {key: reading.scalar(value, key) for key, value in table.values.items()}
