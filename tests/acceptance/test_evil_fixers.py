"""Fixers of others that would change what they should not: nothing is written, they are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from doctor.doctor import Doctor
from doctor.model.tier import Tier
from doctor.registry import Pack, load_registry
from doctor.settings import load_settings
from tests.support import evil
from tests.support.jobs import jobs_ward

pytestmark = pytest.mark.slow

RULE = """
format: doctor/1
rule: t.bad-value
code: TST001
revision: 1
title: A value is not in the enum
status: stable
level: high
owner: tests
retryable: false
match: {bad: {kind: database.invalid_value, role: run}, condition: bad}
join: [run]
confirm: {probe: database.invalid_value}
diagnosis: {cause: enum_drift, subject: bad, message: "${value!r}", hint: look}
remedies:
  - {id: own, fixer: evil.fixer, tier: SAFE, verify: [{rerun: confirm, expect: clear}]}
explanation: {what: w, why: y, fix_safety: s}
"""
FIXER = """
from doctor import Proposal, SetCells, Tier, hookimpl
import os, time
class Fixer:
    name = "evil.fixer"
    def propose(self, diagnosis, system):
        one = diagnosis.subject
        table, key, column, value, to, tier = (
            one.table, dict(one.key), one.column, one.value, "waiting", Tier.GUARDED
        )
        expected, more, shown = {}, {}, None
BODY
        change = SetCells(table, key, {column: value, **expected}, {column: to, **more})
        return (Proposal(change, shown or to, tier, "because", True),)
@hookimpl
def doctor_fixers():
    return (Fixer(),)
"""
REFUSED = {
    "table = 'steps'": "its change of steps.status lies outside jobs.status",
    "column = 'title'": "its change of jobs.title lies outside jobs.status",
    "more = {'title': 'x'}": "its change of jobs.status, title lies outside jobs.status",
    "key = {}": "its change of jobs.status is about another row than the diagnosis",
    "key['uid'] = 'another'": "its change of jobs.status is about another row than the diagnosis",
    "value = 'waiting'": "its change of jobs.status expects another value than the diagnosis",
    "shown = 'drafted'": "it shows 'drafted' and would write another value",
    "raise ValueError('odd')": "failed: ValueError: odd",
    "return 5": "failed: TypeError: 'int' object is not iterable",
    "return [5]": "failed: TypeError: it brought 5, which it does not declare",
    "to = object()": "failed: doctor.guests.wire.WireError: object cannot be sent",
    "os._exit(7)": "ended with exit code 7",
    "time.sleep(60)": "gave no answer in time",
}


@pytest.fixture
def treat(tmp_path, monkeypatch):
    """Return a function that lets Doctor treat a run by the rule, with this fixer, unattended."""
    with jobs_ward(tmp_path) as jobs:
        folder = tmp_path / "site"
        monkeypatch.syspath_prepend(str(folder))
        pack = tmp_path / "pack"
        pack.mkdir()
        (pack / "rule.yaml").write_text(RULE)
        file = tmp_path / "doctor.toml"
        file.write_text(f"[system]\ndatabase = '{jobs.url}'\nmodels = '{jobs.models}'\n")

        def do(body, *, mapped=False):
            if mapped:
                Path(jobs.mapping("jobs.status")).rename(pack / "mapping.yaml")
            lines = "\n".join(f"        {line}" for line in body.splitlines())
            evil.install(folder, "evil", FIXER.replace("BODY", lines))
            monkeypatch.setenv("DOCTOR_PLUGINS", "enum_values,evil")
            registry = replace(load_registry(), packs=(Pack("own", pack),))
            with Doctor(load_settings(file), registry=registry) as doctor:
                registry.hurry(1.5)
                before = jobs.dump()
                found = doctor.treat(jobs.runs["foreign"], max_tier=Tier.SAFE, attended=False)
                return found, jobs.dump() == before, jobs.cell(jobs.runs["foreign"])

        yield do


@pytest.mark.parametrize("body", REFUSED)
def test_what_lies_outside_the_diagnosis_is_refused_and_the_plugin_named(treat, body):
    found, is_untouched, _ = treat(body)
    assert is_untouched
    assert found.plan is None
    [gap] = [one for one in found.examination.evidence.gaps if one.probe.startswith("fixer ")]
    assert gap.probe == "fixer evil.fixer"
    assert REFUSED[body] in gap.reason
    assert "evil of evil" in gap.reason


@pytest.mark.parametrize(
    "body", ["tier = Tier.SAFE", "tier = Tier.ADVISE", "to, tier = 'PAUSE', 0"]
)
def test_a_fixer_that_calls_its_own_idea_safe_must_ask_all_the_same(treat, body):
    found, is_untouched, _ = treat(body)
    assert is_untouched
    assert found.status == "asked"


def test_a_diagnosis_that_a_fixer_empties_stays_as_it_is(treat):
    found, is_untouched, _ = treat("one.key.clear()\nobject.__setattr__(diagnosis, 'facts', ())")
    assert is_untouched
    [diagnosis] = found.examination.diagnoses
    assert diagnosis.subject.key
    assert diagnosis.facts
    assert found.status == "asked"


@pytest.mark.durable
def test_what_the_owner_declared_heals_by_a_fixer_of_others_too(treat):
    found, _, value = treat("tier = Tier.SAFE", mapped=True)
    assert (found.status, value) == ("healed", "waiting")
    assert [one.verified for one in found.outcomes] == ["clear"]
