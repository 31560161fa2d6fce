"""Descriptions of systems: what a document says, and every mistake where it stands."""

from __future__ import annotations

import json

import pytest

from doctor.errors import RuleError
from doctor.model.description import (
    ColumnFacts,
    Contradiction,
    Requirement,
    StateCopy,
    SystemDescription,
)
from doctor.model.rule import Rulebook
from doctor.registry import load_registry
from doctor.rulebook.book import load_book
from doctor.rulebook.codec import rulebook_from_json, rulebook_to_json
from doctor.rulebook.grammar import read_file
from tests.support.paths import REPOSITORY

WHOLE = """\
format: doctor/1
system: small
about: {homepage: "https://example.org", package: small-executor}
tables:
  runs: {table: jobs, key: uid}
columns:
  jobs.state: {enum: "small.models:State", stored: names, values: [OPEN, 'NO', 1],
    nulls: refused, terminal: [OPEN], breaks: the list}
  jobs.doc: {holds: json, nulls: accepted}
  jobs.kind: {values: [a], open: true}
requires:
  - {table: jobs, when: {state: [OPEN]}, rows: results, as_many_as: goals, breaks: the sum}
  - {table: results, when: {kind: [a, b]}, set: [value]}
never:
  - {table: jobs, when: {state: [DONE]}, rows: steps, holding: {state: [OPEN, 1]}, breaks: it}
also_stored:
  - {column: jobs.state, inside: jobs.doc, path: [status, name], prefix: "State."}
api: {one: "GET /jobs/{run}?full=1", health: "GET /health"}
logs: ["logs/{run_id}.log"]
reading: {destroys: it deletes what it cannot read}
"""


def read(text):
    return read_file("s.yaml", text)


def test_a_whole_description_is_read():
    found = read(WHOLE)
    assert found.problems == ()
    assert found.systems == (
        SystemDescription(
            "small",
            "https://example.org",
            "small-executor",
            "jobs",
            "uid",
            (
                ColumnFacts(
                    "jobs.state",
                    "small.models:State",
                    "names",
                    ("OPEN", "NO", "1"),
                    null=False,
                    terminal=("OPEN",),
                    breaks="the list",
                    origin="s.yaml:7",
                ),
                ColumnFacts("jobs.doc", null=True, holds="json", origin="s.yaml:9"),
                ColumnFacts("jobs.kind", values=("a",), open=True, origin="s.yaml:10"),
            ),
            (
                Requirement(
                    "jobs",
                    {"state": ("OPEN",)},
                    rows="results",
                    as_many_as="goals",
                    breaks="the sum",
                    origin="s.yaml:12",
                ),
                Requirement("results", {"kind": ("a", "b")}, ("value",), origin="s.yaml:13"),
            ),
            (
                Contradiction(
                    "jobs",
                    {"state": ("DONE",)},
                    "steps",
                    {"state": ("OPEN", "1")},
                    "it",
                    "s.yaml:15",
                ),
            ),
            (StateCopy("jobs.state", "jobs.doc", ("status", "name"), "State."),),
            "/jobs/{run}?full=1",
            "/health",
            ("logs/{run_id}.log",),
            "it deletes what it cannot read",
            "s.yaml:2",
        ),
    )
    assert found.systems[0].tables == {"jobs", "results"}
    assert found.systems[0].terminal == {"OPEN"}


def test_what_the_cache_keeps_is_the_same():
    for systems in (read(WHOLE).systems, tuple(load_book(load_registry()).systems.values())):
        data = json.loads(json.dumps(rulebook_to_json(Rulebook(systems=systems))))
        assert rulebook_from_json(data).systems == systems


