"""The plugin on a small system, run the way Doctor runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_priority

from doctor.testing import (
    Trial,
    build_system,
    check_rules,
    expect_fact,
    expect_no_gaps,
    sick_cell,
)

RULES = Path(sample_priority.__file__).parent / "rules"
VALID = ("LOW", "NORMAL", "HIGH")


@pytest.fixture
def trial(tmp_path):
    system = build_system(
        tmp_path / "system",
        "CREATE TABLE jobs (id TEXT PRIMARY KEY, priority TEXT)",
        "INSERT INTO jobs VALUES ('j1', 'NORMAL'), ('j2', 'high'), ('j3', 'urgent')",
        runs="jobs",
    )
    with Trial(system, "sample_priority.plugin", rules=(RULES,)) as tried:
        yield tried


def test_the_probe_finds_the_bad_priority_and_nothing_else(trial):
    evidence = trial.observe("sample.priority", "j2")
    expect_no_gaps(evidence)
    expect_fact(evidence, "sample.bad_priority", run="j2", value="high", key={"id": "j2"})
    assert trial.observe("sample.priority", "j1").facts == ()


def test_the_fixer_is_certain_of_capitals_and_guesses_synonyms(trial):
    [sure] = trial.propose(
        "sample.set_priority", sick_cell("jobs", "priority", {"id": "j2"}, "high", valid=VALID)
    )
    [guess] = trial.propose(
        "sample.set_priority", sick_cell("jobs", "priority", {"id": "j3"}, "urgent", valid=VALID)
    )
    assert (sure.to, sure.certain, guess.to, guess.certain) == ("HIGH", True, "HIGH", False)


def test_the_run_is_healed_and_a_guess_is_asked(trial):
    assert trial.heal("j2").status == "healed"
    assert trial.heal("j3").status == "asked"
    rows = trial.system.rows("SELECT id, priority FROM jobs ORDER BY id")
    assert [one["priority"] for one in rows] == ["NORMAL", "HIGH", "urgent"]


def test_the_rules_are_right(trial):
    check_rules(RULES, trial.registry)
