"""The JSON Schema for editors: takes what is good, refuses what is plainly wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from doctor.registry import load_registry
from doctor.rulebook.book import load_book
from doctor.rulebook.json_schema import rule_schema
from tests.support.paths import REPOSITORY
from tests.unit.rulebook.test_overrides import OVERRIDE

RULES = REPOSITORY / "rules"
CHECK = str(Path(sys.executable).with_name("check-jsonschema"))

RULE = """\
format: doctor/1
rule: a.b
code: AB001
revision: 1
title: t
status: stable
level: high
owner: o
retryable: false
needs: [http.failure]
match:
  failing: {kind: http.failure, status|gte: 500, endpoint|in: [/a, /b], run|exists: true}
  storm: {count_of: failing, group_by: [run], within: 10m, gte: 2}
  condition: storm
join: [run]
explains: [executor.retry-storm]
confirm: {probe: database.invalid_value}
diagnosis: {cause: c, message: m, hint: h, subject: failing}
remedies:
  - id: set
    fixer: database.set_value
    tier: SAFE
    expect: {rows: 1, columns: [state]}
    verify: [{rerun: confirm, expect: clear}, {probe: api.get_run, expect: {status: 200}}]
    on_verify_fail: undo_then_ask
    timeout: 60s
limits: {cost: 2, once_within: {period: 30m, group_by: [run]}, blast_radius: {rows: 5, window: 1h}}
exceptions: {known: {selection: failing, fields: [endpoint], values: [[/x]]}}
explanation: {what: w, why: y, fix_safety: s, references: ["https://a.b/c"]}
tests:
  - name: n
    given:
      facts: [{kind: http.failure, run: r, status: 500, times: 2, every: 5s, at: 1m}]
      gaps: [{probe: database.invalid_value, reason: r, kinds: [database.invalid_value]}]
    expect: {verdict: match, remedy: set}
"""
SIGNATURE = """\
format: doctor/1
signatures:
  - kind: team.new_kind
    pattern: 'x(?P<n>[0-9])'
    fields: {n: int}
    tests: [x1]
    silent: [y]
"""
MAPPING = "format: doctor/1\nmapping: runs.state\nowner: o\nreason: r\nvalues: {READY: DONE}\n"
GOOD = {"rule": RULE, "signatures": SIGNATURE, "mapping": MAPPING, "override": OVERRIDE}
BAD = [
    ("rule", "format: doctor/1", "format: doctor/2"),
    ("rule", "format: doctor/1\n", ""),
    ("rule", "rule: a.b", "rule: A B"),
    ("rule", "code: AB001", "code: ab1"),
    ("rule", "revision: 1", "revision: 0"),
    ("rule", "title: t\n", ""),
    ("rule", "title: t", "titel: t"),
    ("rule", "status: stable", "status: stabel"),
    ("rule", "level: high", "level: urgent"),
    ("rule", "retryable: false", "retryable: perhaps"),
    ("rule", "status|gte: 500", "status|gt: 500"),
    ("rule", "status|gte: 500", "status|gte: high"),
    ("rule", "run|exists: true", "run|exists: 1"),
    ("rule", "within: 10m", "within: 10 minutes"),
    ("rule", "  condition: storm\n", ""),
    ("rule", "probe: database.invalid_value}\ndiag", "probe: database.nothing}\ndiag"),
    ("rule", "fixer: database.set_value", "fixer: database.nothing"),
    ("rule", "tier: SAFE", "tier: safe"),
    ("rule", "on_verify_fail: undo_then_ask", "on_verify_fail: undo"),
    ("rule", "group_by: [run]}, blast", "group_by: [rune]}, blast"),
    ("rule", "verdict: match", "verdict: maybe"),
    ("rule", "why: y, ", ""),
    ("signatures", "fields: {n: int}", "fields: {n: integer}"),
    ("signatures", "    pattern: 'x(?P<n>[0-9])'\n", ""),
    ("signatures", "    silent: [y]", "    slient: [y]"),
    ("mapping", "owner: o\n", ""),
    ("mapping", "values: {READY: DONE}", "values: {}"),
    ("override", "expires: 2027-01-31", "expires: tomorrow"),
    ("override", "exceptions.known_future_value.values", "needs"),
    ("override", "limits.once_within.period: 2h", "confirm: x"),
]


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    registry = load_registry({})
    probes, fixers = ([one.name for one in many] for many in (registry.probes, registry.fixers))
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    book = load_book(registry)
    path.write_text(json.dumps(rule_schema(book.catalogue, probes, fixers)))
    return path


def check(*arguments):
    done = subprocess.run(
        [CHECK, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_it_is_a_schema(schema):
    assert check("--check-metaschema", schema)[0] == 0


@pytest.mark.slow
def test_every_built_in_file_is_valid(schema, tmp_path):
    files: list[Path] = []
    for path in sorted(RULES.rglob("*.yaml")):
        for number, text in enumerate(path.read_text().split("\n---\n")):
            files.append(tmp_path / f"{len(files):03}-{path.stem}-{number}.yaml")
            files[-1].write_text(text)
    code, told = check("--schemafile", schema, *files)
    assert code == 0, told


@pytest.mark.parametrize("kind", GOOD)
def test_a_document_with_every_key_is_valid(schema, tmp_path, kind):
    file = tmp_path / "good.yaml"
    file.write_text(GOOD[kind])
    code, told = check("--schemafile", schema, file)
    assert code == 0, told


def test_bad_files_are_refused(schema, tmp_path):
    files = []
    for number, (kind, old, new) in enumerate(BAD):
        assert old in GOOD[kind], old
        files.append(tmp_path / f"bad{number:02}.yaml")
        files[-1].write_text(GOOD[kind].replace(old, new, 1))
    code, told = check("--schemafile", schema, "-o", "json", *files)
    assert code == 1
    refused = {Path(one["filename"]).name for one in json.loads(told)["errors"]}
    assert [one.name for one in files if one.name not in refused] == []


def test_every_key_that_the_grammar_asks_for_is_in_the_schema(schema):
    """The grammar reads keys by ``need`` and ``find``: none of them may be missing."""
    import re

    asked = set()
    for path in (REPOSITORY / "doctor" / "rulebook").glob("*_grammar.py"):
        asked |= set(re.findall(r'\.(?:need|find)\("([a-z_]+)"\)', path.read_text()))
    text = schema.read_text()
    assert {name for name in asked if f'"{name}"' not in text} == set()


def test_hooks_for_pre_commit_call_commands_that_exist():
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    names = ["doctor-rules-lint", "doctor-rules-test", "doctor-lint-sql"]
    assert [one["id"] for one in hooks] == names
    for one in hooks:
        program, *arguments = one["entry"].split()
        command = [str(Path(sys.executable).with_name(program)), *arguments, "--help"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