HEAD = "format: doctor/1\nsystem: small\n"
MISTAKES = {
    "columns: {jobs.state: {values: [a], stord: names}}": (
        "3:37",
        "unknown key 'stord' in 'jobs.state'",
        "did you mean 'stored'?",
    ),
    "columns: {jobs.state: {values: [a], stored: name}}": (
        "3:45",
        "'name' is no valid stored",
        "did you mean 'names'?",
    ),
    "columns: {state: {values: [a]}}": (
        "3:11",
        "column 'state' must look like 'runs.state'",
        None,
    ),
    "columns: {jobs.state: {values: [a, a]}}": ("3:36", "'a' stands twice in values", None),
    "columns: {jobs.state: {values: []}}": ("3:32", "values names nothing", None),
    "columns: {jobs.state: {breaks: all}}": (
        "3:11",
        "'jobs.state' says nothing to check",
        "give enum, values, nulls or holds",
    ),
    "columns: {jobs.state: {holds: json, open: true}}": (
        "3:43",
        "'open' says something about values, and neither 'enum' nor 'values' is there",
        None,
    ),
    "columns: {jobs.state: {values: [a], terminal: [b]}}": (
        "3:47",
        "the terminal value 'b' is not among the values",
        None,
    ),
    "columns: {jobs.state: {enum: 'a.b.C'}}": (
        "3:30",
        "enum 'a.b.C' must look like 'package.module:Name'",
        None,
    ),
    "tables: {run: {table: jobs}}": (
        "3:10",
        "unknown key 'run' in tables",
        "did you mean 'runs'?",
    ),
    "requires: [{table: jobs, when: {state: [a]}}]": (
        "3:12",
        "a requirement has either 'set' or 'rows'",
        None,
    ),
    "requires: [{table: jobs, when: {state: [a]}, set: [b], as_many_as: c}]": (
        "3:68",
        "'as_many_as' needs 'rows'",
        None,
    ),
    "never: [{table: jobs, when: {state: [a]}, rows: steps, holding: {}}]": (
        "3:9",
        "a contradiction needs a column in 'when' and in 'holding'",
        None,
    ),
    "also_stored: [{column: a.b, inside: c.d, path: [e]}]": (
        "3:37",
        "a copy stands in another column of the same table",
        None,
    ),
    "api: {one: GET /jobs}": ("3:12", "one 'GET /jobs' must look like 'GET /runs/{run}'", None),
    "api: {health: POST /health}": (
        "3:15",
        "health 'POST /health' must look like 'GET /health'",
        None,
    ),
    "about: {homepage: https://a.b}": (
        "1:1",
        "the description names no table and no column",
        None,
    ),
    "colums: {}": ("3:1", "unknown key 'colums' in system", "did you mean 'columns'?"),
}


@pytest.mark.parametrize(("line", "expected"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_stands(line, expected):
    found = read(f"{HEAD}{line}\n")
    told = [(one.location, one.message, one.hint) for one in found.problems]
    place, message, hint = expected
    assert (f"s.yaml:{place}", message, hint) in told
    assert found.systems == ()


@pytest.mark.parametrize("name", ["Small", "a b", "discovered"])
def test_a_name_that_cannot_be_chosen_is_refused(name):
    found = read(f"format: doctor/1\nsystem: {name}\ncolumns: {{a.b: {{values: [c]}}}}\n")
    assert [one.location for one in found.problems] == ["s.yaml:2:9"]


SMALL = f"{HEAD}columns: {{jobs.state: {{values: [a]}}}}\n"


def test_a_system_that_is_described_twice_is_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SMALL)
    with pytest.raises(RuleError) as caught:
        load_book(load_registry(), (str(tmp_path),), strict=True)
    assert "system 'small' is already described at" in str(caught.value)


def test_a_team_describes_a_system_otherwise_than_the_pack(tmp_path):
    (tmp_path / "own.yaml").write_text(SMALL.replace("small", "optuna"))
    found = load_book(load_registry(), (str(tmp_path),), strict=True).system("optuna")
    assert found is not None
    assert [one.column for one in found.columns] == ["jobs.state"]


def test_the_example_of_the_guide_has_no_mistake():
    guide = (REPOSITORY / "docs" / "describe-your-system.md").read_text(encoding="utf-8")
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    assert read(example).problems == ()
    assert len(read(example).systems) == 1
