"""Results of the tests inside rules as JUnit XML."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from doctor.inference.examples import ExampleResult


@dataclass(frozen=True, slots=True)
class MutantResult:
    """A changed rule that no test noticed: what was changed, and where it stands."""

    of: str
    what: str
    location: str


def junit_xml(results: Sequence[ExampleResult], survivors: Sequence[MutantResult] = ()) -> str:
    """Return one suite per rule and kind of signature; a surviving mutant is a failure."""
    suites: defaultdict[str, list[str]] = defaultdict(list)
    failures: defaultdict[str, int] = defaultdict(int)
    for one in results:
        suites[one.of].append(_case(one.of, one.name, one.location, one.failure))
        failures[one.of] += one.failure is not None
    for mutant in survivors:
        failure = "no test notices"
        suites[mutant.of].append(_case(mutant.of, mutant.what, mutant.location, failure))
        failures[mutant.of] += 1
    total = sum(map(len, suites.values()))
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(f'<testsuites tests="{total}" failures="{sum(failures.values())}">')
    for name, cases in suites.items():
        counts = f'tests="{len(cases)}" failures="{failures[name]}"'
        lines.append(f"  <testsuite name={_quoted(name)} {counts}>")
        lines += cases
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _case(of: str, name: str, location: str, failure: str | None) -> str:
    file, line = [*location.rsplit(":", 2), "", ""][:2]
    head = f"classname={_quoted(of)} name={_quoted(name)} file={_quoted(file)} line={_quoted(line)}"
    if failure is None:
        return f"    <testcase {head}/>"
    told = f"<failure message={_quoted(failure)}>{location}</failure>"
    return f"    <testcase {head}>{told}</testcase>"


def _quoted(text: str) -> str:
    shown = "".join(one if one.isprintable() or one == "\t" else repr(one)[1:-1] for one in text)
    return quoteattr(shown)
