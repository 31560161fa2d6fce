"""A ladder of remedies: the next rung after an undone repair, a timeout, and a human at the end."""

from __future__ import annotations

import pytest

from doctor.doctor import Doctor
from doctor.registry import Pack, Registry, load_registry
from doctor.settings import load_settings
from tests.support.jobs import jobs_ward, reply
from tests.support.terminal import say

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
match: {bad: {kind: database.invalid_value}, condition: bad}
join: [run]
confirm: {probe: database.invalid_value}
diagnosis: {cause: enum_drift, subject: bad, message: "${value!r}", hint: look}
remedies:
  - id: first
    fixer: database.set_value
    tier: SAFE
    on_verify_fail: undo_then_next
    verify: [{rerun: confirm, expect: clear}, {probe: api.get_run, expect: {status: 200}}]
  - id: second
    fixer: database.set_value
    tier: SAFE
    timeout: TIMEOUT
    verify: [{rerun: confirm, expect: clear}]
explanation: {what: w, why: y, fix_safety: s}
"""


def broken(handler):
    if handler.path == "/openapi.json":
        return False
    reply(handler, 500, "Internal Server Error")
    return True


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    """Return a Doctor with one rule, on a system whose API never gets well."""
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "state"))
    with jobs_ward(tmp_path, broken) as jobs:

        def make(timeout="60s"):
            folder = tmp_path / "pack"
            folder.mkdir(exist_ok=True)
            (folder / "rule.yaml").write_text(RULE.replace("TIMEOUT", timeout))
            config = tmp_path / "doctor.toml"
            config.write_text(
                f'[system]\ndatabase = "{jobs.url}"\napi = "{jobs.api}"\nmodels = "{jobs.models}"\n'
            )
            every = load_registry()
            own = Registry(every.probes, every.fixers, (Pack("own", folder),), ())
            return jobs, Doctor(load_settings(config), registry=own)

        yield make


def test_the_next_rung_takes_over_and_its_own_checks_count(doctor):
    jobs, one = doctor()
    with one:
        treatment = one.treat(jobs.runs["case"])
    assert [(each.result, each.verified) for each in treatment.outcomes] == [
        ("undone", "failed"),
        ("applied", "clear"),
    ]


def test_a_rung_that_takes_too_long_is_undone_and_then_a_human_decides(doctor):
    jobs, one = doctor(timeout="1ms")
    before = jobs.dump()
    with one:
        treatment = one.treat(jobs.runs["case"])
        again = one.treat(jobs.runs["case"])
    assert [each.result for each in treatment.outcomes] == ["undone", "undone"]
    assert "took longer than 0.001 s" in treatment.outcomes[1].reason
    assert (treatment.status, again.status) == ("undone", "asked")
    assert jobs.dump() == before


def test_a_repair_that_failed_once_is_not_repeated_without_a_human(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "state"))
    with jobs_ward(tmp_path, broken) as jobs:
        before = jobs.dump()
        codes = [say("heal", jobs.runs["case"], *jobs.options()).code for _ in range(2)]
        assert codes == [7, 5]
        assert jobs.dump() == before
