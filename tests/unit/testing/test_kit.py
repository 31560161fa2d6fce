"""The kit for authors says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import os
import sys

import pytest

from doctor.model.evidence import Evidence, Fact, Gap
from doctor.testing import (
    Trial,
    build_system,
    check_rules,
    expect_fact,
    expect_no_gaps,
    sick_cell,
)
from tests.support.paths import REPOSITORY

SAMPLE = REPOSITORY / "docs" / "sample-plugin"
PLUGIN = "sample_priority.plugin"
MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass
class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
"""


@pytest.fixture
def system(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SAMPLE))
    return build_system(
        tmp_path / "system",
        "CREATE TABLE jobs (id TEXT PRIMARY KEY, priority TEXT)",
        "INSERT INTO jobs VALUES ('j2', 'high')",
        runs="jobs",
        models=MODELS,
        logs={"run.log": "started\n"},
    )


def test_a_plugin_is_tried_in_its_own_process_and_the_environment_is_put_back(system, monkeypatch):
    monkeypatch.setenv("DOCTOR_STATE_DIR", "/before")
    with Trial(system, PLUGIN, rules=(SAMPLE / "sample_priority" / "rules",)) as trial:
        assert PLUGIN not in sys.modules
        [diagnosis] = trial.examine("j2").diagnoses
        assert diagnosis.code == "SMP001"
        [proposal] = trial.propose("sample.set_priority", diagnosis)
        assert proposal.to == "HIGH"
        evidence = trial.observe("sample.priority", None)
        expect_no_gaps(evidence)
        expect_fact(evidence, "sample.bad_priority", value="high")
    assert os.environ["DOCTOR_STATE_DIR"] == "/before"
    assert system.rows("SELECT * FROM jobs") == [{"id": "j2", "priority": "high"}]


def test_a_module_that_is_no_plugin_and_names_that_are_not_there_are_said(system, monkeypatch):
    monkeypatch.delenv("DOCTOR_STATE_DIR", raising=False)
    with pytest.raises(AssertionError, match="No module named 'no_such_plugin'"):
        Trial(system, "no_such_plugin").__enter__()
    assert "DOCTOR_STATE_DIR" not in os.environ
    with Trial(system) as trial:
        with pytest.raises(AssertionError, match="no probe 'x'; there are .*api.get_run"):
            trial.observe("x", None)
        with pytest.raises(AssertionError, match="no fixer 'x'; there are database.set_value"):
            trial.propose("x", sick_cell("jobs", "priority", {}, "x"))


def test_what_doctor_refuses_of_a_fixer_is_an_assertion(system, tmp_path, monkeypatch):
    source = (SAMPLE / "sample_priority" / "plugin.py").read_text()
    source = source.replace(
        "            subject.table, subject.key", "            'x', subject.key"
    )
    (tmp_path / "stray_plugin.py").write_text(
        source.replace("subject.table, subject.key", "'x', {}")
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    sick = sick_cell("jobs", "priority", {"id": "j2"}, "high", valid=("HIGH",))
    with Trial(system, "stray_plugin") as trial, pytest.raises(AssertionError) as caught:
        trial.propose("sample.set_priority", sick)
    assert "its change of x.priority lies outside jobs.priority" in str(caught.value)


def test_rules_with_mistakes_are_named_with_their_place(tmp_path):
    rule = (SAMPLE / "sample_priority" / "rules" / "priority.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(rule.replace("sample.priority", "sample.pritority"))
    with pytest.raises(AssertionError, match=r"wrong.yaml:\d+:\d+"):
        check_rules(tmp_path)
    untested = rule.partition("tests:")[0].partition("confirm:")[0]
    (tmp_path / "wrong.yaml").write_text(
        untested.replace("sample.bad_priority", "http.failure")
        + "diagnosis: {cause: c, message: m, hint: h}\nexplanation: {what: w, why: y}\n"
    )
    with pytest.raises(AssertionError, match="expects 'match'"):
        check_rules(tmp_path)


def test_expectations_say_what_was_there_instead():
    evidence = Evidence((Fact("a.b", {"x": 1}, "s"),), (Gap("p", "locked"),))
    assert expect_fact(evidence, "a.b", x=1) is evidence.facts[0]
    with pytest.raises(AssertionError, match=r"0 facts 'a.b'[\s\S]*'x': 1[\s\S]*p: locked"):
        expect_fact(evidence, "a.b", x=2)
    with pytest.raises(AssertionError, match="facts: none"):
        expect_fact(Evidence(), "a.b")
    with pytest.raises(AssertionError, match="p: locked"):
        expect_no_gaps(evidence)
    expect_no_gaps(Evidence())
